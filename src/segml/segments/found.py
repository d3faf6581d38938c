"""Found segments for a base of customers: fitted where there is enough to find, with a plain reason where not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from segml.config import KMeansConfig, SegmentsConfig
from segml.language import _, ngettext
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes.scheme import check_snapshot
from segml.segments.clusters import KMeansSegments
from segml.segments.words import told_features

NOT_CLUSTERED = 0
"""The number of customers without a found segment; its name is "not enough data"."""

MIN_SEGMENTS = 2
SMALL_SHARE = 0.01
"""Segments under this share of customers get a warning: working with them may not pay."""


@dataclass(frozen=True)
class FoundSegments:
    """The fitted model, or none; and what the reader should know (why there is none, or fewer than asked for)."""

    model: KMeansSegments | None
    notices: tuple[str, ...] = ()


def find_segments(features: pd.DataFrame, config: SegmentsConfig, seed: int) -> FoundSegments:
    """Return the segments found among customers at one as-of date, named by all features that there are words for.

    Parameters
    ----------
    features : one row a customer, with the columns that ``config.clusters.features`` names
    config : the clusterer, and the fewest customers worth clustering
    seed : of the restarts

    Raises
    ------
    DataError : feature columns missing or not numbers, customers repeated, or more than one as-of date
    """
    ordered = features.sort_values("customer_id", ignore_index=True)
    inputs = cluster_inputs(ordered, config.clusters)
    if len(inputs) < config.min_customers:
        return FoundSegments(None, (_too_few(len(inputs), config),))
    model = estimator(config.clusters, seed).fit(inputs)
    if model.n_clusters_ < MIN_SEGMENTS:
        return FoundSegments(
            None, (_("no clusters: all customers are alike in every feature of segments.clusters.features"),)
        )
    model.name_by(told_features(ordered))
    return FoundSegments(model, tuple(_remarks(model, config.clusters)))


def label_segments(features: pd.DataFrame, model: KMeansSegments | None) -> pd.DataFrame:
    """Return ``customer_id, cluster, cluster_name``, one row a customer, sorted by ``customer_id``.

    Without a model all are number 0, "not enough data".

    Parameters
    ----------
    features : one row a customer at one as-of date
    model : fitted on a frame with the same feature columns
    """
    ordered = features.sort_values("customer_id", ignore_index=True)
    names: list[str] = [NOT_ENOUGH_DATA]
    numbers = np.full(len(ordered), NOT_CLUSTERED, dtype=np.int64)
    if model is not None and len(ordered):
        names += model.segment_names_
        numbers = model.predict(_numbers(ordered, tuple(model.feature_names_in_)))
    table = pd.DataFrame({"customer_id": ordered["customer_id"].astype("str"), "cluster": numbers})
    return table.assign(cluster_name=pd.Series(np.array(names, dtype=object)[numbers], dtype="str"))


def estimator(config: KMeansConfig, seed: int) -> KMeansSegments:
    """Return the unfitted clusterer; segments are numbered by revenue where it is among the features."""
    leading = next((name for name in config.features if name.startswith("revenue")), config.features[0])
    return KMeansSegments(config.k, n_init=config.n_init, clip=config.clip, order_by=leading, random_state=seed)


def cluster_inputs(features: pd.DataFrame, config: KMeansConfig) -> pd.DataFrame:
    """Return the feature columns of the clusterer as numbers, sorted by ``customer_id``."""
    check_snapshot(features, config.features, "segments.clusters.features")
    return _numbers(features.sort_values("customer_id", ignore_index=True), config.features)


def _numbers(features: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    text = [name for name in names if not pd.api.types.is_numeric_dtype(features[name])]
    if text:
        raise DataError(f"segments.clusters.features must be numbers; {text} are not: take them out of the list")
    return features[list(names)].astype("float64")


def _too_few(customers: int, config: SegmentsConfig) -> str:
    return ngettext(
        "no clusters: {n} customer, fewer than segments.min_customers = {least}; the rules label everyone",
        "no clusters: {n} customers, fewer than segments.min_customers = {least}; the rules label everyone",
        customers,
    ).format(n=customers, least=config.min_customers)


def _remarks(model: KMeansSegments, config: KMeansConfig) -> list[str]:
    remarks = []
    if model.n_clusters_ < config.k:
        fewer = ngettext(
            "{n} cluster instead of segments.clusters.k = {k}: the customers have no more different profiles",
            "{n} clusters instead of segments.clusters.k = {k}: the customers have no more different profiles",
            model.n_clusters_,
        )
        remarks.append(fewer.format(n=model.n_clusters_, k=config.k))
    shares = np.bincount(model.labels_)[1:] / len(model.labels_)
    small = [
        _("{segment!r} ({share:.1%})").format(segment=name, share=share)
        for name, share in zip(model.segment_names_, shares, strict=True)
        if share < SMALL_SHARE
    ]
    if small:
        tiny = _("clusters under {share:.0%} of customers, hardly worth an effort of their own: {segments}")
        remarks.append(tiny.format(share=SMALL_SHARE, segments=", ".join(small)))
    return remarks
