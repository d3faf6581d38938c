from typing import Any

import hdbscan
import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from segml.clusters.density import TRUSTED_TYPES, HDBSCANSegments, cautions
from segml.clusters.hierarchy import Matrix
from segml.clusters.preprocessing import CustomerScaler
from segml.language import speaking

FEATURES = ["revenue_365d", "recency_days"]
CENTRES = [(5.0, 5.0), (8.0, 3.0), (10.0, 1.0)]
SHARES = [0.5, 0.3, 0.15]
SPREAD = 0.25


# The checks have bases of 20 to 50 rows, in which groups of 50 cannot be.
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        HDBSCANSegments(5, min_samples=3),
        HDBSCANSegments(5, min_samples=3, sample_size=30, scaler=StandardScaler()),
    ]
)
def test_it_is_a_scikit_learn_clusterer(estimator: Any, check: Any) -> None:
    check(estimator)


def kinds(count: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return customers of three kinds, of falling size and rising revenue, and 5 % of none (kind 3)."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, count, p=[*SHARES, 0.05])
    logs = rng.normal(np.array([*CENTRES, (0.0, 0.0)])[kind], SPREAD)
    is_noise = kind == 3
    logs[is_noise] = rng.uniform([3, 0], [12, 7], (is_noise.sum(), 2))
    return pd.DataFrame(np.exp(logs), columns=FEATURES), kind


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    """Twelve hundred customers of three kinds and noise."""
    return kinds(1200, seed=1)[0]


@pytest.fixture(scope="module")
def model(base: pd.DataFrame) -> HDBSCANSegments:
    """Their segments."""
    return HDBSCANSegments().fit(base)


@pytest.fixture(scope="module")
def sampled(base: pd.DataFrame) -> HDBSCANSegments:
    """Their segments, found in half of them."""
    return HDBSCANSegments(25, sample_size=600).fit(base)


@pytest.fixture(params=["model", "sampled"])
def either(request: pytest.FixtureRequest) -> HDBSCANSegments:
    """The segments found in all, then those found in half."""
    found: HDBSCANSegments = request.getfixturevalue(request.param)
    return found


def test_it_finds_the_kinds_and_numbers_them_by_falling_size(either: HDBSCANSegments) -> None:
    _, kind = kinds(1200, seed=1)
    is_member = either.labels_ >= 0
    assert either.n_clusters_ == 3
    assert np.mean(either.labels_[is_member & (kind < 3)] == kind[is_member & (kind < 3)]) == 1.0
    assert 0.02 < either.noise_share_ < 0.15
    assert np.bincount(either.labels_[is_member]).tolist() == sorted(np.bincount(either.labels_[is_member]))[::-1]


def test_it_is_the_library_s_hdbscan_on_scaled_features(model: HDBSCANSegments, base: pd.DataFrame) -> None:
    order = np.lexsort(CustomerScaler().fit_transform(base).round(9).T)
    peer = hdbscan.HDBSCAN(50, min_samples=10, approx_min_span_tree=False).fit(model.fitted_points_)
    assert adjusted_rand_score(peer.labels_, model.labels_[order]) == 1.0
    assert np.array_equal(peer.labels_ < 0, model.labels_[order] < 0)
    assert model.strength(base)[order] == pytest.approx(peer.probabilities_)


def test_new_customers_are_assigned_as_the_library_would(model: HDBSCANSegments) -> None:
    new, _ = kinds(2000, seed=2)
    peer = hdbscan.HDBSCAN(50, min_samples=10, approx_min_span_tree=False, prediction_data=True)
    peer.fit(model.fitted_points_)
    theirs, strengths = hdbscan.approximate_predict(peer, model.scaler_.transform(new))
    ours = model.predict(new)
    same = pd.crosstab(theirs, ours).to_numpy().max(axis=1).sum() / len(new)
    assert same >= 0.985
    is_both = (ours >= 0) & (theirs >= 0)
    assert np.corrcoef(model.strength(new)[is_both], strengths[is_both])[0, 1] > 0.95


def test_predict_agrees_exactly_with_the_labels_of_the_fit(either: HDBSCANSegments, base: pd.DataFrame) -> None:
    assert np.array_equal(either.predict(base), either.labels_)
    one_by_one = [either.predict(base.iloc[[place]])[0] for place in range(30)]
    assert one_by_one == either.labels_[:30].tolist()


def test_the_order_of_rows_changes_no_label(either: HDBSCANSegments, base: pd.DataFrame) -> None:
    again = clone(either).fit(base.sample(frac=1, random_state=9))
    assert np.array_equal(again.fitted_points_, either.fitted_points_)
    assert np.array_equal(again.predict(base), either.labels_)
    assert np.array_equal(again.cluster_centers_, either.cluster_centers_)


def test_the_number_of_threads_changes_no_label(sampled: HDBSCANSegments, base: pd.DataFrame) -> None:
    again = clone(sampled).set_params(n_jobs=2).fit(base)
    assert np.array_equal(again.labels_, sampled.labels_)
    assert np.array_equal(again.memberships(base), sampled.memberships(base))


@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_equal_customers_have_equal_labels(selection: Any) -> None:
    rng = np.random.default_rng(4)
    orders, months = rng.geometric(0.4, 1500), rng.integers(0, 12, 1500)
    values = np.column_stack([orders, months])
    for size in (1500, 400):
        model = HDBSCANSegments(20, selection=selection, sample_size=size).fit(values)
        assert pd.Series(model.labels_).groupby([orders, months]).nunique().max() == 1
        assert np.array_equal(model.predict(values), model.labels_)


def test_customers_apart_by_rounding_only_are_equal() -> None:
    values = np.repeat(np.random.default_rng(5).lognormal(0, 1, (40, 2)), 20, axis=0)
    shaken = values * (1 + 1e-13 * np.arange(800)[:, None])
    labels = HDBSCANSegments(30).fit(shaken).labels_.reshape(40, 20)
    assert (labels == labels[:, :1]).all()


def test_every_customer_has_a_nearest_segment_a_member_its_own(either: HDBSCANSegments, base: pd.DataFrame) -> None:
    nearest = either.nearest(base)
    assert set(nearest) == {0, 1, 2}
    assert np.array_equal(nearest[either.labels_ >= 0], either.labels_[either.labels_ >= 0])
    far_out = pd.DataFrame([[np.exp(5.0), np.exp(7.0)], [np.exp(11.9), 1.0]], columns=FEATURES)
    assert either.predict(far_out).tolist() == [-1, -1]
    assert either.nearest(far_out).tolist() == [0, 2]


def test_strength_is_0_for_noise_and_falls_with_the_distance(either: HDBSCANSegments, base: pd.DataFrame) -> None:
    strength = either.strength(base)
    is_noise = either.labels_ < 0
    assert (strength[is_noise] == 0).all()
    assert strength.max() == 1
    assert strength[~is_noise].min() > 0
    _, kind = kinds(1200, seed=1)
    distance = np.linalg.norm(np.log(base) - np.array([*CENTRES, (0, 0)])[kind], axis=1)
    is_first = (kind == 0) & ~is_noise
    near, far = (strength[is_first & side] for side in (distance < SPREAD, distance > 2 * SPREAD))
    assert near.mean() > far.mean() + 0.1


def test_memberships_sum_to_at_most_one_and_agree_with_labels(either: HDBSCANSegments, base: pd.DataFrame) -> None:
    memberships = either.memberships(base)
    is_member = either.labels_ >= 0
    assert memberships.shape == (1200, 3)
    assert memberships.min() >= 0
    assert memberships.sum(axis=1).max() <= 1 + 1e-12
    assert np.array_equal(memberships[is_member].argmax(axis=1), either.labels_[is_member])
    assert memberships[is_member].sum(axis=1) == pytest.approx(either.strength(base)[is_member])


def test_memberships_are_close_to_the_library_s(model: HDBSCANSegments, base: pd.DataFrame) -> None:
    peer = hdbscan.HDBSCAN(50, min_samples=10, approx_min_span_tree=False, prediction_data=True)
    theirs = hdbscan.all_points_membership_vectors(peer.fit(model.fitted_points_))
    numbers = [model.fitted_labels_[peer.labels_ == label][0] for label in range(3)]
    order = np.lexsort(CustomerScaler().fit_transform(base).round(9).T)
    ours = model.memberships(base)[order][:, numbers]
    is_member = peer.labels_ >= 0
    assert np.corrcoef(ours[is_member].ravel(), theirs[is_member].ravel())[0, 1] > 0.9


@pytest.mark.parametrize("size", [5, 20, 100, 400])
def test_a_recut_is_a_fresh_fit_of_that_size(either: HDBSCANSegments, base: pd.DataFrame, size: int) -> None:
    again, fresh = either.recut(size), clone(either).set_params(min_cluster_size=size).fit(base)
    assert again.get_params() == fresh.get_params()
    for name, value in vars(fresh).items():
        if isinstance(value, (np.ndarray, float, int)):
            assert np.array_equal(getattr(again, name), value), name


def test_recuts_leave_the_model_as_it_was(model: HDBSCANSegments, base: pd.DataFrame) -> None:
    before = model.labels_.copy()
    found = model.recuts([10, 600])
    assert list(found) == [10, 600]
    assert found[10].n_clusters_ >= 3
    assert found[600].n_clusters_ == 0
    assert model.min_cluster_size == 50
    assert np.array_equal(model.labels_, before)


def test_segments_can_be_numbered_by_a_feature(base: pd.DataFrame) -> None:
    by_name = HDBSCANSegments(order_by="revenue_365d").fit(base)
    by_place = HDBSCANSegments(order_by=0).fit(base)
    unnamed = HDBSCANSegments(order_by=0).fit(base.to_numpy())
    assert np.array_equal(by_name.labels_, by_place.labels_)
    assert np.array_equal(by_name.labels_, unnamed.labels_)
    assert np.argsort(-by_name.cluster_centers_[:, 0]).tolist() == [0, 1, 2]
    assert by_name.cluster_centers_[0, 1] < by_name.cluster_centers_[2, 1]


@pytest.mark.parametrize("order_by", ["margin", 2, -1])
def test_an_unknown_feature_to_number_by_is_refused(base: pd.DataFrame, order_by: Any) -> None:
    with pytest.raises(ValueError, match=r"order_by is .*; the scaled features are \['revenue_365d', 'recency_days'\]"):
        HDBSCANSegments(order_by=order_by).fit(base)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_cluster_size": 1}, "min_cluster_size is 1; it must be a whole number, 2 or more"),
        ({"min_cluster_size": 0.1}, "min_cluster_size is 0.1; it must be a whole number"),
        ({"min_samples": 0}, "min_samples is 0; it must be a whole number, 1 or more"),
        ({"sample_size": 1}, "sample_size is 1; it must be a whole number, 2 or more"),
        ({"selection": "best"}, "selection is 'best'; it can be 'eom' or 'leaf'"),
    ],
)
def test_parameters_out_of_range_are_refused(base: pd.DataFrame, parameters: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HDBSCANSegments(**parameters).fit(base)


def test_a_recut_refuses_a_size_as_a_fit_does(model: HDBSCANSegments) -> None:
    with pytest.raises(ValueError, match="min_cluster_size is 1"):
        model.recut(1)


def test_categories_and_unknown_values_go_through_the_scaler(base: pd.DataFrame) -> None:
    rows = base.assign(region=np.where(np.arange(len(base)) % 2, "North", "South"))
    rows.loc[::50, "recency_days"] = np.nan
    untouched = rows.copy()
    model = HDBSCANSegments(scaler=CustomerScaler(categories=["region"]), order_by="revenue_365d").fit(rows)
    assert model.cluster_centers_.shape[1] == 4
    assert model.n_clusters_ == 6
    assert np.array_equal(model.predict(rows), model.labels_)
    pd.testing.assert_frame_equal(rows, untouched)


def degenerate() -> dict[str, Matrix]:
    spread = np.random.default_rng(6).lognormal(0, 1, (300, 2))
    return {
        "one customer": spread[:1],
        "two customers": spread[:2],
        "fewer customers than a segment needs": spread[:30],
        "all alike": np.full((300, 2), 0.1),
        "evenly spread": np.exp(np.linspace(0, 1, 300))[:, None],
    }


@pytest.mark.parametrize("case", list(degenerate()))
def test_where_nothing_is_dense_all_are_noise(case: str) -> None:
    values = degenerate()[case]
    model = HDBSCANSegments().fit(values)
    assert set(model.labels_) == set(model.predict(values)) == set(model.nearest(values)) == {-1}
    assert model.strength(values).tolist() == [0] * len(values)
    assert model.memberships(values).shape == (len(values), 0)
    assert model.cluster_centers_.shape == (0, values.shape[1])
    assert (model.n_clusters_, model.noise_share_) == (0, 1.0)
    assert set(model.recut(10).labels_) == {-1} or case == "fewer customers than a segment needs"


def test_a_constant_column_changes_nothing(model: HDBSCANSegments, base: pd.DataFrame) -> None:
    again = HDBSCANSegments().fit(base.assign(constant=7.0))
    assert np.array_equal(again.labels_, model.labels_)


def test_one_giant_customer_is_no_segment_and_moves_none(model: HDBSCANSegments, base: pd.DataFrame) -> None:
    giant = pd.DataFrame([[1e12, 0.0]], columns=FEATURES)
    again = HDBSCANSegments().fit(pd.concat([base, giant], ignore_index=True))
    assert again.n_clusters_ == 3
    assert np.mean(again.labels_[:-1] == model.labels_) > 0.99


def test_a_stored_model_loads_with_the_types_we_trust(sampled: HDBSCANSegments, base: pd.DataFrame) -> None:
    stored = skops.io.dumps(sampled)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(TRUSTED_TYPES)
    loaded = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    assert np.array_equal(loaded.predict(base), sampled.labels_)
    assert np.array_equal(loaded.memberships(base), sampled.memberships(base))
    assert np.array_equal(loaded.recut(60).labels_, sampled.recut(60).labels_)
    assert loaded.get_params() == sampled.get_params()


def test_good_segments_need_no_caution(model: HDBSCANSegments) -> None:
    assert cautions(model) == []


def test_too_much_noise_too_many_and_no_segments_are_told(base: pd.DataFrame, model: HDBSCANSegments) -> None:
    thin = HDBSCANSegments(5, min_samples=2, selection="leaf").fit(base)
    assert thin.noise_share_ > 0.3
    noise, many = cautions(thin)
    assert noise == (
        f"{thin.noise_share_:.0%} of customers are in no density segment (more than 30%): they lie too thinly"
    )
    assert many.startswith(f"{thin.n_clusters_} density segments, more than 15: too many to work with")
    assert cautions(model.recut(600)) == [
        "no density segments: nowhere are 600 customers close together and apart from the others"
    ]


def test_cautions_are_told_in_russian(model: HDBSCANSegments) -> None:
    with speaking("ru"):
        (told,) = cautions(model.recut(600))
    assert "600" in told
    assert told.isascii() is False
