"""New, returned, lost, gone: by hand, and whatever the stages."""

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segml.language import speaking
from segml.monitor import GROUPS, base_changes, base_told
from segml.schema import DataError

THEN = pd.DataFrame(
    {
        "customer_id": ["on", "lost", "back", "asleep", "merged", "merged asleep", "blank"],
        "lifecycle": ["active", "stagnating", "inactive", "inactive", "new", "inactive", None],
        "revenue_365d": [100.0, 30.0, 4.0, 2.0, 50.0, 1.0, 8.0],
    }
)
NOW = pd.DataFrame(
    {
        "customer_id": ["on", "lost", "back", "asleep", "fresh", "late card", "blank"],
        "lifecycle": ["stagnating", "inactive", "active", "inactive", "new", "inactive", "active"],
        "revenue_365d": [90.0, 20.0, 25.0, 0.0, 60.0, 3.0, 8.0],
    }
)


def test_each_customer_is_in_the_group_of_what_it_was_and_is() -> None:
    groups = base_changes(THEN, NOW).customers.set_index("customer_id")["group"].to_dict()
    assert groups == {
        "on": "buying on",
        "blank": "buying on",
        "lost": "lost",
        "back": "returned",
        "asleep": "inactive still",
        "fresh": "new",
        "late card": "new, inactive at once",
        "merged": "gone from the data",
        "merged asleep": "gone from the data, inactive before",
    }


def test_then_and_what_came_less_what_went_is_now() -> None:
    steps = base_changes(THEN, NOW).statement()
    assert steps.to_numpy().tolist() == [
        ["then", 4, 188.0],
        ["new", 1, 60.0],
        ["returned", 1, 25.0],
        ["lost", -1, -30.0],
        ["gone from the data", -1, -50.0],
        ["change of those who buy on", 0, -10.0],
        ["now", 4, 183.0],
    ]


def test_the_base_is_told_in_words() -> None:
    assert base_told(base_changes(THEN, NOW)) == (
        "Customers who buy: 4 last time, 4 now; new +1, returned +1, lost -1, gone from the data -1.",
        "Their revenue: 188 last time, 183 now; new +60, returned +25, lost -30, gone from the data -50, those who buy "
        "on -10.",
    )
    with speaking("ru"):
        assert "новые +1" in base_told(base_changes(THEN, NOW))[0]


def test_an_empty_base_became_the_one_of_today() -> None:
    changes = base_changes(THEN.iloc[:0], NOW)
    assert (changes.count("new"), changes.count("new, inactive at once")) == (4, 3)
    assert changes.statement()["customers"].tolist() == [0, 4, 0, 0, 0, 0, 4]
    assert len(base_changes(THEN.iloc[:0], NOW.iloc[:0]).customers) == 0


def test_customers_come_once() -> None:
    with pytest.raises(DataError, match="now needs one row a customer; customer 'asleep' comes more than once"):
        base_changes(THEN, pd.concat([NOW, NOW]))


ROW = st.tuples(
    st.sampled_from(["active", "inactive", "absent"]),
    st.sampled_from(["new", "inactive", "absent"]),
    st.integers(-(10**9), 10**9),
    st.integers(-(10**9), 10**9),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=40))
def test_customers_and_money_reconcile_with_the_totals_of_both_dates(rows: list[Any]) -> None:
    table = pd.DataFrame(rows, columns=["then", "now", "money_then", "money_now"])
    sides = {
        end: pd.DataFrame(
            {
                "customer_id": [f"c{place}" for place in table.index],
                "lifecycle": table[end].astype("object"),
                "revenue_365d": table[f"money_{end}"] / 100,
            }
        )[(table[end] != "absent").astype(bool)]
        for end in ("then", "now")
    }
    changes = base_changes(sides["then"], sides["now"].iloc[::-1])
    assert changes.groups["group"].tolist() == list(GROUPS.values())
    assert changes.groups["customers"].sum() == len(changes.customers)
    for end, side in sides.items():
        assert cents(changes.groups[f"revenue_365d_{end}"]) == cents(side["revenue_365d"])
        buying = side[(side["lifecycle"] != "inactive").astype(bool)]
        step = changes.statement().set_index("step").loc[end]
        assert (step["customers"], round(step["money"] * 100)) == (len(buying), cents(buying["revenue_365d"]))
    steps = changes.statement()
    assert steps["customers"].iloc[:-1].sum() == steps["customers"].iloc[-1]
    assert cents(steps["money"].iloc[:-1]) == round(steps["money"].iloc[-1] * 100)


def cents(values: "pd.Series[float]") -> int:
    return round(math.fsum(values) * 100)
