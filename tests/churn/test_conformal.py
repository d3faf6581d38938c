"""Calls with a stated error: by hand, then against the promise, then in time."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.churn import ConformalCalls, Split, evaluate
from segml.churn.conformal import measure_calls
from segml.config import ChurnConfig
from segml.schema import DataError

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2021-01-01").as_unit("us")
OFF: dict[str, int] = {"resamples": 0, "seed": 0}


def scored(p: object, happened: object, as_of: pd.Timestamp = START) -> pd.DataFrame:
    """Return rows with the same score and outcome for both targets."""
    table = pd.DataFrame({"p_churn": p, "churned": happened}).astype({"p_churn": "float64", "churned": "bool"})
    table = table.assign(p_stagnation=table["p_churn"], stagnated=table["churned"], as_of=as_of)
    return table.assign(customer_id=[f"{as_of:%m%d}-{row}" for row in range(len(table))])


def drawn(rng: np.random.Generator, rows: int, as_of: pd.Timestamp = START, shift: float = 0.0) -> pd.DataFrame:
    """Return scores that tell something: those to whom it happens score higher; ``shift`` moves all."""
    happened = rng.random(rows) < 0.3
    return scored(1 / (1 + np.exp(-rng.normal(1.5 * happened - 1 + shift))), happened, as_of)


# Nine to whom it happened score 0.1 … 0.9, nine others 0.05 … 0.85.
CALIBRATION = scored(
    [*np.arange(1, 10) / 10, *(np.arange(1, 10) / 10 - 0.05)],
    [True] * 9 + [False] * 9,
)


@pytest.mark.parametrize(
    ("p", "error", "call"),
    [
        # As a case: (1 + cases with no higher score) / 10; as another: (1 + others with no lower score) / 10.
        (0.95, 0.15, "will"),  # 10 / 10, 1 / 10
        (0.95, 0.10, "will"),  # an outcome as rare as the error is given up
        (0.05, 0.10, "safe"),
        (0.95, 0.05, "uncertain"),  # nine can never exclude an outcome at one in twenty
        (0.85, 0.15, "uncertain"),  # 9 / 10, 2 / 10
        (0.05, 0.15, "safe"),  # 1 / 10, 10 / 10
        (0.10, 0.15, "uncertain"),  # 2 / 10: the lowest case counts itself
        (0.50, 0.15, "uncertain"),
        (0.45, 0.49, "uncertain"),  # 5 / 10 and 6 / 10: both
        (0.40, 0.49, "uncertain"),
        (0.35, 0.49, "safe"),  # 4 / 10, 7 / 10
        (None, 0.15, None),
    ],
)
def test_a_call_is_the_outcome_that_alone_is_plausible(p: float | None, error: float, call: str | None) -> None:
    found = (
        ConformalCalls(error).fit(CALIBRATION).predict(pd.DataFrame({"p_churn": [p], "p_stagnation": [p]}, dtype=float))
    )
    assert list(found.columns) == ["churn_call", "stagnation_call"]
    for name in found:
        assert found[name].isna().all() if call is None else found[name].tolist() == [call]


def test_a_score_that_suits_neither_outcome_is_uncertain() -> None:
    apart = scored([*[0.9] * 50, *[0.1] * 50], [True] * 50 + [False] * 50)
    between = pd.DataFrame({"p_churn": [0.5], "p_stagnation": [0.5]})
    assert ConformalCalls(0.1).fit(apart).predict(between).iloc[0].tolist() == ["uncertain", "uncertain"]


def test_without_anything_to_calibrate_on_all_are_uncertain() -> None:
    calls = ConformalCalls(0.1).fit(CALIBRATION.iloc[:0]).predict(CALIBRATION)
    assert (calls == "uncertain").all(axis=None)


def test_calls_keep_the_index_and_change_nothing() -> None:
    rows = CALIBRATION.sample(frac=1, random_state=1)
    before = rows.copy()
    calls = ConformalCalls(0.2).fit(rows)
    assert_frame_equal(calls.predict(rows).sort_index(), ConformalCalls(0.2).fit(CALIBRATION).predict(CALIBRATION))
    assert_frame_equal(rows, before)


def test_scores_without_outcomes_are_refused() -> None:
    with pytest.raises(DataError, match=r"calibration table lack columns \['churned'\]"):
        ConformalCalls().fit(CALIBRATION.drop(columns="churned"))


@pytest.mark.parametrize("error", [0.05, 0.1, 0.2])
def test_each_outcome_is_missed_no_more_often_than_promised_on_average(error: float) -> None:
    missed, alarmed, certain = [], [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        later = drawn(rng, 400)
        call = ConformalCalls(error).fit(drawn(rng, 300)).predict(later)["churn_call"]
        missed.append((call[later["churned"]] == "safe").mean())
        alarmed.append((call[~later["churned"]] == "will").mean())
        certain.append((call != "uncertain").mean())
    assert error * 0.8 < np.mean(missed) <= error + 0.005
    assert error * 0.8 < np.mean(alarmed) <= error + 0.005
    assert np.mean(certain) > error


def test_a_test_date_is_calibrated_on_dates_whose_horizon_is_over_and_no_others() -> None:
    rng = np.random.default_rng(0)
    first, soon, later = START, START + 30 * DAY, START + 90 * DAY
    table = pd.concat([drawn(rng, 200, moment) for moment in (first, soon, later)], ignore_index=True)
    found = measure_calls(table, 0.1, horizon_days=90, **OFF)
    assert found.by_date["as_of"].tolist() == [later]
    alone = measure_calls(table[table["as_of"] != soon], 0.1, horizon_days=90, **OFF)
    assert_frame_equal(found.by_date, alone.by_date)
    by_hand = table[table["as_of"] == later]
    call = ConformalCalls(0.1).fit(table[table["as_of"] == first]).predict(by_hand)["stagnation_call"]
    row = found.by_date.iloc[0]
    assert row["stagnation_coverage_cases"] == (call[by_hand["stagnated"]] != "safe").mean()
    assert row["stagnation_coverage_others"] == (call[~by_hand["stagnated"]] != "will").mean()
    assert row["stagnation_called_will"] == (call == "will").mean()
    assert row["stagnation_called_safe"] == (call == "safe").mean()
    assert found.metrics["conformal/stagnation_called_safe"] == pytest.approx(row["stagnation_called_safe"])
    assert not found.notices


def test_outcomes_of_a_date_change_no_call_at_it() -> None:
    rng = np.random.default_rng(1)
    table = pd.concat([drawn(rng, 200, START), drawn(rng, 200, START + 90 * DAY)], ignore_index=True)
    at_last = table["as_of"] > START
    turned = table.assign(churned=table["churned"] ^ at_last, stagnated=table["stagnated"] ^ at_last)
    shares = ["churn_called_will", "churn_called_safe", "stagnation_called_will", "stagnation_called_safe"]
    first, second = (measure_calls(rows, 0.1, horizon_days=90, **OFF).by_date for rows in (table, turned))
    assert_frame_equal(first[shares], second[shares])


def test_a_shift_of_the_base_is_seen_in_what_is_measured() -> None:
    rng = np.random.default_rng(2)
    table = pd.concat([drawn(rng, 2000, START), drawn(rng, 2000, START + 90 * DAY, shift=-1.0)], ignore_index=True)
    row = measure_calls(table, 0.1, horizon_days=90, **OFF).by_date.iloc[0]
    assert row["churn_coverage_cases"] < 0.8
    assert row["churn_coverage_others"] > 0.95


def test_intervals_hold_the_value() -> None:
    rng = np.random.default_rng(3)
    table = pd.concat([drawn(rng, 200, START), drawn(rng, 200, START + 90 * DAY)], ignore_index=True)
    found = measure_calls(table, 0.1, horizon_days=90, resamples=50, seed=0).metrics
    assert len(found) == 3 * 8
    for name in (name for name in found if not name.endswith(("_low", "_high"))):
        assert found[f"{name}_low"] <= found[name] <= found[f"{name}_high"]


def test_nothing_earlier_is_told_and_nothing_asked_is_silent() -> None:
    told = measure_calls(CALIBRATION, 0.1, horizon_days=90, **OFF)
    assert (told.metrics, len(told.by_date)) == ({}, 0)
    assert told.notices == (
        "the calls could not be checked: no test date has an earlier one whose horizon was over by then",
    )
    assert measure_calls(CALIBRATION, None, horizon_days=90, **OFF).notices == ()


def test_a_backtest_measures_calls_where_they_are_asked_for(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    splits: tuple[Split, ...] = world.splits
    config = quick.model_copy(update={"conformal_error": 0.1})
    found = evaluate(
        world.features,
        world.labels,
        world.scored,
        splits,
        config=config,
        horizon_days=90,
        seed=0,
        inputs=inputs,
    )
    assert 0 < found.metrics["conformal/churn_coverage_cases"] <= 1
    assert found.by_date["churn_called_safe"].notna().tolist() == [False, True]
