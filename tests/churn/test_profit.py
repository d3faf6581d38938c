"""What contacts would have earned, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from segml.churn import Terms, profit_curve, profit_metrics
from segml.schema import DataError

TERMS = Terms(contact_cost=10.0, success_rate=0.5, margin_rate=0.4)
FOUR = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "as_of": pd.Timestamp("2025-01-01"),
        "p_churn": [0.1, 0.2, 0.3, 0.4],
        "p_stagnation": [0.6, 0.5, 0.4, 0.9],
        "run_rate": [1000.0, 100.0, 400.0, -50.0],
        "lost_revenue": [200.0, 100.0, 0.0, 0.0],
    }
)
# Expected: a 0.5 × 0.4 × 600 = 120, b 10, c 32, d 0; so a and c are worth ten, b just not.


def profit_of(curve: pd.DataFrame, strategy: str) -> dict[float, float]:
    part = curve[curve["strategy"] == strategy]
    return dict(zip(part["share_of_customers"].round(2), part["profit"].round(6), strict=True))


def test_the_curve_is_what_each_list_would_have_earned() -> None:
    curve = profit_curve(FOUR, TERMS)
    quarters = [0.0, 0.25, 0.5, 0.75, 1.0]
    own, perfect = profit_of(curve, "revenue_at_risk"), profit_of(curve, "perfect")
    assert [own[share] for share in quarters] == [0, 30, 20, 30, 20]  # a, c, b, d
    assert [perfect[share] for share in quarters] == [0, 30, 40, 30, 20]
    assert profit_of(curve, "p_stagnation")[0.25] == -10  # d


def test_the_list_is_chosen_by_expected_profit_and_measured_by_what_was_lost() -> None:
    found = profit_metrics(FOUR, TERMS, resamples=0, seed=0)
    assert found["profit/listed"] == pytest.approx(20)
    assert found["profit/listed_share"] == 0.5
    assert found["profit/run_rate"] == pytest.approx(20)  # a, c
    assert found["profit/p_stagnation"] == pytest.approx(20)  # d, a
    assert found["profit/perfect"] == pytest.approx(40)
    assert found["profit/everyone"] == pytest.approx(20)
    assert found["profit/listed_minus_run_rate"] == pytest.approx(0)
    assert found["profit/margin_rate"] == 0.4


def test_money_is_a_test_dates() -> None:
    twice = pd.concat([FOUR, FOUR.assign(as_of=pd.Timestamp("2025-04-01"))], ignore_index=True)
    assert profit_metrics(twice, TERMS, resamples=0, seed=0)["profit/listed"] == pytest.approx(20)
    assert profit_of(profit_curve(twice, TERMS), "perfect")[0.5] == pytest.approx(40)


def test_intervals_hold_the_figure_and_do_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    many = pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(300)],
            "as_of": pd.Timestamp("2025-01-01"),
            "p_churn": 0.1,
            "p_stagnation": rng.uniform(0, 1, 300),
            "run_rate": rng.lognormal(4, 1, 300),
        }
    )
    many["lost_revenue"] = many["run_rate"] * (rng.uniform(0, 1, 300) < many["p_stagnation"])
    found = profit_metrics(many, TERMS, resamples=100, seed=0)
    assert found["profit/listed_low"] < found["profit/listed"] < found["profit/listed_high"]
    assert found["profit/p_stagnation"] < found["profit/listed"] < found["profit/perfect"]
    shuffled = profit_metrics(many.sample(frac=1, random_state=2), TERMS, resamples=100, seed=0)
    assert shuffled == pytest.approx(found)


def test_a_dear_contact_lists_nobody() -> None:
    found = profit_metrics(FOUR, Terms(1e6, 0.5), resamples=20, seed=0)
    assert found["profit/listed"] == 0
    assert found["profit/listed_share"] == 0


def test_nobody_scored_no_profit() -> None:
    assert profit_metrics(FOUR.iloc[:0], TERMS, resamples=10, seed=0) == {}
    assert profit_curve(FOUR.iloc[:0], TERMS).empty


def test_a_table_without_losses_is_refused() -> None:
    with pytest.raises(DataError, match=r"backtest table lack columns \['lost_revenue'\]"):
        profit_curve(FOUR.drop(columns="lost_revenue"), TERMS)
