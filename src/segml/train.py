"""``python -m segml.train``: from transactions to a tracked run with segments, scores, decisions and a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from segml import artifacts, cli, tracking

DESCRIPTION = """Segment customers, score churn and stagnation, and track the run in MLflow.

Without arguments it runs on the embedded demo data: a simulated B2B company with some 2,000 customers."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and train; return the exit code."""
    parser = cli.parser("train", DESCRIPTION)
    parser.add_argument("--as-of", type=cli.iso_date, metavar="DATE", help="look back from the midnight of this day")
    parser.add_argument("--output", metavar="DIR", help="folder for what the run leaves; default outputs")
    return cli.run(_train, parser.parse_args(argv))


def _train(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    output = Path(settings.output)
    artifacts.check_writable(output)
    tracking.check_reachable(settings.tracking)
    with cli.Stages() as stages:
        stages("starting")
        # these bring scikit-learn and MLflow
        from segml import pipeline, results, segments, session, summary

        playbook = segments.configured_playbook(settings.segments)
        with session.tracked(settings, arguments.config, stages) as current:
            training = pipeline.train(current.prepared, settings, playbook=playbook, stage=stages, detail=stages.detail)
            verdict = results.finish(training, output, current.run, data_digest=current.data_digest, stages=stages)
    facts = summary.facts(training, output, current.run, verdict)
    cli.print_json(facts) if arguments.json else summary.show(training, facts)


if __name__ == "__main__":
    sys.exit(main())
