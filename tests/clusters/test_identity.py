"""Segments over time: hand-made matchings and movements, refits of shifted blobs, and a real wholesaler's quarters."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from real_customers import customers_at
from segml.clusters.identity import Refit, agreement, compare_labels, match, movement, refit
from segml.clusters.kmeans import KMeansSegments
from segml.language import speaking
from segml.schema import DataError


class ByRevenue:
    """A clusterer whose segments can be read off: 0 from 100, 1 from 10, else 2."""

    feature_names_in_ = np.array(["revenue_365d"])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return np.digitize(-X["revenue_365d"], [-100, -10], right=True)


def base(**revenue: float) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(revenue), "revenue_365d": list(revenue.values())})


THEN = base(a=200.0, b=150.0, c=50.0, d=5.0, gone=40.0)
NOW = base(new=300.0, d=5.0, c=120.0, b=20.0, a=210.0)


def blobs(shift: float = 0.0, seed: int = 0, customers: int = 300) -> pd.DataFrame:
    """Return three groups of customers on a log scale, all moved by a shift."""
    rng = np.random.default_rng(seed)
    kind = np.arange(customers) % 3
    return pd.DataFrame(
        {
            "customer_id": [f"c{place}" for place in range(customers)],
            "revenue_365d": np.exp(np.array([8.0, 5.0, 2.0])[kind] + shift + rng.normal(0, 0.3, customers)),
            "recency_days": np.exp(np.array([1.0, 3.0, 5.0])[kind] + rng.normal(0, 0.3, customers)),
        }
    )


FEATURES = ["revenue_365d", "recency_days"]


@pytest.fixture
def model() -> KMeansSegments:
    return KMeansSegments(3).fit(blobs()[FEATURES])


def test_as_many_customers_as_possible_keep_their_number() -> None:
    previous = [0, 0, 0, 1, 1, 2, 2]
    found = match(previous, [2, 2, 1, 0, 0, 1, 1])
    assert found.mapping == {0: 1, 1: 2, 2: 0}
    assert found.renumber([2, 2, 1, 0, 0, 1, 1]).tolist() == [0, 0, 2, 1, 1, 2, 2]


def test_the_matching_is_the_best_of_all_not_the_first_best() -> None:
    # New 0 shares most with old 0, but giving it to old 1 keeps more customers in all.
    both = [0] * 5 + [1] * 4 + [0] * 4
    assert match([0] * 9 + [1] * 4, both).mapping == {0: 1, 1: 0}


def test_new_segments_get_new_numbers_and_vanished_ones_are_named() -> None:
    found = match([0, 0, 1, 1, 4, 4], [0, 0, 1, 1, 2, 3])
    assert (found.mapping[2], found.mapping[3]) == (4, 5)
    assert (found.born, found.vanished) == ((5,), ())
    fewer = match([0, 0, 1, 1, 2], [0, 0, 1, 1, 1])
    assert (fewer.born, fewer.vanished) == ((), (2,))


def test_segments_without_a_shared_customer_are_not_matched() -> None:
    previous = pd.Series({"a": 0, "b": 1})
    found = match(previous, pd.Series({"a": 0, "c": 1}))
    assert (found.mapping, found.born, found.vanished) == ({0: 0, 1: 2}, (2,), (1,))


def test_noise_stays_noise() -> None:
    found = match([-1, -1, 0, 0, 0], [0, -1, -1, 1, 1])
    assert found.mapping == {-1: -1, 0: 1, 1: 0}
    assert found.vanished == ()


def test_customers_are_matched_by_index_whatever_their_order() -> None:
    previous = pd.Series({"a": 0, "b": 0, "c": 1, "gone": 1})
    new = pd.Series({"c": 0, "b": 1, "a": 1, "new": 2})
    assert match(previous, new) == match(previous.iloc[::-1], new.iloc[::-1])
    assert match(previous, new).mapping == {0: 1, 1: 0, 2: 2}


def test_labels_of_different_customers_are_refused() -> None:
    with pytest.raises(DataError, match="found 2 and 3"):
        match([0, 1], [0, 1, 2])
    twice = pd.Series([0, 1], index=["a", "a"])
    with pytest.raises(DataError, match="more than once"):
        match(twice, twice)


def test_movement_tells_who_moved_who_came_and_who_went() -> None:
    found = movement(ByRevenue(), THEN, NOW)  # type: ignore[arg-type]
    told = found.migration.astype({"from": object, "to": object}).fillna("-").to_numpy().tolist()
    assert sorted(map(str, told)) == sorted(
        map(
            str,
            [
                [0, 0, 1, 200.0, 210.0],
                [0, 1, 1, 150.0, 20.0],
                [1, 0, 1, 50.0, 120.0],
                [1, "-", 1, 40.0, 0.0],
                [2, 2, 1, 5.0, 5.0],
                ["-", 0, 1, 0.0, 300.0],
            ],
        )
    )
    assert found.share_kept == 0.5
    assert found.flows.to_numpy().tolist() == [
        [0, 2, 3, 1, 1, 1, 1, 0],
        [1, 2, 1, 0, 1, 1, 0, 1],
        [2, 1, 1, 1, 0, 0, 0, 0],
    ]


def test_flows_and_revenue_add_up_in_any_order_of_rows(model: KMeansSegments) -> None:
    then, now = blobs(), blobs(0.4, seed=1).iloc[20:]
    found = movement(model, then.iloc[:-30], now)
    shuffled = movement(model, then.iloc[:-30].sample(frac=1, random_state=0), now.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(found.migration, shuffled.migration)
    flows = found.flows
    assert (flows["then"] == flows["stayed"] + flows["left"] + flows["gone"]).all()
    assert (flows["now"] == flows["stayed"] + flows["came"] + flows["new"]).all()
    assert flows["came"].sum() == flows["left"].sum()
    assert flows[["then", "now", "new", "gone"]].sum().tolist() == [270, 280, 30, 20]
    assert found.migration["revenue_now"].sum() == pytest.approx(now["revenue_365d"].sum())


def test_movement_needs_one_row_a_customer_and_the_models_features(model: KMeansSegments) -> None:
    with pytest.raises(DataError, match="more than once"):
        movement(model, pd.concat([blobs(), blobs()]), blobs())
    with pytest.raises(DataError, match="features lack columns"):
        movement(model, blobs(), blobs().drop(columns="recency_days"))


def test_nobody_there_before_means_that_everybody_is_new(model: KMeansSegments) -> None:
    found = movement(model, blobs().iloc[:0], blobs())
    assert np.isnan(found.share_kept)
    assert found.flows["new"].sum() == 300


def test_agreement_counts_numbers_index_and_overlap() -> None:
    found = compare_labels([0, 0, 1, 1], [0, 0, 1, 0])
    assert found.share == 0.75
    assert found.jaccard == {0: pytest.approx(2 / 3), 1: 0.5}
    swapped = compare_labels([0, 0, 1, 1], [1, 1, 0, 0])
    assert (swapped.ari, swapped.share, swapped.jaccard) == (1.0, 0.0, {0: 0.0, 1: 0.0})


def test_a_model_agrees_with_itself(model: KMeansSegments) -> None:
    found = agreement(model, model, blobs(1.0))
    assert (found.ari, found.share, set(found.jaccard.values())) == (1.0, 1.0, {1.0})


def test_a_refit_on_the_same_customers_is_the_same_model(model: KMeansSegments) -> None:
    found = refit(model, blobs())
    assert found.steps == 0
    assert found.agreement.share == 1
    assert abs(found.inertia_excess) < 1e-9
    assert found.still_fits
    np.testing.assert_array_equal(found.model.cluster_centers_, model.cluster_centers_)


def test_centres_follow_their_customers_and_keep_their_numbers(model: KMeansSegments) -> None:
    # Numbered by revenue, then the largest lose nearly all of it: a fresh numbering would change.
    now = blobs(seed=2)
    kind = np.arange(len(now)) % 3
    now["revenue_365d"] = now["revenue_365d"] * np.where(kind == 0, 0.02, 1)
    found = refit(model, now)
    assert found.steps > 0
    assert found.model.labels_.tolist() == kind.tolist()
    assert found.model.cluster_centers_[0, 0] < found.model.cluster_centers_[1, 0]
    np.testing.assert_array_equal(found.model.predict(now[FEATURES]), found.model.labels_)


def test_a_refit_leaves_the_previous_model_and_the_order_of_rows_out_of_it(model: KMeansSegments) -> None:
    before = model.cluster_centers_.copy()
    found, shuffled = (refit(model, now) for now in (blobs(0.8), blobs(0.8).sample(frac=1, random_state=3)))
    np.testing.assert_array_equal(model.cluster_centers_, before)
    np.testing.assert_array_equal(found.model.cluster_centers_, shuffled.model.cluster_centers_)
    assert found.inertia_excess == shuffled.inertia_excess
    assert clone(found.model).get_params() == clone(model).get_params()


def test_a_segment_that_lost_all_customers_keeps_its_centre(model: KMeansSegments) -> None:
    now = blobs().iloc[np.arange(300) % 3 != 1]
    found = refit(model, now)
    np.testing.assert_array_equal(found.model.cluster_centers_[1], model.cluster_centers_[1])


def test_a_structure_that_no_longer_fits_is_called_so(model: KMeansSegments) -> None:
    # The first segment is gone, and the second has fallen apart into two, to both sides of its centre.
    now, place = blobs(), np.arange(300)
    is_second = place % 3 == 1
    now.loc[is_second, FEATURES] *= np.where(place[is_second, None] % 2 == 0, [10.0, 5.0], [0.1, 0.2])
    found = refit(model, now[place % 3 > 0])
    assert not found.still_fits
    assert found.inertia_excess > 1
    assert "no longer fit" in found.verdict


def test_the_verdict_is_spoken_with_its_figures(model: KMeansSegments) -> None:
    agreed = compare_labels([0] * 97 + [1] * 3, [0] * 100)
    assert "97% of customers keep theirs" in Refit(model, agreed, 0.004, 1).verdict
    assert "lie closer by 0.0% only" in Refit(model, agreed, -0.001, 1).verdict
    with speaking("ru"):
        assert "12,3\u00a0%" in Refit(model, agreed, 0.123, 2).verdict


def test_a_refit_needs_customers_with_the_models_features(model: KMeansSegments) -> None:
    with pytest.raises(DataError, match="features_now has none"):
        refit(model, blobs().iloc[:0])
    with pytest.raises(DataError, match="features lack columns"):
        refit(model, blobs()[["revenue_365d"]])


def test_customers_all_alike_are_no_reason_to_move_nor_to_fail(model: KMeansSegments) -> None:
    alike = pd.concat([blobs().iloc[:1]] * 20, ignore_index=True)
    assert refit(model, alike).model.labels_.tolist() == [0] * 20


@pytest.mark.slow
def test_a_quarter_later_segments_are_the_same_and_a_cold_refits_are_not(shared_data: Path) -> None:
    then, now = (customers_at(shared_data, day) for day in ("2011-06-12", "2011-09-11"))
    columns = [name for name in then.columns if name != "customer_id"]
    model = KMeansSegments(5).fit(then[columns])
    found = refit(model, now)
    assert found.agreement.ari > 0.93
    assert found.agreement.share > 0.97
    assert found.still_fits
    frozen, cold = model.predict(now[columns]), KMeansSegments(5).fit(now[columns]).labels_
    matched = compare_labels(frozen, match(frozen, cold).renumber(cold))
    assert found.agreement.ari > matched.ari
    assert 0.5 < movement(model, then, now).share_kept < 0.9
