import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone

from segml.clusters import NOISE, CustomerScaler, HDBSCANSegments, KMeansSegments
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import TRUSTED_TYPES, ClusterModel, label_segments
from segml.segments.words import NO_CLEAR_SEGMENT, ONE_PURCHASE

FEATURES = ("revenue_365d", "recency_days", "order_count_365d", "order_value_mean")
DENSE = ("revenue_365d", "recency_days", "gap_shrunk_days")


@pytest.fixture
def model(base: pd.DataFrame) -> ClusterModel:
    return ClusterModel(KMeansSegments(3), FEATURES).fit(base).describe(base)


@pytest.fixture
def dense(base: pd.DataFrame) -> ClusterModel:
    return ClusterModel(HDBSCANSegments(15), DENSE).fit(base).describe(base)


def test_every_customer_gets_the_number_and_name_of_a_segment(model: ClusterModel, base: pd.DataFrame) -> None:
    labels = label_segments(base, model)
    assert list(labels.columns) == ["customer_id", "cluster", "cluster_name"]
    assert labels["customer_id"].tolist() == sorted(base["customer_id"])
    assert set(labels["cluster"]) == {1, 2, 3}
    assert (labels.groupby("cluster")["cluster_name"].nunique() == 1).all()
    revenue = base.sort_values("customer_id")["revenue_365d"].groupby(labels["cluster"].to_numpy()).median()
    assert revenue.is_monotonic_decreasing


def test_the_order_of_rows_changes_nothing_and_the_input_stays(model: ClusterModel, base: pd.DataFrame) -> None:
    shuffled = base.sample(frac=1, random_state=2)
    copy = shuffled.copy(deep=True)
    again = clone(model).fit(shuffled).describe(shuffled)
    pd.testing.assert_frame_equal(label_segments(base, model), label_segments(shuffled, again))
    assert again.segment_names_ == model.segment_names_
    assert again.rules_ == model.rules_
    assert np.array_equal(again.means_, model.means_)
    assert (again.fidelity_, again.worst_recall_) == (model.fidelity_, model.worst_recall_)
    pd.testing.assert_frame_equal(shuffled, copy)


def test_a_frozen_model_labels_the_next_snapshot_even_one_customer(
    model: ClusterModel, next_base: pd.DataFrame
) -> None:
    labels = label_segments(next_base, model)
    alone = label_segments(next_base.iloc[[7]], model)
    assert alone["cluster"].tolist() == labels.loc[labels["customer_id"] == "c0007", "cluster"].tolist()


def test_without_a_model_there_is_not_enough_data(base: pd.DataFrame) -> None:
    labels = label_segments(base, None)
    assert set(labels["cluster"]) == {0}
    assert set(labels["cluster_name"]) == {NOT_ENOUGH_DATA}
    assert label_segments(base.iloc[:0], None).empty


def test_names_and_means_tell_the_difference_from_the_base(model: ClusterModel, base: pd.DataFrame) -> None:
    assert model.segment_names_[0] == "very frequent, very large revenue"
    assert len(set(model.segment_names_)) == 3
    ordered = base.sort_values("customer_id")
    scaled = CustomerScaler().fit_transform(ordered[list(FEATURES)])
    expected = pd.DataFrame(scaled).groupby(model.predict(ordered)).mean().to_numpy()
    assert model.means_ == pytest.approx(expected)


def test_each_segment_has_a_rule_and_what_it_is_worth_is_told(model: ClusterModel) -> None:
    rules = model.rules()
    assert list(rules) == model.segment_names_
    assert all("of the segment; right for" in rule for rule in rules.values())
    assert 0.9 < model.worst_recall_ <= model.fidelity_ <= 1
    assert f"{model.fidelity_:.0%}" in model.explained_


def test_without_a_revenue_feature_segments_are_numbered_by_the_first(base: pd.DataFrame) -> None:
    model = ClusterModel(KMeansSegments(2), ("order_count_365d", "recency_days")).fit(base)
    assert np.argmax(model.clusterer_.cluster_centers_[:, 0]) == 0


