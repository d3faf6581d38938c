from typing import Any

import pandas as pd
import pytest

from segml.clusters import HDBSCANSegments, KMeansSegments
from segml.config import ClustersConfig, HdbscanConfig, KMeansConfig
from segml.schema import DataError
from segml.segments.candidates import candidates, check


def alike(names: tuple[str, ...]) -> None:
    return None


def weighed(names: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(names, 0.5)


def test_each_size_of_each_clusterer_is_one_candidate_the_chosen_kind_first() -> None:
    config = ClustersConfig(kmeans=KMeansConfig(most_k=4), hdbscan=HdbscanConfig(shares=(0.02, 0.05)))
    names = [way.name for way in candidates(config, 1_000, 0, alike)]
    assert names == ["kmeans 2", "kmeans 3", "kmeans 4", "hdbscan 20", "hdbscan 50"]
    dense = [way.name for way in candidates(config.model_copy(update={"kind": "hdbscan"}), 1_000, 0, alike)]
    assert dense == ["hdbscan 20", "hdbscan 50", "kmeans 2", "kmeans 3", "kmeans 4"]


def test_a_kind_that_is_no_candidate_is_measured_all_the_same() -> None:
    config = ClustersConfig(kind="hdbscan", candidates=("kmeans",), kmeans=KMeansConfig(k=2))
    assert {way.algorithm for way in candidates(config, 1_000, 0, alike)} == {"hdbscan", "kmeans"}
    alone = ClustersConfig(candidates=(), kmeans=KMeansConfig(k=2))
    assert [way.name for way in candidates(alone, 1_000, 0, alike)] == ["kmeans 2"]


def test_few_customers_are_not_cut_into_segments_of_under_five() -> None:
    config = ClustersConfig()
    assert [way.name for way in candidates(config, 20, 0, alike)] == [
        "kmeans 2",
        "kmeans 3",
        "kmeans 4",
        "hdbscan 5",
    ]


def test_every_key_reaches_the_clusterer() -> None:
    inputs: dict[str, Any] = {"power": "yeo-johnson", "clip": 2.5, "categories": ("region",), "weights": "revenue"}
    config = ClustersConfig(
        kmeans=KMeansConfig(k=7, n_init=3, **inputs),
        hdbscan=HdbscanConfig(min_cluster_size=9, min_samples=4, sample_size=50, **inputs),
    )
    means, dense = (way.model for way in candidates(config, 1_000, 11, weighed))
    assert isinstance(means.clusterer, KMeansSegments)
    assert isinstance(dense.clusterer, HDBSCANSegments)
    assert (means.clusterer.n_clusters, means.clusterer.n_init) == (7, 3)
    assert (dense.clusterer.min_cluster_size, dense.clusterer.min_samples, dense.clusterer.sample_size) == (9, 4, 50)
    for model, section in ((means, config.kmeans), (dense, config.hdbscan)):
        scaler = model.clusterer.scaler
        assert (scaler.power, scaler.clip, scaler.categories) == ("yeo-johnson", 2.5, ("region",))
        assert scaler.weights == dict.fromkeys(section.features, 0.5)
        assert model.clusterer.random_state == model.seed == 11
        assert model.clusterer.order_by == "revenue_365d"


def test_features_weigh_the_same_where_that_is_asked_for() -> None:
    config = ClustersConfig(candidates=("kmeans",), kmeans=KMeansConfig(k=2, weights="none"))
    assert candidates(config, 100, 0, weighed)[0].model.clusterer.scaler.weights is None


def test_without_revenue_segments_are_numbered_by_the_first_feature() -> None:
    config = ClustersConfig(candidates=("kmeans",), kmeans=KMeansConfig(k=2, features=("recency_days", "gap_cv")))
    assert candidates(config, 100, 0, alike)[0].model.clusterer.order_by == "recency_days"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            {"kmeans": {"features": ("revenue_365",)}},
            r"segments.clusters.kmeans lacks.*revenue_365'.*mean 'revenue_365d'",
        ),
        ({"hdbscan": {"features": ("gap",)}}, r"segments.clusters.hdbscan lacks.*'gap'"),
        ({"kmeans": {"categories": ("regio",)}}, r"segments.clusters.kmeans lacks.*'regio'.*did you mean 'region'"),
        ({"kmeans": {"features": ("region",)}}, r"segments.clusters.kmeans must be numbers; \['region'\] are not"),
    ],
)
def test_columns_that_cannot_be_clustered_are_named_with_their_key(
    section: dict[str, object], words: str, base: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match=words):
        check(ClustersConfig.model_validate(section), base)
