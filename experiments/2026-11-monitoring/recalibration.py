"""Does moving the level of probabilities to what came last quarter help in the next one? On Online Retail II.

A model is trained at one date and used at later ones, without being trained again. At each the level is moved by what
became of its scores of the quarter before; the errors are those of the quarter that follows. The settings
``monitor.recalibration_share`` and ``monitor.calibration_tolerance`` rest on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from segml import config, pipeline
from segml.churn import RiskModel, metrics, split_at
from segml.churn.prior_shift import moved_by, shift_to
from segml.churn.summary import SCORES
from segml.data import connect, load_tables

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "online_retail_ii.yaml"
DATES = tuple(pd.Timestamp(day).as_unit("us") for day in ("2010-12-12", "2011-03-13", "2011-06-12", "2011-09-10"))
SHARES = (0.0, 0.5, 1.0)
"""Of the measured error in level that is taken away."""

COLUMNS = ["target", "trained", "on", "ratio_before", "ratio", *(f"ece_{share:g}" for share in SHARES)]


def main() -> None:
    """Measure and print: each case, then the mean error by how far the level was off a quarter before."""
    scores = scored()
    cases = pd.DataFrame([case for trained in DATES[:-1] for case in recalibrations(scores, trained)], columns=COLUMNS)
    print(cases.round(3).to_string(index=False))
    off = (cases["ratio_before"] > 1.25) | (cases["ratio_before"] < 0.8)
    errors = cases.groupby(off.map({True: "over 25 % off", False: "less"}).rename("the quarter before"))
    means = errors[COLUMNS[-len(SHARES) :]].mean()
    print("\n", means.assign(cases=errors.size()).round(3).to_string(), sep="")


def scored() -> pd.DataFrame:
    """Return the scores of models of all dates at these and later ones, with what came of them."""
    settings = config.load(CONFIG)
    prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=date(2026, 6, 1))
    days = settings.horizon_days
    splits = [split_at(moment, prepared.log_start, config=settings.churn, horizon_days=days) for moment in DATES]
    snapshots = pipeline.build_snapshots(prepared, settings, {day for split in splits for day in split.dates})
    return pd.concat(
        [
            used(
                RiskModel().fit(
                    snapshots.training(split),
                    snapshots.labels,
                    base=snapshots.at(split.test),
                    config=settings.churn,
                    horizon_days=days,
                    seed=settings.seed,
                    followed=snapshots.followed(split, days),
                ),
                split.test,
                snapshots,
            )
            for split in splits
        ],
        ignore_index=True,
    )


def used(model: RiskModel, trained: pd.Timestamp, snapshots: pipeline.Snapshots) -> pd.DataFrame:
    """Return a model's scores at its date and later ones, with their outcomes."""
    at = [day for day in DATES if day >= trained]
    wanted = snapshots.features[snapshots.features["as_of"].isin(at) & snapshots.scored]
    scores = pd.concat([wanted[["customer_id", "as_of"]], model.predict(wanted)], axis=1)
    outcomes = snapshots.labels[["customer_id", "as_of", "churned", "stagnated"]]
    return scores.merge(outcomes, on=["customer_id", "as_of"], validate="1:1").assign(trained=trained)


def recalibrations(scores: pd.DataFrame, trained: pd.Timestamp) -> Iterator[list[object]]:
    """Yield, for each quarter after the first, how far the level was off before and what moving it does."""
    of_date = dict(list(scores[scores["trained"] == trained].groupby("as_of")))
    for (_, last), (on, now) in pairwise(sorted(of_date.items())):
        for target, (outcome, probability) in SCORES.items():
            constant = shift_to(last[probability], last[outcome].mean())
            ratios = [part[outcome].mean() / part[probability].mean() for part in (last, now)]
            everyone, happened = np.ones((1, len(now))), now[outcome].to_numpy(dtype=bool)
            moved = (moved_by(now[probability], share * constant) for share in SHARES)
            errors = [metrics.expected_calibration_error(one, happened, everyone)[0] for one in moved]
            yield [target, trained.date(), on.date(), *ratios, *errors]


if __name__ == "__main__":
    main()
