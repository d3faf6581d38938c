from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from bases import simulated
from segml.clusters.kmeans import TRUSTED_TYPES, KMeansSegments, row_order, squared_distances
from segml.clusters.preprocessing import CustomerScaler

FEATURES = ["revenue_365d", "recency_days", "order_count_365d", "order_value_mean"]

Array = np.ndarray[Any, Any]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [KMeansSegments(), KMeansSegments(sample_size=20, full_below=0), KMeansSegments(scaler=FunctionTransformer())]
)
def test_it_is_a_scikit_learn_clusterer(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def customers() -> pd.DataFrame:
    """Three hundred customers of three kinds."""
    return simulated(300, seed=1)


@pytest.fixture
def model(customers: pd.DataFrame) -> KMeansSegments:
    return KMeansSegments(3, order_by="revenue_365d").fit(customers[FEATURES])


@pytest.fixture
def sampled(customers: pd.DataFrame) -> KMeansSegments:
    settings = {"sample_size": 60, "full_below": 200}
    return KMeansSegments(3, order_by="revenue_365d", **settings).fit(customers[FEATURES])


def test_it_finds_the_three_kinds_and_numbers_them_by_falling_revenue(
    model: KMeansSegments, customers: pd.DataFrame
) -> None:
    assert adjusted_rand_score(np.arange(len(customers)) % 3, model.labels_) > 0.95
    means = customers.groupby(model.labels_)["revenue_365d"].mean()
    assert means.index.tolist() == [0, 1, 2]
    assert means.is_monotonic_decreasing


@pytest.mark.parametrize("kind", ["model", "sampled"])
def test_predict_agrees_exactly_with_the_labels_of_the_fit(
    kind: str, customers: pd.DataFrame, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(kind)
    assert np.array_equal(found.predict(customers[FEATURES]), found.labels_)
    one_by_one = [found.predict(customers.loc[[place], FEATURES])[0] for place in range(20)]
    assert one_by_one == found.labels_[:20].tolist()


@pytest.mark.parametrize("kind", ["model", "sampled"])
def test_neither_the_order_of_rows_nor_threads_change_a_bit(
    kind: str, customers: pd.DataFrame, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(kind)
    shuffled = customers.sample(frac=1, random_state=9)
    with threadpool_limits(2):
        again = clone(found).fit(shuffled[FEATURES])
    assert np.array_equal(again.cluster_centers_, found.cluster_centers_)
    assert np.array_equal(again.labels_, found.labels_[shuffled.index])


def test_many_customers_on_two_threads_in_another_order() -> None:
    many = np.random.default_rng(0).lognormal(3, 1, (8000, 3))
    order = np.random.default_rng(1).permutation(8000)
    settings = KMeansSegments(4, sample_size=500, full_below=1000)
    with threadpool_limits(1):
        one = clone(settings).fit(many)
    with threadpool_limits(2):
        two = clone(settings).fit(many[order])
    assert np.array_equal(one.cluster_centers_, two.cluster_centers_)
    assert np.array_equal(one.labels_[order], two.labels_)


def test_the_order_of_rows_does_not_change_the_inertia(model: KMeansSegments, customers: pd.DataFrame) -> None:
    start = clone(model).set_params(init=model.cluster_centers_)
    shuffled = (customers.sample(frac=1, random_state=seed) for seed in range(8))
    assert len({clone(start).fit(rows[FEATURES]).inertia_ for rows in shuffled}) == 1


def test_it_is_kmeans_on_scaled_features(model: KMeansSegments, customers: pd.DataFrame) -> None:
    scaled = CustomerScaler().fit_transform(customers[FEATURES])
    reference = KMeans(3, n_init=10, random_state=4).fit(scaled)
    assert adjusted_rand_score(reference.labels_, model.labels_) == 1.0
    assert model.inertia_ == pytest.approx(reference.inertia_)
    centres = pd.DataFrame(scaled).groupby(model.labels_).mean().to_numpy()
    assert model.cluster_centers_ == pytest.approx(centres)


def test_a_sample_and_one_search_over_all_end_where_restarts_over_all_do(
    model: KMeansSegments, sampled: KMeansSegments
) -> None:
    assert sampled.inertia_ <= 1.001 * model.inertia_
    assert np.array_equal(sampled.labels_, model.labels_)


def test_a_sample_with_too_few_distinct_customers_is_not_relied_upon() -> None:
    values = np.array([[1.0]] * 300 + [[100.0], [101.0], [900.0]])
    model = KMeansSegments(3, scaler=FunctionTransformer(), sample_size=3, full_below=10).fit(values)
    assert model.cluster_centers_.ravel() == pytest.approx([900.0, 100.5, 1.0])


def test_previous_centres_start_the_search(model: KMeansSegments, customers: pd.DataFrame) -> None:
    again = clone(model).set_params(init=model.cluster_centers_).fit(customers[FEATURES])
    assert np.array_equal(again.labels_, model.labels_)
    assert again.n_iter_ <= 2
    elsewhere = clone(model).set_params(init=model.cluster_centers_, random_state=7).fit(customers[FEATURES])
    assert np.array_equal(elsewhere.cluster_centers_, again.cluster_centers_)


def test_few_iterations_stay_close_to_previous_centres(model: KMeansSegments, customers: pd.DataFrame) -> None:
    away = model.cluster_centers_ * 0.5
    near, far = (
        clone(model).set_params(init=away, max_iter=limit).fit(customers[FEATURES]).cluster_centers_
        for limit in (1, 300)
    )
    assert 0 < np.abs(near - away).sum() < np.abs(far - away).sum()


def test_a_frozen_scaler_keeps_the_scale_of_the_previous_segments(
    model: KMeansSegments, customers: pd.DataFrame
) -> None:
    tripled = customers[FEATURES].assign(revenue_365d=customers["revenue_365d"] * 3)
    frozen = clone(model).set_params(scaler=FrozenEstimator(model.scaler_), init=model.cluster_centers_).fit(tripled)
    assert np.array_equal(frozen.scaler_.transform(tripled), model.scaler_.transform(tripled))
    assert (frozen.cluster_centers_[:, 0] > model.cluster_centers_[:, 0]).all()
    assert list(frozen.centres_in_units()) == FEATURES


def test_distances_to_centres(model: KMeansSegments, customers: pd.DataFrame) -> None:
    distances = model.transform(customers[FEATURES])
    scaled = model.scaler_.transform(customers[FEATURES])
    assert distances == pytest.approx(np.linalg.norm(scaled[:, None] - model.cluster_centers_, axis=2))
    assert np.array_equal(distances.argmin(axis=1), model.labels_)
    assert model.inertia_ == pytest.approx((distances.min(axis=1) ** 2).sum())
    assert model.get_feature_names_out().tolist() == ["kmeanssegments0", "kmeanssegments1", "kmeanssegments2"]


def test_centres_in_units_are_geometric_means_where_nothing_is_clipped(customers: pd.DataFrame) -> None:
    features = customers[["revenue_365d", "recency_days", "region"]]
    scaler = CustomerScaler(clip=np.inf, categories=["region"])
    model = KMeansSegments(3, scaler=scaler).fit(features)
    logs = features[["revenue_365d", "recency_days"]].apply(np.log1p)
    means = logs.groupby(model.labels_).mean().apply(np.expm1)
    pd.testing.assert_frame_equal(model.centres_in_units(), means)


def test_segments_can_be_numbered_by_another_feature(customers: pd.DataFrame) -> None:
    by_place = KMeansSegments(3, order_by=1).fit(customers[FEATURES])
    by_name = KMeansSegments(3, order_by="recency_days").fit(customers[FEATURES])
    assert np.array_equal(by_place.labels_, by_name.labels_)
    assert np.argsort(-by_name.cluster_centers_[:, 1]).tolist() == [0, 1, 2]


def test_weights_of_zero_leave_a_feature_out(customers: pd.DataFrame) -> None:
    weights = {name: float(name == "recency_days") for name in FEATURES}
    only = KMeansSegments(3, scaler=CustomerScaler(weights=weights), order_by="recency_days").fit(customers[FEATURES])
    alone = KMeansSegments(3).fit(customers[["recency_days"]])
    assert np.array_equal(only.labels_, alone.labels_)
    told = only.centres_in_units()
    assert told["recency_days"].tolist() == pytest.approx(alone.centres_in_units()["recency_days"].tolist())
    assert told["revenue_365d"].isna().all()


def test_one_giant_is_no_segment_of_its_own_because_of_the_clip() -> None:
    values = np.random.default_rng(0).lognormal(3, 1, (300, 4))
    values[0] = 1e9
    clipped = KMeansSegments(2).fit(values)
    unclipped = KMeansSegments(2, scaler=CustomerScaler(clip=np.inf)).fit(values)
    assert np.bincount(unclipped.labels_).tolist() == [1, 299]
    assert np.bincount(clipped.labels_).min() > 100


def test_fewer_distinct_customers_than_segments_give_fewer_segments() -> None:
    values = np.repeat([[1.0, 5.0], [100.0, 7.0]], 20, axis=0)
    for model in (KMeansSegments(5), KMeansSegments(5, init=np.zeros((5, 2))), KMeansSegments(2)):
        model.fit(values)
        assert model.n_clusters_ == 2
        assert model.labels_.tolist() == [1] * 20 + [0] * 20
        assert model.inertia_ == pytest.approx(0, abs=1e-12)


def test_fewer_customers_than_segments() -> None:
    assert KMeansSegments(5).fit_predict([[3.0], [1.0], [2.0]]).tolist() == [0, 2, 1]


def test_customers_apart_by_rounding_only_are_not_distinct() -> None:
    values = np.repeat([[1.0, 5.0], [100.0, 7.0]], 20, axis=0) * (1 + 1e-13 * np.arange(40)[:, None])
    assert KMeansSegments(5).fit(values).n_clusters_ == 2


@pytest.mark.parametrize("rows", [1, 30])
def test_customers_all_alike_are_one_segment(rows: int) -> None:
    model = KMeansSegments(5).fit(np.full((rows, 3), 0.1))
    assert model.labels_.tolist() == [0] * rows
    assert model.inertia_ == 0


def test_constant_and_empty_columns_change_nothing(customers: pd.DataFrame, model: KMeansSegments) -> None:
    more = customers[FEATURES].assign(constant=4.2, unknown=np.nan)
    assert np.array_equal(clone(model).fit(more).labels_, model.labels_)


def test_categories_and_numbers_together(customers: pd.DataFrame) -> None:
    features = customers[["revenue_365d", "region"]]
    model = KMeansSegments(4, scaler=CustomerScaler(categories=["region"]), order_by="region_South").fit(features)
    assert model.feature_names_in_.tolist() == ["revenue_365d", "region"]
    assert np.array_equal(model.predict(features), model.labels_)
    assert model.cluster_centers_.shape == (4, 3)


def test_neither_scaler_nor_input_are_changed(customers: pd.DataFrame) -> None:
    features, scaler = customers[FEATURES], CustomerScaler(clip=2)
    copy = features.copy(deep=True)
    model = KMeansSegments(3, scaler=scaler).fit(features)
    model.predict(features)
    assert not hasattr(scaler, "mean_")
    pd.testing.assert_frame_equal(features, copy)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_clusters": 0}, "n_clusters is 0; it must be at least 1"),
        ({"n_init": 0}, "n_init is 0; it must be at least 1"),
        ({"max_iter": 0}, "max_iter is 0; it must be at least 1"),
        ({"sample_size": 2}, "sample_size is 2; 3 segments need as many customers"),
        ({"order_by": "margin"}, "order_by is 'margin'; the scaled features are"),
        ({"order_by": 4}, "order_by is 4; places are 0 to 3"),
        ({"order_by": -1}, "order_by is -1; places are 0 to 3"),
        ({"init": np.zeros((2, 4))}, r"init has the shape \(2, 4\); .* need \(3, 4\)"),
        ({"init": np.full((3, 4), np.nan)}, "init contains NaN"),
    ],
)
def test_what_cannot_be_meant_is_refused(customers: pd.DataFrame, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KMeansSegments(3).set_params(**parameters).fit(customers[FEATURES])


def test_a_frame_with_other_columns_is_refused(customers: pd.DataFrame, model: KMeansSegments) -> None:
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(customers[FEATURES[::-1]])


def test_a_stored_model_loads_with_the_types_we_trust(customers: pd.DataFrame) -> None:
    features = customers[[*FEATURES, "region"]]
    weights = dict.fromkeys(FEATURES, 0.5)
    model = KMeansSegments(3, scaler=CustomerScaler(categories=("region",), weights=weights)).fit(features)
    stored = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(TRUSTED_TYPES)
    loaded = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    assert np.array_equal(loaded.predict(features), model.labels_)
    assert np.array_equal(loaded.transform(features), model.transform(features))


def test_rows_come_in_one_order_whatever_order_they_had() -> None:
    rng = np.random.default_rng(0)
    # √2·x + √3·y is the same for (√3, 0) and (0, √2) up to rounding; whole numbers have many equal rows.
    points = np.concatenate([rng.integers(0, 3, (200, 2)), [[0.0, 2.0**0.5], [3.0**0.5, 0.0]]])
    expected = points[row_order(points)]
    for _ in range(5):
        shuffled = rng.permutation(points)
        assert np.array_equal(shuffled[row_order(shuffled)], expected)
    changes = (expected[1:] != expected[:-1]).any(axis=1).sum()
    assert changes + 1 == len(np.unique(points, axis=0))


def test_a_distance_is_the_same_in_any_company_and_layout() -> None:
    rng = np.random.default_rng(0)
    points, centres = rng.normal(size=(40_000, 13)), rng.normal(size=(5, 13))
    squared = squared_distances(points, centres)
    assert squared == pytest.approx(((points[:, None] - centres) ** 2).sum(axis=2))
    assert np.array_equal(squared_distances(np.asfortranarray(points), centres), squared)
    alone = [squared_distances(points[[row]], centres)[0] for row in range(0, 40_000, 997)]
    assert np.array_equal(squared[::997], alone)
