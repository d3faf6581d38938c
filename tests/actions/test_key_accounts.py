"""The sheet of key accounts, the plan, and who is close to the border of the tier."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.actions.border import CLOSE
from segml.actions.key_accounts import SHEET, KeyAccounts, key_accounts
from segml.actions.plans import AGAINST_PLAN, against_plan
from segml.config import Config, from_mapping
from segml.schema import ORDER_LINES, DataError
from segml.segments import load_playbook

AS_OF = pd.Timestamp("2025-07-01")
PLAYBOOK = load_playbook(None, [])
CONFIG = from_mapping({"segments": {"tier": {"key_from": 1000.0, "small_below": 10.0}}}, source="the test")


def base(**columns: list[Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features and decisions of customers; what is not given is the same for all."""
    count = len(next(iter(columns.values())))
    defaults: dict[str, Any] = {
        "customer_id": [f"c{place}" for place in range(count)],
        "as_of": AS_OF,
        "revenue_365d": 1200.0,
        "revenue_365d_previous": 1000.0,
        "revenue_180d": 600.0,
        "revenue_90d": 200.0,
        "gap_shrunk_days": 14.0,
        "recency_days": 5.0,
        "tenure_days": 900.0,
        "tier": "key",
        "action": "key account meeting",
        "next_order_expected": AS_OF + pd.Timedelta(days=9),
        "risk_band": "low",
        "p_churn": 0.1,
        "p_stagnation": 0.2,
        "revenue_at_risk": 50.0,
        "reasons": "orders less",
    }
    table = pd.DataFrame({**defaults, **columns})
    decided = ["customer_id", *list(defaults)[9:], *({"wallet_share"} & {*columns})]
    return table[list(defaults)[:9]], table[decided]


def sheet_of(**columns: list[Any]) -> pd.DataFrame:
    return key_accounts(*base(**columns), CONFIG, playbook=PLAYBOOK).sheet


def test_key_accounts_only_and_most_revenue_first() -> None:
    sheet = sheet_of(revenue_365d=[1100.0, 5000.0, 1500.0, 1500.0], tier=["key", "standard", "key", "key"])
    assert sheet["customer_id"].tolist() == ["c2", "c3", "c0"]
    assert {name: str(kind) for name, kind in sheet.dtypes.items()} == SHEET


def test_growth_is_against_as_many_days_before() -> None:
    sheet = sheet_of(
        revenue_365d=[1200.0, 1190.0, 1180.0],
        revenue_365d_previous=[1000.0, 0.0, 1000.0],
        tenure_days=[900.0, 900.0, 729.0],
    )
    assert sheet["growth_year"].tolist() == pytest.approx([0.2, np.nan, np.nan], nan_ok=True)
    assert sheet["growth_quarter"].tolist() == pytest.approx([-0.5] * 3)  # 200 after 400


def test_next_steps_are_the_action_and_what_the_figures_ask_for() -> None:
    plan = pd.DataFrame(
        [["c0", 2000.0, 1000.0, 600.0, 0.6], ["c1", 2000.0, 1000.0, 1100.0, 1.1]], columns=list(AGAINST_PLAN)
    )
    found = key_accounts(*base(revenue_365d=[1200.0, 1100.0, 1000.0]), CONFIG, playbook=PLAYBOOK, plan=plan).sheet
    assert found["plan_share"].tolist() == pytest.approx([0.6, 1.1, np.nan], nan_ok=True)
    assert found["next_steps"].tolist() == [
        "key account meeting; 400 behind plan: agree on how to make it up",
        "key account meeting",
        "key account meeting",
    ]
    assert found["strategy"].str.contains("meeting every quarter").all()


def test_an_overdue_order_and_a_small_share_of_wallet_ask_for_a_step() -> None:
    sheet = sheet_of(
        revenue_365d=[1300.0, 1200.0],
        next_order_expected=[AS_OF - pd.Timedelta(days=2), AS_OF],
        wallet_share=[0.6, 0.25],
        action=["call: revenue at risk", "keep contact"],
    )
    assert sheet["next_steps"].tolist() == [
        "call: revenue at risk; the order expected on 2025-06-29 has not come: ask why",
        "keep contact; spends 25% of its potential with us: find out who has the rest",
    ]


