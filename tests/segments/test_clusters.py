from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from segml.segments import TRUSTED_TYPES, KMeansSegments, LogStandardClip

FEATURES = ["revenue_365d", "recency_days", "order_count_365d", "order_value_mean"]


def expected_failures(estimator: Any) -> dict[str, str]:
    return {"check_clustering": "segments are numbered from 1, as people read them; scikit-learn wants 0"}


@parametrize_with_checks([KMeansSegments()], expected_failed_checks=expected_failures)  # type: ignore[untyped-decorator]
def test_it_is_a_scikit_learn_clusterer(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def model(base: pd.DataFrame) -> KMeansSegments:
    return KMeansSegments(3, order_by="revenue_365d").fit(base[FEATURES])


def test_it_finds_the_three_kinds_and_numbers_them_by_falling_revenue(
    model: KMeansSegments, base: pd.DataFrame
) -> None:
    kind = np.arange(len(base)) % 3
    assert adjusted_rand_score(kind, model.labels_) > 0.95
    means = base.groupby(model.labels_)["revenue_365d"].mean()
    assert means.index.tolist() == [1, 2, 3]
    assert means.is_monotonic_decreasing


def test_predict_agrees_exactly_with_the_labels_of_the_fit(model: KMeansSegments, base: pd.DataFrame) -> None:
    assert np.array_equal(model.predict(base[FEATURES]), model.labels_)
    one_by_one = [model.predict(base.loc[[place], FEATURES])[0] for place in range(20)]
    assert one_by_one == model.labels_[:20].tolist()


def test_the_order_of_rows_changes_no_bit(model: KMeansSegments, base: pd.DataFrame) -> None:
    shuffled = base.sample(frac=1, random_state=9)
    again = clone(model).fit(shuffled[FEATURES])
    assert np.array_equal(again.cluster_centers_, model.cluster_centers_)
    assert np.array_equal(again.predict(base[FEATURES]), model.labels_)
    assert again.segment_names_ == model.segment_names_


def test_the_number_of_threads_changes_no_bit(model: KMeansSegments, base: pd.DataFrame) -> None:
    with threadpool_limits(2):
        again = clone(model).fit(base[FEATURES])
    assert np.array_equal(again.cluster_centers_, model.cluster_centers_)


def test_it_is_kmeans_on_scaled_features(model: KMeansSegments, base: pd.DataFrame) -> None:
    scaled = LogStandardClip().fit_transform(base[FEATURES])
    reference = KMeans(3, n_init=10, random_state=4).fit_predict(scaled)
    assert adjusted_rand_score(reference, model.labels_) == 1.0
    centres = pd.DataFrame(scaled).groupby(model.labels_).mean().to_numpy()
    assert model.cluster_centers_ == pytest.approx(centres)


def test_segments_can_be_numbered_by_another_feature(base: pd.DataFrame) -> None:
    by_place = KMeansSegments(3, order_by=1).fit(base[FEATURES])
    by_name = KMeansSegments(3, order_by="recency_days").fit(base[FEATURES])
    assert np.array_equal(by_place.labels_, by_name.labels_)
    assert np.argsort(-by_name.cluster_centers_[:, 1]).tolist() == [0, 1, 2]


def test_names_are_distinct_and_travel_with_the_model(model: KMeansSegments) -> None:
    assert model.segment_names_[0] == "very frequent, very large revenue"
    assert len(set(model.segment_names_)) == 3


def test_segments_can_be_named_by_further_features(model: KMeansSegments, base: pd.DataFrame) -> None:
    kind = np.arange(len(base)) % 3
    told = pd.DataFrame({"tenure_days": np.array([2.0, 0.0, -2.0])[kind]})
    assert clone(model).fit(base[FEATURES]).name_by(told).segment_names_ == [
        "very young accounts",
        "close to the average",
        "very old accounts",
    ]


def test_the_rules_tell_the_centres_in_units_of_the_features(model: KMeansSegments, base: pd.DataFrame) -> None:
    rules = model.rules()
    assert list(rules) == model.segment_names_
    assert rules[model.segment_names_[0]].startswith("nearest centre: revenue_365d ")


def test_fewer_distinct_customers_than_segments_give_fewer_segments() -> None:
    values = np.repeat([[1.0, 5.0], [100.0, 7.0]], 20, axis=0)
    model = KMeansSegments(5).fit(values)
    assert model.n_clusters_ == 2
    assert model.labels_.tolist() == [2] * 20 + [1] * 20


def test_customers_apart_by_rounding_only_are_not_distinct() -> None:
    values = np.repeat([[1.0, 5.0], [100.0, 7.0]], 20, axis=0) * (1 + 1e-13 * np.arange(40)[:, None])
    assert KMeansSegments(5).fit(values).n_clusters_ == 2


def test_customers_all_alike_are_one_segment() -> None:
    model = KMeansSegments(5).fit(np.full((30, 3), 0.1))
    assert set(model.labels_) == {1}
    assert model.segment_names_ == ["close to the average"]


def test_unknown_values_are_allowed(base: pd.DataFrame) -> None:
    assert base[FEATURES].isna().any(axis=None)
    assert KMeansSegments(3).fit(base[FEATURES]).n_clusters_ == 3


def test_an_unknown_feature_to_number_by_is_refused(base: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="order_by is 'margin'; the features are"):
        KMeansSegments(3, order_by="margin").fit(base[FEATURES])


def test_a_stored_model_loads_with_the_types_we_trust(model: KMeansSegments, base: pd.DataFrame) -> None:
    stored = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(TRUSTED_TYPES)
    loaded = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    assert np.array_equal(loaded.predict(base[FEATURES]), model.labels_)
    assert loaded.segment_names_ == model.segment_names_
    assert loaded.get_params() == model.get_params()
