"""Order lines with their columns and times made plain, and as they were known at as-of dates.

Times are whole seconds since 1970 (``…_s``), and ``age`` is seconds before the as-of date, always positive.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import exact
from segml.schema import ORDER_LINES, DataError, Kind, did_you_mean

BLOCK_DAYS = 30
"""A month, where months are counted back from the as-of date."""
BLOCKS = 12
"""How many of them features look at."""

SQL_TYPES: dict[Kind, str] = {"text": "string", "number": "float64", "time": "timestamp(6)", "flag": "boolean"}
LINE_TYPES = {column.name: SQL_TYPES[column.kind] for column in ORDER_LINES.columns}
"""The columns of typed order lines."""


def typed(lines: Table) -> Table:
    """Return the order lines with exactly the canonical columns and types; raise ``DataError`` where one is missing."""
    missing = [name for name in ORDER_LINES.names if name not in lines.columns]
    if missing:
        hint = did_you_mean(missing[0], lines.columns)
        raise DataError(f"order lines lack columns {missing}; found {list(lines.columns)}{hint}")
    return lines.select(**{name: lines[name].cast(kind) for name, kind in LINE_TYPES.items()})


def timed(lines: Table) -> Table:
    """Return typed order lines with their times in whole seconds and the calendar day, counted from 1970."""
    seconds = lines.mutate(
        ordered_s=windows.epoch_seconds(lines.ordered_at), cancelled_s=windows.epoch_seconds(lines.cancelled_at)
    )
    return seconds.mutate(day=windows.epoch_day(seconds.ordered_at)).drop("ordered_at", "cancelled_at")


def collect(table: Table) -> pd.DataFrame:
    """Run an expression and return its rows, in no particular order."""
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame


def calendar(dates: Sequence[pd.Timestamp]) -> Table:
    """Return the as-of dates as a table of one column, ``as_of_s``."""
    return ibis.memtable({"as_of_s": [windows.epoch_seconds(moment) for moment in dates]}, schema={"as_of_s": "int64"})


def at_each(events: Table, as_of: Table) -> Table:
    """Return the events known at each as-of date of a calendar, with ``as_of_s`` and ``age``."""
    known = events.join(as_of, windows.known(events.ordered_s, events.cancelled_s, as_of.as_of_s))
    return known.mutate(age=known.as_of_s - known.ordered_s)


def moments(lines: Table, by: str = "customer_id") -> Table:
    """Return typed order lines gathered by customer (or product) and moments: net money, number of purchase lines."""
    lines = timed(lines)
    return lines.group_by(by, "ordered_s", "cancelled_s").aggregate(
        net=exact(lines.amount).sum(), purchase_lines=(lines.amount > 0).sum()
    )


def spans(starts: Sequence[pd.Timestamp], ends: Sequence[pd.Timestamp]) -> Table:
    """Return windows of time as a table, ``start_s`` and ``end_s``."""
    seconds = {"start_s": map(windows.epoch_seconds, starts), "end_s": map(windows.epoch_seconds, ends)}
    return ibis.memtable(
        {name: list(values) for name, values in seconds.items()}, schema={"start_s": "int64", "end_s": "int64"}
    )
