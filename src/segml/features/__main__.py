"""``python -m segml.features``: the feature table at one or several as-of dates."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from segml import artifacts, cli, features
from segml.config import Config
from segml.data.address import redact
from segml.pipeline import check_as_of
from segml.schema import OutputError
from segml.windows import as_timestamp

DESCRIPTION = """Build the features of every customer at one or several as-of dates, in one pass.

The table goes straight to the file: where it, or the lines, do not fit into memory, customers are
split into buckets, which are computed one at a time. A build that was stopped goes on at its
finished buckets when the same command is given again.

What each column means stands in docs/features.md."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and build; return the exit code."""
    parser = cli.parser("features", DESCRIPTION)
    parser.add_argument(
        "--as-of", dest="dates", type=cli.iso_date, nargs="+", required=True, metavar="DATE", help="as-of dates"
    )
    parser.add_argument(
        "--output",
        dest="file",
        required=True,
        metavar="FILE.parquet",
        help="where the table goes; for Spark also s3a://bucket/folder",
    )
    _add_engine(parser)
    arguments = parser.parse_args(argv)
    arguments.overrides += _engine_overrides(arguments)
    return cli.run(_features, arguments)


def _add_engine(parser: argparse.ArgumentParser) -> None:
    """Add shorthands for ``--set engine.…``."""
    parser.add_argument("--engine", choices=("duckdb", "spark", "postgres"), help="where to compute: engine.kind")
    parser.add_argument("--memory-limit", metavar="SIZE", help="as in 4GB; default: 60 %% of the memory that is free")
    parser.add_argument("--scratch", metavar="DIR", help="folder for temporary files; default: beside the output")


def _engine_overrides(arguments: argparse.Namespace) -> list[str]:
    given = {"kind": arguments.engine, "memory_limit": arguments.memory_limit, "scratch": arguments.scratch}
    return [f"engine.{key}={json.dumps(value)}" for key, value in given.items() if value is not None]


def _features(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    target = _target(arguments.file, settings.engine.kind)
    moments = [as_timestamp(moment) for moment in arguments.dates]
    with cli.Stages() as stages:
        written = _write(settings, moments, target, stages)
    facts = {
        "output": str(target.resolve()) if isinstance(target, Path) else redact(target),
        "rows": written.rows,
        "columns": written.columns,
        "as_of": len(moments),
        "buckets": written.buckets,
        "memory_limit": f"{written.memory_limit / 1e9:.2f} GB",
    }
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _target(text: str, engine: str) -> Path | str:
    """Return the file, or the address of a folder that Spark writes."""
    if "://" in text:
        if engine != "spark":
            raise OutputError(f"output {redact(text)}: only Spark writes to an address; name a file, or --engine spark")
        return text
    file = Path(text)
    if file.suffix != ".parquet":
        raise OutputError(f"output {file} must end in .parquet; found {file.suffix or 'no ending'!r}")
    artifacts.check_writable(file.parent)
    return file


def _write(settings: Config, moments: list[pd.Timestamp], target: Path | str, stages: cli.Stages) -> features.Written:
    with cli.open_data(settings, stages) as prepared:
        for moment in moments:
            check_as_of(moment, prepared.log_start, prepared.log_end)
        stages("features")
        return features.write(
            prepared.lines,
            moments,
            target,
            settings.features,
            memory_limit=settings.engine.memory_limit,
            scratch=settings.engine.scratch,
            progress=stages.buckets,
        )


if __name__ == "__main__":
    sys.exit(main())
