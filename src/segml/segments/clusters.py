"""Found segments: KMeans whose numbering and names are learnt once and travel with the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from segml.segments.preprocessing import LogStandardClip, Matrix
from segml.segments.words import distinct_names

TRUSTED_TYPES = ("segml.segments.clusters.KMeansSegments", "segml.segments.preprocessing.LogStandardClip")
"""Types of our own in a stored model: what ``skops.io.load`` may be told to trust."""

# Customers closer than this many decimals (of a standard deviation) count as one point.
_SAME_POINT_DECIMALS = 6


class KMeansSegments(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """KMeans (Lloyd) on ``LogStandardClip``, with segments numbered from 1 by falling centre of one feature.

    ``predict(X_fit) == labels_`` holds exactly, and neither the order of rows nor the number of threads changes a
    label. Where X has fewer distinct customers than ``n_clusters``, there are as many segments as distinct customers.

    Parameters
    ----------
    n_clusters : number of segments wanted
    n_init : restarts, of which the one with the lowest inertia is kept
    clip : see ``LogStandardClip``
    order_by : name or place of the feature by which segments are numbered, the highest centre first
    random_state : seed (int) of the restarts

    Attributes
    ----------
    labels_ : segment of each customer of the fit, from 1
    n_clusters_ : number of segments found
    cluster_centers_ : (segments, features), scaled: standardised mean differences from the base
    segment_names_ : list of str, distinct, in the order of the numbers; see ``name_by``
    preprocessing_ : fitted ``LogStandardClip``
    n_features_in_, feature_names_in_ : as in scikit-learn
    """

    def __init__(
        self,
        n_clusters: int = 5,
        *,
        n_init: int = 10,
        clip: float = 3.0,
        order_by: str | int = 0,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.clip = clip
        self.order_by = order_by
        self.random_state = random_state

    def fit(self, X: Any, y: None = None) -> KMeansSegments:
        """Find the segments of X (customers, features)."""
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.preprocessing_ = LogStandardClip(clip=self.clip).fit(values)
        scaled = self.preprocessing_.transform(values)
        centres = self._centres(scaled[np.lexsort(scaled.T)])
        self.cluster_centers_ = centres[self._numbering(centres)]
        self.n_clusters_ = len(centres)
        self.segment_names_ = distinct_names(self.cluster_centers_, self._feature_names())
        self.labels_ = _nearest(scaled, self.cluster_centers_)
        return self

    def name_by(self, told: pd.DataFrame) -> KMeansSegments:
        """Name the segments by more than the features they were found by.

        Parameters
        ----------
        told : standardised features (see ``told_features``) of the customers of the fit, in the order of the fit
        """
        check_is_fitted(self)
        means = told.groupby(self.labels_).mean()
        self.segment_names_ = distinct_names(means.to_numpy(), list(told.columns))
        return self

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the segment with the nearest centre, per row of X (customers, features)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return _nearest(self.preprocessing_.transform(values), self.cluster_centers_)

    def rules(self) -> dict[str, str]:
        """Return, per segment name, its centre in the features' own units, in words."""
        check_is_fitted(self)
        centres = self.preprocessing_.inverse_transform(self.cluster_centers_)
        return {
            segment: "nearest centre: " + _told(self._feature_names(), centre)
            for segment, centre in zip(self.segment_names_, centres, strict=True)
        }

    def _centres(self, ordered: Matrix) -> Matrix:
        distinct = len(np.unique(ordered.round(_SAME_POINT_DECIMALS), axis=0))
        kmeans = KMeans(min(self.n_clusters, distinct), n_init=self.n_init, random_state=self.random_state)
        with threadpool_limits(1):
            return np.asarray(kmeans.fit(ordered).cluster_centers_)

    def _numbering(self, centres: Matrix) -> NDArray[np.int64]:
        places = {name: place for place, name in enumerate(self._feature_names())}
        leading = places.get(self.order_by, -1) if isinstance(self.order_by, str) else self.order_by
        if leading not in places.values():
            raise ValueError(f"order_by is {self.order_by!r}; the features are {list(places)}")
        return np.lexsort([*centres.T, -centres[:, leading]])

    def _feature_names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", [f"feature {place}" for place in range(self.n_features_in_)])
        return [str(name) for name in names]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _told(features: list[str], centre: Matrix) -> str:
    values = (f"{value:,.0f}" if abs(value) >= 100 else f"{round(value, 2) + 0.0:.3g}" for value in centre)
    return ", ".join(f"{feature} {value}" for feature, value in zip(features, values, strict=True))


def _nearest(scaled: Matrix, centres: Matrix) -> NDArray[np.int64]:
    # Row by row, without BLAS: the same customer gets the same distance in any company, on any number of threads.
    distances = np.column_stack([((scaled - centre) ** 2).sum(axis=1) for centre in centres])
    return np.asarray(distances.argmin(axis=1) + 1)
