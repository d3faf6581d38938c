"""Figures of each model with intervals, customers redrawn, and paired differences to Pareto/NBD."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from cases import Case
from variants import PARETO_NBD

from segml.churn.metrics import (
    Array,
    Ranking,
    average_precision,
    brier,
    captured_at,
    expected_calibration_error,
    roc_auc,
    with_intervals,
)

RESAMPLES = 500
SEED = 0
CAPACITY = 0.10
TARGETS = {"churn": ("churned", "p_churn"), "stagnation": ("stagnated", "p_stagnation")}


def pooled(cases: list[Case], scores: list[dict[str, pd.DataFrame]]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the tested rows of all dates, and each model's scores of them."""
    tested = pd.concat([case.tested for case in cases], ignore_index=True)
    return tested, {name: pd.concat([part[name] for part in scores], ignore_index=True) for name in scores[0]}


def figures(tested: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row a model: each figure with ``_low`` and ``_high``, all dates pooled; NaN where not defined."""
    rows = {name: _of_model(tested, table, scores[PARETO_NBD]) for name, table in scores.items()}
    return pd.DataFrame(rows).T.rename_axis("model")


def by_date(tested: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the area under the curve of each model (rows) at each test date (columns: target and date)."""
    areas = {
        (target, f"{moment:%Y-%m-%d}"): {
            name: _area(rows[outcome], table.loc[rows.index, p]) for name, table in scores.items()
        }
        for target, (outcome, p) in TARGETS.items()
        for moment, rows in tested.groupby("as_of")
    }
    return pd.DataFrame(areas).rename_axis("model")


def _area(outcome: pd.Series[bool], score: pd.Series[float]) -> float:
    if score.isna().all():
        return float("nan")
    return float(roc_auc(Ranking.by(score), outcome.to_numpy(dtype=bool), np.ones((1, len(outcome))))[0])


def _of_model(tested: pd.DataFrame, scores: pd.DataFrame, rival: pd.DataFrame) -> dict[str, float]:
    size = tested["run_rate"].clip(lower=0).to_numpy()
    loss = tested["lost_revenue"].to_numpy(dtype=float)
    known = {target: columns for target, columns in TARGETS.items() if scores[columns[1]].notna().all()}

    def statistics(weights: Array) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for target, (outcome, p) in known.items():
            happened, score = tested[outcome].to_numpy(dtype=bool), scores[p].to_numpy(dtype=float)
            ranking = Ranking.by(score)
            area = roc_auc(ranking, happened, weights)
            found |= {f"{target}_auc": area, f"{target}_ap": average_precision(ranking, happened, weights)}
            found[f"{target}_minus_rival"] = area - roc_auc(Ranking.by(rival[p]), happened, weights)
            if score.min() >= 0 and score.max() <= 1:
                found[f"{target}_brier"] = brier(score, happened, weights)
                found[f"{target}_ece"] = expected_calibration_error(score, happened, weights)
            if target == "stagnation":
                found["captured"] = captured_at(Ranking.by(score * size), loss, weights, CAPACITY)
        return found

    return with_intervals(statistics, tested["customer_id"].to_numpy(), resamples=RESAMPLES, seed=SEED)
