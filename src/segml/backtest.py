"""``python -m segml.backtest``: how good the scores would have been, at several dates in the past."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from segml import artifacts, cli, config, tracking

DESCRIPTION = """Evaluate churn and stagnation scores out of time, against every baseline.

At each date the models learn only from snapshots whose outcome was known by then. By default the last three
dates one horizon apart."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and evaluate; return the exit code."""
    parser = cli.parser("backtest", DESCRIPTION)
    parser.add_argument("--as-of", dest="dates", type=cli.iso_date, nargs="+", metavar="DATE", help="test dates")
    parser.add_argument("--output", metavar="DIR", help="folder for backtest.parquet; default outputs")
    return cli.run(_backtest, parser.parse_args(argv))


def _backtest(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    if arguments.dates:
        settings = config.with_test_dates(settings, arguments.dates)
    output = Path(settings.output)
    artifacts.check_writable(output)
    tracking.check_reachable(settings.tracking)
    with cli.Stages() as stages:
        stages("starting")
        from segml import outputs, pipeline, records, session, summary

        with session.tracked(settings, arguments.config, stages, prefix="backtest ") as current:
            found = pipeline.backtest(current.prepared, settings, stage=stages, detail=stages.detail)
            stages("tracking")
            with artifacts.staged(output) as folder:
                outputs.write_backtest(found, settings, folder)
            record = records.of_backtest(
                current.run.begun,
                found,
                current.prepared,
                settings,
                data_digest=current.data_digest,
                seconds=stages.seconds,
            )
            current.run.send(record, output)
    facts = {
        "run_id": current.run.run_id,
        "output": str(output.resolve()),
        "metrics": found.metrics,
        "notices": found.notices,
    }
    cli.print_json(facts) if arguments.json else summary.show_backtest(found, facts, settings)


if __name__ == "__main__":
    sys.exit(main())
