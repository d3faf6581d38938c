"""``python -m segml.refresh``: who moved, what changed, what to do on Monday."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segml import artifacts, cli, config, tracking
from segml.stopping import stop_if_asked

if TYPE_CHECKING:
    import pandas as pd

    from segml.config import Config
    from segml.pipeline import Past, Prepared, Promise, Refresh, Scorer
    from segml.progress import Stages

DESCRIPTION = """Decide about customers by the model in use, and compare with the last time.

Thresholds, horizon and features are those of the model; data, tasks, watch, report and tracking are read from the
configuration given here. What a refresh leaves in its state folder is what the next one compares with.

Exit code 0: keep the model, or recalibrate it; 10: retraining is advised."""

STATE = "state"
"""The state folder in the output folder, where the configuration names none."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and refresh; return the exit code."""
    parser = cli.parser("refresh", DESCRIPTION)
    parser.add_argument("--model", required=True, help="models:/segml@champion, runs:/RUN_ID/model, or a folder")
    parser.add_argument("--previous", metavar="FILE", help="the last decisions, where there was no refresh before")
    parser.add_argument("--as-of", type=cli.iso_date, metavar="DATE", help="look back from the midnight of this day")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for what the refresh leaves")
    parser.add_argument("--dry-run", action="store_true", help="print what would change in the CRM; leave no trace")
    return cli.run(_refresh, parser.parse_args(argv))


def _refresh(arguments: argparse.Namespace) -> int:
    settings = cli.load_config(arguments)
    output = Path(settings.output)
    if not arguments.dry_run:
        artifacts.check_writable(output)
    store = tracking.check_reachable(settings.tracking)
    with cli.Stages() as stages:
        stages("loading the model")
        from segml import promises, serving  # they bring scikit-learn and MLflow

        with tracking.default_store(store):
            scorer, promise = serving.load(arguments.model), promises.promise_of(arguments.model)
        learnt = config.refreshed_under(settings, scorer.config)
        scorer, state = replace(scorer, config=learnt), _state_folder(learnt, output)
        asked = _Asked(scorer, promise, state, arguments.previous, _plan(learnt))
        _check_crm(learnt)
        if arguments.dry_run:
            found, facts = _tried(asked, stages)
        else:
            found, facts = _kept(asked, output, arguments.config, stages)
    _tell(found, facts, arguments)
    return found.verdict.exit_code


@dataclass(frozen=True)
class _Asked:
    """What a refresh rests on beside the data."""

    scorer: Scorer
    promise: Promise
    state: Path
    previous: str | None
    plan: pd.DataFrame | None


def _state_folder(settings: Config, output: Path) -> Path:
    return Path(settings.refresh.state) if settings.refresh.state is not None else output / STATE


def _check_crm(settings: Config) -> None:
    """Find out that the CRM cannot be written before the work, not after it."""
    if settings.crm.postgres is not None:
        from segml import crm

        crm.check(settings.crm.postgres)


def _kept(asked: _Asked, output: Path, config_file: str | None, stages: Stages) -> tuple[Refresh, dict[str, Any]]:
    """Refresh, write and track what was found; once the state is kept, the refresh counts."""
    from segml import crm, records, refresh_outputs, session, state, summary

    settings = asked.scorer.config
    with (
        state.opened(asked.state) as kept,
        session.tracked(settings, config_file, stages, prefix="refresh ") as current,
    ):
        found = _found(asked, current.prepared, kept.past(current.prepared.as_of), stages)
        stages("report")
        with artifacts.staged(output) as place:
            refresh_outputs.write(found, place, run_id=current.run.run_id)
            stop_if_asked()
        if settings.crm.postgres is not None:
            stages("CRM")
            crm.upsert(refresh_outputs.export(found), settings.crm.postgres)
        kept.keep(found.memory({"run_id": current.run.run_id, "data_digest": current.data_digest}))
        stages("tracking")
        digest, seconds = current.data_digest, stages.seconds
        current.run.send(records.of_refresh(current.run.begun, found, data_digest=digest, seconds=seconds), output)
    return found, summary.refresh_facts(found, output, current.run, page=refresh_outputs.PAGE)


def _tried(asked: _Asked, stages: Stages) -> tuple[Refresh, dict[str, Any]]:
    """Refresh without a trace; return what would change in the CRM beside what was found."""
    from segml import crm, refresh_outputs
    from segml.pipeline import Past

    settings = asked.scorer.config
    with cli.open_data(settings, stages) as prepared:
        past = _past_of(asked.state, prepared.as_of) if asked.state.is_dir() else Past()
        found = _found(asked, prepared, past, stages)
    sent = refresh_outputs.export(found)
    if settings.crm.postgres is not None:
        changes = crm.preview(sent, settings.crm.postgres)
    else:
        changes = crm.changes(sent, refresh_outputs.last_export(found))
    return found, {"as_of": str(prepared.as_of.date()), "would_change": crm.told(changes)}


def _past_of(folder: Path, as_of: pd.Timestamp) -> Past:
    from segml import state

    with state.opened(folder) as kept:
        return kept.past(as_of)


def _found(asked: _Asked, prepared: Prepared, past: Past, stages: Stages) -> Refresh:
    from segml import pipeline, segments

    settings = asked.scorer.config
    return pipeline.refresh(
        prepared,
        asked.scorer,
        past=_or_previous(past, prepared.as_of, asked.previous, stages),
        promise=asked.promise,
        plan=asked.plan,
        playbook=segments.configured_playbook(settings.segments),
        stage=stages,
    )


def _tell(found: Refresh, facts: Mapping[str, Any], arguments: argparse.Namespace) -> None:
    from segml import summary

    if arguments.json:
        cli.print_json(facts)
    elif arguments.dry_run:
        print(facts["would_change"])
    else:
        summary.show_refresh(found, facts)


def _or_previous(past: Past, as_of: pd.Timestamp, previous: str | None, stages: Stages) -> Past:
    """Return what earlier refreshes left; before the first, what a file tells."""
    if previous is None:
        return past
    if past.last is not None:
        stages.say(f"there was a refresh of {past.last.as_of.date()}; {previous} is not used")
        return past
    from segml.state import previous_of

    return replace(past, memories=(previous_of(Path(previous), as_of),))


def _plan(settings: Config) -> pd.DataFrame | None:
    if settings.refresh.plan is None:
        return None
    from segml.state.previous import read_table

    return read_table(Path(settings.refresh.plan), "a plan")


if __name__ == "__main__":
    sys.exit(main())
