from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans

from segml.clusters.criteria import (
    bootstrap_stability,
    gap,
    jaccard,
    prediction_strength,
    sampled,
    silhouette_by_segment,
    smallest_share,
    sorted_rows,
)
from segml.clusters.kmeans import KMeansSegments
from segml.clusters.valleys import valleys


class BySign(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Below zero, above zero, and noise beyond a limit: the same whoever was drawn."""

    def __init__(self, limit: float = 2.0) -> None:
        self.limit = limit

    def fit(self, X: Any, y: None = None) -> "BySign":
        self.labels_ = self.predict(X)
        return self

    def predict(self, X: Any) -> Any:
        first = np.asarray(X)[:, 0]
        return np.where(np.abs(first) > self.limit, -1, (first > 0).astype(int))


def groups(seed: int = 0, apart: float = 8.0) -> np.ndarray:
    """Three round groups of 60, 90 and 150 customers in a plane."""
    rng = np.random.default_rng(seed)
    middles = np.repeat([[0, 0], [apart, 0], [0, apart]], [60, 90, 150], axis=0)
    return np.asarray(middles + rng.normal(size=(300, 2)))


def kmeans(k: int) -> KMeans:
    return KMeans(k, n_init=10, random_state=0)


def test_jaccard_of_hand_made_segments_leaves_noise_out() -> None:
    assert jaccard([1, 1, 1, 2], [5, 5, 7, 7]) == pytest.approx(np.array([[2 / 3, 1 / 4], [0, 1 / 2]]))
    assert jaccard([0, 0, 0, -1], [4, 4, -1, 4]) == pytest.approx(np.array([[2 / 4]]))


def test_smallest_share_counts_noise_among_all_but_not_as_a_segment() -> None:
    assert smallest_share([0, 0, 0, 1, -1]) == 0.2
    assert smallest_share([-1, -1]) == 0


def test_rows_are_sorted_by_value_in_matrices_and_frames_with_text() -> None:
    assert sorted_rows(np.array([[2, 1], [1, 5], [1, 3]])).tolist() == [[1, 3], [1, 5], [2, 1]]
    frame = pd.DataFrame({"region": ["South", "North", "North"], "orders": [1, 9, 2]})
    assert sorted_rows(frame)["orders"].tolist() == [2, 9, 1]


def test_a_sample_is_the_same_whatever_the_order_of_rows() -> None:
    rows = groups()
    assert np.array_equal(sampled(rows, 50, seed=1), sampled(rows[::-1], 50, seed=1))
    assert len(sampled(rows, 50, seed=1)) == 50
    assert not np.array_equal(sampled(rows, 50, seed=1), sampled(rows, 50, seed=2))


def test_clear_groups_come_back_and_foretell_each_other() -> None:
    stable = bootstrap_stability(kmeans(3).fit(groups()), groups())
    assert stable.jaccard == pytest.approx(np.ones(3), abs=0.01)
    assert stable.agreement == pytest.approx(1, abs=0.01)
    assert prediction_strength(kmeans(3), groups()) == pytest.approx(1, abs=0.01)


def test_a_round_cloud_comes_back_less_and_foretells_less() -> None:
    cloud = np.random.default_rng(0).normal(size=(300, 6))
    stable = bootstrap_stability(kmeans(5).fit(cloud), cloud)
    assert stable.jaccard.min() < 0.6
    assert stable.agreement < 0.6
    assert prediction_strength(kmeans(5), cloud) < 0.6


def test_jaccard_is_in_the_order_of_the_labels() -> None:
    rows = groups(apart=3.0)
    model = KMeansSegments(4).fit(rows)
    torn = bootstrap_stability(model, rows, resamples=8).jaccard
    assert len(torn) == 4
    whole = [label for label in range(4) if (model.predict(rows)[210:] == label).mean() > 0.9]
    assert all(torn[label] > 0.9 for label in whole)


def test_noise_is_left_out_and_a_clusterer_that_learns_nothing_agrees_with_itself() -> None:
    rows = np.linspace(-3, 3, 61)[:, None]
    stable = bootstrap_stability(BySign().fit(rows), rows, resamples=4)
    assert stable.jaccard.tolist() == [1, 1]
    assert stable.agreement == 1
    assert prediction_strength(BySign(), rows, repeats=2) == 1


def test_where_all_is_noise_nothing_is_foretold() -> None:
    rows = np.linspace(5, 9, 20)[:, None]
    stable = bootstrap_stability(BySign().fit(rows), rows, resamples=3)
    assert stable.jaccard.size == 0
    assert stable.agreement == 0
    assert prediction_strength(BySign(), rows, repeats=2) == 0


def test_a_segment_of_one_customer_is_not_foretold() -> None:
    rows = np.r_[np.random.default_rng(0).normal(size=60), 1e6][:, None]
    assert prediction_strength(kmeans(2), rows, repeats=2) < 0.7


def test_the_gap_prefers_three_for_three_groups_and_one_for_a_box() -> None:
    gaps = {k: gap(groups(), k) for k in (1, 2, 3, 4)}
    assert max(gaps, key=lambda k: gaps[k].gap) == 3
    box = np.random.default_rng(0).uniform(size=(300, 2)) * [5, 1]
    one, two = gap(box, 1), gap(box, 2)
    assert one.gap >= two.gap - two.error
    assert one.gap == pytest.approx(0, abs=0.1)


def test_the_gap_is_blind_to_scale_and_rotation() -> None:
    turn = np.array([[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]])
    assert gap(groups() @ turn * 10, 3).gap == pytest.approx(gap(groups(), 3).gap, abs=0.1)


def test_silhouette_of_hand_made_segments() -> None:
    line = np.array([[0.0], [1.0], [10.0], [11.0], [99.0]])
    widths = silhouette_by_segment(line, [0, 0, 1, 1, -1])
    first = 1 - 1 / 10.5, 1 - 1 / 9.5
    assert widths == pytest.approx({0: np.mean(first), 1: np.mean(first)})
    assert silhouette_by_segment(line, [0, 0, 0, 0, 0]) == {}


def test_criteria_do_not_depend_on_the_order_of_rows_nor_change_the_input() -> None:
    rows = groups(apart=3.0)
    before, mixed = rows.copy(), np.random.default_rng(1).permutation(rows)
    model = KMeansSegments(3).fit(rows)
    one, other = (bootstrap_stability(model, each, resamples=4) for each in (rows, mixed))
    assert (one.jaccard == other.jaccard).all()
    assert one.agreement == other.agreement
    assert prediction_strength(kmeans(3), rows) == prediction_strength(kmeans(3), mixed)
    assert gap(rows, 3) == gap(mixed, 3)
    for criterion in (silhouette_by_segment, valleys):
        assert criterion(rows, model.predict(rows)) == criterion(mixed, model.predict(mixed))
    assert (rows == before).all()


def test_the_seed_decides() -> None:
    rows = groups(apart=3.0)
    one, other = (prediction_strength(kmeans(4), rows, seed=seed) for seed in (0, 1))
    assert one != other


def test_groups_have_valleys_between_them_and_pieces_of_a_cloud_have_none() -> None:
    assert min(valleys(groups(), kmeans(3).fit_predict(groups())).values()) > 0.95
    assert min(valleys(groups(), kmeans(4).fit_predict(groups())).values()) < 0.2
    cloud = np.random.default_rng(0).normal(size=(1000, 6))
    assert max(valleys(cloud, kmeans(2).fit_predict(cloud)).values()) < 0.1


@pytest.mark.parametrize(("apart", "least", "most"), [(2.0, 0.0, 0.05), (3.5, 0.4, 0.65), (6.0, 0.9, 1.0)])
def test_the_depth_of_a_valley_between_two_normal_groups(apart: float, least: float, most: float) -> None:
    # Normal densities: none at two deviations, 0.57 at three and a half, 0.98 at six; the kernel fills a little.
    rng = np.random.default_rng(0)
    line = np.r_[rng.normal(size=2000), rng.normal(size=2000) + apart][:, None]
    depth = valleys(line, line[:, 0] > apart / 2)[0]
    assert least <= depth <= most


def test_valleys_of_noise_of_tiny_segments_and_of_a_single_one() -> None:
    rows = groups()
    labels = np.repeat([0, 1, -1], [60, 90, 150])
    assert set(valleys(rows, labels)) == {0, 1}
    far = np.r_[rows, [[900.0, 0.0], [901.0, 0.0], [902.0, 0.0]]]
    assert valleys(far, np.arange(303) >= 300) == {0: 0.0, 1: 0.0}
    assert valleys(rows, np.zeros(300)) == {}


def test_a_column_that_is_there_twice_changes_little() -> None:
    rows = groups(apart=3.5)
    labels = kmeans(3).fit_predict(rows)
    assert valleys(rows[:, [0, 0, 0, 1, 1]], labels) == pytest.approx(valleys(rows, labels), abs=0.05)


def test_groups_of_identical_customers_and_idle_columns_are_apart() -> None:
    rows = np.repeat([[0.0, 1.0, 0.0], [5.0, 1.0, 5.0]], 20, axis=0)
    assert valleys(rows, np.repeat([0, 1], 20)) == pytest.approx({0: 1.0, 1: 1.0})
