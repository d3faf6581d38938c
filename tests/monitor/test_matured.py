"""Matured scores: hand-made outcomes, agreement with scikit-learn, intervals and calibration by simulation."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from few_lines import log
from monitor.worlds import scored, split
from segml.churn.metrics import Array
from segml.config import LabelsConfig
from segml.monitor import matured, outcomes
from segml.monitor.calibration import slopes
from segml.monitor.matured import FIGURE_COLUMNS, FIGURES, TABLE_COLUMNS, measure
from segml.schema import DataError

THEN = pd.Timestamp("2024-01-01").as_unit("us")
LINES = log(
    ("stays", "1", "2023-11-01", 100.0, None, None),
    ("shrinks", "2", "2023-11-01", 100.0, None, None),
    ("leaves", "3", "2023-11-01", 100.0, None, None),
    ("stays", "4", "2024-03-30", 90.0, None, None),
    ("shrinks", "5", "2024-01-01", 40.0, None, None),
    ("leaves", "6", "2024-03-31", 500.0, None, None),  # the day after the horizon
)
DECISIONS = pd.DataFrame(
    {
        "customer_id": ["leaves", "shrinks", "stays"],
        "as_of": THEN,
        "p_churn": [0.7, 0.2, np.nan],
        "p_stagnation": [0.8, 0.6, np.nan],
        "run_rate": 90.0,
    }
)


def test_outcomes_are_read_from_the_lines_of_today_once_the_horizon_is_over() -> None:
    found = outcomes(LINES, DECISIONS, horizon_days=90, known_until=pd.Timestamp("2024-03-31"))
    assert found["churned"].tolist() == [True, False, False]
    assert found["stagnated"].tolist() == [True, True, False]
    assert found["lost_revenue"].tolist() == [90.0, 50.0, 0.0]
    early = outcomes(LINES, DECISIONS, horizon_days=90, known_until=pd.Timestamp("2024-03-30"))
    assert early.empty


def test_dates_that_have_matured_count_and_later_ones_wait() -> None:
    later = pd.concat([DECISIONS, DECISIONS.assign(as_of=pd.Timestamp("2024-03-01").as_unit("us"))])
    found = outcomes(LINES, later, horizon_days=90, known_until=pd.Timestamp("2024-04-15"))
    assert found["as_of"].unique().tolist() == [THEN]


def test_the_season_of_the_labels_is_that_of_the_whole_base() -> None:
    config = LabelsConfig(season_adjusted=True)
    found = outcomes(LINES, DECISIONS, horizon_days=90, config=config, known_until=pd.Timestamp("2024-04-01"))
    assert found["lost_revenue"].sum() < 140


def test_who_was_not_scored_is_not_measured() -> None:
    found = outcomes(LINES, DECISIONS, horizon_days=90, known_until=pd.Timestamp("2024-04-01"))
    proved = matured(DECISIONS, found, resamples=0)
    assert proved.table["customer_id"].tolist() == ["leaves", "shrinks"]
    assert list(proved.table.columns) == TABLE_COLUMNS
    assert proved.cases("churn") == 1
    assert proved.cases("stagnation") == 0
    assert proved.row("churn", "observed_to_expected")["value"] == pytest.approx(1 / 0.9)
    assert np.isnan(proved.row("stagnation", "roc_auc")["value"])


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return scored(np.random.default_rng(5), 900)


def test_the_figures_agree_with_scikit_learn(table: pd.DataFrame) -> None:
    figures = measure(table, resamples=0).set_index(["target", "figure"])["value"]
    assert list(figures.index) == [(target, figure) for target in ("churn", "stagnation") for figure in FIGURES]
    for target, (y, p) in {
        "churn": (table["churned"], table["p_churn"]),
        "stagnation": (table["stagnated"], table["p_stagnation"]),
    }.items():
        assert figures[target, "roc_auc"] == pytest.approx(roc_auc_score(y, p))
        assert figures[target, "average_precision"] == pytest.approx(average_precision_score(y, p))
        assert figures[target, "brier"] == pytest.approx(brier_score_loss(y, p))
        assert figures[target, "observed_to_expected"] == pytest.approx(y.mean() / p.mean())
        logits = np.log(np.asarray(p) / (1 - np.asarray(p)))[:, None]
        slope = LogisticRegression(C=np.inf, tol=1e-8).fit(logits, y).coef_[0, 0]
        assert figures[target, "slope"] == pytest.approx(slope, abs=1e-4)


def test_a_slope_weighs_rows_and_is_unknown_where_nothing_determines_it(table: pd.DataFrame) -> None:
    p, y = table["p_churn"].to_numpy()[:200], table["churned"].to_numpy()[:200]
    weights = np.random.default_rng(0).integers(0, 3, (1, 200)).astype(float)
    repeated = np.repeat(np.arange(200), weights[0].astype(int))
    alone: Array = np.ones((1, len(repeated)))
    assert slopes(p, y, weights)[0] == pytest.approx(slopes(p[repeated], y[repeated], alone)[0])
    assert np.isnan(slopes(p, np.zeros(200, dtype=bool), np.ones((1, 200)))).all()
    assert np.isnan(slopes(p, p > 0.3, np.ones((1, 200)))).all()
    assert np.isnan(slopes(np.full(200, 0.3), y, np.ones((1, 200)))).all()


def test_the_promise_stands_beside_with_its_worst_date(table: pd.DataFrame) -> None:
    good, bad = (
        scored(np.random.default_rng(1), 400, "2024-07-01"),
        scored(np.random.default_rng(2), 400, "2024-10-01", noise=3.0),
    )
    found = measure(table, pd.concat([good, bad]), resamples=200)
    assert list(found.columns) == FIGURE_COLUMNS
    row: Any = found.set_index(["target", "figure"]).loc[("churn", "roc_auc")]
    assert row["promised_worst"] == pytest.approx(roc_auc_score(bad["churned"], bad["p_churn"]))
    assert row["promised_worst"] < row["promised"]
    assert row["difference"] == pytest.approx(row["value"] - row["promised"])
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_ranking_is_that_within_a_date() -> None:
    """At the second date all probabilities are ten times too low: it ranks as well, and pooled it would not."""
    rng = np.random.default_rng(3)
    first, second = scored(rng, 600), scored(rng, 300, "2025-04-01")
    low = second.assign(p_churn=second["p_churn"] / 10, p_stagnation=second["p_stagnation"] / 10)
    figures: Any = measure(pd.concat([first, low]), resamples=0).set_index(["target", "figure"])["value"]
    areas = [roc_auc_score(part["churned"], part["p_churn"]) for part in (first, second)]
    assert figures["churn", "roc_auc"] == pytest.approx((2 * areas[0] + areas[1]) / 3)
    one_outcome = second.assign(churned=False)
    alone: Any = measure(pd.concat([first, one_outcome]), resamples=0).set_index(["target", "figure"])["value"]
    assert alone["churn", "roc_auc"] == pytest.approx(areas[0])


def test_the_same_customers_on_both_sides_are_redrawn_together(table: pd.DataFrame) -> None:
    """Against itself there is no difference on any redraw."""
    found = measure(table, table, resamples=20)
    assert found[["difference", "difference_low", "difference_high"]].abs().to_numpy().max() == 0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Scores drawn right: observed over expected is 1, the slope is 1, and intervals of 95 % hold both."""
    rng, held = np.random.default_rng(11), {"observed_to_expected": 0, "slope": 0}
    worlds = 40
    for world in range(worlds):
        proved = matured(*split(scored(rng, 250)), resamples=120, seed=world)
        for figure in held:
            row = proved.row("churn", figure)
            held[figure] += row["value_low"] <= 1 <= row["value_high"]
    assert all(count >= 0.95 * worlds - 3 * np.sqrt(0.95 * 0.05 * worlds) for count in held.values()), held