def test_the_share_of_wallet_and_the_tier_before_are_told_where_they_are_known() -> None:
    earlier = pd.DataFrame({"customer_id": ["c1", "gone"], "tier": ["growing", "key"]})
    features, decisions = base(revenue_365d=[1200.0, 1100.0], wallet_share=[0.4, np.nan])
    found = key_accounts(features, decisions, CONFIG, playbook=PLAYBOOK, earlier=earlier)
    assert found.sheet["previous_tier"].tolist() == ["", "growing"]
    assert found.sheet["wallet_share"].tolist() == pytest.approx([0.4, np.nan], nan_ok=True)
    without = key_accounts(features, decisions.drop(columns="wallet_share"), CONFIG, playbook=PLAYBOOK)
    assert without.sheet["wallet_share"].isna().all()


# --- the border


def close_of(config: Config = CONFIG, **columns: list[Any]) -> pd.DataFrame:
    return key_accounts(*base(**columns), config, playbook=PLAYBOOK).close


def asking(**tier: Any) -> Config:
    """Return a configuration whose tier of key accounts asks for more."""
    return from_mapping({"segments": {"tier": {"key_from": 1000.0, "small_below": 10.0, **tier}}}, source="the test")


def test_who_is_within_a_tenth_of_the_revenue_is_close() -> None:
    revenue = [1101.0, 1100.0, 1000.0, 999.0, 900.0, 899.0]
    close = close_of(revenue_365d=revenue, tier=["key"] * 3 + ["standard"] * 3)
    assert list(zip(close["customer_id"], close["direction"], close["distance"], strict=True)) == [
        ("c1", "leaving", 100.0),
        ("c2", "leaving", 0.0),
        ("c3", "entering", -1.0),
        ("c4", "entering", -100.0),
    ]
    assert close["why"].tolist()[0] == "100 of revenue above the least of key accounts (10%)"
    assert close["why"].tolist()[1] == "just the least revenue of key accounts"
    assert close["why"].tolist()[3] == "100 of revenue short of key accounts (10%)"
    assert {name: str(kind) for name, kind in close.dtypes.items()} == CLOSE


def test_the_border_of_shares_is_the_least_revenue_of_who_is_large_now() -> None:
    shares = from_mapping({"segments": {"tier": {"key_revenue_share": 0.5}}}, source="the test")
    features, decisions = base(revenue_365d=[500.0, 300.0, 290.0, *[40.0] * 12], revenue_365d_previous=[9000.0] * 15)
    decisions["tier"] = shares.segments.tier.assign(features).astype("str")
    assert decisions["tier"].tolist() == ["key", "key", *["standard"] * 13]
    close = key_accounts(features, decisions, shares, playbook=PLAYBOOK).close
    assert close[["customer_id", "direction", "revenue_needed", "distance"]].values.tolist() == [
        ["c1", "leaving", 300.0, 0.0],
        ["c2", "entering", 300.0, -10.0],
    ]


def test_time_with_us_and_risk_are_told_where_the_tier_asks_for_them() -> None:
    config = asking(key_min_years=2.0, key_max_p_churn=0.2)
    close = close_of(
        config,
        revenue_365d=[1500.0, 1400.0, 1300.0, 1200.0],
        tenure_days=[700.0, 600.0, 900.0, 900.0],
        p_churn=[0.1, 0.1, 0.24, 0.18],
        tier=["standard", "standard", "standard", "key"],
    )
    told = dict(zip(close["customer_id"], close["why"], strict=True))
    assert told == {
        "c0": "30 days short of 2 years with us",
        "c2": "churn 24% likely, where less than 20% is asked",
        "c3": "churn 18% likely, where less than 20% is asked",
    }
    assert dict(zip(close["customer_id"], close["direction"], strict=True))["c3"] == "leaving"


def test_who_misses_one_condition_by_far_is_not_close() -> None:
    config = asking(key_max_p_churn=0.2)
    assert close_of(config, revenue_365d=[950.0, 950.0], p_churn=[0.6, np.nan], tier=["standard"] * 2).empty


def test_nobody_with_revenue_nobody_close() -> None:
    shares = from_mapping({}, source="the test")
    close = close_of(shares, revenue_365d=[0.0, 0.0], tier=["not enough data"] * 2)
    assert close.empty
    assert list(close.columns) == list(CLOSE)


