"""Revenue by week, month or quarter, counted back from the as-of date."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import number
from segml.features.snapshots import at_each, calendar, collect, moments, spans, typed
from segml.features.spec import Described
from segml.schemes.xyz import Period, Xyz, variation
from segml.windows import Moment

STEADINESS = (
    Described(
        "revenue_cv",
        "steadiness",
        "ratio",
        "coefficient of variation of revenue from period to period (`segments.xyz`), periods without a purchase "
        "counted as zero, those before the first purchase left out; NaN with too few periods, or without revenue",
    ),
)
"""The column of ``revenue_variation``."""

Key = Literal["customer_id", "product_id"]

_BACK = {"week": {"days": -7}, "month": {"months": -1}, "quarter": {"months": -3}}


def revenue_by_period(lines: Any, as_of: Moment, period: Period, count: int, by: Key = "customer_id") -> pd.DataFrame:
    """Return net revenue in each of the last periods before the as-of date.

    The last month is ``[as_of − 1 month, as_of)``, the one before ``[as_of − 2 months, as_of − 1 month)``, and so on;
    weeks have seven days, quarters three calendar months.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    period, count : which periods, and how many
    by : whose revenue; lines that do not tell it are left out

    Returns
    -------
    Customers (products) with a known purchase (index ``by``, sorted) × starts of the periods (oldest first, named
    after the period), in money; 0 where nothing was bought, NaN in periods that ended before the first purchase.
    """
    moment = windows.as_timestamps(as_of)[0]
    bounds = [
        windows.shift(moment, **{unit: step * back for unit, step in _BACK[period].items()})
        for back in range(count, -1, -1)
    ]
    table = typed(to_table(lines))
    known = at_each(moments(table.filter(table[by].notnull()), by), calendar([moment]))
    first = _first_purchases(known, by)
    revenue = _sums(known, bounds, by).reindex(index=first.index, columns=pd.Index(bounds[:-1], name=period))
    ended_before = {start: windows.before(first, end) for start, end in pairwise(bounds)}
    return revenue.fillna(0.0).where(pd.DataFrame(ended_before))


def revenue_by_month(lines: Any, as_of: Moment, months: int) -> pd.DataFrame:
    """Return net revenue of customers in each of the last calendar months, see ``revenue_by_period``."""
    return revenue_by_period(lines, as_of, "month", months)


def revenue_variation(lines: Any, as_of: Moment, xyz: Xyz, by: Key = "customer_id") -> pd.Series[float]:
    """Return ``revenue_cv``, what XYZ reads, per customer (product): see ``schemes.variation``."""
    revenue = revenue_by_period(lines, as_of, xyz.period, xyz.periods, by)
    return pd.Series(variation(revenue, xyz.min_periods), index=revenue.index, name="revenue_cv")


def _first_purchases(known: Table, by: Key) -> pd.Series[pd.Timestamp]:
    purchases = known.filter(known.purchase_lines > 0)
    first = collect(purchases.group_by(by).aggregate(first_s=purchases.ordered_s.min()))
    return windows.from_epoch_seconds(first.set_index(by)["first_s"]).sort_index()


def _sums(known: Table, bounds: list[pd.Timestamp], by: Key) -> pd.DataFrame:
    periods = spans(bounds[:-1], bounds[1:])
    inside = known.join(periods, windows.within(known.ordered_s, periods.start_s, periods.end_s))
    frame = collect(inside.group_by(by, "start_s").aggregate(revenue=number(inside.net.sum())))
    frame["start"] = windows.from_epoch_seconds(frame["start_s"])
    return frame.pivot(index=by, columns="start", values="revenue")
