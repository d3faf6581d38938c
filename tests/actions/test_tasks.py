from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segml import config
from segml.actions.triggers import COOLING_DOWN, ISSUED, OVER_CAPACITY, Tasks, find_tasks
from segml.actions.triggers.placing import monday
from segml.schema import ConfigError
from task_customers import AS_OF, customers, due, tasks_of


def at_risk(money: Sequence[float], *overrides: str, **more: Any) -> Tasks:
    """Return the tasks of customers of whom one each has so much at risk."""
    return tasks_of(*overrides, revenue_at_risk=list(money), p_stagnation=[0.5] * len(money), **more)


def later(days: int, money: Sequence[float], history: pd.DataFrame, *overrides: str) -> Tasks:
    return at_risk(money, *overrides, history=history, as_of=[AS_OF + pd.Timedelta(days=days)] * len(money))


# Cool-down


@pytest.mark.parametrize(("days", "status"), [(1, COOLING_DOWN), (59, COOLING_DOWN), (60, ISSUED), (61, ISSUED)])
def test_a_task_comes_back_when_its_cool_down_is_over(days: int, status: str) -> None:
    # 60 days after a Monday is a Friday; the task is due on working days, so the 61st becomes the Monday after.
    first = at_risk([100.0])
    second = later(days, [100.0], first.table)
    assert second.table["status"].tolist() == [status]
    held = "last due on 2026-01-05; again after 60 days" if status == COOLING_DOWN else ""
    assert second.table["held_back"].tolist() == [held]


def test_a_run_of_the_same_date_gives_the_same_tasks_whatever_came_after() -> None:
    first = at_risk([100.0, 50.0])
    again = at_risk([100.0, 50.0], history=first.table)
    pd.testing.assert_frame_equal(again.table, first.table)
    after = later(91, [100.0, 50.0], first.table)
    everything = pd.concat([first.table, after.table])
    pd.testing.assert_frame_equal(at_risk([100.0, 50.0], history=everything).table, first.table)
    pd.testing.assert_frame_equal(later(91, [100.0, 50.0], everything).table, after.table)


def test_tasks_that_were_held_back_before_hold_nothing_back() -> None:
    one = "tasks.owners.sales=1", "tasks.triggers.at_risk.wait_days=0"
    first = at_risk([100.0, 50.0], *one)
    assert first.table["status"].tolist() == [ISSUED, OVER_CAPACITY]
    assert first.table["held_back"].tolist() == ["", "no time left with sales, or tasks enough with the customer"]
    second = later(7, [100.0, 50.0], first.table, *one)
    assert second.table["status"].tolist() == [COOLING_DOWN, ISSUED]


def test_steps_of_a_chain_do_not_hold_each_other_back_and_none_comes_twice() -> None:
    weekly = "tasks.ahead_days=7"
    history, told = pd.DataFrame(), list[tuple[str, str]]()
    for week in range(16):
        silence, as_of = 92.0 + 7 * week, AS_OF + pd.Timedelta(days=7 * week)
        tasks = tasks_of(weekly, recency_days=[silence], lifecycle=["inactive"], as_of=[as_of], history=history)
        told += zip(tasks.issued["subject"], tasks.issued["due_on"].dt.strftime("%Y-%m-%d"), strict=True)
        history = pd.concat([history, tasks.table])
    assert told == [("letter", "2026-01-05"), ("call", "2026-02-05"), ("last offer", "2026-03-05")]
    assert history["task_id"].nunique() == 3


def test_daily_runs_make_each_step_of_onboarding_once() -> None:
    history, told = pd.DataFrame(), list[str]()
    for day in (*range(9), 27, 28, 29, 30):
        as_of = [AS_OF + pd.Timedelta(days=day)]
        new: dict[str, Any] = {"tenure_days": [1.0 + day], "recency_days": [1.0], "lifecycle": ["new"], "as_of": as_of}
        tasks = tasks_of("tasks.ahead_days=1", history=history, **new)
        told += tasks.issued["subject"].tolist()
        history = pd.concat([history, tasks.table])
    assert told == ["day 1", "day 3", "day 7", "day 30"]


def test_one_order_is_reminded_of_once_and_the_next_one_again() -> None:
    def run(day: int, expected: str, silence: float, history: pd.DataFrame) -> Tasks:
        as_of = AS_OF + pd.Timedelta(days=day)
        known: Any = {"as_of": [as_of], "recency_days": [silence], "next_order_expected": [pd.Timestamp(expected)]}
        return tasks_of("tasks.ahead_days=7", history=history, **known)

    first = run(0, "2026-01-10", 15.0, pd.DataFrame())
    again = run(21, "2026-01-10", 36.0, first.table)  # the cool-down of 14 days is over, the order has not come
    bought = run(21, "2026-02-03", 4.0, first.table)
    assert due(first, "reorder_due") == {"c0": "2026-01-05"}
    assert (again.table["status"].tolist(), again.table["held_back"].tolist()) == ([COOLING_DOWN], ["issued before"])
    assert bought.table["status"].tolist() == [ISSUED]


