"""Scores that are too good to be true: signs that a figure knew what came after its date.

Who will leave is never known nearly for sure from the past alone. A column that tells it is most likely computed from
rows after the as-of date; an evaluation far better than the one out of time has seen its test rows in training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from segml.churn.inputs import KEYS
from segml.churn.metrics import Array, Ranking, roc_auc, with_intervals
from segml.churn.summary import SCORES, SHORT
from segml.language import N_, _
from segml.schema import DataError

TOO_TELLING = 0.97
"""ROC-AUC that no honest column reaches on customers who are all still active."""

TOO_FAR_AHEAD = 0.15
"""Lead in ROC-AUC that no honest model has over its best baseline and its best single column."""

COIN = 0.5
_TARGETS = {"churn": N_("churn"), "stagnation": N_("stagnation")}


def column_areas(features: pd.DataFrame, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return how well each column alone ranks who churns and who stagnates, whichever way round.

    Parameters
    ----------
    features : one row a scored customer and test date, at least
    table : the backtest's table
    columns : numeric columns of ``features``; an unknown value counts as the lowest

    Returns
    -------
    One row a column and target with both outcomes: ``column``, ``target``, ``roc_auc``; best first.
    """
    rows = table[KEYS].merge(features[[*KEYS, *columns]], on=KEYS, how="left", validate="1:1")
    rankings = {column: Ranking.by(rows[column].to_numpy(dtype="float64")) for column in columns}
    areas = [
        (column, target, _area(ranking, table[outcome]))
        for column, ranking in rankings.items()
        for target, (outcome, _) in SCORES.items()
        if table[outcome].nunique() > 1
    ]
    found = pd.DataFrame(areas, columns=["column", "target", "roc_auc"])
    return found.sort_values("roc_auc", ascending=False, kind="stable", ignore_index=True)


def warnings(areas: pd.DataFrame, metrics: Mapping[str, float]) -> tuple[str, ...]:
    """Return a sentence on each column, and on each score, that is too good to be true; none where all is well.

    Parameters
    ----------
    areas : of the columns that the model reads; see ``column_areas``
    metrics : of the same backtest; see ``summary.metrics``
    """
    alone = _("“{column}” alone tells {target} with ROC AUC {area:.3f}: too good to be true; it may know the future")
    far = _(
        "the score ranks {target} with ROC AUC {area:.3f}, no baseline and no column of its own with more than "
        "{best:.3f}: too good to be true; check what it was trained on"
    )
    telling = areas[areas["roc_auc"] >= TOO_TELLING].itertuples(index=False)
    ahead = {target: (metrics.get(f"{target}/roc_auc", 0.0), _best(areas, metrics, target)) for target in SCORES}
    return (
        *(alone.format(column=row.column, target=_(_TARGETS[str(row.target)]), area=row.roc_auc) for row in telling),
        *(
            far.format(target=_(_TARGETS[target]), area=area, best=best)
            for target, (area, best) in ahead.items()
            if area - best > TOO_FAR_AHEAD
        ),
    )


def _area(ranking: Ranking, outcome: pd.Series[bool]) -> float:
    area = float(roc_auc(ranking, outcome.to_numpy(dtype=bool), np.ones((1, len(outcome))))[0])
    return max(area, 1 - area)


def _best(areas: pd.DataFrame, metrics: Mapping[str, float], target: str) -> float:
    """Return the best area without a model; a coin toss where there is none."""
    baselines = (metrics.get(f"baseline/{name}_{target}_roc_auc", COIN) for name in SHORT.values())
    alone: list[float] = areas.loc[areas["target"] == target, "roc_auc"].tolist()
    return max(COIN, *baselines, *alone)


def overstatement(
    claimed: pd.DataFrame, honest: pd.DataFrame, *, target: str = "churn", resamples: int = 500, seed: int = 0
) -> dict[str, float]:
    """Return by how much an evaluation exceeds the one out of time: ``gap`` in ROC-AUC, with ``_low`` and ``_high``.

    Above zero for certain (``gap_low`` > 0), the claim cannot be trusted: a random split or a missing embargo let the
    model see what it was tested on. Both are compared on the rows that both have, customers redrawn together.

    Parameters
    ----------
    claimed, honest : keys, outcome and probability of a target (columns as in the backtest's table)

    Raises
    ------
    DataError : no row in common
    """
    outcome, probability = SCORES[target]
    both = claimed[[*KEYS, probability]].merge(honest[[*KEYS, outcome, probability]], on=KEYS, suffixes=("", "_honest"))
    if both.empty:
        raise DataError("the two evaluations have no customer and date in common; score the same customers with both")
    happened = both[outcome].to_numpy(dtype=bool)
    own, other = Ranking.by(both[probability]), Ranking.by(both[f"{probability}_honest"])

    def gap(weights: Array) -> dict[str, Array]:
        return {"gap": roc_auc(own, happened, weights) - roc_auc(other, happened, weights)}

    return with_intervals(gap, both["customer_id"].to_numpy(), resamples=resamples, seed=seed)
