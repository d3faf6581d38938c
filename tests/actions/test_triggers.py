from typing import Any

import pandas as pd
import pytest

from segml import config
from segml.actions.triggers import COUNTS, LOAD, TASKS, find_tasks
from segml.schema import DataError
from task_customers import AS_OF, customers, due, tasks_of

nan = float("nan")


def after(days: float) -> pd.Timestamp:
    return AS_OF + pd.Timedelta(days=days)


def test_customers_at_ease_get_no_tasks_and_tables_keep_their_columns() -> None:
    tasks = tasks_of(recency_days=[10.0, 10.0])
    assert {name: str(kind) for name, kind in tasks.table.dtypes.items()} == TASKS
    assert {name: str(kind) for name, kind in tasks.counts.dtypes.items()} == COUNTS
    assert {name: str(kind) for name, kind in tasks.load.dtypes.items()} == LOAD
    assert len(tasks.table) == len(tasks.load) == 0
    assert tasks.counts[["found", "issued"]].sum().sum() == 0
    assert list(tasks.counts["trigger"]) == list(config.TriggersConfig.model_fields)


# AS_OF is Monday, 2026-01-05, and the quarter ahead ends on Sunday, 2026-04-05: 91 days later is Monday, 2026-04-06.
REORDERS = [
    ("five days before the order is now", after(5), 20.0, "2026-01-05"),
    ("overdue", after(-30), 20.0, "2026-01-05"),
    ("on a Sunday: the Friday before", after(11), 20.0, "2026-01-09"),
    ("on Sunday before the end of the quarter", after(95), 20.0, "2026-04-03"),
    ("in the next quarter", after(96), 20.0, None),
    ("orders once in ten days", after(20), 10.0, "2026-01-20"),
    ("orders more often than that", after(20), 9.9, None),
    ("bought on one day only: no gap of its own", after(20), nan, None),
]


@pytest.mark.parametrize(("story", "expected", "gap", "day"), REORDERS, ids=[case[0] for case in REORDERS])
def test_a_reminder_comes_five_days_before_the_expected_order(story: str, expected: Any, gap: float, day: Any) -> None:
    tasks = tasks_of(next_order_expected=[expected], gap_mean_days=[gap])
    assert due(tasks, "reorder_due") == ({} if day is None else {"c0": day})


def test_a_reminder_tells_gap_and_days_and_is_worth_a_mean_order() -> None:
    (task,) = tasks_of(next_order_expected=[after(20)], gap_shrunk_days=[30.0]).table.itertuples()
    assert task.reason == "orders every 30 days or so; last on 2025-12-26, next expected on 2026-01-25"
    assert (task.money, task.owner, task.title, task.status) == (300.0, "sales", "remind of the reorder", "issued")


def test_inactive_customers_are_not_reminded_and_the_lead_is_that_of_the_actions() -> None:
    expected = [after(10)]
    assert due(tasks_of(next_order_expected=expected, lifecycle=["inactive"]), "reorder_due") == {}
    lead = "actions.reorder_lead_days=3"
    assert due(tasks_of(lead, next_order_expected=expected), "reorder_due") == {"c0": "2026-01-12"}
    own = "tasks.triggers.reorder_due.lead_days=8"
    assert due(tasks_of(lead, own, next_order_expected=expected), "reorder_due") == {"c0": "2026-01-07"}


def test_risk_at_the_threshold_is_a_task_the_worst_money_first() -> None:
    tasks = tasks_of(p_stagnation=[0.2, 0.199, 0.9, 0.9, nan], revenue_at_risk=[500.0, 900.0, 700.0, 0.0, 0.0])
    assert list(tasks.table["customer_id"]) == ["c2", "c0"]
    assert list(tasks.table["priority"]) == [1, 2]
    assert tasks.table["reason"].iloc[1] == "stagnation 20% likely, 500 at risk: longer silence"
    assert set(due(tasks, "at_risk").values()) == {"2026-01-05"}


def test_churn_counts_where_it_is_asked_for() -> None:
    scores: dict[str, Any] = {"p_stagnation": [0.1, 0.1], "p_churn": [0.3, 0.29]}
    assert due(tasks_of(**scores), "at_risk") == {}
    assert set(due(tasks_of("tasks.triggers.at_risk.min_p_churn=0.3", **scores), "at_risk")) == {"c0"}


def test_a_contact_that_costs_more_than_it_earns_is_no_task() -> None:
    features, decisions = customers(p_stagnation=[0.5, 0.5])
    decisions["expected_profit"] = [1.0, 0.0]
    tasks = find_tasks(features, decisions, config.Config())
    assert set(due(tasks, "at_risk")) == {"c0"}


