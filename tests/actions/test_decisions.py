from typing import Any

import pandas as pd
import pytest

from segml.actions import CALLS, DECISIONS, INTERVAL, assemble
from segml.config import ActionsConfig
from segml.schema import ConfigError
from segml.schemes import Lifecycle

AS_OF = pd.Timestamp("2026-01-01")
HORIZON = 90

# customer, lifecycle, tier, recency, gap, run rate a day, 90 days to run rate, p_churn, p_stagnation -> action
TRUTH = [
    ("a-new", "new", "small", 10.0, 30.0, 5.0, 2.0, None, None, "onboard"),
    ("b-just-inactive", "inactive", "key", 93.0, 30.0, 5.0, 0.0, None, None, "win back: letter"),
    ("c-second-month", "inactive", "small", 122.0, 30.0, 5.0, 0.0, None, None, "win back: call"),
    ("d-third-month", "inactive", "small", 160.0, 30.0, 5.0, 0.0, None, None, "win back: last offer"),
    ("e-long-gone", "inactive", "small", 400.0, 30.0, 0.0, 0.0, None, None, "no action"),
    ("f-large-at-risk", "active", "key", 40.0, 30.0, 100.0, 0.5, 0.30, 0.60, "call: revenue at risk"),
    ("g-small-at-risk", "stagnating", "small", 40.0, 30.0, 1.0, 0.5, 0.30, 0.35, "write: at risk"),
    ("h-growing", "active", "growing", 25.0, 30.0, 10.0, 1.3, 0.05, 0.10, "offer better terms"),
    ("i-due-in-5-days", "active", "standard", 25.0, 30.0, 10.0, 1.29, 0.05, 0.10, "reorder reminder"),
    ("j-overdue", "active", "standard", 50.0, 30.0, 10.0, 1.0, 0.05, 0.10, "reorder reminder"),
    ("k-key-at-ease", "active", "key", 24.0, 30.0, 10.0, 1.0, 0.05, 0.10, "key account meeting"),
    ("l-at-ease", "active", "standard", 24.0, 30.0, 10.0, 1.0, 0.05, 0.10, "keep contact"),
    ("m-returns-outweigh", "active", "small", 24.0, None, -1.0, None, 0.50, 0.90, "write: at risk"),
]
COLUMNS = ["customer_id", "lifecycle", "tier", "recency_days", "gap_shrunk_days", "run_rate_daily"]
COLUMNS += ["revenue_90d_to_run_rate", "p_churn", "p_stagnation", "action"]
NUMBERS = ["recency_days", "gap_shrunk_days", "run_rate_daily", "revenue_90d_to_run_rate", "p_churn", "p_stagnation"]


@pytest.fixture
def truth() -> pd.DataFrame:
    return pd.DataFrame(TRUTH, columns=COLUMNS).astype(dict.fromkeys(NUMBERS, "float64"))


@pytest.fixture
def parts(truth: pd.DataFrame) -> dict[str, pd.DataFrame]:
    features = truth[["customer_id", "recency_days", "gap_shrunk_days", "run_rate_daily", "revenue_90d_to_run_rate"]]
    features = features.assign(gap_mean_days=features["gap_shrunk_days"], gap_cv=0.5, purchase_day_count=9.0)
    labels = truth[["customer_id", "lifecycle", "tier"]].assign(
        rfm_cell="555", rfm_segment="champions", abc="A", xyz="X", cluster=1, cluster_name="frequent, large"
    )
    risk = truth[["customer_id", "p_churn", "p_stagnation"]].assign(risk_band="medium", reasons="longer silence")
    return {"features": features.assign(as_of=AS_OF), "labels": labels, "risk": risk}


def decide(parts: dict[str, pd.DataFrame], **changes: Any) -> pd.DataFrame:
    config = ActionsConfig(**changes)
    return assemble(**parts, horizon_days=HORIZON, config=config, lifecycle=Lifecycle())


def test_the_first_rule_that_applies_is_the_action(parts: dict[str, pd.DataFrame], truth: pd.DataFrame) -> None:
    decisions = decide(parts)
    assert dict(zip(decisions["customer_id"], decisions["action"], strict=True)) == dict(
        zip(truth["customer_id"], truth["action"], strict=True)
    )


def test_columns_types_and_order_are_as_promised(parts: dict[str, pd.DataFrame]) -> None:
    decisions = decide(parts)
    interval = dict.fromkeys(INTERVAL, "datetime64[us]")
    assert {name: str(kind) for name, kind in decisions.dtypes.items()} == {**DECISIONS, **interval}
    assert list(decisions.columns) == [*DECISIONS, *INTERVAL]
    assert decisions["customer_id"].is_monotonic_increasing


