"""KMeans whose labels depend on the customers alone: not on their order, their number at once, nor on threads."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state, gen_batches, get_tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from segml.clusters.preprocessing import TRUSTED_TYPES as _SCALER_TYPES
from segml.clusters.preprocessing import CustomerScaler, Matrix

TRUSTED_TYPES = ("segml.clusters.kmeans.KMeansSegments", *_SCALER_TYPES)
"""Types of our own in a stored model: what ``skops.io.load`` may be told to trust."""

# Customers that differ by less than this many decimals (of a standard deviation) count as one point: it is what
# different processors make of the same logarithm.
_DECIMALS = 9

# Rows whose distances are computed at once, so that they stay in the processor's cache.
_BATCH = 16_384

Labels = NDArray[np.int64]


class KMeansSegments(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """KMeans (Lloyd) on scaled customers, segments numbered from 0 by falling centre of one feature.

    ``predict(X_fit) == labels_`` holds exactly, and neither the order of rows nor the number of threads changes a bit:
    the search runs on sorted rows in one thread, since scikit-learn adds up the sums of several threads in whatever
    order they finish. From ``full_below`` customers on, the restarts run on a sample of them, drawn independently of
    the order of rows; the best centres then start one search over all customers. Where X has fewer distinct customers
    than ``n_clusters``, there are as many segments as distinct customers.

    Parameters
    ----------
    n_clusters : number of segments wanted
    n_init : restarts, of which the one with the lowest inertia is kept
    scaler : transformer from X to the space in which distances are measured; None means ``CustomerScaler()``. A fitted
        one in scikit-learn's ``FrozenEstimator`` is not fitted again, so that segments of two dates share one scale.
    init : previous centres (segments, scaled features), to start one search from instead of restarts
    max_iter : iterations of a search at most; a few of them after ``init`` stay closer to the previous segments than a
        search to the end, at a higher inertia
    order_by : name or place of the scaled feature by which segments are numbered, the highest centre first
    sample_size : customers in the sample
    full_below : number of customers below which every restart sees all of them
    random_state : seed (int) of the sample and the restarts

    Attributes
    ----------
    labels_ : segment of each customer of the fit, from 0
    n_clusters_ : number of segments found
    cluster_centers_ : (segments, scaled features)
    scaler_ : fitted scaler
    inertia_ : sum of squared distances of customers to their centres
    n_iter_ : iterations of the last search
    n_features_in_, feature_names_in_ : as in scikit-learn

    Raises
    ------
    ValueError : parameters out of range, ``init`` of another shape, ``order_by`` unknown; see also ``CustomerScaler``

    Examples
    --------
    >>> KMeansSegments(2).fit_predict([[10.0], [12.0], [900.0], [1000.0]]).tolist()
    [1, 1, 0, 0]
    """

    def __init__(
        self,
        n_clusters: int = 5,
        *,
        n_init: int = 10,
        scaler: Any = None,
        init: ArrayLike | None = None,
        max_iter: int = 300,
        order_by: str | int = 0,
        sample_size: int = 20_000,
        full_below: int = 50_000,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.scaler = scaler
        self.init = init
        self.max_iter = max_iter
        self.order_by = order_by
        self.sample_size = sample_size
        self.full_below = full_below
        self.random_state = random_state

    def fit(self, X: Any, y: None = None) -> KMeansSegments:
        """Find the segments of X (customers, features)."""
        self._check_parameters()
        values = self._checked(X, reset=True)
        self.scaler_ = (CustomerScaler() if self.scaler is None else clone(self.scaler)).fit(values, y)
        scaled = np.asarray(self.scaler_.transform(values), dtype=np.float64)
        leading = self._leading(scaled.shape[1])
        centres, self.n_iter_ = self._search(scaled)
        self.cluster_centers_ = centres[np.lexsort([*centres.T, -centres[:, leading]])]
        self.n_clusters_ = len(centres)
        squared = squared_distances(scaled, self.cluster_centers_)
        self.labels_ = squared.argmin(axis=1)
        # Exact, so that the order of rows cannot change the last bit.
        self.inertia_ = math.fsum(squared.min(axis=1))
        return self

    def predict(self, X: Any) -> Labels:
        """Return the segment with the nearest centre, per row of X (customers, features)."""
        return np.asarray(self._squared(X).argmin(axis=1))

    def transform(self, X: Any) -> Matrix:
        """Return the distances of X (customers, features) to the centres, (customers, segments)."""
        return np.asarray(np.sqrt(self._squared(X)))

    def centres_in_units(self) -> pd.DataFrame:
        """Return the numeric part of the centres in the features' own units, a row a segment.

        Needs a scaler with ``inverse_transform``. With ``CustomerScaler``, features of weight 0 are NaN.
        """
        check_is_fitted(self)
        units = np.asarray(self.scaler_.inverse_transform(self.cluster_centers_))
        return pd.DataFrame(units, columns=getattr(self.scaler_, "numeric_names_", None))

    def _check_parameters(self) -> None:
        for name in ("n_clusters", "n_init", "max_iter"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.sample_size < self.n_clusters:
            raise ValueError(f"sample_size is {self.sample_size}; {self.n_clusters} segments need as many customers")

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Return X as the scaler reads it: frames with their names and categories, all else as numbers."""
        if hasattr(X, "columns"):
            return validate_data(self, X, reset=reset, skip_check_array=True)
        finite = "allow-nan" if self._allows_nan() else True
        return validate_data(self, X, reset=reset, dtype=np.float64, ensure_all_finite=finite)

    def _squared(self, X: Any) -> Matrix:
        check_is_fitted(self)
        values = self._checked(X, reset=False)
        return squared_distances(np.asarray(self.scaler_.transform(values), dtype=np.float64), self.cluster_centers_)

    def _leading(self, width: int) -> int:
        """Return the place of the feature to number by, among ``width`` scaled ones."""
        if not isinstance(self.order_by, str):
            if not 0 <= self.order_by < width:
                raise ValueError(f"order_by is {self.order_by!r}; places are 0 to {width - 1}")
            return self.order_by
        names = list(self.scaler_.get_feature_names_out())
        if self.order_by not in names:
            raise ValueError(f"order_by is {self.order_by!r}; the scaled features are {names}")
        return names.index(self.order_by)

    def _search(self, scaled: Matrix) -> tuple[Matrix, int]:
        points = scaled.round(_DECIMALS)
        points = points[row_order(points)]
        random = check_random_state(self.random_state)
        with threadpool_limits(1):
            start = self._start(points, random)
            found = self._restarts(points, random) if start is None else self._search_from(start, points)
        return np.asarray(found.cluster_centers_), int(found.n_iter_)

    def _start(self, points: Matrix, random: np.random.RandomState) -> Matrix | None:
        """Return the centres to start from, None where restarts have to find them among all points."""
        distinct = _distinct(points)
        if len(distinct) <= self.n_clusters:
            return distinct
        if self.init is not None:
            return _checked_centres(self.init, (self.n_clusters, points.shape[1]))
        if len(points) < self.full_below or self.sample_size >= len(points):
            return None
        sample = points[np.sort(random.choice(len(points), self.sample_size, replace=False))]
        if len(_distinct(sample)) < self.n_clusters:
            return None
        return np.asarray(self._restarts(sample, random).cluster_centers_)

    def _restarts(self, points: Matrix, random: np.random.RandomState) -> Any:
        return KMeans(self.n_clusters, n_init=self.n_init, max_iter=self.max_iter, random_state=random).fit(points)

    def _search_from(self, start: Matrix, points: Matrix) -> Any:
        return KMeans(len(start), init=start, n_init=1, max_iter=self.max_iter).fit(points)

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._allows_nan()
        return tags

    def _allows_nan(self) -> bool:
        return self.scaler is None or bool(get_tags(self.scaler).input_tags.allow_nan)