# Inactive from the 92nd day on, the second month from the 122nd (four calendar months), the third from the 153rd to the
# 184th.
WIN_BACK = [
    ("since today", 92.0, {"letter": "2026-01-05", "call": "2026-02-04", "last offer": "2026-03-09"}),
    ("ten days: the letter at once", 102.0, {"letter": "2026-01-05", "call": "2026-01-26", "last offer": "2026-02-25"}),
    ("a day short of a month", 121.0, {"letter": "2026-01-05", "call": "2026-01-06", "last offer": "2026-02-06"}),
    ("the second month begins later today", 121.9, {"call": "2026-01-05", "last offer": "2026-02-05"}),
    ("a month to the day", 122.0, {"call": "2026-01-05", "last offer": "2026-02-05"}),
    ("in the last month", 182.9, {"last offer": "2026-01-05"}),
    ("behind us by the evening", 183.9, {}),
    ("behind us", 184.0, {}),
]


@pytest.mark.parametrize(("story", "silence", "steps"), WIN_BACK, ids=[case[0] for case in WIN_BACK])
def test_steps_to_win_back_follow_the_day_of_inactivity(story: str, silence: float, steps: dict[str, str]) -> None:
    tasks = tasks_of(recency_days=[silence], lifecycle=["inactive"])
    assert due(tasks, "win_back") == {f"c0 {step}": day for step, day in steps.items()}


def test_a_weekly_run_issues_the_steps_of_its_week_only() -> None:
    tasks = tasks_of("tasks.ahead_days=7", recency_days=[102.0], lifecycle=["inactive"])
    assert due(tasks, "win_back") == {"c0 letter": "2026-01-05"}
    assert tasks.table["reason"].tolist() == [
        "inactive: last purchase on 2025-09-25; month 1 past the threshold: letter"
    ]


def test_growth_of_thirty_percent_is_worth_better_terms() -> None:
    tasks = tasks_of(revenue_90d_to_run_rate=[1.3, 1.299, nan, 2.0], lifecycle=["active", "active", "active", "new"])
    assert due(tasks, "upgrade") == {"c0": "2026-01-12"}
    assert tasks.table["money"].tolist() == [pytest.approx(0.3 * 10 * 90)]
    assert tasks.table["reason"].tolist() == ["bought 30% more in the last 90 days than usual: 270 more"]


# The first purchase was on a Sunday, 2026-01-04, a day ago.
def test_onboarding_follows_the_first_purchase_inside_the_window() -> None:
    tasks = tasks_of(tenure_days=[1.0], lifecycle=["new"])
    days = {"1": "2026-01-05", "3": "2026-01-07", "7": "2026-01-12", "30": "2026-02-03", "90": "2026-04-06"}
    assert due(tasks, "onboarding") == {f"c0 day {day}": date for day, date in days.items()}
    assert set(tasks.table["status"]) == {"issued"}


def test_onboarding_leaves_out_days_before_and_after_the_window() -> None:
    weekly = tasks_of("tasks.ahead_days=7", tenure_days=[2.0, 0.5, 24.0], lifecycle=["new"] * 3)
    assert due(weekly, "onboarding") == {
        "c0 day 3": "2026-01-06",
        "c0 day 7": "2026-01-12",  # a Saturday, moved to the Monday after
        "c1 day 1": "2026-01-05",
        "c1 day 3": "2026-01-07",
        "c1 day 7": "2026-01-12",  # a Sunday
        "c2 day 30": "2026-01-12",
    }
    assert weekly.table["reason"].tolist()[-1].startswith("day ")


RENEWALS = [
    ("in sixty days", 60.0, "2026-01-05"),
    ("tomorrow", 1.0, "2026-01-05"),
    ("in the last days of the window, on a Sunday", 150.0, "2026-04-03"),
    ("in the next window", 151.0, None),
    ("no contract", nan, None),
]


@pytest.mark.parametrize(("story", "days", "day"), RENEWALS, ids=[case[0] for case in RENEWALS])
def test_a_renewal_is_a_task_sixty_days_before(story: str, days: float, day: Any) -> None:
    assert due(tasks_of(days_to_renewal=[days]), "renewal") == ({} if day is None else {"c0": day})


def test_a_renewal_tells_the_band_of_health() -> None:
    features, decisions = customers(days_to_renewal=[10.0] * 4)
    decisions["health"] = ["low", "medium", "high", "not enough data"]
    tasks = find_tasks(features, decisions, config.Config()).table.set_index("customer_id")["reason"]
    assert tasks["c0"] == "the contract renews on 2026-01-15; health is low: mend what is wrong before the offer"
    assert [text.split(";")[1] for text in tasks] == [
        " health is low: mend what is wrong before the offer",
        " health is medium: ask what is missing",
        " health is high: offer to extend it",
        " health is unknown",
    ]


def test_the_first_meeting_is_prepared_at_once_and_the_next_ones_follow_a_quarter_apart() -> None:
    first = tasks_of(tier=["key", "standard"])
    assert due(first, "key_account_care") == {"c0": "2026-01-05"}
    assert first.table["reason"].tolist() == ["prepare the regular meeting in 14 days; none is known so far"]
    later: dict[str, Any] = {"as_of": [AS_OF + pd.Timedelta(days=84)], "tier": ["key"]}
    second = tasks_of(history=first.table, **later)
    assert due(second, "key_account_care") == {"c0": "2026-04-06"}
    words = "prepare the regular meeting in 14 days; the last one was due on 2026-01-19"
    assert second.table["reason"].tolist() == [words]
    none = tasks_of("tasks.ahead_days=7", history=first.table, **later)
    assert due(none, "key_account_care") == {}