def test_run_rate_is_money_a_horizon_and_risk_a_share_of_it(parts: dict[str, pd.DataFrame]) -> None:
    decisions = decide(parts).set_index("customer_id")
    assert decisions.loc["f-large-at-risk", "run_rate"] == pytest.approx(9000)
    assert decisions.loc["f-large-at-risk", "revenue_at_risk"] == pytest.approx(5400)
    assert decisions.loc["a-new", "revenue_at_risk"] == 0.0


def test_a_negative_run_rate_puts_nothing_at_risk(parts: dict[str, pd.DataFrame]) -> None:
    assert decide(parts).set_index("customer_id").loc["m-returns-outweigh", "revenue_at_risk"] == 0.0


def test_the_next_order_follows_the_last_purchase_by_the_usual_gap(parts: dict[str, pd.DataFrame]) -> None:
    expected = decide(parts).set_index("customer_id")["next_order_expected"]
    assert expected["i-due-in-5-days"] == pd.Timestamp("2026-01-06")
    assert expected["j-overdue"] == pd.Timestamp("2025-12-12")  # a past day means overdue
    assert expected["m-returns-outweigh"] == AS_OF + pd.Timedelta(days=HORIZON)  # no gap is known


def test_a_fraction_of_a_second_does_not_move_the_next_order_to_another_day(parts: dict[str, pd.DataFrame]) -> None:
    assert 4.1 - 3.1 < 1
    features = parts["features"].assign(recency_days=3.1, gap_shrunk_days=4.1)
    expected = decide({**parts, "features": features})["next_order_expected"]
    assert set(expected) == {AS_OF + pd.Timedelta(days=1)}


def test_the_interval_of_the_next_order_lies_ahead_and_inactive_customers_have_none(
    parts: dict[str, pd.DataFrame],
) -> None:
    decisions = decide(parts).set_index("customer_id")
    is_inactive = decisions["lifecycle"] == "inactive"
    assert decisions.loc[is_inactive, list(INTERVAL)].isna().all(axis=None)
    ahead = decisions[~is_inactive]
    assert (ahead["next_order_from"] >= AS_OF).all()
    assert (ahead["next_order_from"] < ahead["next_order_to"]).all()
    due = ahead[ahead.index == "i-due-in-5-days"]
    assert (due["next_order_from"] <= due["next_order_expected"]).all()


def test_money_at_risk_is_margin_where_that_is_asked_for(parts: dict[str, pd.DataFrame]) -> None:
    margins = parts["features"].assign(margin_365d=float("nan"), margin_share_365d=float("nan"))
    margins.loc[5, ["margin_365d", "margin_share_365d"]] = [250.0, 0.25]
    decisions = decide({**parts, "features": margins}, value="margin").set_index("customer_id")
    assert decisions.loc["f-large-at-risk", "revenue_at_risk"] == pytest.approx(5400 * 0.25)
    # Others' margins are unknown: the base's is taken.
    assert decisions.loc["g-small-at-risk", "revenue_at_risk"] == pytest.approx(0.35 * 90 * 0.25)
    assert decisions.loc["f-large-at-risk", "run_rate"] == pytest.approx(9000)