def squared_distances(scaled: Matrix, centres: Matrix) -> Matrix:
    """Return squared distances of rows to centres, (rows, centres), the same for a row in any company.

    Feature by feature, without BLAS, whose order of summation depends on how many rows there are.

    >>> squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])).ravel().tolist()
    [0.0, 25.0]
    """
    squared = np.empty((len(scaled), len(centres)))
    for rows in gen_batches(len(scaled), _BATCH):
        features = np.ascontiguousarray(scaled[rows].T)
        for place, centre in enumerate(centres):
            squared[rows, place] = sum((feature - at) ** 2 for feature, at in zip(features, centre, strict=True))
    return squared


def row_order(points: Matrix) -> NDArray[np.intp]:
    """Return an order of rows (indices) that depends on their values alone, so that equal rows are neighbours.

    Sorting by one number a row, and by all columns only where that number is equal, is ten times as fast as sorting by
    all columns at once.

    >>> row_order(np.array([[2.0, 1.0], [1.0, 1.0], [2.0, 1.0]])).tolist()
    [1, 0, 2]
    """
    # Irrational factors: rows that differ rarely have the same sum.
    factors = np.sqrt(np.arange(2, points.shape[1] + 2))
    key = sum(column * factor for column, factor in zip(points.T, factors, strict=True))
    order = np.argsort(key)
    same = key[order[1:]] == key[order[:-1]]
    tied = np.append(same, False) | np.append(False, same)
    rows = order[tied]
    order[tied] = rows[np.lexsort([*points[rows].T, key[rows]])]
    return order


def _distinct(ordered: Matrix) -> Matrix:
    is_first = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    return np.asarray(ordered[is_first])


def _checked_centres(init: ArrayLike, shape: tuple[int, int]) -> Matrix:
    centres = check_array(init, dtype=np.float64, input_name="init")
    if centres.shape != shape:
        raise ValueError(
            f"init has the shape {centres.shape}; n_clusters and the scaled features need {shape}: pass the "
            "cluster_centers_ of a model of the same features, and its n_clusters_ as n_clusters"
        )
    return np.asarray(centres)
