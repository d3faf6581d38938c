"""Cancellations find the purchase they cancel, and what was known before a cancellation stays known."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segml.config import CleaningConfig
from segml.data.cancellations import pair
from segml.data.clean import Cleaned, clean
from segml.data.engine import to_table
from segml.windows import known

TYPES = {
    "line_number": pa.int64(),
    "customer_id": pa.string(),
    "product_id": pa.string(),
    "order_id": pa.string(),
    "ordered_at": pa.timestamp("us"),
    "quantity": pa.float64(),
    "amount": pa.float64(),
}
MAY = datetime(2024, 5, 1, 9)


def event(day: float, quantity: float | None, **changes: Any) -> dict[str, Any]:
    """Return a line of customer a, product X at a price of 5, so many days after the first of May."""
    amount = 5.0 * (quantity if quantity is not None else 1)
    row = {"customer_id": "a", "product_id": "X", "order_id": "1", "quantity": quantity, "amount": amount}
    return row | {"ordered_at": MAY + timedelta(days=day)} | changes


def pairs(*events: dict[str, Any], pattern: str | None = None) -> set[tuple[int, int]]:
    """Return the (purchase, cancellation) positions, from 0, of events paired."""
    rows = [row | {"line_number": position} for position, row in enumerate(events)]
    lines = to_table(pa.Table.from_pylist(rows, pa.schema(TYPES)))
    return {(row["purchase"], row["cancellation"]) for row in pair(lines, pattern).to_pyarrow().to_pylist()}


def test_a_cancellation_meets_the_purchase_of_the_same_customer_product_and_quantity() -> None:
    events = (event(0, 2), event(0, 3), event(0, 2, customer_id="b"), event(0, 2, product_id="Y"), event(1, -2))
    assert pairs(*events) == {(0, 4)}


def test_the_latest_purchase_is_cancelled_first() -> None:
    assert pairs(event(0, 2), event(1, 2), event(2, -2)) == {(1, 2)}
    assert pairs(event(0, 2), event(1, 2), event(2, -2), event(3, -2)) == {(1, 2), (0, 3)}


def test_a_purchase_is_cancelled_once_and_a_cancellation_cancels_once() -> None:
    assert pairs(event(0, 2), event(1, -2), event(2, -2)) == {(0, 1)}


def test_nothing_is_cancelled_before_it_was_bought() -> None:
    assert pairs(event(0, -2), event(1, 2)) == set()
    assert pairs(event(0, -2), event(1, 2), event(2, -2)) == {(1, 2)}


def test_bought_and_cancelled_at_the_same_moment_is_cancelled_whatever_the_order_of_rows() -> None:
    assert pairs(event(0, 2), event(0, -2)) == {(0, 1)}
    assert pairs(event(0, -2), event(0, 2)) == {(1, 0)}


def test_of_simultaneous_lines_the_equally_dear_meet() -> None:
    events = (
        event(0, 2, amount=12.0, order_id="1"),
        event(0, 2, amount=8.0, order_id="2"),
        event(1, -2, amount=-12.0, order_id="3"),
        event(1, -2, amount=-8.0, order_id="4"),
    )
    assert pairs(*events) == {(0, 2), (1, 3)}


def test_which_of_two_like_purchases_is_cancelled_does_not_hang_on_the_order_of_rows() -> None:
    north, south, undone = event(0, 2, order_id="N"), event(0, 2, order_id="S"), event(1, -2)
    assert pairs(north, south, undone) == {(1, 2)}
    assert pairs(undone, south, north) == {(1, 0)}


def test_the_price_need_not_agree() -> None:
    assert pairs(event(0, 2, amount=10.0), event(1, -2, amount=-9.0)) == {(0, 1)}


def test_without_quantity_or_product_the_amount_must_agree() -> None:
    bought, undone = event(0, None, amount=10.0), event(1, None, amount=-10.0)
    assert pairs(bought, undone, event(0.5, None, amount=9.0)) == {(0, 1)}
    orders = {"product_id": None}
    assert pairs(event(0, 1, amount=10.0, **orders), event(0.5, 1, **orders), event(1, -1, amount=-10.0, **orders)) == {
        (0, 2)
    }


def test_with_a_pattern_only_matching_orders_cancel_and_other_negative_lines_are_returns() -> None:
    events = (event(0, 2), event(1, -2, order_id="R7"), event(2, -2, order_id="c8"), event(3, -2, order_id=None))
    assert pairs(*events, pattern="C.*") == {(0, 2)}


def naive_pairs(events: list[dict[str, Any]]) -> set[tuple[int, int]]:
    """Pair with a stack for each customer, product and quantity."""
    found: set[tuple[int, int]] = set()
    stacks: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for position in sorted(range(len(events)), key=lambda p: (events[p]["ordered_at"], events[p]["amount"] < 0)):
        row = events[position]
        stack = stacks[row["customer_id"], row["product_id"], abs(row["quantity"])]
        if row["amount"] > 0:
            stack.append(position)
        elif stack:
            found.add((stack.pop(), position))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_brackets_agree_with_a_stack_on_random_events(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = [
        event(float(day), float(rng.choice([-2, -1, 1, 2])), customer_id=str(rng.integers(4)), product_id="XY"[day % 2])
        for day in rng.permutation(600)
    ]
    expected = naive_pairs(events)
    assert len(expected) > 100
    assert pairs(*events) == expected


def shop(*rows: dict[str, Any], **settings: Any) -> Cleaned:
    return clean(pd.DataFrame(rows), CleaningConfig(**settings), today=date(2024, 12, 31))


def test_the_ledger_takes_both_lines_and_the_purchase_stays_with_the_moment_it_was_cancelled() -> None:
    result = shop(event(0, 2), event(0.01, -2, order_id="C1", amount=-9.0), event(5, 1), event(6, -3))
    row = result.ledger["cancellations"]
    assert (row.tally.lines, row.items, float(row.tally.amount)) == (2, 1, 1.0)
    assert [taken["line_number"] for taken in result.taken.to_pyarrow().to_pylist()] == [1, 2]
    rows = result.lines.order_by("ordered_at").to_pyarrow().to_pylist()
    cancelled_at = MAY + timedelta(days=0.01)
    assert [(found["amount"], found["cancelled_at"]) for found in rows] == [
        (10.0, cancelled_at),
        (5.0, None),
        (-15.0, None),
    ], "the last is a return without its purchase"
    assert result.ledger.kept.lines == 2


def test_before_its_cancellation_a_purchase_counts_and_after_it_never() -> None:
    lines = shop(event(0, 2), event(10, -2), event(5, 1)).lines
    revenue = [
        lines.amount.sum(where=known(lines.ordered_at, lines.cancelled_at, ibis.literal(MAY + timedelta(days=day))))
        .to_pyarrow()
        .as_py()
        for day in (1, 6, 10, 10.01)
    ]
    assert revenue == [10.0, 15.0, 15.0, 5.0]


def test_with_the_rule_off_cancellations_are_returns() -> None:
    result = shop(event(0, 2), event(1, -2), cancellations=False)
    assert result.ledger.kept.lines == 2
    assert result.lines.cancelled_at.count().to_pyarrow().as_py() == 0


def test_lines_that_another_rule_takes_neither_cancel_nor_are_cancelled() -> None:
    postage, future = {"product_id": "POSTAGE"}, {"ordered_at": datetime(2099, 1, 1)}
    result = shop(event(0, 2, **postage), event(1, -2, **postage), event(1, 1), event(2, -1, **future))
    assert result.ledger["cancellations"].tally.lines == 0
    assert [row["amount"] for row in result.lines.to_pyarrow().to_pylist()] == [5.0]


def test_a_pattern_that_matches_no_order_is_noticed() -> None:
    rows = (event(0, 2), event(1, -2), event(1, 1))
    message = "matches no order number"
    assert [message in notice for notice in shop(*rows, cancelled_order_pattern="C.*").notices] == [True]
    assert not any(message in notice for notice in shop(*rows, cancelled_order_pattern="1").notices)
