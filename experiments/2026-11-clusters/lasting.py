"""Question four: what a quarter does to customers and to the model; question five: how well a tree explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from history import History, at
from methods import Scale, learnt
from numpy.typing import NDArray

from segml.clusters import KMeansSegments, bootstrap_stability, explain_by_tree, match, movement, refit
from segml.clusters.identity import compare_labels

RESAMPLES = 20
DEFAULT_SCALE = Scale("log", 3.0, is_weighted=True)


def one_quarter(history: History, features: Sequence[str], segments: int) -> pd.DataFrame:
    """Return, by the date one quarter after the model was learnt, what that quarter did.

    ``kept_share`` and ``kept_share_rfm``: customers who kept the segment of the frozen model, and of the RFM rules.
    ``refit_ari``: agreement of the frozen model with its refit from the previous centres, on the customers of the later
    date; ``cold_ari``, ``cold_share`` with a refit from nothing, matched to it. ``inertia_excess`` of the refit over
    that cold one on one scale.
    """
    later = _later(history)
    return pd.DataFrame(
        {day: _moved(history, learn, now, features, segments) for day, (learn, now) in later.items()}
    ).T.rename_axis("date")


def _later(history: History) -> dict[str, tuple[str, pd.DataFrame]]:
    """Return, by date, when the model was learnt, and the customers of the date."""
    days = history.dates
    end = f"{history.last['as_of'].iloc[0]:%Y-%m-%d}"
    pairs = {now: (learn, history.bases[now].features) for learn, now in pairwise(days[1:])}
    return {**pairs, end: (days[-1], history.last)}


def _moved(history: History, learn: str, now: pd.DataFrame, features: Sequence[str], segments: int) -> dict[str, float]:
    then = history.bases[learn].features
    frozen = learnt(history, learn, features, DEFAULT_SCALE, segments)
    inputs = now[list(features)].astype("float64")
    labels = frozen.predict(inputs)
    warm = refit(frozen, inputs)
    cold = _cold(frozen, inputs, labels)
    return {
        "kept_share": movement(frozen, then, now).share_kept,
        "kept_share_rfm": _kept_by_rules(history, then, now),
        "refit_ari": warm.agreement.ari,
        "refit_share": warm.agreement.share,
        "inertia_excess": warm.inertia_excess,
        "cold_ari": cold.ari,
        "cold_share": cold.share,
    }


def _cold(frozen: KMeansSegments, inputs: pd.DataFrame, labels: NDArray[np.int64]) -> Any:
    """Return how far a refit from nothing, with a scale of its own, agrees after matching."""
    fresh = KMeansSegments(frozen.n_clusters_, scaler=frozen.scaler).fit(inputs)
    return compare_labels(labels, match(labels, fresh.labels_).renumber(fresh.labels_))


def _kept_by_rules(history: History, then: pd.DataFrame, now: pd.DataFrame) -> float:
    rules = history.settings.segments.rfm
    before, after = (
        pd.Series(rules.assign(rows).astype("str").to_numpy(), index=rows["customer_id"]) for rows in (then, now)
    )
    both = pd.concat([before, after], axis=1, join="inner")
    return float((both.iloc[:, 0] == both.iloc[:, 1]).mean())


def reproducible(history: History, features: Sequence[str], segments: int) -> pd.DataFrame:
    """Return, by date, how a fit comes back in bootstrap samples, and how well a tree with 2k leaves follows it."""
    rows = {day: _come_back(history, day, features, segments) for day in history.dates[1:]}
    return pd.DataFrame(rows).T.rename_axis("date")


def _come_back(history: History, day: str, features: Sequence[str], segments: int) -> dict[str, float]:
    model = learnt(history, day, features, DEFAULT_SCALE, segments)
    inputs = at(history.bases[day], features)
    stable = bootstrap_stability(model, inputs, resamples=RESAMPLES)
    tree = explain_by_tree(inputs, pd.Series(model.labels_))
    return {
        "agreement": stable.agreement,
        "min_jaccard": float(stable.jaccard.min()),
        "smallest_share": float(np.bincount(model.labels_).min() / len(inputs)),
        "fidelity": tree.fidelity,
        "worst_recall": tree.worst_recall,
    }


def of_lists(history: History, lists: Mapping[str, Sequence[str]], segments: int) -> pd.DataFrame:
    """Return the figures of reproducibility and of one quarter for lists of features: earlier mean and worst, final."""
    rows = {}
    for name, features in lists.items():
        by_date = reproducible(history, features, segments).join(one_quarter(history, features, segments))
        final = history.dates[-1]
        before = by_date.drop(index=final)
        worst = before[["agreement", "min_jaccard", "refit_ari"]].min().add_suffix("_worst")
        rows[name] = {**before.mean().add_suffix("_earlier"), **worst, **by_date.loc[final].add_suffix("_final")}
    return pd.DataFrame(rows).T.rename_axis("features")
