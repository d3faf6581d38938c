"""``python -m segml.experiment``: a study of variants of a configuration, side by side with intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from segml import artifacts, cli, tracking
from segml.config import without_secrets
from segml.display import plain_console
from segml.experiment import Study, load
from segml.experiment.page import told_difference, told_value
from segml.schema import DataError

if TYPE_CHECKING:
    import pandas as pd

    from segml.experiment.results import Results
    from segml.experiment.running import Outcome

DESCRIPTION = """Run the variants of a study, each as a run under the study's own, and compare them.

Results are written beside the study's file, in a folder of its name. Finished variants are kept there: a study that was
stopped goes on where it was, and a variant that has changed runs anew."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the study; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m segml.experiment",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", nargs="?", metavar="STUDY.yaml", help="the study's file")
    parser.add_argument("--only", nargs="+", default=[], metavar="VARIANT", help="run these variants, keep the others")
    parser.add_argument("--fresh", action="store_true", help="run finished variants anew")
    parser.add_argument("--index", metavar="DIR", help="bring the table of studies in DIR/README.md up to date instead")
    cli.add_options(parser)
    arguments = parser.parse_args(argv)
    if (arguments.study is None) == (arguments.index is None):
        parser.error("give a study's file, or --index and a folder of them")
    return cli.run(_index if arguments.index else _experiment, arguments)


def _index(arguments: argparse.Namespace) -> None:
    from segml.experiment import index

    count = index.update(Path(arguments.index))
    facts = {"index": str(Path(arguments.index) / index.README), "studies": count}
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _experiment(arguments: argparse.Namespace) -> None:
    study = load(arguments.study, arguments.overrides)
    chosen = [variant.name for variant in study.chosen(arguments.only)]
    artifacts.check_writable(study.folder)
    tracking.check_reachable(study.base.tracking)
    with cli.Stages() as stages:
        stages("starting")
        from segml import records
        from segml.experiment import results, running

        begun = records.begun(study.base, str(study.path))
        tags = {**begun.tags, **running.study_tags(study)}
        with tracking.Run(
            study.base.tracking, name=study.name, tags=tags, params=begun.params, say=stages.say
        ) as parent:
            outcome = running.Running(study, parent, stages, fresh=arguments.fresh)(chosen)
            stages("comparing")
            found = results.write(study, outcome)
            parent.send(results.record(parent.begun, study, outcome, found), study.folder)
    page = tracking.ui_page(without_secrets(parent.uri), parent.experiment_id, parent.run_id)
    facts = {**_facts(study, outcome), "run_id": parent.run_id, "run_page": page}
    cli.print_json(facts) if arguments.json else _show(study, found, facts)
    if outcome.failed:
        raise DataError(_failures(outcome))


def _facts(study: Study, outcome: Outcome) -> dict[str, Any]:
    """Return what became of the study as plain values, for ``--json``."""
    missing = outcome.missing(study)
    skipped = {job.variant for job in outcome.skipped}
    states = {
        variant.name: missing.get(variant.name, "skipped" if variant.name in skipped else "ran")
        for variant in study.variants
    }
    metrics = {name: dict(runs[0].metrics) for name, runs in outcome.by_variant(study).items()}
    return {
        "study": study.name,
        "results": str(study.folder.resolve()),
        "reference": study.reference,
        "variants": states,
        "metrics": metrics,
    }


def _show(study: Study, found: Results, facts: Mapping[str, Any]) -> None:
    """Print the table for people."""
    console = plain_console()
    console.print(f"\n{study.question}\n", markup=False, soft_wrap=True)
    for metric in study.metrics:
        rows = found.table[found.table["metric"] == metric]
        if rows["value"].notna().any():
            console.print(_table(metric, rows, study.reference))
    for name, state in facts["variants"].items():
        if state not in ("ran", "skipped"):
            console.print(f"  {name}: {state}", markup=False, soft_wrap=True)
    console.print(f"\nResults    {facts['results']}", markup=False, soft_wrap=True)
    console.print(f"Run        {facts['run_id']}")
    console.print(f"           {facts['run_page']}", markup=False, soft_wrap=True)


def _table(metric: str, rows: pd.DataFrame, reference: str) -> Table:
    title = escape(f"{metric} [95 % interval], and the difference to {reference}")
    table = Table(title=title, title_justify="left", box=None, header_style="dim")
    for name in ("variant", "", "difference"):
        table.add_column(name, no_wrap=name != "variant")
    for row in rows.to_dict("records"):
        table.add_row(*(escape(text) for text in (row["variant"], told_value(row), told_difference(row))))
    return table


def _failures(outcome: Outcome) -> str:
    lines = [f"  {job.name}: {message}" for job, message in outcome.failed.items()]
    count = f"{len(lines)} variant{'s' if len(lines) > 1 else ''} failed; the others are in the results"
    return "\n".join([count, *lines])


if __name__ == "__main__":
    sys.exit(main())
