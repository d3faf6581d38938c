"""From the file inside a published archive to Parquet: streamed in batches, so that memory stays bounded."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segml.schema import DataError

BATCH_ROWS = 50_000


class Reader(Protocol):
    """Reads the published file into batches of rows; ``types`` are the columns of the Parquet file, in order."""

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Columns and their types."""

    def check(self) -> None:
        """Raise ``DataError`` where a package that reading needs is not installed."""

    def batches(self, content: bytes) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order."""


def write_parquet(
    reader: Reader, content: bytes, target: Path, *, expected_rows: int, progress: Callable[[float], None] | None = None
) -> None:
    """Write the content as Parquet; ``progress`` is called with the share of the rows that is done.

    Raises
    ------
    DataError : the content does not have the expected form
    OSError : the file cannot be written
    """
    done = 0
    with pq.ParquetWriter(target, pa.schema(list(reader.types.items())), compression="zstd") as writer:
        for batch in reader.batches(content):
            writer.write_batch(batch)
            done += batch.num_rows
            if progress is not None:
                progress(min(1.0, done / expected_rows))


@dataclass(frozen=True)
class Workbook:
    """An Excel workbook with the same columns on each sheet; the sheets follow one another, named in a last column."""

    sheets: tuple[str, ...]
    cells: Mapping[str, pa.DataType]
    sheet_column: str = "sheet"

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Columns and their types."""
        return {**self.cells, self.sheet_column: pa.large_string()}

    def check(self) -> None:
        """Raise ``DataError`` where openpyxl is not installed."""
        if importlib.util.find_spec("openpyxl") is None:
            raise DataError("reading an Excel workbook needs the package openpyxl: pip install 'segml[excel]'")

    def batches(self, content: bytes) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all sheets; empty rows are left out."""
        from openpyxl import load_workbook

        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        try:
            for name in self.sheets:
                if name not in book.sheetnames:
                    raise DataError(f"the workbook lacks the sheet {name!r}; it has {book.sheetnames}")
                yield from self._sheet_batches(book[name], name)
        finally:
            book.close()

    def _sheet_batches(self, sheet: Any, name: str) -> Iterator[pa.RecordBatch]:
        sheet.reset_dimensions()  # what a workbook says of its own size need not be true
        lines = sheet.iter_rows(max_col=len(self.cells), values_only=True)
        header = list(next(lines, ()))
        if header != list(self.cells):
            raise DataError(f"sheet {name!r} must begin with the columns {list(self.cells)}; found {header}")
        filled = (line for line in lines if any(value is not None for value in line))
        while chunk := list(islice(filled, BATCH_ROWS)):
            yield self._batch(chunk, name)

    def _batch(self, chunk: Sequence[tuple[Any, ...]], name: str) -> pa.RecordBatch:
        columns = zip(*chunk, strict=True)
        arrays = [
            _array(values, column, kind, name)
            for values, (column, kind) in zip(columns, self.cells.items(), strict=True)
        ]
        arrays.append(pa.array([name] * len(chunk), pa.large_string()))
        return pa.record_batch(arrays, names=list(self.types))


@dataclass(frozen=True)
class SpacedText:
    """Plain text without a header, its columns set apart by blanks."""

    types: Mapping[str, pa.DataType]
    date_format: str

    def check(self) -> None:
        """Nothing but the base packages is needed."""

    def batches(self, content: bytes) -> Iterator[pa.RecordBatch]:
        """Yield the rows in one batch: such files are small."""
        fields = [self._fields(number, line) for number, line in enumerate(content.splitlines(), start=1)]
        try:
            columns = zip(zip(*fields, strict=True), self.types.values(), strict=True)
            arrays = [self._array(values, kind) for values, kind in columns]
        except (ValueError, pa.ArrowInvalid) as error:
            raise DataError(f"the text must hold lines of {self._form()}: {error}") from error
        yield pa.record_batch(arrays, names=list(self.types))

    def _fields(self, number: int, line: bytes) -> list[str]:
        fields = line.decode("ascii", errors="replace").split()
        if len(fields) != len(self.types):
            raise DataError(f"line {number} of the text has {len(fields)} columns; expected {self._form()}")
        return fields

    def _array(self, values: tuple[str, ...], kind: pa.DataType) -> pa.Array:
        text = pa.array(values, pa.large_string())
        return pc.strptime(text, self.date_format, "us") if pa.types.is_timestamp(kind) else text.cast(kind)

    def _form(self) -> str:
        return ", ".join(f"{name} ({kind})" for name, kind in self.types.items())


def _array(values: Sequence[Any], column: str, kind: pa.DataType, sheet: str) -> pa.Array:
    convert = CONVERTERS.get(kind)
    try:
        return pa.array(values if convert is None else [None if v is None else convert(v) for v in values], kind)
    except (ValueError, TypeError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(f"sheet {sheet!r}, column {column!r}: a cell is not of type {kind}: {error}") from error


def _as_text(value: Any) -> str:
    """Return a cell as text: Excel keeps 536365 as a number, and some writers as 536365.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _as_integer(value: Any) -> int:
    if value != int(value):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


CONVERTERS: Mapping[pa.DataType, Callable[[Any], Any]] = {
    pa.large_string(): _as_text,
    pa.int64(): _as_integer,
    pa.float64(): float,
}
