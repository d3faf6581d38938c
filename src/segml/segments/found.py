"""A found segmentation: a clusterer with the numbers, names and rules by which people know its segments."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from segml.clusters import NOISE, CustomerScaler, HDBSCANSegments, KMeansSegments, density, explain_by_tree, kmeans
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes.scheme import check_snapshot
from segml.segments.words import NO_CLEAR_SEGMENT, ONE_PURCHASE, distinct_names, told_features, told_name

NOT_CLUSTERED = 0
"""The number of customers without a found segment; its name is "not enough data"."""

PURCHASES = "purchase_day_count"

TRUSTED_TYPES = tuple(
    dict.fromkeys(("segml.segments.found.ClusterModel", *kmeans.TRUSTED_TYPES, *density.TRUSTED_TYPES))
)
"""What ``skops.io.load(trusted=…)`` is to be told to restore a ``ClusterModel``."""

Labels = NDArray[np.int64]


class ClusterModel(BaseEstimator):  # type: ignore[misc]
    """A clusterer of customers, whose segments keep their numbers and names with the model.

    Segments are numbered from 1. HDBSCAN does not see customers who bought on one day only, or they would be the
    densest segment there is: they are a segment by rule, after the last one. Its noise is number -1.

    Parameters
    ----------
    clusterer : KMeansSegments or HDBSCANSegments, unfitted
    features : numeric columns that it reads
    categories : text columns that it reads
    seed : of the cross-validation of the rules in words

    Attributes
    ----------
    clusterer_ : fitted
    numbers_ : list of int, the segments in the order in which people read them; noise last
    segment_names_ : list of str, distinct, one a number
    means_ : (segments, features), standardised mean differences from the base
    rules_ : list of str, who belongs to a segment as a decision tree on the features has it
    fidelity_, worst_recall_ : share of customers whom that tree gives their segment, in all and in the segment it
        knows least; cross-validated
    explained_ : the same as a sentence
    """

    def __init__(
        self,
        clusterer: KMeansSegments | HDBSCANSegments,
        features: tuple[str, ...],
        categories: tuple[str, ...] = (),
        *,
        seed: int = 0,
    ) -> None:
        self.clusterer = clusterer
        self.features = features
        self.categories = categories
        self.seed = seed

    def fit(self, customers: pd.DataFrame) -> ClusterModel:
        """Find the segments of customers at one as-of date, one row each."""
        self.feature_names_in_ = np.array(self._columns, dtype=object)
        self.clusterer_ = clone(self.clusterer).fit(self.inputs(customers))
        return self

    def recut(self, min_cluster_size: int) -> ClusterModel:
        """Return what a fit of HDBSCAN with another size on the same customers would give, without the fit."""
        other = copy(self)
        other.clusterer_ = self.clusterer_.recut(min_cluster_size)
        return other

    def describe(self, customers: pd.DataFrame) -> ClusterModel:
        """Learn names, mean differences and rules in words from the customers of the fit."""
        ordered = customers.sort_values("customer_id", ignore_index=True)
        labels = self.predict(ordered)
        self.numbers_ = [*range(1, self._last + 1), *([NOISE] if self.knows_noise else [])]
        scaled = CustomerScaler().fit_transform(ordered[list(self.features)])
        self.means_ = np.vstack([_mean(scaled[labels == number]) for number in self.numbers_])
        self.segment_names_ = self._names(told_features(ordered), labels)
        names = pd.Series(labels).map(dict(zip(self.numbers_, self.segment_names_, strict=True)))
        tree = explain_by_tree(ordered[[*self.features, *self.categories]], names, seed=self.seed)
        self.rules_ = [tree.rules().get(name, "") for name in self.segment_names_]
        self.fidelity_, self.worst_recall_, self.explained_ = tree.fidelity, tree.worst_recall, tree.summary(told_name)
        return self

    @property
    def n_clusters_(self) -> int:
        """Number of segments that the clusterer found."""
        return int(self.clusterer_.n_clusters_)

    @property
    def _last(self) -> int:
        return self.n_clusters_ + int(self.knows_noise)

    @property
    def knows_noise(self) -> bool:
        """Whether customers may belong to no segment, and those of one purchase are set apart."""
        return isinstance(self.clusterer, HDBSCANSegments)

    @property
    def _columns(self) -> list[str]:
        return [*self.features, *self.categories, *([PURCHASES] if self.knows_noise else [])]

    def predict(self, customers: pd.DataFrame) -> Labels:
        """Return the number of each customer's segment (rows)."""
        check_is_fitted(self, "clusterer_")
        apart = self._apart(customers)
        numbers = np.full(len(customers), self._last, dtype=np.int64)
        if not apart.all():
            numbers[~apart] = numbered(self.clusterer_.predict(self.inputs(customers)))
        return numbers

    def nearest(self, customers: pd.DataFrame) -> tuple[Labels, NDArray[np.float64]]:
        """Return the number of each customer's nearest segment, and how surely it belongs there, from 0 to 1.

        Where there is no segment but noise, that is the nearest, at strength 0.
        """
        apart = self._apart(customers)
        numbers, strengths = np.full(len(customers), self._last, dtype=np.int64), np.ones(len(customers))
        if not apart.all():
            inputs = self.inputs(customers)
            numbers[~apart], strengths[~apart] = (
                numbered(self.clusterer_.nearest(inputs)),
                self.clusterer_.strength(inputs),
            )
        return numbers, strengths

    def rules(self) -> dict[str, str]:
        """Return, per segment name, who belongs to it, in words."""
        return dict(zip(self.segment_names_, self.rules_, strict=True))

    def inputs(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return what the clusterer reads of the customers who are not set apart.

        Raises
        ------
        DataError : columns missing, or features that are no numbers
        """
        check_inputs(customers, self.features, self._columns[len(self.features) :], "segments.clusters")
        clustered = customers.loc[~self._apart(customers), [*self.features, *self.categories]]
        return clustered.astype(dict.fromkeys(self.features, "float64"))

    def _apart(self, customers: pd.DataFrame) -> NDArray[np.bool_]:
        if not self.knows_noise:
            return np.zeros(len(customers), dtype=bool)
        return (customers[PURCHASES] <= 1).to_numpy()

    def _names(self, told: pd.DataFrame, labels: Labels) -> list[str]:
        """Return found segments' names by what is high or low in them; the others are called what they are."""
        means = np.vstack([_mean(told.to_numpy()[labels == number]) for number in range(1, self.n_clusters_ + 1)])
        apart = [ONE_PURCHASE] if self.knows_noise else []
        noise = [NO_CLEAR_SEGMENT] if self.knows_noise else []
        return [*distinct_names(means, list(told.columns)), *apart, *noise]


def label_segments(customers: pd.DataFrame, model: ClusterModel | None) -> pd.DataFrame:
    """Return ``customer_id, cluster, cluster_name``, one row a customer, sorted by ``customer_id``.

    With HDBSCAN also ``cluster_nearest``, the name of the nearest segment, and ``cluster_strength``, from 0 to 1, how
    surely the customer belongs there. Without a model all are number 0, "not enough data".

    Parameters
    ----------
    customers : one row a customer at one as-of date
    model : fitted and described
    """
    ordered = customers.sort_values("customer_id", ignore_index=True)
    table = pd.DataFrame({"customer_id": ordered["customer_id"].astype("str")})
    if model is None or ordered.empty:
        names = pd.Series(NOT_ENOUGH_DATA, index=table.index, dtype="str")
        return table.assign(cluster=np.int64(NOT_CLUSTERED), cluster_name=names)
    numbers, called = pd.Series(model.predict(ordered)), dict(zip(model.numbers_, model.segment_names_, strict=True))
    table = table.assign(cluster=numbers, cluster_name=numbers.map(called).astype("str"))
    if not model.knows_noise:
        return table
    nearest, strength = model.nearest(ordered)
    return table.assign(
        cluster_nearest=pd.Series(nearest).map(called).astype("str"), cluster_strength=pd.Series(strength)
    )


def check_inputs(customers: pd.DataFrame, features: Sequence[str], others: Sequence[str], key: str) -> None:
    """Raise ``DataError`` where columns are missing or features are no numbers; ``key`` names them to the reader."""
    check_snapshot(customers, [*features, *others], key)
    text = [name for name in features if not pd.api.types.is_numeric_dtype(customers[name])]
    if text:
        raise DataError(
            f"the features of {key} must be numbers; {text} are not: take them out of the list, or put them under "
            "categories"
        )


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows.mean(axis=0) if len(rows) else np.full(rows.shape[1], np.nan)


def numbered(labels: Labels) -> Labels:
    """Return labels from 0 as numbers from 1; noise keeps its own."""
    return np.where(labels < 0, NOISE, labels + 1)
