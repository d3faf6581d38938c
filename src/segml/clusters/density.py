"""Density segments: HDBSCAN with noise as an answer, on any number of customers."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from segml.clusters import preprocessing
from segml.clusters.assignment import Density, Neighbours, core_distances, neighbours
from segml.clusters.hierarchy import NOISE, Matrix, Numbers, Selection, cut, linkage
from segml.clusters.preprocessing import CustomerScaler
from segml.language import _, ngettext

TRUSTED_TYPES = ("segml.clusters.density.HDBSCANSegments", *preprocessing.TRUSTED_TYPES)
"""Types of our own in a stored model: what ``skops.io.load`` may be told to trust."""

MOST_NOISE = 0.3
FEWEST_SEGMENTS, MOST_SEGMENTS = 2, 15

# Customers closer than this many decimals (of a standard deviation) are one point.
_SAME_POINT_DECIMALS = 9


class HDBSCANSegments(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """HDBSCAN with the exact spanning tree on scaled features: segments where customers are dense, noise elsewhere.

    Above ``sample_size`` customers a sample is fitted, and the rest is assigned by kd-tree (see ``assignment``), as
    new customers are. ``predict(X_fit) == labels_`` holds exactly; neither the order of rows nor the number of threads
    changes a label, and equal customers have equal labels. Where nothing is dense enough, all are noise.

    Parameters
    ----------
    min_cluster_size : fewest fitted customers of a segment, 2 or more
    min_samples : neighbours that have to be near for a place to be dense, the customer itself not counted
    selection : ``"eom"``, the segments that persist longest, or ``"leaf"``, the finest
    scaler : scikit-learn transformer; None for ``CustomerScaler()``
    order_by : name or place of the feature by whose falling (scaled) mean segments are numbered; None: by size
    sample_size : most customers that are fitted
    random_state : seed of the sample
    n_jobs : threads of the assignment, −1 for all; None for one

    Attributes
    ----------
    labels_ : segment of each customer of the fit, from 0, noise −1
    n_clusters_ : number of segments found
    noise_share_ : share of customers of the fit that are noise
    cluster_centers_ : (segments, scaled features), mean of the fitted members
    fitted_points_, fitted_labels_, fitted_strengths_, core_distances_ : per fitted customer, in sorted order
    reaches_ : per segment, see ``hierarchy.Cut``
    linkage_ : single linkage of the fitted customers, see ``hierarchy.linkage``
    scaler_ : the fitted scaler
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> small, large = rng.lognormal(2, 0.1, (60, 2)), rng.lognormal(6, 0.1, (90, 2))
    >>> model = HDBSCANSegments(20).fit([*small, *large, [1e6, 0]])
    >>> model.n_clusters_, model.labels_[[0, -2, -1]].tolist()
    (2, [1, 0, -1])
    """

    def __init__(
        self,
        min_cluster_size: int = 50,
        *,
        min_samples: int = 10,
        selection: Selection = "eom",
        scaler: Any = None,
        order_by: str | int | None = None,
        sample_size: int = 20_000,
        random_state: Any = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples
        self.selection = selection
        self.scaler = scaler
        self.order_by = order_by
        self.sample_size = sample_size
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: None = None) -> HDBSCANSegments:
        """Find the segments of X (customers, features)."""
        self._check_parameters()
        values = self._checked(X, reset=True)
        self.scaler_ = clone(CustomerScaler() if self.scaler is None else self.scaler).fit(values)
        scaled = self._scaled(values)
        order = np.lexsort(scaled.T)
        self.fitted_points_ = self._sample(scaled[order])
        self.core_distances_ = core_distances(self.fitted_points_, self.min_samples)
        self.linkage_ = linkage(self.fitted_points_, self.min_samples)
        self._row_places, self._row_cores = self._places(scaled, order)
        return self._segment()

    def predict(self, X: Any) -> Numbers:
        """Return the segment of each row of X (customers, features), noise −1."""
        density, found, _rows = self._located(X)
        return density.labels_of(found.places, found.own_cores)

    def nearest(self, X: Any) -> Numbers:
        """Return the nearest segment of each row of X, a member's its own; −1 only where there are no segments."""
        density, found, rows = self._located(X)
        return np.asarray(density.labels[density.nearest(rows, found).places])

    def strength(self, X: Any) -> Matrix:
        """Return how deep in its segment each row of X lies, from 0 (noise) to 1.

        Customers that were fitted have the membership probability of HDBSCAN; for others see
        ``assignment.Density.strengths_of``.
        """
        density, found, _rows = self._located(X)
        labels = density.labels_of(found.places, found.own_cores)
        return np.where(labels == NOISE, 0.0, density.strengths_of(found))

    def memberships(self, X: Any) -> Matrix:
        """Return how much of each row of X belongs to each segment, (customers, segments).

        What a row lacks to 1 is noise. The largest share of a member is its own segment's; see
        ``assignment.Density.memberships`` for the definition.
        """
        density, found, rows = self._located(X)
        return density.memberships(rows, density.nearest(rows, found))

    def recut(self, min_cluster_size: int) -> HDBSCANSegments:
        """Return what a fit with another ``min_cluster_size`` on the same customers would give, without the fit."""
        check_is_fitted(self)
        other: HDBSCANSegments = copy(self).set_params(min_cluster_size=min_cluster_size)
        other._check_parameters()
        return other._segment()

    def recuts(self, sizes: Iterable[int]) -> dict[int, HDBSCANSegments]:
        """Return a ``recut`` for each size."""
        return {size: self.recut(size) for size in sizes}

    def _segment(self) -> HDBSCANSegments:
        raw = cut(self.linkage_, self.min_cluster_size, self.selection)
        self.fitted_labels_, self.fitted_strengths_, self.reaches_ = raw
        labels = self._density().labels_of(self._row_places, self._row_cores)
        centres = _centres(self.fitted_points_, raw.labels, len(raw.reaches))
        order = self._numbering(centres, labels)
        numbers = np.append(np.argsort(order), NOISE)  # noise, the last place, stays noise
        self.fitted_labels_, self.labels_ = numbers[raw.labels], numbers[labels]
        self.reaches_, self.cluster_centers_ = raw.reaches[order], centres[order]
        self.n_clusters_ = len(order)
        self.noise_share_ = float(np.mean(self.labels_ == NOISE))
        return self

    def _numbering(self, centres: Matrix, labels: Numbers) -> Numbers:
        sizes = np.bincount(labels[labels != NOISE], minlength=len(centres))
        leading = sizes if self.order_by is None else centres[:, self._leading_column()]
        return np.lexsort([*centres.T, -leading])

    def _leading_column(self) -> int:
        features = [str(name) for name in _check_feature_names_in(self)]
        names: dict[Any, str] = {**dict(enumerate(features)), **{name: name for name in features}}
        columns = [str(column) for column in self.scaler_.get_feature_names_out()]
        if (name := names.get(self.order_by)) not in columns:
            raise ValueError(f"order_by is {self.order_by!r}; the scaled features are {columns}")
        return columns.index(str(name))

    def _located(self, X: Any) -> tuple[Density, Neighbours, Matrix]:
        check_is_fitted(self)
        rows = self._scaled(self._checked(X, reset=False))
        return self._density(), neighbours(self.fitted_points_, rows, self.min_samples, self.n_jobs), rows

    def _checked(self, X: Any, *, reset: bool) -> Any:
        # A frame may hold categories, which only the scaler can read.
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            return X
        return validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset)

    def _scaled(self, X: Any) -> Matrix:
        scaled = check_array(self.scaler_.transform(X), dtype=np.float64)
        return np.asarray(scaled.round(_SAME_POINT_DECIMALS))

    def _sample(self, rows: Matrix) -> Matrix:
        if len(rows) <= self.sample_size:
            return rows
        # Of sorted rows, so that their order in X cannot change the sample.
        places = check_random_state(self.random_state).choice(len(rows), self.sample_size, replace=False)
        return np.asarray(rows[np.sort(places)])

    def _places(self, rows: Matrix, order: Numbers) -> tuple[NDArray[np.integer], Matrix]:
        if len(rows) == len(self.fitted_points_):
            return np.argsort(order), np.zeros(len(rows))  # all are fitted: what a search would find
        found = neighbours(self.fitted_points_, rows, self.min_samples, self.n_jobs)
        return found.places, found.own_cores

    def _density(self) -> Density:
        return Density(
            self.fitted_points_,
            self.core_distances_,
            self.fitted_labels_,
            self.fitted_strengths_,
            self.reaches_,
            self.n_jobs,
        )

    def _check_parameters(self) -> None:
        least = {"min_cluster_size": 2, "min_samples": 1, "sample_size": 2}
        for name, fewest in least.items():
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < fewest:
                raise ValueError(f"{name} is {value!r}; it must be a whole number, {fewest} or more")
        if self.selection not in ("eom", "leaf"):
            raise ValueError(f"selection is {self.selection!r}; it can be 'eom' or 'leaf'")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.scaler is None or isinstance(self.scaler, CustomerScaler)
        return tags


def cautions(model: HDBSCANSegments) -> list[str]:
    """Return what the reader of these segments should know, in words: too much noise, too few or too many segments."""
    if model.n_clusters_ < FEWEST_SEGMENTS:
        return [
            _("no density segments: nowhere are {n:,} customers close together and apart from the others").format(
                n=model.min_cluster_size
            )
        ]
    told = []
    if model.noise_share_ > MOST_NOISE:
        noise = _("{share:.0%} of customers are in no density segment (more than {most:.0%}): they lie too thinly")
        told.append(noise.format(share=model.noise_share_, most=MOST_NOISE))
    if model.n_clusters_ > MOST_SEGMENTS:
        many = ngettext(
            "{n} density segment, more than {most}: too many to work with; ask for larger ones (min_cluster_size)",
            "{n} density segments, more than {most}: too many to work with; ask for larger ones (min_cluster_size)",
            model.n_clusters_,
        )
        told.append(many.format(n=model.n_clusters_, most=MOST_SEGMENTS))
    return told


def _centres(points: Matrix, labels: Numbers, count: int) -> Matrix:
    means = [points[labels == segment].mean(axis=0) for segment in range(count)]
    return np.array(means).reshape(count, points.shape[1])