def test_a_feature_that_is_not_there_is_named(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"segments.clusters lacks.*revenue_365'.*did you mean 'revenue_365d'"):
        ClusterModel(KMeansSegments(3), ("revenue_365", "recency_days")).fit(base)


def test_a_text_feature_is_refused(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"must be numbers; \['region'\] are not: .* under categories"):
        ClusterModel(KMeansSegments(3), ("recency_days", "region")).fit(base)


def test_a_category_parts_customers_whom_numbers_do_not(base: pd.DataFrame) -> None:
    alike = base.assign(recency_days=5.0)
    scaler = CustomerScaler(categories=("region",))
    model = ClusterModel(KMeansSegments(2, scaler=scaler), ("recency_days",), ("region",)).fit(alike).describe(alike)
    assert pd.crosstab(model.predict(alike), alike["region"]).to_numpy().tolist() in (
        [[0, 200], [100, 0]],
        [[100, 0], [0, 200]],
    )
    assert any("North" in rule or "South" in rule for rule in model.rules_)


def test_customers_of_one_purchase_are_a_segment_by_rule(dense: ClusterModel, base: pd.DataFrame) -> None:
    labels = label_segments(base, dense).set_index("customer_id")
    once = base.set_index("customer_id")["purchase_day_count"] <= 1
    assert once.any()
    assert ((labels["cluster_name"] == ONE_PURCHASE) == once.sort_index()).all()
    assert set(labels.loc[once.sort_index(), "cluster"]) == {dense.n_clusters_ + 1}
    assert (labels.loc[once.sort_index(), "cluster_strength"] == 1).all()
    assert (labels.loc[once.sort_index(), "cluster_nearest"] == ONE_PURCHASE).all()


def test_noise_has_a_name_and_knows_its_nearest_segment(dense: ClusterModel, base: pd.DataFrame) -> None:
    labels = label_segments(base, dense)
    assert list(labels.columns)[3:] == ["cluster_nearest", "cluster_strength"]
    noise = labels[labels["cluster"] == NOISE]
    assert len(noise)
    assert set(noise["cluster_name"]) == {NO_CLEAR_SEGMENT}
    assert not (noise["cluster_nearest"] == NO_CLEAR_SEGMENT).any()
    clear = labels[labels["cluster"] > 0]
    assert (clear["cluster_nearest"] == clear["cluster_name"]).all()
    assert labels["cluster_strength"].between(0, 1).all()
    assert dense.numbers_ == [*range(1, dense.n_clusters_ + 2), NOISE]


def test_a_later_base_of_one_purchase_customers_only_is_labelled_too(
    dense: ClusterModel, next_base: pd.DataFrame
) -> None:
    unseen = next_base.iloc[:3].assign(customer_id=["x", "y", "z"], purchase_day_count=1.0)
    assert label_segments(unseen, dense)["cluster_name"].tolist() == [ONE_PURCHASE] * 3


def test_a_recut_is_what_a_fit_of_that_size_gives(dense: ClusterModel, base: pd.DataFrame) -> None:
    fresh = ClusterModel(HDBSCANSegments(24), DENSE).fit(base)
    recut = dense.recut(24)
    assert np.array_equal(recut.predict(base), fresh.predict(base))
    assert dense.clusterer_.min_cluster_size == 15


def test_dense_groups_that_are_not_there_leave_noise_and_one_purchases(base: pd.DataFrame) -> None:
    model = ClusterModel(HDBSCANSegments(290), DENSE).fit(base)
    assert model.n_clusters_ == 0
    assert set(model.predict(base)) == {NOISE, 1}
    nearest, strengths = model.nearest(base)
    assert set(nearest) == {NOISE, 1}
    assert set(strengths[nearest == NOISE]) == {0.0}


@pytest.mark.parametrize("name", ["model", "dense"])
def test_a_stored_model_loads_with_the_types_we_trust(
    name: str, base: pd.DataFrame, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name)
    stored = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(TRUSTED_TYPES)
    loaded = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    pd.testing.assert_frame_equal(label_segments(base, loaded), label_segments(base, model))
    assert loaded.rules() == model.rules()
    assert loaded.explained_ == model.explained_
