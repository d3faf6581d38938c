"""Moments in a given format, read by a regular expression: for engines that cannot read dates by such a format."""

from __future__ import annotations

import re
from collections.abc import Mapping

import ibis
from ibis.expr.types import IntegerValue, StringValue, TimestampValue

from segml.data import functions

_UP_TO_TWO = r"(\d{1,2})"
_WORD = r"([A-Za-z]+)"
_PIECES: Mapping[str, str] = {
    **dict.fromkeys("dmHIMS", _UP_TO_TWO),
    "Y": r"(\d{4})",
    "y": r"(\d{2})",
    "j": r"(\d{1,3})",
    "f": r"(\d{1,9})",
    "b": _WORD,
    "B": _WORD,
    "a": _WORD,
    "A": _WORD,
    "p": "([AaPp][Mm])",
    "z": r"([Zz]|[-+]\d{2}(?::?\d{2})?)",
}
_DIRECTIVE = re.compile("%(.)")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_CENTURY_TURNS = 69  # two digits from here on are of the last century, as POSIX has it


def moment(text: StringValue, format: str, zone: str) -> TimestampValue:
    """Return the moments that text spells in a ``strptime`` format, null for other text.

    Parameters
    ----------
    zone : whose clock is told where the format has an offset (``%z``)
    """
    parts = _parts(text, format)
    clock = _clock(parts)
    written = _of_year(parts, clock) if "j" in parts else _of_month(parts, clock)
    if "z" not in parts:
        return written
    return functions.clock_of_utc(written - offset_minutes(parts["z"]).as_interval("m"), zone).cast("timestamp(6)")


def offset_minutes(zone: StringValue) -> IntegerValue:
    """Return the offset from UTC that text such as ``+02:00``, ``-0330`` or ``Z`` spells; 0 for other text."""
    hours = zone.re_extract(r"^[-+](\d{2})", 1).try_cast("int64").fill_null(0)
    minutes = zone.re_extract(r"^[-+]\d{2}:?(\d{2})$", 1).try_cast("int64").fill_null(0)
    return (hours * 60 + minutes) * ibis.ifelse(zone.startswith("-"), -1, 1)


def _parts(text: StringValue, format: str) -> dict[str, StringValue]:
    """Return what stands in place of each directive, empty where text does not fit the format."""
    letters = [letter for letter in _DIRECTIVE.findall(format) if letter != "%"]
    literals = [_literal(piece) for piece in re.split("%[^%]", format)]
    pieces = zip(letters, literals[1:], strict=True)
    pattern = literals[0] + "".join(_PIECES[letter] + after for letter, after in pieces)
    return {letter: text.re_extract(rf"^\s*{pattern}\s*$", place) for place, letter in enumerate(letters, start=1)}


def _literal(piece: str) -> str:
    return r"\s+".join(map(re.escape, re.split(r"\s+", piece.replace("%%", "%"))))


def _clock(parts: Mapping[str, StringValue]) -> StringValue:
    """Return the time of day as ISO 8601 has it."""
    hour = parts["H"] if "H" in parts else _of_twelve(parts) if "I" in parts else ibis.literal("0")
    minute, second = (parts.get(letter, ibis.literal("0")) for letter in "MS")
    fraction = parts.get("f", ibis.literal("0"))
    return _two(hour) + ":" + _two(minute) + ":" + _two(second) + "." + fraction


def _of_twelve(parts: Mapping[str, StringValue]) -> StringValue:
    hour = parts["I"].try_cast("int64")
    known = ibis.ifelse(hour.between(1, 12), hour % 12, ibis.null("int64"))
    is_after_noon = parts["p"].lower() == "pm" if "p" in parts else ibis.literal(False)
    return (known + ibis.ifelse(is_after_noon, 12, 0)).cast("string")


def _of_month(parts: Mapping[str, StringValue], clock: StringValue) -> TimestampValue:
    named = parts.get("b", parts.get("B"))
    month = _two(parts["m"]) if named is None else _month_of(named)
    return (_year(parts) + "-" + month + "-" + _two(parts["d"]) + " " + clock).try_cast("timestamp(6)")


def _of_year(parts: Mapping[str, StringValue], clock: StringValue) -> TimestampValue:
    """Return moments told by the day of the year; day 366 of a short year is the next one's first, as on DuckDB."""
    start = (_year(parts) + "-01-01 " + clock).try_cast("timestamp(6)")
    day = parts["j"].try_cast("int64")
    return ibis.ifelse(day.between(1, 366), start + (day - 1).as_interval("D"), ibis.null("timestamp(6)"))


def _year(parts: Mapping[str, StringValue]) -> StringValue:
    if "Y" in parts:
        return parts["Y"]
    century = ibis.ifelse(parts["y"].try_cast("int64") >= _CENTURY_TURNS, "19", "20")
    return century + parts["y"]


def _month_of(name: StringValue) -> StringValue:
    """Return the number of a month's English name, whole or its first three letters."""
    word = name.lower()
    numbers = ((word.isin([name, name[:3]]), f"{month:02}") for month, name in enumerate(_MONTHS, start=1))
    return ibis.cases(*numbers, else_=None)


def _two(digits: StringValue) -> StringValue:
    return digits.lpad(2, "0")