# Capacity


def test_the_lesser_money_waits_for_later_weeks() -> None:
    tasks = at_risk([10.0, 40.0, 30.0, 20.0, 5.0], "tasks.owners.sales=2", "tasks.triggers.at_risk.wait_days=7")
    days = dict(zip(tasks.table["customer_id"], tasks.table["due_on"].dt.strftime("%m-%d"), strict=True))
    assert days == {"c1": "01-05", "c2": "01-05", "c3": "01-12", "c0": "01-12", "c4": "01-05"}
    assert tasks.table["status"].tolist() == [ISSUED] * 4 + [OVER_CAPACITY]
    assert tasks.load[["contacts", "tasks", "capacity"]].to_numpy().tolist() == [[2, 2, 2], [2, 2, 2]]


def test_nothing_waits_beyond_the_window() -> None:
    one = ("tasks.owners.sales=1", "tasks.ahead_days=7")
    assert at_risk([2.0, 1.0], *one).table["status"].tolist() == [ISSUED, OVER_CAPACITY]
    assert at_risk([2.0, 1.0], one[0], "tasks.ahead_days=8").table["status"].tolist() == [ISSUED, ISSUED]


def test_tasks_of_one_customer_in_one_week_are_one_contact_of_two_tasks_at_most() -> None:
    busy: dict[str, Any] = {
        "p_stagnation": [0.5],
        "revenue_at_risk": [500.0],
        "next_order_expected": [AS_OF],
        "revenue_90d_to_run_rate": [1.4],
        "tier": ["key"],
        "tenure_days": [6.0],
    }
    offer = pd.DataFrame({"customer_id": ["c0"], "item": ["foam"], "expected_money": [70.0], "reason": ["with glue"]})
    soon = "tasks.triggers.upgrade.due_in_days=0", "tasks.triggers.cross_sell.due_in_days=0"
    tasks = tasks_of(*soon, "tasks.owners.sales=1", cross_sell=offer, **busy)
    sales = tasks.table[tasks.table["owner"] == "sales"]
    days = dict(zip(sales["trigger"], sales["due_on"].dt.strftime("%m-%d"), strict=True))
    assert days == {"at_risk": "01-05", "upgrade": "01-05", "reorder_due": "01-05", "cross_sell": "01-12"}
    status = dict(zip(sales["trigger"], sales["status"], strict=True))
    assert status == dict.fromkeys(("at_risk", "upgrade", "cross_sell"), ISSUED) | {"reorder_due": OVER_CAPACITY}
    assert due(tasks, "key_account_care") == {"c0": "2026-01-05"}  # another owner
    assert tasks.load[tasks.load["owner"] == "sales"]["contacts"].tolist() == [1, 1]


def test_contacts_of_earlier_runs_take_up_the_week() -> None:
    one, weekly = "tasks.owners.sales=1", "tasks.ahead_days=3"
    first = at_risk([100.0], one, weekly)
    other: dict[str, Any] = {"customer_id": ["other"], "revenue_at_risk": [50.0], "p_stagnation": [0.5]}
    same_week = tasks_of(one, weekly, **other, as_of=[AS_OF + pd.Timedelta(days=2)], history=first.table)
    next_week = tasks_of(one, weekly, **other, as_of=[AS_OF + pd.Timedelta(days=7)], history=first.table)
    assert same_week.table["status"].tolist() == [OVER_CAPACITY]
    assert next_week.table["status"].tolist() == [ISSUED]


def test_a_customer_has_an_owner_of_its_own_where_a_column_tells_one() -> None:
    features, decisions = customers(p_stagnation=[0.5, 0.5], manager=["Anna", None])
    given = config.load(None, ["tasks.owner_column=manager", "tasks.owners.Anna=3", "tasks.capacity=2"])
    owners = find_tasks(features, decisions, given).table.set_index("customer_id")["owner"].to_dict()
    assert owners == {"c0": "Anna", "c1": "sales"}
    assert given.tasks.capacity_of("Anna") == 3
    assert given.tasks.capacity_of("Boris") == 2
    assert given.tasks.capacity_of("marketing") == float("inf")


# Always


