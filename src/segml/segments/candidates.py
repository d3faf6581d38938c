"""The ways to cluster a base that the configuration asks for, as unfitted models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from segml.clusters import Candidate, CustomerScaler, HDBSCANSegments, KMeansSegments
from segml.config import ClustersConfig, HdbscanConfig, KMeansConfig
from segml.segments.found import ClusterModel, check_inputs

Weigh = Callable[[tuple[str, ...]], dict[str, float] | None]
"""Returns the weights of features; None: all weigh the same."""


def candidates(config: ClustersConfig, customers: int, seed: int, weigh: Weigh) -> list[Candidate]:
    """Return all ways to cluster so many customers, those of the clusterer that labels them first.

    The model of each is a ``ClusterModel``.
    """
    return [way for section in config.compared for way in _of(section, customers, seed, weigh)]


def check(config: ClustersConfig, customers: pd.DataFrame) -> None:
    """Raise ``DataError`` where customers lack what any of the clusterers reads, or features are no numbers."""
    for section in config.compared:
        check_inputs(customers, section.features, section.categories, f"segments.clusters.{section.kind}")


def fitted(ways: Sequence[Candidate], customers: pd.DataFrame) -> dict[str, ClusterModel]:
    """Return the models of all ways fitted on the same customers, by name; those of HDBSCAN are cut from one tree."""
    models: dict[str, ClusterModel] = {}
    dense: ClusterModel | None = None
    for way in ways:
        if dense is None or way.algorithm != HdbscanConfig.kind:
            models[way.name] = way.model.fit(customers)
        else:
            models[way.name] = dense.recut(way.size)
        if way.algorithm == HdbscanConfig.kind and dense is None:
            dense = models[way.name]
    return models


def _of(section: KMeansConfig | HdbscanConfig, customers: int, seed: int, weigh: Weigh) -> list[Candidate]:
    scaler = CustomerScaler(
        power=section.power,
        clip=section.clip,
        weights=weigh(section.features) if section.weights == "revenue" else None,
        categories=section.categories,
    )
    shared: dict[str, Any] = {"scaler": scaler, "order_by": _leading(section.features), "random_state": seed}
    match section:
        case KMeansConfig(kind=kind):
            ways = {size: KMeansSegments(size, n_init=section.n_init, **shared) for size in section.sizes(customers)}
        case HdbscanConfig(kind=kind):
            ways = {
                size: HDBSCANSegments(size, min_samples=section.min_samples, sample_size=section.sample_size, **shared)
                for size in section.sizes(customers)
            }
    return [
        Candidate(kind, size, ClusterModel(way, section.features, section.categories, seed=seed))
        for size, way in ways.items()
    ]


def _leading(features: tuple[str, ...]) -> str:
    """Return the feature by which segments are numbered: revenue where it is among them."""
    return next((name for name in features if name.startswith("revenue")), features[0])