def test_the_order_of_customers_changes_nothing_and_tables_stay_as_they_are() -> None:
    features, decisions = base(revenue_365d=[1200.0, 1050.0, 950.0], tier=["key", "key", "standard"])
    kept = features.copy(), decisions.copy()
    one = key_accounts(features, decisions, CONFIG, playbook=PLAYBOOK)
    other: KeyAccounts = key_accounts(features[::-1], decisions[::-1], CONFIG, playbook=PLAYBOOK)
    assert_frame_equal(one.sheet, other.sheet)
    assert_frame_equal(one.close, other.close)
    assert_frame_equal(features, kept[0])
    assert_frame_equal(decisions, kept[1])


def test_tables_that_lack_columns_are_refused() -> None:
    features, decisions = base(revenue_365d=[1200.0])
    with pytest.raises(DataError, match=r"features lack columns \['revenue_180d'\]"):
        key_accounts(features.drop(columns="revenue_180d"), decisions, CONFIG, playbook=PLAYBOOK)


# --- the plan

LINES = pd.DataFrame(
    [
        ("anna", "2024-12-31", 500.0),
        ("anna", "2025-01-01", 100.0),
        ("anna", "2025-06-30", 50.0),
        ("anna", "2025-07-01", 900.0),  # the future
        ("bert", "2025-03-01", 70.0),
        ("bert", "2025-03-02", -20.0),
    ],
    columns=["customer_id", "ordered_at", "amount"],
).assign(order_id="1", cancelled_at=None)
LINES = LINES.reindex(columns=ORDER_LINES.names).astype(
    {"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]"}
)


def test_a_plan_of_the_calendar_year_is_due_in_part() -> None:
    plan = pd.DataFrame(
        {"customer_id": ["bert", "anna", "cleo"], "period_start": "2025-01-01", "revenue_plan": [100.0, 365.0, 10.0]}
    )
    told = against_plan(plan, LINES, AS_OF)
    assert told["customer_id"].tolist() == ["anna", "bert", "cleo"]
    assert told["revenue_done"].tolist() == [150.0, 50.0, 0.0]
    assert told["revenue_due"].tolist() == pytest.approx([181.0, 100 * 181 / 365, 10 * 181 / 365])
    assert told["plan_share"].tolist() == pytest.approx([150 / 181, 50 * 365 / 18100, 0.0])


def test_a_plan_without_a_period_is_of_the_last_365_days() -> None:
    told = against_plan(pd.DataFrame({"customer_id": ["anna"], "revenue_plan": [1000.0]}), LINES, AS_OF)
    assert told[["revenue_due", "revenue_done", "plan_share"]].values.tolist() == [[1000.0, 650.0, 0.65]]


def test_the_plan_of_a_period_that_ends_today_counts_and_others_do_not() -> None:
    plan = pd.DataFrame(
        {
            "customer_id": ["anna"] * 4,
            "period_start": ["2024-07-01", "2025-04-01", "2025-07-01", "2025-01-01"],
            "period_end": ["2025-04-01", "2025-07-01", "2025-10-01", "2025-03-01"],
            "revenue_plan": [1.0, 100.0, 3.0, 4.0],
        }
    )
    told = against_plan(plan, LINES, AS_OF)
    assert told[["revenue_plan", "revenue_due", "revenue_done"]].values.tolist() == [[100.0, 100.0, 50.0]]


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        ({"customer_id": ["anna"], "plan": [1.0]}, r"the plan lacks columns \['revenue_plan'\]"),
        ({"customer_id": ["anna"], "revenue_plan": ["much"]}, "holds a value that is no number or date"),
        ({"customer_id": ["anna", "anna"], "revenue_plan": [1.0, 2.0]}, "several rows in force for customer 'anna'"),
        ({"customer_id": ["anna"], "revenue_plan": [None]}, "needs a customer, money, and a period"),
        (
            {"customer_id": ["a"], "revenue_plan": [1.0], "period_start": ["2025-01-01"], "period_end": ["2024-01-01"]},
            "a period that ends after it starts",
        ),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(plan: dict[str, list[Any]], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        against_plan(pd.DataFrame(plan), LINES, AS_OF)


def test_no_plan_in_force_is_an_empty_typed_table() -> None:
    past = pd.DataFrame({"customer_id": ["anna"], "revenue_plan": [1.0], "period_start": ["2020-01-01"]})
    told = against_plan(past, LINES, AS_OF)
    assert {name: str(kind) for name, kind in told.dtypes.items()} == AGAINST_PLAN
