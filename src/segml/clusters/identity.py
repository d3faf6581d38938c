"""Segments that keep their numbers over time: matched, refitted from where they were, and compared.

Two things may change between two dates, and they are told apart. ``movement``: the customers changed, the model is the
same. ``agreement``: the model changed, the customers are the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from segml.clusters.crossing import crossed, flows, share_kept, side_by_side
from segml.clusters.hierarchy import NOISE
from segml.clusters.kmeans import KMeansSegments, row_order, squared_distances
from segml.language import _
from segml.schema import DataError, check_columns

LEAST_GAIN = 0.01
"""Share of the inertia that a step of the centres must gain, or the refit stops."""

FITS_TO = 0.02
"""Inertia above that of a cold refit up to which the old structure counts as fitting."""

COMPARED_CUSTOMERS = 20_000
"""Customers at most in the comparison with a cold refit."""

_MOST_STEPS = 300

Labels = NDArray[np.int64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Matching:
    """Which new segment is which previous one.

    Attributes
    ----------
    mapping : new label -> number to keep; those without a predecessor get the numbers after the highest previous one
    born : numbers of segments without a predecessor
    vanished : previous segments without a successor
    """

    mapping: Mapping[int, int]
    born: tuple[int, ...]
    vanished: tuple[int, ...]

    def renumber(self, labels: ArrayLike) -> Labels:
        """Return new labels with the numbers that are kept."""
        return np.array([self.mapping[int(label)] for label in np.asarray(labels)], dtype=np.int64)


@dataclass(frozen=True)
class Movement:
    """How customers moved between the segments of one frozen model.

    Attributes
    ----------
    migration : ``from, to`` (null for customers who were not there then, or are not now), ``customers``,
        ``revenue_then``, ``revenue_now``; one row a pair that occurs, sorted
    flows : ``segment, then, now, stayed, came, left, new, gone``: customers; ``then = stayed + left + gone`` and
        ``now = stayed + came + new``
    share_kept : of the customers there at both dates, those in the same segment; NaN where there are none
    """

    migration: pd.DataFrame
    flows: pd.DataFrame
    share_kept: float


@dataclass(frozen=True)
class Agreement:
    """How far two models give the same customers the same segment.

    Attributes
    ----------
    ari : adjusted Rand index: 1 the same, 0 as by chance; blind to numbers
    share : share of customers with the same number
    jaccard : per segment (of either), the customers whom both put there over those whom any does
    """

    ari: float
    share: float
    jaccard: Mapping[int, float]


@dataclass(frozen=True)
class Refit:
    """A model brought up to date, numbers kept.

    Attributes
    ----------
    model : the refitted one
    agreement : of the refitted with the frozen one, on the customers of the refit
    inertia_excess : inertia over that of a cold refit, less 1; below 0 where the cold one found worse
    steps : by how many steps of Lloyd's algorithm the centres moved
    """

    model: KMeansSegments
    agreement: Agreement
    inertia_excess: float
    steps: int

    @property
    def still_fits(self) -> bool:
        """Whether a cold refit would be hardly better."""
        return self.inertia_excess <= FITS_TO

    @property
    def verdict(self) -> str:
        """What to make of it, in one sentence in the language spoken."""
        if self.still_fits:
            text = _(
                "The segments still fit: {share:.0%} of customers keep theirs, and segments learnt afresh "
                "would lie closer by {excess:.1%} only."
            )
        else:
            text = _(
                "The old segments no longer fit: segments learnt afresh would lie closer by {excess:.1%}. "
                "Learn them afresh, and tell users that the segments have changed."
            )
        return text.format(share=self.agreement.share, excess=max(self.inertia_excess, 0))


def match(previous_labels: ArrayLike, labels: ArrayLike) -> Matching:
    """Return which new segment is which previous one, so that as many customers as possible keep their number.

    Hungarian matching on the numbers of shared customers; segments that share none are never matched. Noise (−1) is
    noise.

    Parameters
    ----------
    previous_labels, labels : of the same customers in the same order, or Series on unique customers, of which those in
        both count

    Raises
    ------
    DataError : lengths that differ, or customers repeated

    Examples
    --------
    >>> match([0, 0, 1, 1, 2], [1, 1, 0, 0, 3])
    Matching(mapping={0: 1, 1: 0, 3: 2}, born=(), vanished=())
    """
    old, new = _aligned(previous_labels, labels)
    old_segments, new_segments = _segments(previous_labels), _segments(labels)
    shared = np.array([[np.sum((old == there) & (new == here)) for here in new_segments] for there in old_segments])
    rows, columns = linear_sum_assignment(-shared.reshape(len(old_segments), len(new_segments)))
    kept = {
        new_segments[column]: old_segments[row]
        for row, column in zip(rows, columns, strict=True)
        if shared[row, column] > 0
    }
    fresh = [segment for segment in new_segments if segment not in kept]
    first = max(old_segments, default=NOISE) + 1
    numbers = kept | {segment: first + place for place, segment in enumerate(fresh)}
    noise = {NOISE: NOISE} if (np.asarray(labels) == NOISE).any() else {}
    return Matching(
        noise | {segment: numbers[segment] for segment in new_segments},
        tuple(numbers[segment] for segment in fresh),
        tuple(segment for segment in old_segments if segment not in kept.values()),
    )


def movement(
    model: KMeansSegments, features_then: pd.DataFrame, features_now: pd.DataFrame, *, revenue: str = "revenue_365d"
) -> Movement:
    """Return how customers moved between two dates, seen by one frozen model: the customers changed.

    Parameters
    ----------
    model : fitted on a frame; any fitted clusterer that has ``predict`` and ``feature_names_in_``
    features_then, features_now : ``customer_id`` (once each), the model's features, and revenue
    revenue : name of the column of revenue

    Raises
    ------
    DataError : columns missing, or customers repeated
    """
    then, now = (_placed(model, features, revenue) for features in (features_then, features_now))
    migration = crossed(side_by_side(then, now))
    return Movement(migration, flows(migration), share_kept(migration))


def agreement(model_previous: Any, model_new: Any, features_now: pd.DataFrame) -> Agreement:
    """Return how far two models agree on the same customers: our model changed.

    Numbers are compared as they are. Those of a cold refit mean something else: ``match`` them first, and compare with
    ``compare_labels``.

    Parameters
    ----------
    model_previous, model_new : fitted clusterers with ``predict`` and ``feature_names_in_``
    features_now : the features of both
    """
    return compare_labels(_labels(model_previous, features_now), _labels(model_new, features_now))


def compare_labels(previous_labels: ArrayLike, labels: ArrayLike) -> Agreement:
    """Return how far two labellings of the same customers agree, numbers as they are.

    >>> compare_labels([0, 0, 1, 1], [0, 0, 0, 1]).jaccard
    {0: 0.6666666666666666, 1: 0.5}
    """
    old, new = _aligned(previous_labels, labels)
    segments = np.unique(np.append(old, new)).tolist()
    jaccard = {
        segment: float(((old == segment) & (new == segment)).sum() / ((old == segment) | (new == segment)).sum())
        for segment in segments
    }
    share = float((old == new).mean()) if len(old) else math.nan
    return Agreement(float(adjusted_rand_score(old, new)) if len(old) else math.nan, share, jaccard)


def refit(model_previous: KMeansSegments, features_now: pd.DataFrame) -> Refit:
    """Return the model brought up to date: its centres move to where their customers are now, and keep their numbers.

    The scale stays as it was learnt: with a new one, every segment moves when the base does. Centres move by steps of
    Lloyd's algorithm, and only while a step gains more than 1 % of inertia: the last steps move many customers for
    next to nothing. A centre that has lost its customers stays. The result is compared with a cold refit on the same
    scale, on at most 20,000 customers.

    Parameters
    ----------
    model_previous : fitted on a frame; it stays as it is
    features_now : its features, one row a customer; order and index do not matter

    Raises
    ------
    DataError : columns missing, or no customers
    """
    values = _inputs(model_previous, features_now)
    if values.empty:
        raise DataError("a refit needs customers; features_now has none")
    scaled = np.asarray(model_previous.scaler_.transform(values), dtype=np.float64)
    ordered = scaled[row_order(scaled)]
    centres, steps = _moved(ordered, model_previous.cluster_centers_)
    model = _with_centres(model_previous, centres, scaled, steps)
    excess = _inertia_excess(ordered, model)
    return Refit(model, compare_labels(model_previous.predict(values), model.labels_), excess, steps)


def _moved(ordered: Matrix, centres: Matrix) -> tuple[Matrix, int]:
    """Return centres moved while it pays, and by how many steps."""
    inertia, candidate = _step(ordered, centres)
    for steps in range(_MOST_STEPS):
        next_inertia, next_candidate = _step(ordered, candidate)
        if inertia - next_inertia <= LEAST_GAIN * inertia:
            return centres, steps
        centres, candidate, inertia = candidate, next_candidate, next_inertia
    return centres, _MOST_STEPS


def _step(ordered: Matrix, centres: Matrix) -> tuple[float, Matrix]:
    """Return the inertia of centres, and the means of the customers nearest to each; those without any stay."""
    squared = squared_distances(ordered, centres)
    nearest = squared.argmin(axis=1)
    means = [
        ordered[nearest == place].mean(axis=0) if (nearest == place).any() else centre
        for place, centre in enumerate(centres)
    ]
    return math.fsum(squared.min(axis=1)), np.array(means)


def _with_centres(model: KMeansSegments, centres: Matrix, scaled: Matrix, steps: int) -> KMeansSegments:
    """Return a copy of the model with other centres, told of the customers that they were moved to."""
    squared = squared_distances(scaled, centres)
    moved = deepcopy(model)
    moved.cluster_centers_ = centres
    moved.labels_ = squared.argmin(axis=1)
    moved.inertia_ = math.fsum(squared.min(axis=1))
    moved.n_iter_ = steps
    return moved


def _inertia_excess(ordered: Matrix, model: KMeansSegments) -> float:
    """Return by what share the model's inertia lies above a cold refit's; 0 where that is nothing."""
    random = np.random.RandomState(model.random_state)
    if len(ordered) > COMPARED_CUSTOMERS:
        ordered = ordered[np.sort(random.choice(len(ordered), COMPARED_CUSTOMERS, replace=False))]
    warm = math.fsum(squared_distances(ordered, model.cluster_centers_).min(axis=1))
    segments = min(model.n_clusters_, len(np.unique(ordered, axis=0)))
    with threadpool_limits(1):
        cold = float(KMeans(segments, n_init=model.n_init, random_state=random).fit(ordered).inertia_)
    return warm / cold - 1 if cold > 0 else 0.0


def _placed(model: Any, features: pd.DataFrame, revenue: str) -> pd.DataFrame:
    """Return segment and revenue by customer."""
    check_columns(features.columns, ["customer_id", revenue], "features lack")
    if features["customer_id"].duplicated().any():
        raise DataError("features hold customers more than once; pass one row a customer at one as-of date")
    placed = {"segment": pd.array(_labels(model, features), dtype="Int64"), "revenue": features[revenue].to_numpy()}
    return pd.DataFrame(placed, index=pd.Index(features["customer_id"]))


def _labels(model: Any, features: pd.DataFrame) -> Labels:
    inputs = _inputs(model, features)
    return np.asarray(model.predict(inputs)) if len(inputs) else np.empty(0, dtype=np.int64)


def _inputs(model: Any, features: pd.DataFrame) -> pd.DataFrame:
    names = [str(name) for name in model.feature_names_in_]
    check_columns(features.columns, names, "features lack")
    return features[names]


def _aligned(previous_labels: ArrayLike, labels: ArrayLike) -> tuple[Labels, Labels]:
    """Return both labels of the customers that both have."""
    if isinstance(previous_labels, pd.Series) and isinstance(labels, pd.Series):
        if previous_labels.index.has_duplicates or labels.index.has_duplicates:
            raise DataError("labels hold customers more than once; pass one label a customer")
        both = pd.concat([previous_labels, labels], axis=1, join="inner")
        return both.iloc[:, 0].to_numpy(), both.iloc[:, 1].to_numpy()
    old, new = np.asarray(previous_labels), np.asarray(labels)
    if old.shape != new.shape:
        raise DataError(
            f"labels must be those of the same customers; found {len(old)} and {len(new)}: pass Series indexed by "
            "customer where the customers differ"
        )
    return old, new


def _segments(labels: ArrayLike) -> list[int]:
    return [int(label) for label in np.unique(np.asarray(labels)) if label != NOISE]
