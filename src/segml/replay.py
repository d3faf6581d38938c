"""``python -m segml.replay``: how refreshes would have gone, date by date, on the log as it stood then."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from segml import artifacts, cli, config
from segml.schema import ConfigError
from segml.windows import as_timestamp, shift

if TYPE_CHECKING:
    from segml.config import Config
    from segml.pipeline import Past, Prepared, Promise, Refresh, Scorer
    from segml.progress import Stages

DESCRIPTION = """Train once, then refresh at one date after the other, each time on the lines that were there by then.

Where a refresh advises to retrain, the next one begins with a new model; where it advises to recalibrate, with the same
model at the level of what came. Runs are not tracked."""

STATE = "replay_state"
"""Folder in the output folder for what a refresh leaves to the next one; a replay begins anew."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and replay; return the exit code."""
    parser = cli.parser("replay", DESCRIPTION)
    parser.add_argument("--from", dest="start", type=cli.iso_date, required=True, metavar="DATE", help="first refresh")
    parser.add_argument("--to", dest="end", type=cli.iso_date, required=True, metavar="DATE", help="none after it")
    parser.add_argument("--every-months", type=int, default=3, metavar="N", help="from one to the next; default 3")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for what the refreshes leave")
    return cli.run(_replay, parser.parse_args(argv))


@dataclass(frozen=True)
class _Model:
    """A model in use, with its name and what its training measured."""

    scorer: Scorer
    promise: Promise


def _replay(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    dates = _dates(arguments.start, arguments.end, arguments.every_months)
    output = Path(settings.output)
    artifacts.check_writable(output)
    with cli.Stages() as stages:
        stages("starting")
        from segml import refresh_outputs, replay_outputs, state  # these bring scikit-learn

        artifacts.remove(output / STATE)
        found: list[Refresh] = []
        model: _Model | None = None
        for day in dates:
            asked = _as_of(settings, day)
            with state.opened(output / STATE) as kept, cli.open_data(asked, stages) as prepared:
                model = _renewed(model, found[-1] if found else None, prepared, asked, stages)
                refreshed = _refreshed(model, prepared, kept.past(prepared.as_of), asked, stages)
                stages("report")
                with artifacts.staged(output / str(day)) as place:
                    refresh_outputs.write(refreshed, place, run_id="")
                kept.keep(refreshed.memory())
            stages.say(f"{day}: {refreshed.verdict.headline}")
            found.append(refreshed)
        facts = replay_outputs.write(found, output)
    cli.print_json(facts) if arguments.json else replay_outputs.show(found, facts)


def _dates(start: date, end: date, months: int) -> list[date]:
    if months < 1:
        raise ConfigError(f"--every-months must be 1 or more; found {months}")
    if end < start:
        raise ConfigError(f"--to must not lie before --from; found {end} and {start}")
    dates = [start]
    while (following := shift(as_timestamp(start), months=months * len(dates)).date()) <= end:
        dates.append(following)
    return dates


def _as_of(settings: Config, day: date) -> Config:
    """Return the configuration at a date; lines from then on are not even read."""
    asked = config.looking_back_from(settings, day)
    return asked.model_copy(update={"data": asked.data.model_copy(update={"read_until": day})})


def _renewed(
    model: _Model | None, last: Refresh | None, prepared: Prepared, settings: Config, stages: Stages
) -> _Model:
    """Return the model for the next refresh, as the last one advised."""
    advice = last.verdict.decision if last is not None else "retrain"
    if model is None or last is None or model.scorer.risk is None or advice == "retrain":
        return _trained(prepared, settings, stages)
    moved = last.recalibrated
    return _recalibrated(model, moved, last.prepared.as_of.date()) if moved is not None else model


def _trained(prepared: Prepared, settings: Config, stages: Stages) -> _Model:
    from segml import pipeline

    stages("training")
    training = pipeline.train(prepared, settings, detail=stages.detail)
    backtest, importance = training.backtest.table, training.backtest.importance
    promise = pipeline.Promise(
        model=f"trained-{prepared.as_of.date()}",
        backtest=backtest if len(backtest) else None,
        importance=importance if len(importance) else None,
    )
    return _Model(training.scorer, promise)


def _recalibrated(model: _Model, moved: Scorer, as_of: date) -> _Model:
    return _Model(moved, replace(model.promise, model=f"{model.promise.model}-recalibrated-{as_of}"))


def _refreshed(model: _Model, prepared: Prepared, past: Past, settings: Config, stages: Stages) -> Refresh:
    from segml import pipeline

    scorer = replace(model.scorer, config=config.refreshed_under(settings, model.scorer.config))
    return pipeline.refresh(prepared, scorer, past=past, promise=model.promise, stage=stages)


if __name__ == "__main__":
    sys.exit(main())
