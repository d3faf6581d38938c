import numpy as np
import pytest
from sklearn import metrics as reference

from segml.churn.metrics import (
    Ranking,
    average_precision,
    bootstrap_weights,
    brier,
    captured_at,
    equal_count_bins,
    expected_calibration_error,
    roc_auc,
    with_intervals,
)

SCORE = np.array([0.9, 0.8, 0.8, 0.6, 0.3, 0.1])
OUTCOME = np.array([True, False, True, True, False, False])
ONCE = np.ones((1, 6))


def random_case(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = np.round(rng.uniform(size=rows), 2)  # ties on purpose
    return score, rng.uniform(size=rows) < score, rng.integers(0, 4, (3, rows)).astype(float)


def test_hand_made_area_counts_a_tie_as_half() -> None:
    assert roc_auc(Ranking.by(SCORE), OUTCOME, ONCE)[0] == pytest.approx((3 + 2.5 + 2) / 9)


def test_hand_made_brier_score() -> None:
    assert brier(np.array([0.5, 1.0]), np.array([True, False]), np.array([[1.0, 3.0]]))[0] == pytest.approx(3.25 / 4)


def test_hand_made_calibration_error() -> None:
    probability, outcome = np.array([0.1, 0.3, 0.6, 0.8]), np.array([False, True, True, False])
    assert expected_calibration_error(probability, outcome, np.ones((1, 4)), bins=2)[0] == pytest.approx(
        (0.3 + 0.2) / 2
    )


def test_the_top_tenth_takes_a_part_of_the_rows_on_its_edge() -> None:
    value = np.array([10.0, 4.0, 2.0, 0.0, 0.0, 0.0])
    captured = captured_at(Ranking.by(SCORE), value, ONCE, 0.5)
    assert captured[0] == pytest.approx(1.0)
    assert captured_at(Ranking.by(SCORE), value, ONCE, 1 / 3)[0] == pytest.approx((10 + 3) / 16)


def test_an_unknown_score_ranks_last_and_ties_with_the_other_unknown_ones() -> None:
    outcome = np.array([True, True, False, False])
    for score in ([0.5, np.nan, np.nan, -0.4], [0.5, np.nan, -0.4, np.nan]):
        assert roc_auc(Ranking.by(np.array(score)), outcome, np.ones((1, 4)))[0] == pytest.approx((2 + 0.5) / 4)


@pytest.mark.parametrize("seed", range(3))
def test_metrics_agree_with_scikit_learn(seed: int) -> None:
    score, outcome, weights = random_case(seed=seed)
    ranking = Ranking.by(score)
    pairs = [
        (roc_auc(ranking, outcome, weights), reference.roc_auc_score),
        (average_precision(ranking, outcome, weights), reference.average_precision_score),
        (brier(score, outcome, weights), reference.brier_score_loss),
    ]
    for own, theirs in pairs:
        np.testing.assert_allclose(own, [theirs(outcome, score, sample_weight=row) for row in weights], rtol=1e-12)


def test_weights_are_repeats() -> None:
    score, outcome, weights = random_case()
    copies = np.repeat(np.arange(len(score)), weights[0].astype(int))
    everyone = np.ones((1, len(copies)))
    for metric in (roc_auc, average_precision):
        assert metric(Ranking.by(score), outcome, weights)[0] == pytest.approx(
            metric(Ranking.by(score[copies]), outcome[copies], everyone)[0]
        )
    assert captured_at(Ranking.by(score), outcome * 1.0, weights, 0.1)[0] == pytest.approx(
        captured_at(Ranking.by(score[copies]), outcome[copies] * 1.0, everyone, 0.1)[0]
    )


def test_order_of_rows_changes_nothing() -> None:
    score, outcome, weights = random_case()
    turned = slice(None, None, -1)
    for metric in (roc_auc, average_precision):
        np.testing.assert_allclose(
            metric(Ranking.by(score[turned]), outcome[turned], weights[:, turned]),
            metric(Ranking.by(score), outcome, weights),
        )
    assert (equal_count_bins(score[turned])[turned] == equal_count_bins(score)).all()


def test_one_class_only_gives_no_value() -> None:
    assert np.isnan(roc_auc(Ranking.by(SCORE), np.ones(6, dtype=bool), ONCE)).all()
    assert np.isnan(average_precision(Ranking.by(SCORE), np.zeros(6, dtype=bool), ONCE)).all()
    assert np.isnan(captured_at(Ranking.by(SCORE), np.zeros(6), ONCE, 0.1)).all()


def test_bins_hold_equal_counts_and_never_split_equal_probabilities() -> None:
    assert np.bincount(equal_count_bins(np.random.default_rng(0).uniform(size=1000))).tolist() == [100] * 10
    assert set(equal_count_bins(np.full(50, 0.3))) == {5}


def test_the_bootstrap_moves_a_customer_with_all_its_rows() -> None:
    customers = np.array(["a", "b", "a", "c"])
    weights = np.concatenate(list(bootstrap_weights(customers, 200, seed=0)))
    assert weights.shape == (200, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert weights[:, 1].mean() == pytest.approx(1, abs=0.15)


def test_the_bootstrap_depends_on_the_seed_alone() -> None:
    customers = np.array(["a", "b", "c", "b"])
    again = [np.concatenate(list(bootstrap_weights(names, 9, seed=4))) for names in (customers, customers[::-1])]
    assert (again[0] == again[1][:, ::-1]).all()
    assert (again[0] != np.concatenate(list(bootstrap_weights(customers, 9, seed=5)))).any()


def test_the_interval_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(2).normal(10, 3, 400)
    found = with_intervals(
        lambda weights: {"mean": (weights * values).sum(axis=1) / weights.sum(axis=1)},
        np.arange(400),
        resamples=2000,
        seed=0,
    )
    margin = 1.96 * values.std() / 20
    assert found["mean"] == pytest.approx(values.mean())
    assert found["mean_low"] == pytest.approx(values.mean() - margin, abs=0.03)
    assert found["mean_high"] == pytest.approx(values.mean() + margin, abs=0.03)


def test_an_undefined_statistic_is_left_out_and_no_resamples_mean_no_interval() -> None:
    found = with_intervals(
        lambda weights: {"a": weights.mean(axis=1), "b": np.full(len(weights), np.nan)}, [1, 2], resamples=0, seed=0
    )
    assert found == {"a": 1.0}
