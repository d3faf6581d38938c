"""Delimited text as people have it: comma, semicolon or tab; several encodings; gzip. Every value stays text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.csv
from ibis.expr.types import Table

from segml.config import FormatConfig
from segml.data.columns import require_same, require_unique
from segml.data.encoding import TextFile, examine
from segml.data.engine import hold_batches
from segml.data.frames import store
from segml.data.paths import Files, on_disk, opening
from segml.data.source import Pick, Source
from segml.schema import ConfigError, DataError

KEY = "data.format.delimiter"
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
SPELLINGS = {"\\t": "\t", "tab": "\t"}
LONGEST_HEADER = 100  # lines: names may be quoted and hold line breaks
QUOTED = re.compile(r'(^|[,;\t])"(?:[^"]|"")*"(?=[,;\t\r\n]|$)')
DECLARATION = re.compile(r'"?sep=(.)"?[\r\n]*')  # what spreadsheets write above the header


@dataclass(frozen=True)
class TextTable:
    """A text file whose header is read; ``skip`` lines stand above it."""

    file: TextFile
    skip: int
    delimiter: str
    names: tuple[str, ...]
    has_rows: bool


def open_text(files: Files, format: FormatConfig, backend: Any) -> Source:
    """Return text files as one source; each file's delimiter and encoding are found out on their own.

    Raises
    ------
    DataError : no header, headers that differ, an uncertain delimiter, bytes that do not decode
    """
    tables = [_examine(examine(path, format.encoding), format.delimiter) for path in files.paths]
    require_same({table.file.path.name: table.names for table in tables}, files.where)

    def load(picks: Sequence[Pick]) -> Table:
        return _kept(tables, picks, backend)

    return Source(files.where, tables[0].names, load)


def _examine(file: TextFile, configured: str | None) -> TextTable:
    skip, declared = _above_header(file)
    delimiter = _given(configured) or declared or _found(file, skip)
    records = csv.reader(islice(_lines(file), skip, None), delimiter=delimiter)
    try:
        names, has_rows = tuple(name.strip() for name in next(records)), any(records)
    except csv.Error:
        raise DataError(f"{file.path}: a quote in the header or the first row is opened and never closed") from None
    require_unique(names, str(file.path))
    return TextTable(file, skip, delimiter, names, has_rows)


def _lines(file: TextFile) -> Iterator[str]:
    with opening(file.path), io.TextIOWrapper(file.open(), encoding=file.encoding, newline="") as text:
        yield from text


def _above_header(file: TextFile) -> tuple[int, str | None]:
    declared = None
    for number, line in enumerate(_lines(file)):
        declaration = DECLARATION.fullmatch(line)
        if line.strip() and not declaration:
            return number, declared
        declared = declaration.group(1) if declaration else declared
    raise DataError(f"{file.path} is empty: it has no rows, not even a header")


def _given(configured: str | None) -> str | None:
    delimiter = SPELLINGS.get(configured or "", configured)
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ConfigError(f"{KEY} must be one character, as ',', ';' or tab; found {configured!r}")
    return delimiter


def _found(file: TextFile, skip: int) -> str:
    header = _header(islice(_lines(file), skip, skip + LONGEST_HEADER))
    bare = QUOTED.sub(r"\1", header)
    candidates = [mark for mark in DELIMITERS if mark in bare]
    if "\t" in candidates and ".tsv" in file.path.suffixes:
        return "\t"
    if len(candidates) > 1:
        names = " or ".join(DELIMITERS[mark] for mark in candidates)
        raise DataError(f"{file.path}: the header {header.strip()!r} can be split by {names}; set {KEY}")
    return candidates[0] if candidates else ","


def _header(lines: Iterator[str]) -> str:
    """Return the first lines up to one in which no quoted name goes on."""
    header = ""
    for line in lines:
        header += line
        if header.count('"') % 2 == 0:
            break
    return header


def _kept(tables: Sequence[TextTable], picks: Sequence[Pick], backend: Any) -> Table:
    """Return the rows as a table of the backend: DuckDB takes them as they are read, others all at once."""
    batches = (batch for table in tables for batch in _read(table, picks))
    schema = pa.schema([(pick.name, pa.string()) for pick in picks])
    if backend.name == "duckdb":
        return hold_batches(batches, schema, backend, "frame")
    return store(pa.Table.from_batches(batches, schema), backend)


def _read(table: TextTable, picks: Sequence[Pick]) -> Iterator[pa.RecordBatch]:
    wanted = {pick.name: f"c{table.names.index(pick.source)}" for pick in picks}
    if not table.has_rows:
        return
    try:
        for batch in _parse(table, list(wanted.values())):
            yield batch.rename_columns(list(wanted))
    except pa.ArrowInvalid as error:
        raise DataError(_fault(table) or f"{table.file.path} cannot be read as delimited text: {error}") from None
    fault = _fault(table) if table.file.quotes % 2 else None
    if fault:
        raise DataError(fault)


def _parse(table: TextTable, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    names = [f"c{position}" for position in range(len(table.names))]
    with (
        pa.input_stream(str(on_disk(table.file.path)), compression="gzip" if table.file.is_gzip else None) as stream,
        pyarrow.csv.open_csv(
            stream,
            pyarrow.csv.ReadOptions(
                column_names=names,
                skip_rows=table.skip,
                skip_rows_after_names=1,
                encoding=table.file.encoding.removesuffix("-sig"),
            ),
            pyarrow.csv.ParseOptions(delimiter=table.delimiter, newlines_in_values=True),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), include_columns=list(wanted)),
        ) as batches,
    ):
        yield from batches


def _fault(table: TextTable) -> str | None:
    """Return which line is wrong, and how: the fast reader cannot say."""
    for number, lines, fields in _records(table):
        problem = _problem(lines, fields, table)
        if problem:
            return f"{table.file.path}, line {number}: {problem}"
    return None


def _records(table: TextTable) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield each record's first line number, its lines and its fields; no fields where they cannot be told."""
    lines: list[str] = []

    def remembered() -> Iterator[str]:
        for line in islice(_lines(table.file), table.skip, None):
            lines.append(line)
            yield line

    records = csv.reader(remembered(), delimiter=table.delimiter)
    number = table.skip + 1
    try:
        for fields in records:
            yield number, lines, fields
            number += len(lines)
            lines.clear()
    except csv.Error:
        yield number, lines, []


def _problem(lines: Sequence[str], fields: Sequence[str], table: TextTable) -> str | None:
    if len(lines) > 1 and _is_open(lines, table.delimiter):
        return "a quote is opened and never closed"
    if fields and len(fields) != len(table.names):
        return f"{len(fields)} fields where the header has {len(table.names)}"
    return None


def _is_open(lines: Sequence[str], delimiter: str) -> bool:
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "expected after" not in str(error)  # that one is only a quote in the middle of a field
    return False
