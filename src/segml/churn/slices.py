"""How good the scores are for parts of the base: by tier, size, length of history, and whether already declining."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml.churn.inputs import KEYS
from segml.churn.intervals import interval_table
from segml.churn.metrics import Array, Ranking, Statistics, captured_at, roc_auc, weighted_mean
from segml.churn.summary import SCORES, TOP_SHARE
from segml.language import N_
from segml.schemes import Tier
from segml.schemes.ranking import quantile_scores

FEWEST_CASES = 20
"""Rows that either outcome needs in a slice; below, the area under the curve would be noise."""

DECLINING_BELOW = 0.75
"""Revenue of 90 days against the run rate, below which a customer is already declining."""

SIZES = (N_("smallest third"), N_("middle third"), N_("largest third"))
HISTORIES = (N_("under 1 year"), N_("1 to 2 years"), N_("2 years and more"))
TRENDS = (N_("already declining"), N_("not declining"))
DIMENSIONS = {
    "tier": N_("tier"),
    "size": N_("run rate"),
    "history": N_("customer for"),
    "trend": N_("revenue of the last 90 days"),
}
"""What the base is cut by, and what people call it."""

STATISTICS = ("roc_auc", "base_rate", "predicted", "loss_captured_at_10")
SLICE_KEYS = ["dimension", "slice", "target"]

_YEARS = (365, 730)


def slices(
    table: pd.DataFrame, features: pd.DataFrame, *, tier: Tier | None = None, resamples: int, seed: int
) -> pd.DataFrame:
    """Return what a backtest found in each slice of its customers; the slice is that at the test date.

    Parameters
    ----------
    table : the backtest's table
    features : all customers at the test dates, scored or not: tiers rank them all; a dimension whose columns are
        missing is left out
    tier : the tiers; default ``Tier()``
    resamples, seed : of the bootstrap over customers

    Returns
    -------
    One row a dimension, slice and target: ``customers`` (rows), ``cases``, ``is_enough`` (both outcomes have at least
    ``FEWEST_CASES``), then, each with ``_low`` and ``_high``: ``roc_auc``, ``base_rate``, ``predicted`` (mean
    probability), ``loss_captured_at_10`` (share of the slice's lost revenue in its own top tenth by probability × run
    rate). Areas and losses are NaN where there are too few cases.
    """
    labels = slice_labels(table, features, tier or Tier())
    places = {
        (dimension, name, target): np.flatnonzero(labels[dimension] == name)
        for dimension in labels
        for name in _names(labels[dimension])
        for target in SCORES
    }
    parts = {key: _statistics(table, rows, key[2]) for key, rows in places.items()}
    found = interval_table(
        parts, table["customer_id"].to_numpy(), keys=SLICE_KEYS, names=STATISTICS, resamples=resamples, seed=seed
    )
    outcomes = [table[SCORES[target][0]].to_numpy(dtype=bool)[rows] for (_, _, target), rows in places.items()]
    found.insert(3, "customers", [len(outcome) for outcome in outcomes])
    found.insert(4, "cases", [int(outcome.sum()) for outcome in outcomes])
    found.insert(5, "is_enough", [_is_enough(outcome) for outcome in outcomes])
    return found


def slice_labels(table: pd.DataFrame, features: pd.DataFrame, tier: Tier) -> pd.DataFrame:
    """Return the slice of each row of a backtest table in each dimension, on its index; null where it is unknown."""
    found = dict(_of_all(features, tier))
    known = table[KEYS].merge(pd.DataFrame({**features[KEYS], **found}), on=KEYS, how="left", validate="1:1")
    sizes = table.groupby("as_of")["run_rate"].transform(lambda rate: quantile_scores(rate, len(SIZES)) - 1)
    labels = known.set_axis(table.index).assign(size=_named(sizes, SIZES))
    return labels[[name for name in DIMENSIONS if name in labels]]


def _of_all(features: pd.DataFrame, tier: Tier) -> Iterator[tuple[str, pd.Series[str]]]:
    """Yield the slices that can be told of all customers, from the columns that are there."""
    if set(tier.requires) <= set(features.columns):
        parts = [tier.assign(part).astype("str") for _, part in features.groupby("as_of")]
        yield "tier", pd.concat(parts) if parts else pd.Series(dtype="str")
    if "tenure_days" in features:
        years = pd.Series(np.searchsorted(_YEARS, features["tenure_days"], side="right"), index=features.index)
        yield "history", _named(years.where(features["tenure_days"].notna()), HISTORIES)
    if "revenue_90d_to_run_rate" in features:
        level = features["revenue_90d_to_run_rate"]
        yield "trend", _named((level >= DECLINING_BELOW).astype(float).where(level.notna()), TRENDS)


def _named(places: pd.Series[float], names: tuple[str, ...]) -> pd.Series[str]:
    return places.map(dict(enumerate(names))).astype("str")


def _names(labels: pd.Series[str]) -> list[str]:
    """Return the slices that occur, in the order in which people name them."""
    order = (*Tier.labels, *SIZES, *HISTORIES, *TRENDS)
    return sorted(labels.dropna().unique(), key=lambda name: (order.index(name) if name in order else len(order), name))


def _is_enough(outcome: npt.NDArray[np.bool_]) -> bool:
    return bool(min(outcome.sum(), (~outcome).sum()) >= FEWEST_CASES)


def _statistics(table: pd.DataFrame, rows: npt.NDArray[np.intp], target: str) -> Statistics:
    """Return the statistics of some rows of a table as a function of the weights of all its rows."""
    part = table.iloc[rows]
    outcome, probability = (part[column].to_numpy() for column in SCORES[target])
    loss, by_risk = part["lost_revenue"].to_numpy(dtype=float), Ranking.by(probability)
    by_money = Ranking.by(probability * part["run_rate"].clip(lower=0))

    def of(weights: Array) -> dict[str, Array]:
        own = weights[:, rows]
        found = {"base_rate": weighted_mean(outcome, own), "predicted": weighted_mean(probability, own)}
        if not _is_enough(outcome):
            return found
        captured = captured_at(by_money, loss, own, TOP_SHARE)
        return {**found, "roc_auc": roc_auc(by_risk, outcome, own), "loss_captured_at_10": captured}

    return of
