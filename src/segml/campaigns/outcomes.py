"""What customers bought in the window of a campaign, and in the period of the same length before it."""

from __future__ import annotations

from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import Outcome
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.snapshots import collect, spans, timed, typed
from segml.schema import DataError

MEASURES: dict[Outcome, str] = {"revenue": "revenue", "bought": "bought", "orders": "order_count"}
"""Outcome -> the column that holds it."""


def outcomes(
    lines: Any, customers: pd.DataFrame, days: int, outcome: Outcome, *, known_until: pd.Timestamp
) -> pd.DataFrame:
    """Return what each customer did in ``[starts_on, starts_on + days)`` and in the ``days`` before.

    Lines that were cancelled before a window ended do not count in it. Who has no line counts zero.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    customers : ``customer_id, starts_on``, one row a customer
    outcome : net revenue, whether there was a purchase (0, 1), or the number of orders
    known_until : the moment up to which the log is complete

    Returns
    -------
    On the index of ``customers``: ``outcome``, ``before``, and ``known_since``: the customer's first line, NaT if the
    log has none.

    Raises
    ------
    DataError : a window reaches past the end of the log
    """
    starts = sorted(customers["starts_on"].unique())
    _check_over(starts, days, known_until)
    table = typed(to_table(lines))
    ends = [windows.shift(moment, days=days) for moment in starts]
    earlier = [windows.shift(moment, days=-days) for moment in starts]
    after = _of(customers, _bought(table, starts, ends), starts, outcome)
    before = _of(customers, _bought(table, earlier, starts), starts, outcome)
    first = collect(table.group_by("customer_id").aggregate(at=table.ordered_at.min())).set_index("customer_id")["at"]
    known_since = customers["customer_id"].map(first)
    return pd.DataFrame({"outcome": after, "before": before, "known_since": known_since}, index=customers.index)


def _of(
    customers: pd.DataFrame, bought: pd.DataFrame, starts: list[pd.Timestamp], outcome: Outcome
) -> pd.Series[float]:
    starts_on = dict(enumerate(starts))
    dated = bought.assign(starts_on=bought["span"].map(starts_on).astype("datetime64[us]"))
    keys = ["customer_id", "starts_on"]
    found = customers[keys].merge(dated, on=keys, how="left")[MEASURES[outcome]]
    return pd.Series(found.fillna(0.0).to_numpy(dtype="float64"), index=customers.index)


def _bought(lines: Table, starts: list[pd.Timestamp], ends: list[pd.Timestamp]) -> pd.DataFrame:
    """Return one row a customer and window in which it has a line; ``span`` is the window's place."""
    events = timed(lines)
    all_spans = spans(starts, ends)
    inside = windows.within(events.ordered_s, all_spans.start_s, all_spans.end_s)
    standing = windows.known(events.ordered_s, events.cancelled_s, all_spans.end_s)
    seen = events.join(all_spans, [inside, standing])
    is_purchase = seen.amount > 0
    found = collect(
        seen.group_by("customer_id", "start_s").aggregate(
            revenue=number(exact(seen.amount).sum()),
            bought=number(is_purchase.any()),
            order_count=number(seen.order_id.nunique(where=is_purchase)),
        )
    )
    place = {windows.epoch_seconds(moment): at for at, moment in enumerate(starts)}
    return found.assign(span=found.pop("start_s").map(place))


def _check_over(starts: list[pd.Timestamp], days: int, known_until: pd.Timestamp) -> None:
    last = starts[-1]
    if not windows.is_over(last, known_until, days=days):
        raise DataError(
            f"the test is not over: its window runs to {windows.shift(last, days=days):%Y-%m-%d}, and orders are "
            f"known to {known_until:%Y-%m-%d}; measure then, with newer transactions"
        )
