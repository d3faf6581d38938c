"""Who is A, B, C, D or X: each boundary, and which rule wins."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Abcdx

Table = Callable[..., pd.DataFrame]

EASY = {
    "revenue_365d": 1000.0,
    "order_count_365d": 12.0,
    "margin_365d": 300.0,
    "margin_share_365d": 0.3,
    "discount_share_365d": 0.0,
    "cost_to_serve": 50.0,
    "potential": np.nan,
    "decision_days": 5.0,
}
"""A customer who pays full price, decides fast and leaves a large margin."""


def base_of(table: Table, *rows: dict[str, Any]) -> pd.DataFrame:
    """Return customers with the same columns each."""
    return table(**{name: [row[name] for row in rows] for name in rows[0]})


def label(table: Table, **changes: Any) -> str:
    """Return the label of a customer like EASY but for the changes, beside nine that are EASY."""
    return str(Abcdx().assign(base_of(table, EASY | changes, *[EASY] * 9))[0])


@pytest.mark.parametrize(
    ("story", "changes", "expected"),
    [
        ("buys easiest", {}, "A"),
        ("hardly a discount", {"discount_share_365d": 0.029}, "A"),
        ("a little discount", {"discount_share_365d": 0.03}, "B"),
        ("just below buying on discount", {"discount_share_365d": 0.099}, "B"),
        ("buys on discount", {"discount_share_365d": 0.10}, "C"),
        ("two orders a year", {"order_count_365d": 2}, "A"),
        ("one order a year", {"order_count_365d": 1}, "C"),
        ("decides within thirty days", {"decision_days": 30}, "A"),
        ("takes longer", {"decision_days": 31}, "B"),
        ("nobody knows how long it took", {"decision_days": np.nan}, "A"),
        ("a smaller share of margin than most", {"margin_share_365d": 0.29}, "B"),
        ("share of margin unknown", {"margin_share_365d": np.nan}, "B"),
        ("costs what it brings", {"margin_365d": 50.0}, "A"),
        ("costs more than it brings", {"cost_to_serve": 300.01}, "D"),
        ("a loss before any cost", {"margin_365d": -1.0, "cost_to_serve": np.nan}, "D"),
        ("a loss on discount", {"cost_to_serve": 301.0, "discount_share_365d": 0.5}, "D"),
        ("ten times the spend", {"potential": 10_000.0}, "X"),
        ("less than ten times the spend", {"potential": 9_999.0}, "A"),
        ("far above a small spend, and three times an A", {"potential": 3000.0, "revenue_365d": 10.0}, "X"),
        ("far above a small spend, but no multiple of an A", {"potential": 2999.0, "revenue_365d": 10.0}, "A"),
        ("a potential outranks a loss", {"potential": 10_000.0, "cost_to_serve": 400.0}, "X"),
        ("a potential outranks discounts", {"potential": 10_000.0, "discount_share_365d": 0.5}, "X"),
        ("a potential of nothing", {"potential": 0.0, "revenue_365d": 0.0}, "A"),
        ("discounts unknown", {"discount_share_365d": np.nan}, NOT_ENOUGH_DATA),
        ("margin unknown", {"margin_365d": np.nan}, NOT_ENOUGH_DATA),
    ],
)
def test_the_truth_table(story: str, changes: dict[str, Any], expected: str, table: Table) -> None:
    assert label(table, **changes) == expected, story


def test_a_large_margin_is_the_median_share_and_more_or_a_given_one(table: Table) -> None:
    rows = [EASY | {"margin_share_365d": share} for share in (0.1, 0.2, 0.25)]
    base = base_of(table, *rows)
    assert Abcdx().assign(base).tolist() == ["B", "A", "A"]
    losing = [EASY | {"margin_share_365d": 0.01, "cost_to_serve": 1e6}] * 9
    beside = base_of(table, *losing, *rows)
    assert Abcdx().assign(beside).tolist() == ["D"] * 9 + ["B", "A", "A"], "D does not lower what counts as large"
    given = Abcdx(a_margin_share_from=0.25)
    assert given.assign(base).tolist() == ["B", "B", "A"]
    assert given.rules()["A"].endswith("margin 25% and more")


def test_without_any_a_the_own_spend_alone_tells_x(table: Table) -> None:
    base = base_of(table, EASY | {"discount_share_365d": 0.5, "potential": 10_000.0})
    assert Abcdx().assign(base).tolist() == ["X"]


def test_every_combination_of_signs_gets_exactly_one_label(table: Table) -> None:
    values = {
        "revenue_365d": [-1.0, 0.0, 1000.0],
        "order_count_365d": [0.0, 1.0, 2.0],
        "margin_365d": [-10.0, 0.0, 300.0],
        "margin_share_365d": [np.nan, 0.3],
        "discount_share_365d": [0.0, 0.05, 0.1],
        "cost_to_serve": [np.nan, 0.0, 400.0],
        "potential": [np.nan, 0.0, 1e6],
        "decision_days": [np.nan, 30.0, 31.0],
    }
    grid = np.array(np.meshgrid(*values.values())).reshape(len(values), -1)
    base = table(**dict(zip(values, grid.tolist(), strict=True)))
    labels = Abcdx().assign(base)
    assert set(labels) == {"A", "B", "C", "D", "X"}
    shuffled = base.sample(frac=1, random_state=5)
    assert Abcdx().assign(shuffled).sort_index().tolist() == labels.tolist()


def test_full_price_must_end_where_discount_begins() -> None:
    with pytest.raises(ValidationError, match=r"a_discount_below \(0.2\) must be at most c_discount_from \(0.1\)"):
        Abcdx(a_discount_below=0.2)
