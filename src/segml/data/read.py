"""Tables as segml calls them, from wherever they are: a frame, files, or a database server."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ibis.expr.types import Table

from segml import schema
from segml.config import DataConfig, FormatConfig
from segml.data import parse_times, spark_source
from segml.data.columns import resolve
from segml.data.database import is_database, open_database
from segml.data.delimited import open_text
from segml.data.delta import is_delta, open_delta
from segml.data.engine import connect, hold, release
from segml.data.excel import open_excel
from segml.data.frames import open_frame
from segml.data.parquet import open_parquet
from segml.data.parse import parse
from segml.data.partitions import prune
from segml.data.paths import find
from segml.data.source import Source
from segml.data.window import KEYS as WINDOW_KEYS
from segml.data.window import Window, window_of
from segml.schema import Column, DataError, TableSchema

SHEET_OF_WORKBOOK = re.compile(r"(.+\.xlsx(?:\?[^#]*)?)#(.+)", re.IGNORECASE)
WINDOWED = "ordered_at"


def read_table(
    source: Any,
    table: TableSchema,
    columns: Mapping[str, str | None],
    format: FormatConfig,
    backend: Any | None = None,
    window: Window | None = None,
) -> Table:
    """Return a table under its canonical column names, in the schema's kinds; other columns are left behind.

    Beside a column ``x`` that the source spells as text stands ``x__unparsable`` (see ``segml.data.parse``). Parquet
    and Ibis tables stay where they are; everything else is held by the backend.

    Parameters
    ----------
    source : a pandas, polars, pyarrow, Spark or Ibis table, or a string: the path of a file, a glob or a folder of
        Parquet or text files (``.csv``, ``.tsv``, ``.txt``, also gzipped); a Delta folder, with ``@v`` and a version
        after it for an earlier one; an ``.xlsx`` workbook, with ``#sheet`` after it where it has several; each of them
        also behind a URL (docs/files.md); or ``postgresql://user@host/database#`` and a table or query. With a backend
        on Spark, what the cluster sees, and ``spark:`` and the name of a table of its catalog (docs/spark.md)
    columns : canonical name -> the source's name; None or absent where they are the same
    backend : from ``segml.data.engine.connect``; a fresh one if None
    window : which ``ordered_at`` to read, as far as possible without touching the rest; None: all

    Raises
    ------
    DataError : the source cannot be read, has no rows, or none in the window, lacks columns, or holds something else
        than it should
    ConfigError : the format's time zone, date format, encoding or delimiter is not one
    """
    parse_times.check(format)
    backend = backend if backend is not None else connect()
    opened = _open(source, format, window, backend)
    picks = resolve(table, columns, opened.names, opened.where)
    loaded = opened.load(picks)
    where = f"{table.name} in {opened.where}"
    _require_rows(loaded, where, window)
    raw = loaded if window is None else window.narrow(loaded, WINDOWED)
    if opened.lazy:
        return _within(window, parse(raw, picks, format, where, hold=lambda rows: rows), where)
    parsed = parse(raw, picks, format, where, hold=lambda rows: hold(rows, backend, "read"))
    release(loaded, backend)
    return _within(window, parsed, where)


def read_transactions(source: Any, data: DataConfig, backend: Any | None = None) -> Table:
    """Return a transactions table by the mapping and format of the configuration; see ``read_table``."""
    return read_table(source, schema.TRANSACTIONS, data.columns.model_dump(), data.format, backend, window_of(data))


def read_customers(source: Any, data: DataConfig, backend: Any | None = None) -> Table:
    """Return a customers table, survey columns included, by the configuration; see ``read_table``."""
    wanted = with_survey(data.survey_columns)
    return read_table(source, wanted, data.customer_columns.model_dump(), data.format, backend)


def with_survey(survey_columns: Mapping[str, Literal["text", "number"]]) -> TableSchema:
    """Return what is read of the customers table: its own columns, and those of a survey, which must be there."""
    further = (Column(name, kind, "column of a survey", required=True) for name, kind in survey_columns.items())
    return TableSchema(schema.CUSTOMERS.name, (*schema.CUSTOMERS.columns, *further))


def _require_rows(rows: Table, where: str, window: Window | None) -> None:
    if rows.count().to_pyarrow().as_py() == 0:
        raise DataError(f"{where} has no rows" + (f" {window}; check {WINDOW_KEYS}" if window is not None else ""))


def _within(window: Window | None, parsed: Table, where: str) -> Table:
    if window is None:
        return parsed
    kept = window.keep(parsed, WINDOWED)
    _require_rows(kept, where, window)
    return kept


def _open(source: Any, format: FormatConfig, window: Window | None, backend: Any) -> Source:
    address = os.fspath(source) if isinstance(source, os.PathLike) else source
    if spark_source.is_there(address, backend):
        return spark_source.open_there(address, format, backend)
    if not isinstance(address, str):
        return open_frame(address, backend)
    if is_database(address):
        return open_database(address, backend, window)
    if is_delta(address):
        return open_delta(address, format, window, backend)
    path, sheet = _sheet_of(address)
    files = prune(find(path), format.partitions, window)
    match files.kind:
        case "parquet":
            return open_parquet(files, format, backend)
        case "text":
            return open_text(files, format, backend)
        case "excel":
            return open_excel(files, sheet or format.sheet, backend)


def _sheet_of(address: str) -> tuple[str, str | None]:
    named = SHEET_OF_WORKBOOK.fullmatch(address)
    return (named[1], named[2]) if named and not Path(address).exists() else (address, None)