def test_a_fault_in_level_and_one_in_slope_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    level = matured(*split(scored(rng, 4000, level=0.8)), resamples=100)
    flat = matured(*split(scored(rng, 4000, slope=0.5)), resamples=100)
    assert level.row("churn", "observed_to_expected")["value_low"] > 1.2
    assert level.row("churn", "slope")["value_low"] < 1 < level.row("churn", "slope")["value_high"]
    assert flat.row("churn", "slope")["value_high"] < 0.7


def test_what_a_tracked_run_shows(table: pd.DataFrame) -> None:
    shown = matured(*split(table), table, resamples=20).metrics()
    assert shown["matured/churn_roc_auc"] == pytest.approx(roc_auc_score(table["churned"], table["p_churn"]))
    assert shown["matured/churn_roc_auc_minus_promised"] == 0
    assert {"matured/stagnation_slope_low", "matured/stagnation_slope_high"} <= set(shown)


def test_the_order_of_rows_changes_nothing(table: pd.DataFrame) -> None:
    mixed = matured(*split(table.sample(frac=1, random_state=0)), table, resamples=20)
    pd.testing.assert_frame_equal(mixed.figures, matured(*split(table), table, resamples=20).figures)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda scores, found: (scores.drop(columns="p_churn"), found), r"earlier scores lack columns \['p_churn'\]"),
        (lambda scores, found: (scores, found.drop(columns="churned")), r"outcomes lack columns \['churned'\]"),
        (lambda scores, found: (pd.concat([scores, scores]), found), "earlier scores hold a customer twice"),
        (lambda scores, found: (scores, pd.concat([found, found])), "outcomes hold a customer twice"),
    ],
)
def test_tables_that_do_not_fit_are_refused(change: Any, message: str, table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=message):
        matured(*change(*split(table)), resamples=0)
