import numpy as np
import pandas as pd
import pytest

from segml.schemes.ranking import count_at_least, cut_scores, quantile_scores, share_above


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ([7], [3]),
        ([4, 4, 4], [3, 3, 3]),
        ([1, 2], [2, 4]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 1, 9], [3, 3, 3, 3, 3, 3, 3, 3, 5, 5]),
        ([-5, 0, 0, 3, 100], [1, 3, 3, 4, 5]),
    ],
)
def test_scores_of_five_bins(values: list[float], scores: list[int]) -> None:
    assert quantile_scores(values, 5).tolist() == scores


@pytest.mark.parametrize("bins", range(2, 10))
def test_bins_are_equal_where_nobody_ties(bins: int) -> None:
    scores = quantile_scores(np.random.default_rng(0).permutation(bins * 12), bins)
    assert np.bincount(scores)[1:].tolist() == [12] * bins


def test_equals_are_equal_and_larger_values_never_score_less() -> None:
    values = np.random.default_rng(1).integers(0, 9, 200)
    scores = pd.DataFrame({"value": values, "score": quantile_scores(values, 5)}).groupby("value")["score"]
    assert (scores.nunique() == 1).all()
    assert scores.first().is_monotonic_increasing


def test_a_value_on_a_cut_point_reaches_it() -> None:
    assert cut_scores([9.99, 10, 20, 25], [10, 20]).tolist() == [1, 2, 3, 3]


def test_share_above_counts_only_strictly_larger_values() -> None:
    assert share_above([40, 30, 30, 0, -10]).tolist() == [0.0, 0.4, 0.4, 1.0, 1.0]


def test_share_above_is_unknown_where_nothing_is_positive() -> None:
    assert np.isnan(share_above([0, -3])).all()


def test_share_above_does_not_miss_a_round_share_by_a_bit() -> None:
    assert share_above([4.8, 1.1, 0.1])[1] == 0.8


def test_count_at_least_includes_ties() -> None:
    assert count_at_least([5, 9, 5, 1]).tolist() == [3, 1, 3, 4]
