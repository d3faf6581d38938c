"""Revenue by calendar month, counted back from the as-of date."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import number
from segml.features.build import Moment
from segml.features.snapshots import at_each, calendar, collect, moments, spans, typed


def revenue_by_month(lines: Any, as_of: Moment, months: int) -> pd.DataFrame:
    """Return net revenue in each of the last calendar months before the as-of date.

    The last month is ``[as_of − 1 month, as_of)``, the one before ``[as_of − 2 months, as_of − 1 month)``, and so on.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    months : how many

    Returns
    -------
    Customers with a known purchase (index ``customer_id``, sorted) × starts of the months (oldest first), in money;
    0 where nothing was bought, NaN in months that ended before the customer's first purchase.
    """
    moment = windows.as_timestamps(as_of)[0]
    bounds = [windows.shift(moment, months=-back) for back in range(months, -1, -1)]
    known = at_each(moments(typed(to_table(lines))), calendar([moment]))
    first = _first_purchases(known)
    revenue = _sums(known, bounds).reindex(index=first.index, columns=pd.Index(bounds[:-1], name="month"))
    ended_before = {start: windows.before(first, end) for start, end in pairwise(bounds)}
    return revenue.fillna(0.0).where(pd.DataFrame(ended_before))


def _first_purchases(known: Table) -> pd.Series[pd.Timestamp]:
    purchases = known.filter(known.purchase_lines > 0)
    first = collect(purchases.group_by("customer_id").aggregate(first_s=purchases.ordered_s.min()))
    return windows.from_epoch_seconds(first.set_index("customer_id")["first_s"]).sort_index()


def _sums(known: Table, bounds: list[pd.Timestamp]) -> pd.DataFrame:
    periods = spans(bounds[:-1], bounds[1:])
    inside = known.join(periods, windows.within(known.ordered_s, periods.start_s, periods.end_s))
    sums = inside.group_by("customer_id", "start_s").aggregate(revenue=number(inside.net.sum()))
    frame = collect(sums)
    frame["month"] = windows.from_epoch_seconds(frame["start_s"])
    return frame.pivot(index="customer_id", columns="month", values="revenue")
