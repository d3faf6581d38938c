"""Engines: one place that opens DuckDB, turns frames into Ibis tables, and keeps what was computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table

from segml.data import postgres, spark_tables
from segml.schema import DataError


def connect(threads: int | None = None, *, memory_bytes: int | None = None, spill: Path | None = None) -> Any:
    """Return an Ibis backend on a fresh in-memory DuckDB; the number of threads never changes a result.

    Parameters
    ----------
    memory_bytes : how much memory the data base may take; by default 80 % of the machine's
    spill : the folder for what does not fit; it is made when needed, and emptied when the backend is closed
    """
    settings: dict[str, Any] = {"threads": threads} if threads is not None else {}
    if memory_bytes is not None:
        settings["memory_limit"] = f"{memory_bytes}B"
    if spill is not None:
        settings["temp_directory"] = str(spill)
    backend = ibis.duckdb.connect(**settings)
    _without_progress_bar(backend)
    return backend


def _without_progress_bar(backend: Any) -> None:
    """Keep DuckDB from drawing over a log or a notebook.

    In Jupyter without ipywidgets the bar is off, and every attempt to set it fails.
    """
    is_on = backend.raw_sql("SELECT current_setting('enable_progress_bar')").fetchone()[0]
    if is_on:
        backend.raw_sql("SET enable_progress_bar = false")


def to_table(data: Any, backend: Any | None = None) -> Table:
    """Return an Ibis table over a pandas, polars, pyarrow, Spark or Ibis table; the caller's object is not changed.

    Anything that exports the Arrow C stream (``__arrow_c_stream__``) is accepted. Ibis tables and Spark DataFrames stay
    where they are.

    Raises
    ------
    DataError : no table, or pandas columns that share a name or hold values of several types
    """
    if isinstance(data, Table):
        return _ours(data)
    if spark_tables.is_frame(data):
        return spark_tables.refer(data, backend)
    if isinstance(data, pd.DataFrame):
        arrow = _from_pandas(data)
    elif isinstance(data, pa.Table):
        arrow = data
    elif hasattr(data, "__arrow_c_stream__"):
        arrow = pa.table(data)
    else:
        raise DataError(f"a table is needed: pandas, polars, pyarrow or Ibis; found {type(data).__name__}")
    backend = backend if backend is not None else connect()
    if spark_tables.is_spark(backend):
        return spark_tables.put(_with_types(arrow), backend)
    return backend.create_table(ibis.util.gen_name("frame"), obj=_with_types(arrow), temp=True)


def hold(expression: Table, backend: Any, kind: str) -> Table:
    """Return an expression as a table of the backend that is computed once; its name begins with the kind."""
    if spark_tables.is_spark(backend):
        return spark_tables.hold(expression, backend, kind)
    if postgres.is_postgres(backend):
        return postgres.hold(expression, backend, kind)
    return backend.create_table(ibis.util.gen_name(kind), obj=expression, temp=True)


def hold_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, backend: Any, kind: str) -> Table:
    """Return record batches as a table of a DuckDB backend, which moves to files what exceeds its memory.

    DuckDB asks for a batch when it has stored the one before. Given a reader of Arrow's it would leave the reading to
    Arrow's scanner, which reads ahead as fast as it can: 180 MB waited of a text of 1.2 GB, and more of a longer one.

    Raises
    ------
    Exception : what the batches raise, as it is; the data base would wrap it, or ask again and tell what comes then
    """
    failures: list[Exception] = []

    def heard() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except Exception as error:
            failures.append(error)
            raise

    incoming, name = ibis.util.gen_name("incoming"), ibis.util.gen_name(kind)
    backend.con.register(incoming, pa.RecordBatchReader.from_batches(schema, heard()).__arrow_c_stream__())
    try:
        backend.con.execute(f"create temp table {name} as from {incoming}")
    except duckdb.Error:
        if failures:
            raise failures[0] from None
        raise
    finally:
        backend.con.unregister(incoming)
        pa.default_memory_pool().release_unused()  # it would keep what the batches took
    return backend.table(name)


def release(table: Table | str, backend: Any) -> None:
    """Drop a table that ``hold`` or ``to_table`` made, or one of that name."""
    name = table if isinstance(table, str) else table.op().name
    if spark_tables.is_spark(backend):
        return spark_tables.release(name, backend)
    if postgres.is_postgres(backend):
        return postgres.release(name, backend)
    backend.drop_table(name, force=True)
    return None


def _ours(table: Table) -> Table:
    """Return an Ibis table on a backend that computes as segml needs it; nothing moves."""
    match table.get_backend().name:
        case spark_tables.NAME:
            return spark_tables.ours(table)
        case postgres.NAME:
            return postgres.ours(table)
    return table


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, ValueError) as error:
        told = ", ".join(map(str, error.args)) if isinstance(error, pa.ArrowException) else str(error)
        raise DataError(
            f"the frame cannot be read: {told}; each column needs a name of its own, and values of one type, as all "
            "text or all numbers"
        ) from None


def _with_types(arrow: pa.Table) -> pa.Table:
    """Give columns of nothing but None a type: integers, which stand for text as well as for numbers."""
    fields = [field.with_type(pa.int64()) if pa.types.is_null(field.type) else field for field in arrow.schema]
    return arrow.cast(pa.schema(fields))
