"""Moments: ISO 8601 without asking, anything else by a given format; the order of day and month is never guessed."""

from __future__ import annotations

import re
import zoneinfo
from typing import Any

import ibis
from ibis.expr.types import StringValue, TimestampValue

from segml.config import FormatConfig
from segml.data import functions, parse_by_pattern
from segml.data.spark_tables import is_spark
from segml.schema import ConfigError, did_you_mean

FORMAT_KEY = "data.format.date_format"
ZONE_KEY = "data.format.timezone"
DIRECTIVES = "dmbBjyYHIpMSfzaA%"
EARLIEST_YEAR = 1000  # a year of four digits: "%Y" must not take the 10 of 29.12.10 for one

_ISO = (
    r"^(\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?) ?([Zz]|[-+]\d{2}(?::?\d{2})?)?)?$"
)
_NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"\d{4}([./])\d{1,2}\1\d{1,2}(?!\d)")
_CLOCK = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?$")


# DuckDB's own functions.
@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp"))  # type: ignore[untyped-decorator]
def _strptime(text: Any, format: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp('UTC')"))  # type: ignore[untyped-decorator]
def _strptime_zoned(text: Any, format: Any) -> Any: ...


def check(format: FormatConfig) -> None:
    """Raise ``ConfigError`` where the time zone or the date format is not one."""
    zone, spelled = format.timezone, format.date_format
    if zone is not None and zone not in zoneinfo.available_timezones():
        hint = did_you_mean(zone, sorted(zoneinfo.available_timezones()))
        raise ConfigError(f"{ZONE_KEY}: {zone!r} is not a time zone, as Europe/Berlin is{hint}")
    if spelled is not None:
        _check_date_format(spelled)


def naive(column: TimestampValue, format: FormatConfig) -> TimestampValue:
    """Return moments as local time without a zone, in microseconds; those without a zone are local already."""
    kind = column.type()
    is_zoned = kind.is_timestamp() and kind.timezone
    local = functions.clock_of(column, format.timezone or functions.UTC) if is_zoned else column
    return local.cast("timestamp(6)")


def moment(text: StringValue, format: FormatConfig) -> TimestampValue:
    """Return the local moments that text spells in ISO 8601 or in the given format, null for other text."""
    if format.date_format is None:
        return _iso(text, format)
    spelled = _by_format(text, format)
    is_like_iso = format.date_format.startswith("%Y-")  # %Y-%d-%m, say: reading some rows as ISO would mix the two
    return spelled if is_like_iso else ibis.coalesce(spelled, _iso(text, format))


def likely_format(example: str) -> str | None:
    """Return the format or formats that an example may be in, for a message.

    >>> likely_format("29.12.2010 13:45")
    '"%d.%m.%Y %H:%M"'
    >>> likely_format("03/04/2010")
    '"%d/%m/%Y" or "%m/%d/%Y"'
    """
    if re.fullmatch(r"\d{8}", example):
        return '"%Y%m%d"'
    clock = _clock_format(example)
    if found := _YEAR_FIRST.match(example):
        return f'"%Y{found[1]}%m{found[1]}%d{clock}"'
    if not (found := _NUMERIC.match(example)):
        return None
    mark, year = found[2], "%Y" if len(found[4]) == 4 else "%y"
    day_first, month_first = (f'"%{a}{mark}%{b}{mark}{year}{clock}"' for a, b in ("dm", "md"))
    if mark == "." or int(found[1]) > 12:
        return day_first
    return month_first if int(found[3]) > 12 else f"{day_first} or {month_first}"


def _clock_format(example: str) -> str:
    found = _CLOCK.search(example)
    if not found:
        return ""
    seconds = ":%S" if found[1] else ""
    half = found[2] or ""
    return f"{found[0][0]}{'%I' if half else '%H'}:%M{seconds}{half[:-2]}{'%p' if half else ''}"


def _check_date_format(spelled: str) -> None:
    directives = set(re.findall(r"%(.?)", spelled))
    unknown = sorted(directives - set(DIRECTIVES))
    if unknown:
        known = " ".join(f"%{letter}" for letter in DIRECTIVES)
        raise ConfigError(f"{FORMAT_KEY}: {spelled!r} holds %{unknown[0]}, which is not understood; known: {known}")
    has_day = "j" in directives or ("d" in directives and directives & set("mbB"))
    if not (has_day and directives & set("yY")):
        raise ConfigError(f'{FORMAT_KEY} must spell day, month and year, as "%d.%m.%Y" does; found {spelled!r}')


def _by_format(text: StringValue, format: FormatConfig) -> TimestampValue:
    spelled = str(format.date_format)
    if is_spark(text.get_backend()):
        return parse_by_pattern.moment(text, spelled, format.timezone or functions.UTC)
    if "%z" in spelled:
        return naive(_strptime_zoned(text, spelled), format)
    parsed = _strptime(text, spelled).cast("timestamp(6)")
    return ibis.ifelse(parsed.year() >= EARLIEST_YEAR, parsed, ibis.null("timestamp(6)"))


def _iso(text: StringValue, format: FormatConfig) -> TimestampValue:
    clock = text.re_extract(_ISO, 2).replace(",", ".")
    written = (text.re_extract(_ISO, 1) + " " + clock).strip().try_cast("timestamp(6)")
    zone = text.re_extract(_ISO, 3)
    in_utc = written - parse_by_pattern.offset_minutes(zone).as_interval("m")
    local = functions.clock_of_utc(in_utc, format.timezone or functions.UTC).cast("timestamp(6)")
    return ibis.ifelse(zone == "", written, local)
