"""What customers did in a stretch of time: money, orders, and how long they have been customers at its end."""

from __future__ import annotations

from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.snapshots import collect, timed, typed
from segml.windows import DAY_SECONDS, Moment

ACTIVITY_COLUMNS = {
    "customer_id": "str",
    "lines": "int64",
    "revenue": "float64",
    "margin": "float64",
    "margin_revenue": "float64",
    "orders": "int64",
    "gross": "float64",
    "tenure_days": "float64",
}
"""Columns of ``activity``, in order, with their types."""


def activity(lines: Any, start: Moment, end: Moment) -> pd.DataFrame:
    """Return what each customer did in ``[start, end)``, as it was known at its end: one row a customer known by then.

    Columns: ``customer_id``; ``lines`` in the stretch; ``revenue``, net; ``margin``, over the lines that tell it, and
    ``margin_revenue``, their revenue (NaN where none does); ``orders`` with a purchase, ``gross``: their money before
    returns; ``tenure_days`` from the first purchase ever to the end, NaN without one. Who did nothing has zeros. Lines
    that were cancelled before the end do not count. Sorted by customer.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    start, end : the stretch; a bare date means its midnight

    Raises
    ------
    ValueError : it does not end after it begins
    """
    first, last = windows.as_timestamp(start), windows.as_timestamp(end)
    if not windows.before(first, last):
        raise ValueError(f"a stretch of time ends after it begins; found {start} and {end}")
    table = timed(typed(to_table(lines)))
    end_s = windows.epoch_seconds(last)
    known = table.filter(windows.known(table.ordered_s, table.cancelled_s, end_s))
    sums = collect(_sums(known, windows.within(known.ordered_s, windows.epoch_seconds(first), end_s)))
    sums["tenure_days"] = (end_s - sums["first_s"]) / DAY_SECONDS
    return sums.sort_values("customer_id", ignore_index=True).astype(ACTIVITY_COLUMNS)[list(ACTIVITY_COLUMNS)]


def _sums(known: Table, inside: Any) -> Table:
    buys, tells, amount = known.amount > 0, known.margin.notnull(), exact(known.amount)
    return known.group_by("customer_id").aggregate(
        lines=known.count(where=inside),
        revenue=number(amount.sum(where=inside).fill_null(0)),
        margin=number(exact(known.margin).sum(where=inside)),
        margin_revenue=number(amount.sum(where=inside & tells)),
        orders=known.order_id.nunique(where=inside & buys),
        gross=number(amount.sum(where=inside & buys).fill_null(0)),
        first_s=known.ordered_s.min(where=buys),
    )
