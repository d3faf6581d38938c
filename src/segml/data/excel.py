"""One sheet of an Excel workbook: numbers, dates and texts as the cells hold them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zipfile import BadZipFile

import pyarrow as pa
from ibis.expr.types import Table

from segml.data.columns import require_unique
from segml.data.frames import store
from segml.data.mixed import to_arrow
from segml.data.paths import AnyPath, Files, on_disk, opening
from segml.data.source import Pick, Source
from segml.schema import DataError, did_you_mean

KEY = "data.format.sheet"
SERIAL_DATES = (20_000, 80_000)  # days: 1954 to 2119; a smaller number may be a year, a larger one an id


@dataclass(frozen=True)
class Sheet:
    """A sheet whose first row that is not blank is the header."""

    where: str
    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    epoch: datetime


def open_excel(files: Files, sheet: str | None, backend: Any) -> Source:
    """Return one sheet of one workbook as a source.

    Raises
    ------
    DataError : no openpyxl, several workbooks, not a workbook, no such sheet, several sheets and none chosen
    """
    if len(files.paths) > 1:
        raise DataError(f"{files.where} holds {len(files.paths)} workbooks; name one of them")
    found = _read(files.paths[0], sheet)

    def load(picks: Sequence[Pick]) -> Table:
        return store(pa.table({pick.name: _column(found, pick) for pick in picks}), backend, found.where)

    return Source(found.where, found.names, load)


def _read(path: AnyPath, sheet: str | None) -> Sheet:
    with _workbook(path) as workbook:
        name = sheet if sheet is not None else _only_sheet(path, workbook)
        if name not in workbook.sheetnames:
            raise DataError(
                f"{path} has no sheet {name!r}; found {workbook.sheetnames}{did_you_mean(name, workbook.sheetnames)}"
            )
        rows = tuple(_rows(workbook[name]))
        epoch = workbook.epoch
    where = f"{path}, sheet {name!r}"
    if not rows:
        raise DataError(f"{where} is empty: it has no rows, not even a header")
    names = tuple("" if cell is None else str(cell).strip() for cell in rows[0])
    require_unique(names, where)
    return Sheet(where, names, rows[1:], epoch)


@contextmanager
def _workbook(path: AnyPath) -> Iterator[Any]:
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise DataError("reading .xlsx needs openpyxl: pip install 'segml[excel]'") from None
    with opening(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # styles and validations that openpyxl does not know
        try:
            workbook = openpyxl.load_workbook(on_disk(path), read_only=True, data_only=True)
        except (BadZipFile, InvalidFileException, KeyError, ValueError):
            raise DataError(
                f"{path} is not a readable Excel workbook (.xlsx): it is damaged, protected by a password, "
                "or something else"
            ) from None
        try:
            yield workbook
        finally:
            workbook.close()


def _only_sheet(path: AnyPath, workbook: Any) -> str:
    filled = [sheet.title for sheet in workbook.worksheets if next(_rows(sheet), None)]
    if len(filled) > 1:
        raise DataError(f"{path} has sheets {filled}; set {KEY}, or write {path.name}#{filled[0]}")
    return filled[0] if filled else str(workbook.sheetnames[0])


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # some programs write a wrong extent, which would cut rows off
    return (row for row in sheet.iter_rows(values_only=True) if any(cell not in (None, "") for cell in row))


def _column(sheet: Sheet, pick: Pick) -> pa.Array:
    position = sheet.names.index(pick.source)
    cells = (row[position] if position < len(row) else None for row in sheet.rows)
    return to_arrow((_as_date(cell, sheet.epoch) for cell in cells) if pick.kind == "time" else cells, pick)


def _as_date(cell: Any, epoch: datetime) -> Any:
    """Return the moment that a serial day number means, other cells as they are."""
    from openpyxl.utils.datetime import from_excel

    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return from_excel(cell, epoch) if is_number and SERIAL_DATES[0] <= cell <= SERIAL_DATES[1] else cell
