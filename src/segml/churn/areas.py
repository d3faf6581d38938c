"""How well the scores rank customers at each test date, with intervals, against the baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from segml.churn.baselines import BASELINES
from segml.churn.metrics import Array, Ranking, roc_auc, with_intervals
from segml.churn.summary import SCORES, SHORT

COLUMNS = ["target", "as_of", "strategy", "customers", "roc_auc", "roc_auc_low", "roc_auc_high"]


def areas_by_date(table: pd.DataFrame, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return the area under the curve of each ranking at each test date: one row a target, date and strategy.

    Parameters
    ----------
    table : of a backtest, one row a scored customer and test date
    resamples, seed : of the customers, for the 95 % intervals ``roc_auc_low``, ``roc_auc_high``

    Returns
    -------
    columns ``COLUMNS``; strategies are ``model`` and the baselines; NaN where there is one outcome only
    """
    rows = [
        {"target": target, "as_of": moment, **row}
        for target in SCORES
        for moment, part in table.groupby("as_of", sort=True)
        for row in _areas(part, target, resamples, seed)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _areas(part: pd.DataFrame, target: str, resamples: int, seed: int) -> Iterator[dict[str, object]]:
    happened, probability = SCORES[target]
    outcome = part[happened].to_numpy(dtype=bool)
    columns = {"model": probability, **{SHORT[column]: column for column in BASELINES}}
    rankings = {strategy: Ranking.by(part[column]) for strategy, column in columns.items()}

    def areas(weights: Array) -> Mapping[str, Array]:
        return {strategy: roc_auc(ranking, outcome, weights) for strategy, ranking in rankings.items()}

    found = with_intervals(areas, part["customer_id"].to_numpy(), resamples=resamples, seed=seed)
    for strategy in rankings:
        ends = {f"roc_auc{end}": found.get(f"{strategy}{end}", np.nan) for end in ("", "_low", "_high")}
        yield {"strategy": strategy, "customers": len(part), **ends}
