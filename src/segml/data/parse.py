"""From columns as sources hold them to the schema's kinds: text, number, time, flag.

All of it is Ibis expressions over the source; only what tells how a column is spelled is computed at once. Beside a
column ``x`` whose values come from text stands ``x__unparsable``: true where something was written that is no such
value, so that it is not mistaken for a value that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.datatypes as dt
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from segml.config import FormatConfig
from segml.data import parse_numbers, parse_times
from segml.data.parse_decimal import KEY as DECIMAL_KEY
from segml.data.parse_decimal import decimal_marks
from segml.data.parse_numbers import Decimal
from segml.data.parse_text import flag, text, value_text
from segml.data.parse_times import FORMAT_KEY as DATE_KEY
from segml.data.source import Pick
from segml.schema import DataError, Kind

MARK = "__unparsable"
"""Suffix of the boolean column that tells what could not be read from what was missing."""

READABLE: dict[Kind, tuple[str, ...]] = {
    "text": ("text", "number", "time", "flag"),
    "number": ("text", "number"),
    "time": ("text", "number", "time"),
    "flag": ("text", "number", "flag"),
}
EXPECTED: dict[Kind, str] = {
    "text": "text",
    "number": "numbers, such as 1234.5 or 1 234,50 ₽",
    "time": "dates, such as 2010-12-29 or 2010-12-29 13:45",
    "flag": "yes or no, as true, false, yes, no, 1, 0, да or нет",
}
DATE_NUMBER = "%Y%m%d"


def parse(
    table: Table, picks: Sequence[Pick], format: FormatConfig, where: str, hold: Callable[[Table], Table]
) -> Table:
    """Return the picked columns in their kinds, text trimmed, with a mark column for each that was spelled as text.

    Parameters
    ----------
    table : one column a pick, under its canonical name
    where : what messages call the table
    hold : computes a table, so that text is read once; or leaves it as it is, where the rows may be too many

    Raises
    ------
    DataError : a column of the wrong type, without any value that can be read, with times in an unknown format, or
        with numbers whose decimal mark is uncertain
    """
    for pick in picks:
        _require_type(table[pick.name].type(), pick, where)
    spelled = [pick for pick in picks if pick.kind not in ("text", _family(table[pick.name].type()))]
    texts = table.mutate(**{pick.name: value_text(table[pick.name]) for pick in spelled})
    marks = decimal_marks(texts, [pick for pick in spelled if pick.kind == "number"], format, where)
    read = {
        pick.name: _read(texts[pick.name], pick, marks.get(pick.name, "."), _fitting(format, table[pick.name].type()))
        for pick in spelled
    }
    values = {p.name: read[p.name].value if p in spelled else _typed(table[p.name], p.kind, format) for p in picks}
    parsed = hold(texts.select(**values, **{name + MARK: cells.is_unparsable for name, cells in read.items()}))
    _require_sense(parsed, texts, list(read.values()), where)
    return parsed


@dataclass(frozen=True)
class _Cells:
    """A column of text, and what the text means in a format."""

    pick: Pick
    format: FormatConfig
    text: StringValue
    value: Value

    @property
    def is_unparsable(self) -> BooleanValue:
        return self.text.notnull() & self.value.isnull()


def _family(found: dt.DataType) -> str:
    """Return the kind of values that a type holds, whatever their size."""
    if found.is_date() or found.is_timestamp():
        return "time"
    if found.is_numeric():
        return "number"
    if found.is_boolean():
        return "flag"
    return "text" if found.is_string() or found.is_uuid() or found.is_null() else "other"


def _require_type(found: dt.DataType, pick: Pick, where: str) -> None:
    if _family(found) not in READABLE[pick.kind]:
        raise DataError(f"{where}: column {pick.label} is of type {found}; expected {EXPECTED[pick.kind]}")


def _typed(column: Value, kind: Kind, format: FormatConfig) -> Value:
    """Return a column that needs no reading in its kind."""
    is_zoned = column.type().is_timestamp() and column.type().timezone
    local = parse_times.naive(column, format) if kind == "time" or is_zoned else column
    if kind == "text":
        return text(local)
    return column.cast("float64") if kind == "number" else local


def _fitting(format: FormatConfig, found: dt.DataType) -> FormatConfig:
    """Numbers have lost their leading zeros: only a date format that begins with the year can spell them."""
    is_fitting = not found.is_numeric() or format.date_format == DATE_NUMBER
    return format if is_fitting else format.model_copy(update={"date_format": None})


def _read(found: StringValue, pick: Pick, mark: Decimal, format: FormatConfig) -> _Cells:
    if pick.kind == "number":
        return _Cells(pick, format, found, parse_numbers.number(found, mark))
    value = parse_times.moment(found, format) if pick.kind == "time" else flag(found)
    return _Cells(pick, format, found, value)


def _require_sense(parsed: Table, texts: Table, columns: Sequence[_Cells], where: str) -> None:
    """Raise where a column or its format is the wrong one; some bad values are for cleaning to count."""
    for cells in columns:
        name, is_time = cells.pick.name, cells.pick.kind == "time"
        counts = _row(parsed.aggregate(good=parsed[name].count(), bad=parsed[name + MARK].sum()))
        if counts["bad"] > counts["good"] and (is_time or not counts["good"]):
            raise DataError(f"{where}: column {cells.pick.label}: {_complaint(texts, cells, **counts)}")


def _complaint(texts: Table, cells: _Cells, good: int, bad: int) -> str:
    is_bad = cells.is_unparsable
    examples = _row(texts.aggregate(lowest=cells.text.min(where=is_bad), highest=cells.text.max(where=is_bad))).values()
    shown = " and ".join(map(repr, sorted(set(examples))))
    if cells.pick.kind != "time":
        mark = f", with {DECIMAL_KEY} {cells.format.decimal!r}" if cells.format.decimal else ""
        return f"none of its {bad} values can be read, as {shown}; expected {EXPECTED[cells.pick.kind]}{mark}"
    if cells.format.date_format is not None:
        return f"{bad} of {bad + good} values do not fit {DATE_KEY} {cells.format.date_format!r}, as {shown}"
    likely = next(filter(None, map(parse_times.likely_format, sorted(examples, reverse=True))), None)
    remedy = f"set {DATE_KEY}: {likely}" if likely else f"set {DATE_KEY} to their spelling, or make them dates first"
    return (
        f"{bad} of {bad + good} values are not ISO 8601, as 2010-12-29 or 2010-12-29 13:45, but {shown}; "
        f"{remedy} (day against month is never guessed)"
    )


def _row(aggregate: Table) -> dict[str, Any]:
    [row] = aggregate.to_pyarrow().to_pylist()
    return dict(row)
