"""Generated logs of order lines, with every oddity that a log may hold, and some that it should not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from segml.schema import ORDER_LINES
from segml.windows import YEAR_DAYS

TYPES = {"text": "str", "number": "float64", "time": "datetime64[us]"}

DATES = tuple(
    pd.Timestamp(moment)
    for moment in (
        "1968-02-29 18:00",  # before 1970, where whole seconds are negative
        "2020-01-01",
        "2023-03-01",  # the end of a month of 28 days
        "2023-12-31 23:59:59",  # the last second of a year
        "2024-02-29",  # a leap day
        "2024-03-31 02:30",  # an hour that many clocks skipped
        "2031-07-15 12:34:56",  # long after the last line
    )
)
"""As-of dates; lines gather around them and around the borders of their windows."""

SAME_EACH_TIME = settings(database=None, derandomize=True, deadline=None)

Moments = st.SearchStrategy[pd.Timestamp]
Customers = st.SearchStrategy[str | int]

_SECOND, _DAY = pd.Timedelta(seconds=1), pd.Timedelta(days=1)
_BORDERS = [days * _DAY for days in (0, 30, 60, 90, 180, 275, 330, 360, YEAR_DAYS, 545, 2 * YEAR_DAYS)]
_NUDGES = [pd.Timedelta(0), _SECOND, -_SECOND, pd.Timedelta(microseconds=1), pd.Timedelta(microseconds=-1)]

SPECIAL = st.sampled_from(
    [
        pd.Timestamp(moment)
        for moment in (
            "1960-02-29 23:59:59.999999",
            "1969-12-31 23:59:59.5",
            "1970-01-01",
            "2019-12-31 23:59:59",
            "2020-02-29",
            "2023-01-31 12:00",
            "2023-02-28 23:59:59",
            "2023-11-30",
            "2024-02-28 23:59:59.999999",
            "2024-02-29 12:00",
        )
    ]
)


def _on_borders(as_of: pd.Timestamp) -> Moments:
    return st.builds(lambda border, nudge: as_of - border + nudge, st.sampled_from(_BORDERS), st.sampled_from(_NUDGES))


def _around(as_of: pd.Timestamp) -> Moments:
    """Return moments that matter to one as-of date: on the borders of its windows, at midnights, or any."""
    days = st.integers(0, 400).map(lambda days: as_of - days * _DAY)
    moments = st.integers(0, 900 * 86_400).map(lambda seconds: as_of - seconds * _SECOND)
    return _on_borders(as_of) | days | moments


MOMENTS = {as_of: _around(as_of) | _around(as_of) | SPECIAL for as_of in DATES}
BORDERS = st.sampled_from(DATES).flatmap(_on_borders)

CENTS = st.integers(1, 50_000).map(lambda cents: cents / 100)
PURCHASES = CENTS | CENTS | st.sampled_from([10.0, 0.01, 1e12, 2.5e12, 1e-6, 1e-7, 5e-7])
AMOUNTS = PURCHASES | PURCHASES | CENTS.map(lambda money: -money) | st.sampled_from([0.0, -0.0, -10.0, -1e12, -1e-7])
PARTS = st.none() | CENTS | st.sampled_from([0.0, -5.0, 0.01])
"""Margins and discounts; a discount should not be negative, but may be."""

CUSTOMERS = st.sampled_from(["7", "07", " 7", "a", "A", "a b ", "Ж", "ß", "ss", "É", "10", "9"])
NUMBERS = st.integers(-1, 10)
ORDERS = st.sampled_from(["1", "2", "10", "9", "b", "B", "Ä 1", "order 1", "-1", "z"])
PRODUCTS = st.sampled_from([None, "P", "Q", "R", "p", "Я", " P"])
CATEGORIES = st.sampled_from([None, "X", "x", "Ю", "Z", "É"])
REGIONS = st.sampled_from([None, None, "north", "North", "Юг"])
CHANNELS = st.sampled_from([None, "web", "phone"])

DELAYS = st.sampled_from([0 * _SECOND, 0 * _SECOND, _SECOND, pd.Timedelta(hours=3), _DAY, 40 * _DAY])
"""How long after its order a line was placed: some orders span midnight."""
CANCELLATIONS = (
    st.none()
    | st.none()
    | st.none()
    | st.builds(lambda days, nudge: days * _DAY + nudge, st.integers(0, 400), st.sampled_from(_NUDGES))
    | BORDERS
)
"""When a line was cancelled: after a while, or at a moment that may lie before the line."""


@dataclass(frozen=True)
class Log:
    """Order lines, and the dates to look back from: in any order, and repeated."""

    lines: pd.DataFrame
    as_of: list[pd.Timestamp]


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as order lines; customers stay numbers where all of them are."""
    lines = pd.DataFrame(rows, columns=list(ORDER_LINES.names))
    types = {column.name: TYPES[column.kind] for column in ORDER_LINES.columns}
    if rows and all(isinstance(row["customer_id"], int) for row in rows):
        types["customer_id"] = "int64"
    return lines.astype(types)


@st.composite
def _orders(draw: st.DrawFn, customers: Customers, moments: Moments) -> list[dict[str, Any]]:
    """Draw one order: lines of one number, placed together or one after the other."""
    customer, order, start = draw(customers), draw(ORDERS), draw(moments)
    return [draw(_lines(customer, order, start)) for _ in range(draw(st.integers(1, 3)))]


@st.composite
def _lines(draw: st.DrawFn, customer: str | int, order: str, start: pd.Timestamp) -> dict[str, Any]:
    ordered_at = start + draw(DELAYS)
    fate = draw(CANCELLATIONS)
    return {
        "customer_id": customer,
        "order_id": order,
        "ordered_at": ordered_at,
        "amount": draw(AMOUNTS),
        "product_id": draw(PRODUCTS),
        "category": draw(CATEGORIES),
        "quantity": 1.0,
        "margin": draw(PARTS),
        "discount": draw(PARTS),
        "channel": draw(CHANNELS),
        "region": draw(REGIONS),
        "cancelled_at": ordered_at + fate if isinstance(fate, pd.Timedelta) else fate,
    }


@st.composite
def logs(draw: st.DrawFn, most_orders: int = 16) -> Log:
    """Draw a small log of a few customers, named by text or by number, around one as-of date."""
    names: Customers = draw(st.sampled_from([CUSTOMERS, NUMBERS]))
    customers = st.sampled_from(draw(st.lists(names, min_size=1, max_size=3)))
    as_of = draw(st.sampled_from(DATES))
    orders = draw(st.lists(_orders(customers, MOMENTS[as_of]), max_size=most_orders))
    others = st.sampled_from(DATES) | BORDERS.map(lambda moment: moment.floor("s"))
    return Log(frame([row for order in orders for row in order]), [*draw(st.lists(others, max_size=3)), as_of])


def many(count: int) -> pd.DataFrame:
    """Return generated logs, the same ones each time, as one: customers are named after the log that they are of.

    Features are per customer (but for the gap of the base), so one call tells of all of these logs.
    """
    parts: list[pd.DataFrame] = []

    @settings(SAME_EACH_TIME, max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(logs())
    def collect(log: Log) -> None:
        name = f"{len(parts)}/" + log.lines["customer_id"].astype("str")
        parts.append(log.lines.assign(customer_id=name))

    collect()
    return pd.concat(parts, ignore_index=True)