def offers(*rows: tuple[str, str, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "item", "expected_money"])
    return table.assign(reason="bought with glue by 12 of 30")


def test_the_offer_of_the_most_money_is_made() -> None:
    given = offers(("c0", "tape", 50.0), ("c0", "foam", 70.0), ("c1", "tape", 20.0), ("stranger", "tape", 99.0))
    tasks = tasks_of(cross_sell=given, recency_days=[10.0, 10.0])
    assert due(tasks, "cross_sell") == {"c0 foam": "2026-01-19", "c1 tape": "2026-01-19"}
    assert tasks.table["reason"].tolist()[0] == "offer foam: bought with glue by 12 of 30"
    assert tasks.table["title"].tolist()[0] == "cross-sell: foam"
    both = tasks_of("tasks.triggers.cross_sell.per_customer=2", cross_sell=given, recency_days=[10.0, 10.0])
    assert len(both.table) == 3
    dear = tasks_of("tasks.triggers.cross_sell.min_money=70", cross_sell=given, recency_days=[10.0, 10.0])
    assert set(due(dear, "cross_sell")) == {"c0 foam"}


def test_when_the_best_offer_was_made_lately_the_next_one_follows() -> None:
    given = offers(("c0", "tape", 50.0), ("c0", "foam", 70.0))
    first = tasks_of(cross_sell=given, recency_days=[10.0])
    later = tasks_of(cross_sell=given, as_of=[AS_OF + pd.Timedelta(days=91)], history=first.table)
    status = later.table.set_index("subject")["status"].to_dict()
    assert status == {"foam": "cooling down", "tape": "issued"}


def test_offers_are_checked() -> None:
    with pytest.raises(DataError, match="recommendations name 'tape' twice for customer 'c0'"):
        tasks_of(cross_sell=offers(("c0", "tape", 1.0), ("c0", "tape", 2.0)), recency_days=[10.0])
    with pytest.raises(DataError, match=r"recommendations lack columns \['reason'\]"):
        tasks_of(cross_sell=offers().drop(columns="reason"), recency_days=[10.0])


OWN = (
    "tasks.own.visit={kind: custom, where: \"tier == 'key' and recency_days > 5\", amount: order_value_mean, text: go}"
)


def test_a_rule_of_ones_own_finds_whom_it_is_true_for() -> None:
    off = "tasks.triggers.key_account_care.is_on=false"
    tasks = tasks_of(OWN, off, tier=["key", "key", "small", None], recency_days=[6.0, 5.0, 6.0, 6.0])
    (task,) = tasks.table.itertuples()
    assert (task.customer_id, task.trigger, task.title, task.reason, task.money) == (
        "c0",
        "visit",
        "visit",
        "go",
        300.0,
    )
    assert "key_account_care" not in set(tasks.counts["trigger"])


def test_a_rule_on_unknown_columns_names_the_nearest() -> None:
    with pytest.raises(DataError, match="no column is named 'teir'; did you mean 'tier'"):
        tasks_of(OWN.replace("tier", "teir"), tier=["key"])
    with pytest.raises(
        DataError, match="amount 'order_value' is no column of numbers; did you mean 'order_value_mean'"
    ):
        tasks_of(OWN.replace("order_value_mean", "order_value"), tier=["key"])


def test_a_second_row_of_a_built_in_kind_has_a_segment_of_its_own() -> None:
    early = "tasks.own.early={kind: reorder_due, where: \"tier == 'key'\", lead_days: 15, owner: key account manager}"
    tasks = tasks_of(early, next_order_expected=[after(30), after(30)], tier=["key", "standard"])
    assert due(tasks, "early") == {"c0": "2026-01-20"}
    assert set(due(tasks, "reorder_due")) == {"c0", "c1"}


def test_reasons_and_titles_speak_the_language_of_the_report() -> None:
    task = tasks_of("report.language=ru", next_order_expected=[after(20)]).table.iloc[0]
    assert task["title"] == "напомнить о заказе"
    assert task["reason"].startswith("заказывает примерно раз в 200 дн.")
    step = tasks_of("report.language=ru", recency_days=[92.0], lifecycle=["inactive"]).table.iloc[0]
    assert (step["title"], step["subject"]) == ("вернуть: письмо", "letter")


def test_bad_tables_are_explained() -> None:
    features, decisions = customers(recency_days=[1.0, 1.0])
    with pytest.raises(DataError, match=r"lack columns \['gap_mean_days'\]"):
        find_tasks(features.drop(columns="gap_mean_days"), decisions, config.Config())
    with pytest.raises(DataError, match="decisions must hold one row a customer; 'c0' comes more than once"):
        find_tasks(features, decisions.assign(customer_id="c0"), config.Config())
    with pytest.raises(DataError, match="features tell of 1 customers, decisions of 2; 1 agree"):
        find_tasks(features.iloc[:1], decisions, config.Config())
    with pytest.raises(DataError, match=r"earlier tasks lack columns \['task_id'"):
        find_tasks(features, decisions, config.Config(), history=pd.DataFrame({"x": [1]}))
