"""One tidy table of all candidates for a division: each algorithm and size, measured by the same criteria."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from segml.clusters.criteria import (
    SAMPLE_SIZE,
    Floats,
    bootstrap_stability,
    gap,
    prediction_strength,
    sampled,
    silhouette_by_segment,
    smallest_share,
)
from segml.clusters.hierarchy import NOISE
from segml.clusters.refits import Refits
from segml.clusters.valleys import valleys

KMEANS, HDBSCAN, RULE = "kmeans", "hdbscan", "rule"

COLUMNS = (
    "candidate",
    "algorithm",
    "size",
    "n_segments",
    "min_jaccard",
    "agreement",
    "prediction_strength",
    "min_valley",
    "gap",
    "gap_error",
    "gap_at_one",
    "smallest_share",
    "noise_share",
    "silhouette",
    "next_period_eta2",
    "next_period_error",
)

NextPeriod = Mapping[str, tuple[float, float]]
"""Adjusted η² of the next period's revenue and its standard error, by candidate (or rule)."""


@dataclass(frozen=True)
class Candidate:
    """An algorithm at one size: k, or the smallest cluster.

    Attributes
    ----------
    algorithm : ``kmeans``, ``hdbscan``
    size : k of KMeans, ``min_cluster_size`` of HDBSCAN
    model : the clusterer, not fitted
    """

    algorithm: str
    size: int
    model: Any

    @property
    def name(self) -> str:
        """What the candidate is called in tables.

        >>> Candidate("kmeans", 5, None).name
        'kmeans 5'
        """
        return f"{self.algorithm} {self.size}"


def measure(
    candidates: Sequence[Candidate],
    inputs: Any,
    *,
    scaler: Any = None,
    next_period: NextPeriod | None = None,
    resamples: int = 20,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Callable[[str], object] | None = None,
) -> pd.DataFrame:
    """Return one row a candidate with the columns ``COLUMNS``, in the order given; NaN is what cannot be said.

    Above ``SAMPLE_SIZE`` customers all is measured on a seeded sample of that size. The order of rows and ``n_jobs``
    change nothing.

    Parameters
    ----------
    candidates : what to compare
    inputs : (customers, features), as the clusterers want them
    scaler : unfitted transformer that brings inputs on the scale of distances, for gap, valleys and silhouette;
        None where inputs are on it
    next_period : what each candidate, by its name, explains of the next period; without: NaN
    resamples : number of bootstrap samples, at least 2; 0: what comes back is unknown
    seed : of all samples
    n_jobs : processes, as in joblib
    progress : called with the name of each candidate when it is done, in order
    """
    customers = sampled(inputs, SAMPLE_SIZE, seed)
    scaled = np.asarray(customers if scaler is None else clone(scaler).fit_transform(customers), dtype=np.float64)
    refits = Refits()
    work = (delayed(_measured)(candidate, customers, scaled, resamples, seed, refits) for candidate in candidates)
    rows = []
    for candidate, row in zip(candidates, Parallel(n_jobs=n_jobs, return_as="generator")(work), strict=True):
        rows.append(row)
        if progress is not None:
            progress(candidate.name)
    table = pd.DataFrame(rows).assign(gap_at_one=gap(scaled, 1, seed=seed).gap)
    return _with_next_period(table, next_period or {})[list(COLUMNS)]


def with_rules(table: pd.DataFrame, next_period: NextPeriod) -> pd.DataFrame:
    """Return the table with simple rules below the candidates: what they explain of the next period, nothing else."""
    rules = pd.DataFrame({"candidate": list(next_period), "algorithm": RULE})
    rules = _with_next_period(rules, next_period).reindex(columns=list(COLUMNS))
    typed = rules.astype({name: "float64" for name in COLUMNS if name not in ("candidate", "algorithm")})
    return pd.concat([table, typed], ignore_index=True)


def _with_next_period(table: pd.DataFrame, next_period: NextPeriod) -> pd.DataFrame:
    nothing = (float("nan"), float("nan"))
    explained = [next_period.get(name, nothing) for name in table["candidate"]]
    return table.assign(
        next_period_eta2=[eta for eta, _ in explained], next_period_error=[error for _, error in explained]
    )


def _measured(
    candidate: Candidate, customers: Any, scaled: Floats, resamples: int, seed: int, refits: Refits
) -> dict[str, Any]:
    with threadpool_limits(1):
        model = clone(candidate.model).fit(customers)
        labels = np.asarray(model.predict(customers))
    segments = len(set(labels) - {NOISE})
    row = {
        "candidate": candidate.name,
        "algorithm": candidate.algorithm,
        "size": float(candidate.size),
        "n_segments": float(segments),
        "smallest_share": smallest_share(labels),
        "noise_share": float((labels == NOISE).mean()),
    }
    if segments > 1:
        row |= dict(_figures(candidate, model, customers, scaled, labels, resamples, seed, refits))
    return dict.fromkeys(COLUMNS, float("nan")) | row


def _figures(
    candidate: Candidate,
    model: Any,
    customers: Any,
    scaled: Floats,
    labels: Any,
    resamples: int,
    seed: int,
    refits: Refits,
) -> Iterator[tuple[str, float]]:
    if resamples:
        stable = bootstrap_stability(model, customers, resamples=resamples, seed=seed, refits=refits)
        yield "min_jaccard", float(stable.jaccard.min())
        yield "agreement", stable.agreement
    yield "prediction_strength", prediction_strength(model, customers, seed=seed, refits=refits)
    yield "min_valley", min(valleys(scaled, labels, seed=seed).values())
    yield "silhouette", float(np.mean(list(silhouette_by_segment(scaled, labels, seed=seed).values())))
    if candidate.algorithm == KMEANS:
        found = gap(scaled, candidate.size, seed=seed)
        yield "gap", found.gap
        yield "gap_error", found.error
