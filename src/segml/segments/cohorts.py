"""Cohorts over time: who stayed, and what they brought, by the calendar period of the first purchase."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.snapshots import at_each, calendar, collect, timed, typed
from segml.schemes.cohort import CohortPeriod, cohort_names
from segml.windows import Moment

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FREQUENCIES = {"month": "M", "quarter": "Q", "year": "Y"}


def cohort_table(lines: Any, as_of: Moment, period: CohortPeriod) -> pd.DataFrame:
    """Return what each cohort did in each period of its life: one row a cohort and age, sorted by both.

    Only calendar periods that were over at the as-of date count, so that the last one does not look like a fall. The
    first cohort of a log also holds the customers of the time before it began: it looks more loyal than it is.
    Columns:

    - ``cohort``: calendar period of the first purchase, such as "2024-Q3"; ``age``: periods since then, from 0
    - ``customers``: size of the cohort; ``active``: those with a purchase in the period; ``retention``: their share
    - ``revenue``: net; ``revenue_per_customer``: over the size of the cohort
    - ``orders``; ``order_value``: purchases before returns over orders, NaN without an order

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    period : month, quarter or year
    """
    moment = windows.as_timestamps(as_of)[0]
    known = at_each(timed(typed(to_table(lines))), calendar([moment]))
    starts = _starts(known, moment, period)
    numbered = _numbered(known, starts)
    sizes, cells = collect(_sizes(numbered)), collect(_cells(numbered))
    names = cohort_names(pd.Series(starts[:-1], dtype="datetime64[us]"), period)
    return _derive(_triangle(sizes, len(starts) - 1).merge(cells, on=["cohort", "age"], how="left"), names)


def _starts(known: Table, as_of: pd.Timestamp, period: CohortPeriod) -> list[pd.Timestamp]:
    """Return the starts of the complete periods from the first purchase on, and the end of the last one."""
    seconds = known.ordered_s.min(where=known.amount > 0).to_pyarrow().as_py()
    if seconds is None:
        return [as_of]
    start = pd.Timestamp(seconds, unit="s").to_period(_FREQUENCIES[period]).start_time
    bounds = [start]
    while (following := windows.shift(start, months=_MONTHS[period] * len(bounds))) <= as_of:
        bounds.append(following)
    return bounds


def _numbered(known: Table, starts: list[pd.Timestamp]) -> Table:
    """Return the lines from each customer's cohort on, with the number of their period, ``cohort`` and ``age``."""
    rows = [
        (place, windows.epoch_seconds(start), windows.epoch_seconds(end))
        for place, (start, end) in enumerate(pairwise(starts))
    ]
    schema = {"place": "int64", "start_s": "int64", "end_s": "int64"}
    periods = ibis.memtable(pd.DataFrame(rows, columns=list(schema)).astype("int64"), schema=schema)
    placed = known.join(periods, windows.within(known.ordered_s, periods.start_s, periods.end_s))
    cohort = placed.place.min(where=placed.amount > 0).over(group_by="customer_id")
    with_cohort = placed.mutate(cohort=cohort, is_purchase=placed.amount > 0, money=exact(placed.amount))
    return with_cohort.mutate(age=with_cohort.place - with_cohort.cohort).filter(lambda line: line.age >= 0)


def _sizes(numbered: Table) -> Table:
    return numbered.group_by("cohort").aggregate(customers=numbered.customer_id.nunique())


def _cells(numbered: Table) -> Table:
    order = numbered.customer_id.concat("\x1f", numbered.order_id)  # two customers may share an order number
    return numbered.group_by("cohort", "age").aggregate(
        active=numbered.customer_id.nunique(where=numbered.is_purchase),
        revenue=number(numbered.money.sum()),
        orders=order.nunique(where=numbered.is_purchase),
        gross=number(numbered.money.sum(where=numbered.is_purchase).fill_null(0)),
    )


def _triangle(sizes: pd.DataFrame, periods: int) -> pd.DataFrame:
    """Return one row a cohort and age that it has reached, also where nobody bought."""
    ages = pd.DataFrame({"age": range(periods)})
    every = sizes.sort_values("cohort").merge(ages, how="cross")
    return every[every["cohort"] + every["age"] < periods]


def _derive(cells: pd.DataFrame, names: pd.Series[str]) -> pd.DataFrame:
    counts = ["age", "customers", "active", "orders"]
    filled = cells.fillna({"active": 0, "revenue": 0.0, "orders": 0, "gross": 0.0}).astype(
        dict.fromkeys(counts, "int64")
    )
    orders = filled["orders"].where(filled["orders"] > 0)
    return pd.DataFrame(
        {
            "cohort": filled["cohort"].map(names).astype("str"),
            "age": filled["age"],
            "customers": filled["customers"],
            "active": filled["active"],
            "retention": filled["active"] / filled["customers"],
            "revenue": filled["revenue"].astype("float64"),
            "revenue_per_customer": filled["revenue"] / filled["customers"],
            "orders": filled["orders"],
            "order_value": filled["gross"] / orders,
        }
    ).reset_index(drop=True)
