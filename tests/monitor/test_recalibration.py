"""Recalibration: level moves, ranking stays, and the model that was given stays as it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import skops.io

from monitor.worlds import scored
from segml.churn import TRUSTED_TYPES, ConformalCalls
from segml.churn.prior_shift import moved
from segml.config import MonitorConfig
from segml.monitor import level_errors, recalibrated
from segml.monitor.matured import measure
from segml.pipeline import Training

FULL = MonitorConfig(recalibration_share=1.0)


def value(table: pd.DataFrame, figure: str) -> float:
    found = measure(table, resamples=0).set_index(["target", "figure"])["value"]
    return float(found["churn", figure])


def test_the_whole_error_taken_away_makes_expected_cases_equal_observed_ones() -> None:
    table = scored(np.random.default_rng(0), 2000, level=0.9)
    after = table.assign(**moved(table, level_errors(table, FULL)))
    assert value(after, "observed_to_expected") == pytest.approx(1)
    assert value(after, "roc_auc") == pytest.approx(value(table, "roc_auc"))


def test_only_the_configured_share_is_taken_away() -> None:
    table = scored(np.random.default_rng(0), 2000, level=0.9)
    half, full = level_errors(table), level_errors(table, FULL)
    assert half == {target: pytest.approx(constant / 2) for target, constant in full.items()}


def test_too_few_cases_move_nothing() -> None:
    table = scored(np.random.default_rng(0), 60).assign(churned=[True] * 19 + [False] * 41)
    assert "churn" not in level_errors(table)


def test_an_error_that_lasts_shrinks_out_of_time_and_one_that_was_a_season_hardly_grows() -> None:
    """Learnt on one quarter, tried on the next: the level stays off in one world, and comes back in the other."""
    rng, before, after = np.random.default_rng(4), [], []
    for lasting_level in (0.9, 0.0):
        learnt_on, next_quarter = scored(rng, 1500, level=0.9), scored(rng, 1500, level=lasting_level)
        constants = level_errors(learnt_on)
        before.append(value(next_quarter, "brier"))
        after.append(value(next_quarter.assign(**moved(next_quarter, constants)), "brier"))
    assert after[0] < before[0] - 0.005
    assert after[1] < before[1] + 0.015


def test_a_model_is_moved_on_a_copy_that_can_be_stored(small_training: Training) -> None:
    model = small_training.scorer.risk
    assert model is not None
    own = dict(model.shifts_)
    table = small_training.backtest.table
    risen = table.assign(churned=table["churned"] | (np.arange(len(table)) % 2 == 0))
    found = recalibrated(model, risen, FULL)
    assert model.shifts_ == own
    assert found.shifts_["churn"] > own.get("churn", 0.0)
    restored = skops.io.loads(skops.io.dumps(found), trusted=list(TRUSTED_TYPES))
    assert restored.shifts_ == found.shifts_
    features = small_training.decided.features.head(50)
    assert (found.predict(features)["p_churn"] > model.predict(features)["p_churn"]).all()
    again = recalibrated(found, risen, FULL)
    assert again.shifts_["churn"] == pytest.approx(2 * found.shifts_["churn"] - own.get("churn", 0.0))


def test_calls_stay_as_they_are_when_their_probabilities_move(small_training: Training) -> None:
    table = small_training.backtest.table
    scorer = replace(small_training.scorer, calls=ConformalCalls(0.2).fit(table))
    assert scorer.risk is not None
    assert scorer.calls is not None
    risen = table.assign(churned=table["churned"] | (np.arange(len(table)) % 2 == 0))
    found = scorer.recalibrated(risen, FULL)
    assert found.risk is not None
    assert found.calls is not None
    features = small_training.decided.features
    before, after = scorer.risk.predict(features), found.risk.predict(features)
    assert (after["p_churn"] > before["p_churn"]).all()
    called = scorer.calls.predict(before)["churn_call"]
    pd.testing.assert_series_equal(found.calls.predict(after)["churn_call"], called)
    assert called.nunique() > 1
    assert not scorer.calls.predict(after)["churn_call"].equals(called)


def test_a_model_without_scores_has_nothing_to_move(small_training: Training) -> None:
    scorer = replace(small_training.scorer, risk=None)
    assert scorer.recalibrated(small_training.backtest.table) is scorer
