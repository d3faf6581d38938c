"""``python -m segml.refresh``: who moved, what changed, what to do on Monday."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segml import artifacts, cli, config, tracking
from segml.language import _, speaking
from segml.stopping import stop_if_asked
from segml.windows import as_timestamp

if TYPE_CHECKING:
    import pandas as pd

    from segml.config import Config
    from segml.pipeline import Prepared, Promise, Refresh, Scorer
    from segml.progress import Stages
    from segml.segments import Playbook
    from segml.state import Compared

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
        artifacts.check_place(output)
    store = tracking.check_reachable(settings.tracking)
    with cli.Stages() as stages:
        stages("loading the model")
        with tracking.default_store(store):
            asked = _asked(arguments, settings, output)
        _check_crm(asked.settings)
        done = _tried(asked, stages) if arguments.dry_run else _kept(asked, output, arguments.config, stages)
    if arguments.json:
        cli.print_json(done.facts)
    else:
        done.show()
    return done.exit_code


@dataclass(frozen=True)
class _Asked:
    """What a refresh rests on beside the data and what was before: all that can be wrong with it is told by then."""

    scorer: Scorer
    promise: Promise
    state: Path
    previous: Path | None
    plan: pd.DataFrame | None
    playbook: Playbook

    @property
    def settings(self) -> Config:
        return self.scorer.config


@dataclass(frozen=True)
class _Done:
    """What came of it: for schedulers, for programs, for people."""

    exit_code: int
    facts: Mapping[str, Any]
    show: Callable[[], None]


def _asked(arguments: argparse.Namespace, settings: Config, output: Path) -> _Asked:
    from segml import promises, segments, serving  # they bring scikit-learn and MLflow

    model = serving.pinned(arguments.model)
    scorer, promise = serving.load(model), promises.promise_of(model)
    learnt = config.refreshed_under(settings, scorer.config)
    return _Asked(
        scorer=replace(scorer, config=learnt),
        promise=promise,
        state=Path(learnt.refresh.state) if learnt.refresh.state is not None else output / STATE,
        previous=Path(arguments.previous) if arguments.previous is not None else None,
        plan=_plan(learnt),
        playbook=segments.configured_playbook(learnt.segments),
    )


def _plan(settings: Config) -> pd.DataFrame | None:
    if settings.refresh.plan is None:
        return None
    from segml.actions.plans import check_plan
    from segml.state.previous import read_table

    plan = read_table(Path(settings.refresh.plan), "a plan")
    check_plan(plan)
    return plan


def _check_crm(settings: Config) -> None:
    """Find out that the CRM cannot be written before the work, not after it."""
    if settings.crm.postgres is not None:
        from segml import crm

        crm.check(settings.crm.postgres)


def _kept(asked: _Asked, output: Path, config_file: str | None, stages: Stages) -> _Done:
    """Refresh, write and track what was found; once the state is kept, the refresh counts."""
    from segml import crm, records, refresh_outputs, session, state, summary

    settings = asked.settings
    with ExitStack() as stack:
        kept = stack.enter_context(state.opened(asked.state))
        before = state.compared(kept, asked.previous, _date(settings))
        current = stack.enter_context(session.tracked(settings, config_file, stages, prefix="refresh "))
        found = _found(asked, current.prepared, before, stages)
        stages("report")
        with artifacts.staged(output) as place:
            refresh_outputs.write(found, place, run_id=current.run.run_id)
            stop_if_asked()
        if settings.crm.postgres is not None:
            stages("CRM")
            crm.upsert(refresh_outputs.export(found), settings.crm.postgres)
        if found.recalibrated is None:
            artifacts.remove(output / refresh_outputs.RECALIBRATED)  # of an earlier refresh into the same folder
        kept.keep(found.memory({"run_id": current.run.run_id, "data_digest": current.data_digest}))
        stages("tracking")
        digest, seconds = current.data_digest, stages.seconds
        current.run.send(records.of_refresh(current.run.begun, found, data_digest=digest, seconds=seconds), output)
        offered = _offered(found, output, current.run.model_version, stages)
    facts = summary.refresh_facts(found, output, current.run, page=refresh_outputs.PAGE, offered=offered)
    return _Done(found.verdict.exit_code, facts, partial(summary.show_refresh, found, facts))


def _offered(found: Refresh, output: Path, version: str, stages: Stages) -> str:
    """Make a recalibrated model that was registered the challenger; return in words what to do with it."""
    if found.recalibrated is None:
        return ""
    from segml import contest, refresh_outputs

    with speaking(found.config.report.language):
        if version:
            return contest.offer(found.config.tracking, version, say=stages.say)
        words = _("The model at the level of what came is in {folder}; `--model {folder}` decides by it.")
        return words.format(folder=output / refresh_outputs.MODEL)


def _tried(asked: _Asked, stages: Stages) -> _Done:
    """Refresh without a trace; tell what would change in the CRM."""
    from segml import crm, refresh_outputs, summary
    from segml.crm import words

    settings = asked.settings
    before = _compared(asked)
    with cli.open_data(settings, stages) as prepared:
        found = _found(asked, prepared, before, stages)
    sent, address = refresh_outputs.export(found), settings.crm.postgres
    last = refresh_outputs.last_export(found)
    changes = crm.changes(sent, last) if address is None else crm.preview(sent, address)
    facts = {
        "as_of": str(prepared.as_of.date()),
        "verdict": found.verdict.summary(),
        "would_change": crm.figures(changes),
    }
    tables = partial(words.tables, changes)
    return _Done(found.verdict.exit_code, facts, partial(summary.show_would_change, found, tables))


def _compared(asked: _Asked) -> Compared:
    """Read what a refresh would compare with; a state folder is not made."""
    from segml import state

    as_of = _date(asked.settings)
    if not asked.state.exists():
        return state.compared(None, asked.previous, as_of)
    with state.opened(asked.state) as kept:
        return state.compared(kept, asked.previous, as_of)


def _date(settings: Config) -> pd.Timestamp | None:
    """Return the as-of date, where it is asked for; the data tell it otherwise."""
    return as_timestamp(settings.as_of) if settings.as_of is not None else None


def _found(asked: _Asked, prepared: Prepared, before: Compared, stages: Stages) -> Refresh:
    from segml import pipeline

    return pipeline.refresh(
        prepared,
        asked.scorer,
        past=before.past(prepared.as_of, stages.say),
        promise=asked.promise,
        plan=asked.plan,
        playbook=asked.playbook,
        stage=stages,
    )


if __name__ == "__main__":
    sys.exit(main())
