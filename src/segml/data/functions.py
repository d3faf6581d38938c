"""What engines spell differently, in one place: expressions that mean the same on DuckDB and on Spark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, FloatingScalar, IntegerValue, StringValue, Table, TimestampValue

from segml.data.spark_tables import is_spark

UTC = "UTC"
BLANKS = " \t\n\r\x0b\f"
_BLANKS = r"[ \t\n\r\x0B\f]"


# The engines' own functions; the last one is Spark's.
@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))  # type: ignore[untyped-decorator]
def _at(zone: Any, clock: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))  # type: ignore[untyped-decorator]
def _clock(zone: Any, moment: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=(("timestamp", "string"), "timestamp"))  # type: ignore[untyped-decorator]
def _from_utc_timestamp(moment: Any, zone: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="hash", signature=((None,), "uint64"))  # type: ignore[untyped-decorator]
def _hash(value: Any) -> Any:
    """Return DuckDB's hash of a value, or of all that a struct holds; that of Ibis is made signed by way of text."""


def double(value: float) -> FloatingScalar:
    """Return a number as a double: written with a point it is a decimal in Spark's SQL, where a double may not fit."""
    return ibis.literal(repr(value)).cast("float64")


def stripped(text: StringValue) -> StringValue:
    """Return text without blanks, tabs and line ends around it; Spark's own function takes off blanks only."""
    if is_spark(text.get_backend()):
        return text.re_replace(rf"^{_BLANKS}+|{_BLANKS}+\z", "")
    return text.strip()


def has_blanks_around(text: StringValue) -> BooleanValue:
    """Tell which texts begin or end with a blank, tab or line end, or are empty; some others may be among them."""
    if is_spark(text.get_backend()):  # its SQL cannot spell all of them
        return (text.ascii_str() <= ord(" ")) | (text.right(1).ascii_str() <= ord(" "))
    return (text.ascii_str() <= ord(" ")) | ibis.or_(*(text.endswith(blank) for blank in BLANKS))


def row_hash(rows: Table, names: Sequence[str]) -> IntegerValue:
    """Return 64 bits for the values of each row on DuckDB in these columns; equal rows have equal ones."""
    return _hash(ibis.struct({name: rows[name] for name in names}))


def perhaps_repeated(rows: Table, names: Sequence[str]) -> Table:
    """Return the rows that may equal another one in these columns: comparing all of them whole is dear."""
    if rows.get_backend().name != "duckdb":
        return rows
    counts = rows.group_by(row_hash=row_hash(rows, names)).aggregate(rows=rows.count())
    several = counts.filter(counts["rows"] > 1)
    return rows.semi_join(several, row_hash(rows, names) == several.row_hash)


def matches(text: StringValue, pattern: str) -> BooleanValue:
    """Tell which texts match a regular expression as a whole, whatever their case."""
    return text.re_search(whole(pattern, text.get_backend()))


def whole(pattern: str, backend: Any) -> str:
    """Return a pattern for whole texts of any case; on Spark only a further flag folds letters beyond a to z."""
    flags = "iu" if is_spark(backend) else "i"
    end = r"\z" if is_spark(backend) else "$"  # Java's $ also stands before a line end
    return f"(?{flags})^(?:{pattern}){end}"


def clock_of(moment: TimestampValue, zone: str) -> TimestampValue:
    """Return the clock of a time zone at moments that bear a zone."""
    return _clock(zone, moment)


def clock_of_utc(utc: TimestampValue, zone: str) -> TimestampValue:
    """Return the clock of a time zone at moments told by the clock of UTC, without a zone."""
    if zone == UTC:
        return utc
    return _from_utc_timestamp(utc, zone) if is_spark(utc.get_backend()) else _clock(zone, _at(UTC, utc))
