"""Tables that are already in memory as sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from ibis.common.exceptions import IbisError
from ibis.expr.types import Table

from segml.data.engine import to_table
from segml.data.mixed import to_arrow
from segml.data.source import Pick, Source
from segml.schema import DataError

WHERE = "the given table"


def open_frame(data: Any, backend: Any) -> Source:
    """Return a pandas, polars, pyarrow or Ibis table as a source; the caller's object is not changed.

    Raises
    ------
    DataError : something else is given, or (on loading) a column has a type that cannot be stored
    """
    if isinstance(data, Table):
        return Source(WHERE, tuple(data.columns), lambda picks: _select(data, picks), lazy=True)
    if isinstance(data, pd.DataFrame):
        names = tuple(map(str, data.columns))
        return Source(WHERE, names, lambda picks: store(_from_pandas(data, picks), backend))
    arrow = _as_arrow(data)
    return Source(WHERE, tuple(arrow.column_names), lambda picks: store(_from_arrow(arrow, picks), backend))


def store(arrow: pa.Table, backend: Any, where: str = WHERE) -> Table:
    """Return an Arrow table as a table of the backend; columns without any value become text."""
    columns = {name: _storable(column) for name, column in zip(arrow.column_names, arrow.columns, strict=True)}
    try:
        return to_table(pa.table(columns), backend)
    except (duckdb.Error, IbisError, pa.ArrowException) as error:
        types = {name: str(column.type) for name, column in columns.items()}
        raise DataError(f"{where} has a column of a type that cannot be read, among {types}: {error}") from None


def _select(table: Table, picks: Sequence[Pick]) -> Table:
    return table.select(**{pick.name: table[pick.source] for pick in picks})


def _as_arrow(data: Any) -> pa.Table:
    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    raise DataError(f"a table is needed: pandas, polars, pyarrow, Ibis or a path; found {type(data).__name__}")


def _from_arrow(arrow: pa.Table, picks: Sequence[Pick]) -> pa.Table:
    return pa.table({pick.name: arrow.column(pick.source) for pick in picks})


def _from_pandas(frame: pd.DataFrame, picks: Sequence[Pick]) -> pa.Table:
    positions = {str(name): position for position, name in enumerate(frame.columns)}
    return pa.table({pick.name: _column(frame.iloc[:, positions[pick.source]], pick) for pick in picks})


def _column(series: pd.Series[Any], pick: Pick) -> pa.Array:
    if series.dtype == object or isinstance(series.dtype, pd.PeriodDtype | pd.IntervalDtype):
        return to_arrow(series, pick)
    try:
        if isinstance(series.dtype, pd.DatetimeTZDtype):
            in_utc = pa.array(series.dt.tz_convert(None), from_pandas=True)
            return in_utc.cast(pa.timestamp(series.dtype.unit, "UTC"))
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, UnicodeEncodeError) as error:
        raise DataError(f"column {pick.label} of type {series.dtype} cannot be read: {error}") from None


def _storable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    return column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
