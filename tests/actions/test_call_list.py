import pandas as pd
import pytest

from segml.actions import CALL_LIST_COLUMNS, call_list
from segml.config import ActionsConfig

NAN = float("nan")


def customers(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Decisions of customers given as (id, p_stagnation, revenue at risk)."""
    table = pd.DataFrame(list(rows), columns=["customer_id", "p_stagnation", "revenue_at_risk"])
    return table.assign(
        tier="standard",
        lifecycle="active",
        risk_band="medium",
        reasons="longer silence",
        p_churn=table["p_stagnation"] / 2,
        run_rate=table["revenue_at_risk"] / table["p_stagnation"],
        next_order_expected=pd.Timestamp("2026-01-10"),
    )


TEN = customers(
    ("a", 0.90, 10.0),
    ("b", 0.40, 400.0),
    ("c", 0.34, 900.0),  # most money, but below the threshold
    ("d", 0.35, 200.0),
    ("e", 0.60, 200.0),
    ("f", 0.99, 0.0),  # nothing to lose
    ("g", 0.10, 90.0),
    ("h", 0.20, 100.0),
    ("i", 0.80, 50.0),
    ("j", 0.10, 50.0),
    ("z", NAN, 0.0),  # not scored: counts for nothing
)


def test_worst_money_comes_first_within_capacity_and_above_the_threshold() -> None:
    listed = call_list(TEN, ActionsConfig(min_p_stagnation=0.35, call_list_share=0.4))
    assert list(listed["customer_id"]) == ["b", "d", "e", "i"]  # the tie of d and e goes by customer
    assert list(listed["rank"]) == [1, 2, 3, 4]
    assert list(listed["cumulative_share"]) == pytest.approx([0.2, 0.3, 0.4, 0.425])
    assert list(listed.columns) == list(CALL_LIST_COLUMNS)


def test_the_list_ends_where_the_threshold_does_even_below_capacity() -> None:
    assert list(call_list(TEN, ActionsConfig(min_p_stagnation=0.35, call_list_share=1.0))["customer_id"]) == [
        "b",
        "d",
        "e",
        "i",
        "a",
    ]


def test_a_part_of_a_customer_is_a_customer() -> None:
    assert list(call_list(TEN, ActionsConfig(min_p_stagnation=0.35, call_list_share=0.01))["customer_id"]) == ["b"]


def test_row_order_is_irrelevant_and_the_input_stays() -> None:
    before = TEN.copy()
    config = ActionsConfig(min_p_stagnation=0.35, call_list_share=0.4)
    pd.testing.assert_frame_equal(call_list(TEN.sample(frac=1, random_state=1), config), call_list(TEN, config))
    pd.testing.assert_frame_equal(TEN, before)


@pytest.mark.parametrize("decisions", [TEN.iloc[:0], TEN.assign(p_stagnation=NAN)], ids=["no rows", "no scores"])
def test_without_scores_nobody_is_called(decisions: pd.DataFrame) -> None:
    listed = call_list(decisions, ActionsConfig())
    assert listed.empty
    assert list(listed.columns) == list(CALL_LIST_COLUMNS)


def test_with_a_contact_cost_only_who_is_expected_to_earn_it_is_listed() -> None:
    decisions = TEN.assign(expected_profit=TEN["revenue_at_risk"] * 0.2 - 30)
    listed = call_list(decisions, ActionsConfig(min_p_stagnation=0.0, call_list_share=1.0, contact_cost=30.0))
    assert list(listed["customer_id"]) == ["c", "b", "d", "e"]
