"""Are found segments real? Criteria of one clustering, each of a published method.

All of them sort the customers first, so that the order of rows changes nothing, draw from the seed they are given,
and leave out noise (label −1). ``inputs`` is a DataFrame or a matrix (customers, features), raw where the clusterer
scales by itself; a clusterer is a scikit-learn estimator with ``fit`` and ``predict``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from threadpoolctl import threadpool_limits

from segml.clusters.hierarchy import NOISE
from segml.clusters.refits import RESTARTS, Refits

SAMPLE_SIZE = 5_000
"""Above so many customers the criteria work on a seeded sample of this size."""
SILHOUETTE_SAMPLE = 2_000

# Customers closer than this many decimals (of a standard deviation) count as one point.
_SAME_POINT_DECIMALS = 6

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stability:
    """How a clustering comes back when the customers are drawn anew.

    Attributes
    ----------
    jaccard : mean likeness of each segment, in the order of its label, to the one most like it in a resample
    agreement : mean adjusted Rand index of two resamples' clusterings
    """

    jaccard: Floats
    agreement: float


class Gap(NamedTuple):
    """The gap statistic and its standard error."""

    gap: float
    error: float


def sorted_rows(inputs: Any) -> Any:
    """Return the rows in an order that depends on their values only.

    >>> sorted_rows(np.array([[2, 1], [1, 5], [1, 3]])).tolist()
    [[1, 3], [1, 5], [2, 1]]
    """
    frame = pd.DataFrame(inputs)
    ranks = [pd.factorize(frame[column], sort=True)[0] for column in frame]
    return rows_of(inputs, np.lexsort(ranks[::-1]))


def sampled(inputs: Any, size: int, seed: int) -> Any:
    """Return at most ``size`` rows, sorted; the same ones whatever the order of rows."""
    ordered = sorted_rows(inputs)
    if len(ordered) <= size:
        return ordered
    chosen = np.random.default_rng(seed).choice(len(ordered), size, replace=False)
    return rows_of(ordered, np.sort(chosen))


def labelled_sample(scaled: ArrayLike, labels: ArrayLike, size: int, seed: int) -> tuple[Floats, Ints]:
    """Return at most ``size`` customers with their labels, sorted, without noise."""
    rows = np.column_stack([np.asarray(labels), np.asarray(scaled, dtype=np.float64)])
    rows = sampled(rows[rows[:, 0] != NOISE], size, seed)
    return rows[:, 1:], rows[:, 0].astype(np.int64)


def rows_of(inputs: Any, rows: Ints) -> Any:
    """Return some rows of a DataFrame or matrix, by place."""
    return inputs.iloc[rows] if isinstance(inputs, pd.DataFrame) else inputs[rows]


def bootstrap_stability(
    model: Any, inputs: Any, *, resamples: int = 20, seed: int = 0, refits: Refits | None = None
) -> Stability:
    """Return how a fitted clustering comes back when the customers are drawn anew: 1 is always.

    Each bootstrap sample is clustered afresh and all customers are assigned to its segments. Jaccard: each original
    segment against the one most like it (C. Hennig 2007, Cluster-wise assessment of cluster stability, Computational
    Statistics & Data Analysis 52). Agreement: clusterings of two samples against each other (S. Dolnicar, F. Leisch
    2010, Evaluation of structure and reproducibility of cluster solutions using the bootstrap, Marketing Letters 21);
    each with the next, the last with the first.

    Parameters
    ----------
    model : fitted clusterer
    inputs : the customers
    resamples : number of bootstrap samples, at least 2
    seed : of the samples
    refits : shared among clusterers that differ in size only
    """
    customers = sampled(inputs, SAMPLE_SIZE, seed)
    with threadpool_limits(1):
        original = np.asarray(model.predict(customers))
        again = list(_resampled(model, customers, resamples, seed, refits or Refits()))
    return Stability(
        jaccard=np.mean([_best_jaccard(original, labels) for labels in again], axis=0),
        agreement=float(np.mean([_rand(one, other) for one, other in zip(again, again[1:] + again[:1], strict=True)])),
    )


def prediction_strength(
    model: Any, inputs: Any, *, repeats: int = 5, seed: int = 0, refits: Refits | None = None
) -> float:
    """Return how well clusters of one half of the customers foretell those of the other half: 1 is fully.

    Of all pairs of customers in a segment of one half, the share that the other half's clusterer puts together too;
    the worst segment counts, the mean over both directions and all repeats is returned. A segment of one customer
    counts 0. Method: R. Tibshirani, G. Walther (2005), Cluster validation by prediction strength, Journal of
    Computational and Graphical Statistics 14.

    Parameters
    ----------
    model : clusterer; a clone of it is fitted
    inputs : the customers
    repeats : number of random halvings
    seed : of the halvings
    refits : shared among clusterers that differ in size only
    """
    customers = sampled(inputs, SAMPLE_SIZE, seed)
    rng, fitted_on = np.random.default_rng(seed), refits or Refits()
    with threadpool_limits(1):
        strengths = [_strength_of_halves(model, customers, rng, fitted_on) for _ in range(repeats)]
    return float(np.mean(strengths))


def gap(scaled: ArrayLike, k: int, *, references: int = 10, seed: int = 0) -> Gap:
    """Return by how much k segments are tighter than in structureless customers, and the standard error.

    The logarithm of the inertia of KMeans, against its mean in samples that are uniform in a box along the principal
    axes. Method: R. Tibshirani, G. Walther, T. Hastie (2001), Estimating the number of clusters in a data set via the
    gap statistic, Journal of the Royal Statistical Society B 63.

    Parameters
    ----------
    scaled : (customers, features), scaled; without NaN
    k : number of segments, 1 too
    references : number of structureless samples
    seed : of these samples
    """
    customers = sampled(np.asarray(scaled, dtype=np.float64), SAMPLE_SIZE, seed)
    rng = np.random.default_rng(seed)
    with threadpool_limits(1):
        boxes = [_log_inertia(box, k, restarts=1) for box in _uniform_boxes(customers, references, rng)]
        own = _log_inertia(customers, k, restarts=RESTARTS)
    return Gap(float(np.mean(boxes) - own), float(np.std(boxes) * np.sqrt(1 + 1 / references)))


def silhouette_by_segment(scaled: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> dict[int, float]:
    """Return the mean silhouette of each segment, by its label; empty where there is but one.

    On a seeded sample of at most ``SILHOUETTE_SAMPLE`` customers. Information only: it rewards splitting off
    outliers. Method: P. Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.

    Parameters
    ----------
    scaled : (customers, features), scaled; without NaN
    labels : segment of each of these customers; −1 is left out
    seed : of the sample
    """
    customers, kept = labelled_sample(scaled, labels, SILHOUETTE_SAMPLE, seed)
    if not 1 < len(set(kept)) < len(kept):
        return {}
    with threadpool_limits(1):
        widths = silhouette_samples(customers, kept)
    return {int(label): float(widths[kept == label].mean()) for label in np.unique(kept)}


def smallest_share(labels: ArrayLike) -> float:
    """Return the share of all customers in the smallest segment; noise is no segment.

    >>> smallest_share([0, 0, 0, 1, -1])
    0.2
    """
    numbers = np.asarray(labels)
    counts = np.unique(numbers[numbers != NOISE], return_counts=True)[1]
    return float(counts.min() / len(numbers)) if len(counts) else 0.0


def jaccard(left: ArrayLike, right: ArrayLike) -> Floats:
    """Return the Jaccard similarity (segments of left, segments of right) of two labellings of the same customers.

    >>> jaccard([0, 0, 1, 1], [0, 0, 0, 1]).round(2).tolist()
    [[0.67, 0.0], [0.25, 0.5]]
    """
    one, other = np.asarray(left), np.asarray(right)
    shared = _shared(one, other)
    sizes = [np.unique(labels[labels != NOISE], return_counts=True)[1] for labels in (one, other)]
    return np.asarray(shared / (sizes[0][:, None] + sizes[1] - shared))


def _resampled(model: Any, customers: Any, resamples: int, seed: int, refits: Refits) -> Iterator[Ints]:
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        sample = rows_of(customers, np.sort(rng.integers(0, len(customers), len(customers))))
        yield np.asarray(refits(model, sample).predict(customers))


def _best_jaccard(original: Ints, again: Ints) -> Floats:
    return np.asarray(jaccard(original, again).max(axis=1, initial=0.0))


def _rand(one: Ints, other: Ints) -> float:
    known = (one != NOISE) & (other != NOISE)
    return float(adjusted_rand_score(one[known], other[known])) if known.any() else 0.0


def _strength_of_halves(model: Any, customers: Any, rng: np.random.Generator, refits: Refits) -> float:
    shuffled = rng.permutation(len(customers))
    halves = [rows_of(customers, np.sort(half)) for half in np.array_split(shuffled, 2)]
    one, other = (refits(model, half) for half in halves)
    pairs = ((one, other, halves[1]), (other, one, halves[0]))
    return float(np.mean([_strength(own.predict(half), far.predict(half)) for far, own, half in pairs]))


def _strength(own: ArrayLike, foretold: ArrayLike) -> float:
    labels = np.asarray(own)
    together = _shared(labels, np.asarray(foretold))
    sizes = np.unique(labels[labels != NOISE], return_counts=True)[1]
    if not len(sizes):
        return 0.0
    pairs = np.maximum(sizes * (sizes - 1), 1)
    return float(((together * (together - 1)).sum(axis=1) / pairs).min())


def _shared(one: Ints, other: Ints) -> Ints:
    """Return how many customers each pair of segments shares, noise left out of both sides."""
    rows, columns = (np.unique(labels[labels != NOISE]) for labels in (one, other))
    known = (one != NOISE) & (other != NOISE)
    shared = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(shared, (np.searchsorted(rows, one[known]), np.searchsorted(columns, other[known])), 1)
    return shared


def _uniform_boxes(customers: Floats, references: int, rng: np.random.Generator) -> Iterator[Floats]:
    middle = customers.mean(axis=0)
    axes = np.linalg.svd(customers - middle, full_matrices=False)[2]
    turned = (customers - middle) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    for _ in range(references):
        yield rng.uniform(low, high, turned.shape) @ axes + middle


def _log_inertia(customers: Floats, k: int, restarts: int) -> float:
    distinct = len(np.unique(customers.round(_SAME_POINT_DECIMALS), axis=0))
    inertia = KMeans(min(k, distinct), n_init=restarts, random_state=0).fit(customers).inertia_
    return float(np.log(max(inertia, np.finfo(float).tiny)))