def world(seed: int, size: int) -> dict[str, Any]:
    """Return random customers of every kind."""
    rng = np.random.default_rng(seed)
    soon = pd.to_timedelta(rng.integers(-60, 120, size), unit="D")
    return {
        "customer_id": [f"k{number:03}" for number in range(size)],
        "recency_days": rng.integers(0, 250, size).astype(float),
        "tenure_days": rng.integers(250, 900, size).astype(float) * rng.choice([0.01, 1.0], size),
        "gap_mean_days": rng.choice([5.0, 20.0, np.nan], size),
        "revenue_90d_to_run_rate": rng.choice([0.5, 1.0, 1.4, np.nan], size),
        "days_to_renewal": rng.choice([5.0, 100.0, 300.0, np.nan], size),
        "lifecycle": rng.choice(["new", "active", "stagnating", "inactive"], size),
        "tier": rng.choice(["key", "growing", "standard", "small"], size),
        "p_stagnation": rng.choice([0.1, 0.3, 0.9, np.nan], size),
        "revenue_at_risk": rng.choice([0.0, 100.0, 250.0], size),
        "run_rate": rng.choice([-50.0, 0.0, 700.0, 800.0], size),
        "next_order_expected": AS_OF + soon,
    }


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 6), st.integers(1, 3))
def test_invariants_of_two_runs(seed: int, size: int, capacity: int, per_contact: int) -> None:
    overrides = [f"tasks.owners.{name}={capacity}" for name in ("sales", "customer success", "key account manager")]
    given_ = config.load(None, [*overrides, f"tasks.per_contact={per_contact}"])
    table = customers(**world(seed, size))
    kept = [one.copy() for one in table]
    first = find_tasks(*table, given_)
    for one, copy in zip(table, kept, strict=True):
        pd.testing.assert_frame_equal(one, copy)
    features, decisions = (one.sample(frac=1, random_state=seed) for one in table)
    again = find_tasks(features, decisions, given_, history=first.table.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(again.table, first.table)
    moment = [AS_OF + pd.Timedelta(days=30)] * size
    second = find_tasks(*customers(**world(seed, size), as_of=moment), given_, history=first.table)
    for run in (first, second):
        _check_one_run(run, capacity, per_contact)
    _check_both(pd.concat([first.issued, second.issued]), given_, capacity, per_contact)


def _check_one_run(run: Tasks, capacity: int, per_contact: int) -> None:
    table, counts = run.table, run.counts
    assert (counts["found"] == counts["issued"] + counts["cooling_down"] + counts["over_capacity"]).all()
    assert counts["found"].sum() == len(table)
    assert counts["money_found"].sum() == pytest.approx(table["money"].sum())
    assert table["task_id"].is_unique
    assert table["money"].is_monotonic_decreasing
    assert (table["money"] >= 0).all()
    assert (table["due_on"].dt.day_of_week < 5).all()
    assert (table["due_on"] >= table["issued_on"]).all()
    assert (table["held_back"] == "").equals(table["status"] == ISSUED)
    assert (run.load["contacts"] <= run.load["capacity"]).all()


def _check_both(issued: pd.DataFrame, given_: config.Config, capacity: int, per_contact: int) -> None:
    assert issued["task_id"].is_unique
    cool_down = {name: trigger.cool_down_days for name, trigger in given_.tasks.rows()}
    for (trigger, *_), days in issued.groupby(["trigger", "customer_id", "subject"])["due_on"]:
        gaps = days.sort_values().diff().dt.days.dropna()
        assert (gaps >= cool_down[str(trigger)]).all()
    numbers = issued["due_on"].to_numpy().astype("datetime64[D]").astype(int)
    weeks = issued.assign(week=[monday(day) for day in numbers.tolist()])
    assert (weeks.groupby(["owner", "customer_id", "week"]).size() <= per_contact).all()
    assert (weeks.groupby(["owner", "week"])["customer_id"].nunique() <= capacity).all()


# The configuration


def test_one_field_of_one_row_is_set_and_the_rest_stays() -> None:
    tasks = config.load(None, ["tasks.triggers.onboarding.days=[2]", "tasks.owners.key account manager=15"]).tasks
    assert tasks.triggers.onboarding.days == (2,)
    assert tasks.triggers.onboarding.owner == "customer success"
    assert tasks.owners == {**config.TasksConfig().owners, "key account manager": 15}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tasks.triggers.reorder_due.lead_day=3", r"reorder_due\.lead_day: unknown key; did you mean 'lead_days'\?"),
        ("tasks.triggers.reorder=3", r"tasks\.triggers\.reorder: unknown key; did you mean 'reorder_due'\?"),
        ("tasks.own.vip={kind: custm}", r"tasks\.own\.vip\.kind: there is no kind 'custm'; did you mean 'custom'\?"),
        ("tasks.own.vip={text: go}", r"tasks\.own\.vip: lacks the key 'kind'"),
        ("tasks.own.vip={kind: upgrade, grwth: 1}", r"own\.vip\.grwth: unknown key; did you mean 'growth'\?"),
        ("tasks.own.vip={kind: upgrade, growth: -1}", r"own\.vip\.growth: this should be greater than or equal to 0"),
        ("tasks.own.upgrade={kind: upgrade}", "own names 'upgrade', which is built in"),
        ("tasks.triggers.upgrade.owner=sale", "upgrade: 'sale' is not among the owners; did you mean 'sales'"),
        ("tasks.triggers.upgrade.where=tier = 1", r"upgrade\.where: cannot read 'tier = 1'"),
        ("tasks.owners.sales=0", r"tasks\.owners\.sales.*greater than or equal to 1"),
    ],
)
def test_a_bad_value_is_explained(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.load(None, [override])
