import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.config import KMeansConfig, SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import find_segments, label_segments

CONFIG = SegmentsConfig(clusters=KMeansConfig(k=3))


def test_every_customer_gets_the_number_and_name_of_a_segment(base: pd.DataFrame) -> None:
    found = find_segments(base, CONFIG, seed=0)
    labels = label_segments(base, found.model)
    assert found.notices == ()
    assert list(labels.columns) == ["customer_id", "cluster", "cluster_name"]
    assert labels["customer_id"].tolist() == sorted(base["customer_id"])
    assert set(labels["cluster"]) == {1, 2, 3}
    assert (labels.groupby("cluster")["cluster_name"].nunique() == 1).all()
    revenue = base.sort_values("customer_id")["revenue_365d"].groupby(labels["cluster"].to_numpy()).median()
    assert revenue.is_monotonic_decreasing


def test_shuffled_input_gives_the_same_labels_and_is_not_changed(base: pd.DataFrame) -> None:
    shuffled = base.sample(frac=1, random_state=2)
    copy = shuffled.copy(deep=True)
    first = label_segments(base, find_segments(base, CONFIG, seed=0).model)
    second = label_segments(shuffled, find_segments(shuffled, CONFIG, seed=0).model)
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(shuffled, copy)


def test_a_frozen_model_labels_the_next_snapshot_even_one_customer(base: pd.DataFrame, next_base: pd.DataFrame) -> None:
    model = find_segments(base, CONFIG, seed=0).model
    labels = label_segments(next_base, model)
    alone = label_segments(next_base.iloc[[7]], model)
    assert alone["cluster"].tolist() == labels.loc[labels["customer_id"] == "c0007", "cluster"].tolist()


def test_the_fewest_customers_that_are_clustered(base: pd.DataFrame) -> None:
    assert find_segments(base.iloc[:20], CONFIG, seed=0).model is not None


@pytest.mark.parametrize("customers", [0, 1, 19])
def test_few_customers_are_not_clustered_and_told_why(customers: int, base: pd.DataFrame) -> None:
    few = base.iloc[:customers]
    found = find_segments(few, CONFIG, seed=0)
    assert found.model is None
    assert found.notices[0].startswith(f"no clusters: {customers} customer")
    labels = label_segments(few, found.model)
    assert len(labels) == customers
    assert set(labels["cluster_name"]) <= {NOT_ENOUGH_DATA}
    assert set(labels["cluster"]) <= {0}


def test_customers_all_alike_are_not_clustered(base: pd.DataFrame) -> None:
    names = [f"c{place}" for place in range(30)]
    alike = pd.concat([base.iloc[:1]] * 30, ignore_index=True).assign(customer_id=names)
    found = find_segments(alike, CONFIG, seed=0)
    assert found.model is None
    assert "all customers are alike" in found.notices[0]


def test_fewer_profiles_than_segments_give_a_notice(base: pd.DataFrame) -> None:
    two = pd.concat([base.iloc[[0, 2]]] * 15, ignore_index=True).assign(customer_id=[f"c{i}" for i in range(30)])
    found = find_segments(two, CONFIG, seed=0)
    assert found.model is not None
    assert found.model.n_clusters_ == 2
    assert "2 clusters instead of segments.clusters.k = 3" in found.notices[0]


def test_a_tiny_segment_gives_a_notice(base: pd.DataFrame) -> None:
    outlier = base.assign(**dict.fromkeys(CONFIG.clusters.features, 10.0))
    outlier.loc[0, list(CONFIG.clusters.features)] = 1e9
    found = find_segments(outlier, CONFIG, seed=0)
    assert any("under 1% of customers" in notice for notice in found.notices)


def test_a_feature_that_is_not_there_is_named(base: pd.DataFrame) -> None:
    config = SegmentsConfig(clusters=KMeansConfig(features=("revenue_365", "recency_days")))
    with pytest.raises(DataError, match=r"segments.clusters.features lacks.*revenue_365'.*did you mean 'revenue_365d'"):
        find_segments(base, config, seed=0)


def test_a_feature_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"features names \['recency_days'\] more than once"):
        KMeansConfig(features=("recency_days", "recency_days"))


def test_a_text_feature_is_refused(base: pd.DataFrame) -> None:
    config = SegmentsConfig(clusters=KMeansConfig(features=("recency_days", "region")))
    with pytest.raises(DataError, match=r"must be numbers; \['region'\] are not"):
        find_segments(base, config, seed=0)


def test_without_a_revenue_feature_segments_are_numbered_by_the_first(base: pd.DataFrame) -> None:
    config = SegmentsConfig(clusters=KMeansConfig(k=2, features=("order_count_365d", "recency_days")))
    model = find_segments(base, config, seed=0).model
    assert model is not None
    assert np.argmax(model.cluster_centers_[:, 0]) == 0