def test_margin_without_any_margin_is_refused_and_a_rate_mends_it(parts: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(ConfigError, match=r"actions\.value is 'margin', but the data tell no margin.*margin_rate"):
        decide(parts, value="margin")
    mended = decide(parts, value="margin", margin_rate=0.4).set_index("customer_id")
    assert mended.loc["f-large-at-risk", "revenue_at_risk"] == pytest.approx(5400 * 0.4)


def test_expected_profit_is_what_a_contact_saves_less_its_cost(parts: dict[str, pd.DataFrame]) -> None:
    decisions = decide(parts, contact_cost=100.0, success_rate=0.2, margin_rate=0.5, call_list_share=1.0)
    profit = decisions.set_index("customer_id")["expected_profit"]
    assert profit["f-large-at-risk"] == pytest.approx(0.2 * 5400 * 0.5 - 100)
    assert profit["m-returns-outweigh"] == -100
    assert profit.isna().sum() == 5  # labelled by rule, not scored
    called = decisions[decisions["action"] == "call: revenue at risk"]
    assert list(called["customer_id"]) == ["f-large-at-risk"]


def test_calls_follow_where_the_risk_tells_them_and_are_null_where_not_scored(parts: dict[str, pd.DataFrame]) -> None:
    called = parts["risk"].assign(churn_call="safe", stagnation_call="uncertain")
    decisions = decide({**parts, "risk": called.iloc[1:]})
    assert list(decisions.columns[len(DECISIONS) :][:4]) == [*INTERVAL, *CALLS]
    told = decisions["customer_id"].isin(called["customer_id"].iloc[1:])
    assert set(decisions.loc[told, "stagnation_call"]) == {"uncertain"}
    assert decisions.loc[~told, list(CALLS)].isna().all(axis=None)
    assert not set(CALLS) & set(decide(parts).columns)


def test_a_customer_that_is_missing_from_risk_is_not_scored(parts: dict[str, pd.DataFrame]) -> None:
    decisions = decide({**parts, "risk": parts["risk"].iloc[:0]})
    assert decisions[["p_churn", "p_stagnation"]].isna().all(axis=None)
    assert set(decisions["risk_band"]) == {"not scored"}
    assert set(decisions["revenue_at_risk"]) == {0.0}
    assert decisions.set_index("customer_id").loc["a-new", "reasons"] == "not scored: new"


def test_the_reason_why_a_rule_labels_a_customer_is_kept(parts: dict[str, pd.DataFrame]) -> None:
    decisions = decide(parts).set_index("customer_id")
    assert decisions.loc["a-new", "reasons"] == "longer silence"
    assert decisions.loc["a-new", "risk_band"] == "not scored"
    assert decisions.loc["f-large-at-risk", "risk_band"] == "medium"


def test_further_schemes_follow_at_the_end(parts: dict[str, pd.DataFrame]) -> None:
    labels = parts["labels"].assign(needs="tape", size="micro")
    assert list(decide({**parts, "labels": labels}).columns) == [*DECISIONS, *INTERVAL, "needs", "size"]


def test_each_threshold_moves_its_action(parts: dict[str, pd.DataFrame]) -> None:
    def count(action: str, **changes: Any) -> int:
        return int((decide(parts, **changes)["action"] == action).sum())

    assert count("call: revenue at risk", call_list_share=1.0) == 2
    assert count("call: revenue at risk", call_list_share=1.0, min_p_stagnation=0.05) == 7
    assert count("call: revenue at risk", call_list_share=0.0) == 0
    assert count("write: at risk", write_min_p_stagnation=0.05) == 7
    assert count("reorder reminder", reorder_lead_days=6) == 4
    assert count("offer better terms", upgrade_growth=0.29) == 2
    assert count("win back: call", win_back_steps=("call",)) == 1
    assert count("no action", win_back_steps=()) == 4


def test_inputs_stay_unchanged_and_row_order_is_irrelevant(parts: dict[str, pd.DataFrame]) -> None:
    copies = {name: table.copy() for name, table in parts.items()}
    shuffled = {name: table.sample(frac=1, random_state=seed) for seed, (name, table) in enumerate(parts.items())}
    pd.testing.assert_frame_equal(decide(shuffled), decide(parts))
    for name, table in parts.items():
        pd.testing.assert_frame_equal(table, copies[name])


def test_a_missing_value_elsewhere_is_refused(parts: dict[str, pd.DataFrame]) -> None:
    labels = parts["labels"].assign(tier=parts["labels"]["tier"].mask(parts["labels"].index == 3))
    with pytest.raises(ValueError, match=r"decisions lack values in tier \(1\); only p_churn and p_stagnation"):
        decide({**parts, "labels": labels})


def test_a_scored_customer_without_reasons_is_refused(parts: dict[str, pd.DataFrame]) -> None:
    risk = parts["risk"].assign(reasons=None)
    with pytest.raises(ValueError, match=r"decisions lack values in reasons \(8\)"):
        decide({**parts, "risk": risk})


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("labels", lambda t: t.drop(columns="abc"), r"labels lack columns \['abc'\]"),
        (
            "features",
            lambda t: pd.concat([t, t.tail(1)]),
            "one row a customer; 'm-returns-outweigh' comes more than once",
        ),
        ("labels", lambda t: t.iloc[1:], "differ in 1 customers, such as 'a-new'"),
        (
            "risk",
            lambda t: t.replace({"customer_id": {"a-new": "stranger"}}),
            "differ in 1 customers, such as 'stranger'",
        ),
        ("features", lambda t: t.assign(as_of=pd.date_range("2026-01-01", periods=len(t))), "one as-of date; found 13"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(
    parts: dict[str, pd.DataFrame], table: str, change: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        decide({**parts, table: change(parts[table])})
