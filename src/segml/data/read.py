"""Tables as segml calls them, from wherever they are: a frame, files, or a database server."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import ibis
from ibis.expr.types import Table

from segml import schema
from segml.config import DataConfig, FormatConfig
from segml.data import parse_times
from segml.data.columns import resolve
from segml.data.database import is_database, open_database
from segml.data.delimited import open_text
from segml.data.engine import connect
from segml.data.excel import open_excel
from segml.data.frames import open_frame
from segml.data.parquet import open_parquet
from segml.data.parse import parse
from segml.data.paths import find
from segml.data.source import Source
from segml.schema import Column, DataError, TableSchema

SHEET_OF_WORKBOOK = re.compile(r"(.+\.xlsx)#(.+)", re.IGNORECASE)


def read_table(
    source: Any,
    table: TableSchema,
    columns: Mapping[str, str | None],
    format: FormatConfig,
    backend: Any | None = None,
) -> Table:
    """Return a table under its canonical column names, in the schema's kinds; other columns are left behind.

    Beside a column ``x`` that the source spells as text stands ``x__unparsable`` (see ``segml.data.parse``). Parquet
    and Ibis tables stay where they are; everything else is held by the backend.

    Parameters
    ----------
    source : a pandas, polars, pyarrow or Ibis table, or a string: the path of a file, a glob or a folder of Parquet
        or text files (``.csv``, ``.tsv``, ``.txt``, also gzipped); an ``.xlsx`` workbook, with ``#sheet`` after it
        where it has several; or ``postgresql://user@host/database#`` and a table or query
    columns : canonical name -> the source's name; None or absent where they are the same
    backend : from ``segml.data.engine.connect``; a fresh one if None

    Raises
    ------
    DataError : the source cannot be read, has no rows, lacks columns, or holds something else than it should
    ConfigError : the format's time zone, date format, encoding or delimiter is not one
    """
    parse_times.check(format)
    backend = backend if backend is not None else connect()
    opened = _open(source, format, backend)
    picks = resolve(table, columns, opened.names, opened.where)
    raw = opened.load(picks)
    if raw.count().to_pyarrow().as_py() == 0:
        raise DataError(f"{table.name} in {opened.where} has no rows")
    where = f"{table.name} in {opened.where}"
    if opened.lazy:
        return parse(raw, picks, format, where, hold=lambda rows: rows)
    parsed = parse(raw, picks, format, where, hold=lambda rows: _held(rows, backend))
    backend.drop_table(raw.op().name)
    return parsed


def read_transactions(source: Any, data: DataConfig, backend: Any | None = None) -> Table:
    """Return a transactions table by the mapping and format of the configuration; see ``read_table``."""
    return read_table(source, schema.TRANSACTIONS, data.columns.model_dump(), data.format, backend)


def read_customers(source: Any, data: DataConfig, backend: Any | None = None) -> Table:
    """Return a customers table, survey columns included, by the configuration; see ``read_table``."""
    wanted = with_survey(data.survey_columns)
    return read_table(source, wanted, data.customer_columns.model_dump(), data.format, backend)


def with_survey(survey_columns: Mapping[str, Literal["text", "number"]]) -> TableSchema:
    """Return what is read of the customers table: its own columns, and those of a survey, which must be there."""
    further = (Column(name, kind, "column of a survey", required=True) for name, kind in survey_columns.items())
    return TableSchema(schema.CUSTOMERS.name, (*schema.CUSTOMERS.columns, *further))


def _open(source: Any, format: FormatConfig, backend: Any) -> Source:
    if not isinstance(source, str | os.PathLike):
        return open_frame(source, backend)
    address = os.fspath(source)
    if is_database(address):
        return open_database(address, backend)
    path, sheet = _sheet_of(address)
    files = find(path)
    match files.kind:
        case "parquet":
            return open_parquet(files, backend)
        case "text":
            return open_text(files, format, backend)
        case "excel":
            return open_excel(files, sheet or format.sheet, backend)


def _sheet_of(address: str) -> tuple[str, str | None]:
    named = SHEET_OF_WORKBOOK.fullmatch(address)
    return (named[1], named[2]) if named and not Path(address).exists() else (address, None)


def _held(rows: Table, backend: Any) -> Table:
    return backend.create_table(ibis.util.gen_name("read"), obj=rows, temp=True)
