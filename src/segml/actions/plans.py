"""Revenue against plan: what should have come in by the as-of date, and what did."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact_sum, ratio
from segml.features.dates import AsOfDates
from segml.features.snapshots import collect, typed
from segml.schema import DataError, check_columns
from segml.windows import Moment

PLAN = ("customer_id", "revenue_plan")
"""Columns of a plan; beside them ``period_start`` and ``period_end`` (exclusive) or none of both."""

AGAINST_PLAN = {
    "customer_id": "str",
    "revenue_plan": "float64",
    "revenue_due": "float64",
    "revenue_done": "float64",
    "plan_share": "float64",
}
"""Columns of ``against_plan``, with their types."""

_ANY_DAY = "2000-01-01"
_DONE = {"customer_id": "str", "start": "datetime64[us]", "revenue_done": "float64"}


def against_plan(plan: pd.DataFrame, lines: Any, as_of: Moment) -> pd.DataFrame:
    """Return one row a customer with a plan in force: ``AGAINST_PLAN``, sorted by customer.

    A plan is in force from the day after its period began up to the end of it; one that ended before, or has not begun,
    is left out. ``revenue_due`` is the part of the plan that the days passed make, ``revenue_done`` the revenue of the
    period before the as-of date, and ``plan_share`` the one over the other (NaN without a plan above zero).

    Parameters
    ----------
    plan : ``customer_id, revenue_plan``, money of a period: from ``period_start`` up to ``period_end``, one year long
        where only the start is given, and the 365 days before the as-of date where neither is
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table

    Raises
    ------
    DataError : columns missing, a value that is no number or date, or several plans of a customer in force
    """
    dates = AsOfDates.of(as_of)
    now = dates.moments[0]
    current = _in_force(_typed(plan, now), now)
    known = dates.living(typed(to_table(lines)))
    parts = [_done(known, start, now) for start in sorted(set(current["start"]))]
    none = pd.DataFrame(columns=list(_DONE)).astype(_DONE)
    done = pd.concat([none, *parts], ignore_index=True).astype(_DONE)
    told = current.merge(done, on=["customer_id", "start"], how="left", validate="1:1")
    told["revenue_done"] = told["revenue_done"].fillna(0.0)
    told["revenue_due"] = told["revenue_plan"] * ((now - told["start"]) / (told["end"] - told["start"]))
    told["plan_share"] = ratio(told["revenue_done"], told["revenue_due"])
    ordered = told.sort_values("customer_id", ignore_index=True)
    return ordered.reindex(columns=list(AGAINST_PLAN)).astype(AGAINST_PLAN)


def check_plan(plan: pd.DataFrame) -> None:
    """Raise ``DataError`` for what ``against_plan`` would not take at any date."""
    _typed(plan, windows.as_timestamp(_ANY_DAY))


def _typed(plan: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    check_columns(plan.columns, PLAN, "the plan lacks")
    table = pd.DataFrame({"customer_id": plan["customer_id"].astype("str")})
    try:
        table["revenue_plan"] = plan["revenue_plan"].astype("float64")
        start, end = (pd.to_datetime(plan[name]) if name in plan else None for name in ("period_start", "period_end"))
    except (ValueError, TypeError) as error:
        raise DataError(f"the plan holds a value that is no number or date: {error}") from None
    table["start"] = windows.shift(now, days=-windows.YEAR_DAYS) if start is None else start
    table["end"] = table["start"] + pd.DateOffset(years=1) if end is None else end
    if start is None:
        table["end"] = now
    unknown = table.isna().any()
    if unknown.any() or (table["end"] <= table["start"]).any():
        raise DataError("each row of a plan needs a customer, money, and a period that ends after it starts")
    return table.astype({"start": "datetime64[us]", "end": "datetime64[us]"})


def _in_force(plan: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    current: pd.DataFrame = plan[windows.before(plan["start"], now) & ~windows.before(plan["end"], now)]
    repeated = current.loc[current["customer_id"].duplicated(), "customer_id"]
    if not repeated.empty:
        raise DataError(
            f"the plan has several rows in force for customer {repeated.min()!r}; give one a customer and period"
        )
    return current.reset_index(drop=True)


def _done(known: Any, start: pd.Timestamp, now: pd.Timestamp) -> pd.DataFrame:
    period = known.filter(windows.within(known.ordered_at, start, now))
    revenue = collect(period.group_by("customer_id").aggregate(revenue_done=exact_sum(period.amount)))
    return revenue.assign(start=start)
