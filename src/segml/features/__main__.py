"""``python -m segml.features``: the feature table at one or several as-of dates."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from segml import artifacts, cli, features
from segml.pipeline import check_as_of
from segml.schema import OutputError
from segml.windows import as_timestamp

DESCRIPTION = """Build the features of every customer at one or several as-of dates, in one pass.

What each column means stands in docs/features.md."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and build; return the exit code."""
    parser = cli.parser("features", DESCRIPTION)
    parser.add_argument(
        "--as-of", dest="dates", type=cli.iso_date, nargs="+", required=True, metavar="DATE", help="as-of dates"
    )
    parser.add_argument("--output", dest="file", required=True, metavar="FILE.parquet", help="where the table goes")
    return cli.run(_features, parser.parse_args(argv))


def _features(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    file = Path(arguments.file)
    if file.suffix != ".parquet":
        raise OutputError(f"output {file} must end in .parquet; found {file.suffix or 'no ending'!r}")
    artifacts.check_writable(file.parent)
    with cli.Stages() as stages:
        prepared = cli.open_data(settings, stages)
        moments = [as_timestamp(moment) for moment in arguments.dates]
        for moment in moments:
            check_as_of(moment, prepared.log_start, prepared.log_end)
        stages("features")
        table = features.build(prepared.lines, moments, settings.features)
        artifacts.write_file(file, lambda path: table.to_parquet(path, index=False))
    facts = {"output": str(file.resolve()), "rows": len(table), "columns": len(table.columns), "as_of": len(moments)}
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


if __name__ == "__main__":
    sys.exit(main())
