"""Rows of the tables beside the transactions, as they were known just before an as-of date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import schema, windows
from segml.data.engine import to_table
from segml.features.snapshots import SQL_TYPES, collect
from segml.schema import TableSchema


def typed(data: Any, wanted: TableSchema) -> Table:
    """Return the canonical columns that a table has, in their kinds.

    Raises
    ------
    DataError : a required column is missing
    """
    table = to_table(data)
    schema.check_columns(table.columns, wanted.required, f"{wanted.name} lack")
    held = [column for column in wanted.columns if column.name in table.columns]
    return table.select(**{column.name: table[column.name].cast(SQL_TYPES[column.kind]) for column in held})


def before(events: Table, time: str, as_of: pd.Timestamp) -> Table:
    """Return the events strictly before the as-of date, with their ``age`` in seconds."""
    as_of_s = windows.epoch_seconds(as_of)
    timed = events.mutate(event_s=windows.epoch_seconds(events[time]))
    known = timed.filter(windows.before(timed.event_s, as_of_s))
    return known.mutate(age=ibis.literal(as_of_s) - known.event_s).drop("event_s")


def by_customer(events: Table, aggregates: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a customer, indexed by ``customer_id``."""
    return collect(events.group_by("customer_id").aggregate(**aggregates)).set_index("customer_id")
