"""Which order lines are read: those of a half-open window of dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.config import DataConfig
from segml.language import _

KEYS = "data.read_from and data.read_until"
SLACK = timedelta(days=1)
"""A date in another time zone, as that of a folder may be, is off by less."""


@dataclass(frozen=True)
class Window:
    """Local dates ``[start, end)`` of the order lines to read; None leaves a side open, and one is given at least.

    A line without a date that can be read lies in no window.
    """

    start: date | None
    end: date | None

    def __str__(self) -> str:
        sides = (f"from {self.start}" if self.start else "", f"before {self.end}" if self.end else "")
        return " and ".join(filter(None, sides))

    def keep(self, lines: Table, column: str) -> Table:
        """Return the lines whose local time lies in the window."""
        return lines.filter(windows.within_open(lines[column], _midnight(self.start), _midnight(self.end)))

    def narrow(self, raw: Table, column: str) -> Table:
        """Return raw lines without those that surely lie outside: what files and servers can filter on their own."""
        kind = raw[column].type()
        if kind.is_date():
            return raw.filter(windows.within_open(raw[column], self.start, self.end))
        if not kind.is_timestamp():
            return raw
        if kind.timezone is None:
            return self.keep(raw, column)
        start, end = self._with_slack()
        return raw.filter(windows.within_open(raw[column], _midnight(start, UTC), _midnight(end, UTC)))

    def may_hold(self, start: date, end: date) -> bool:
        """Tell whether lines of the dates ``[start, end)``, of any time zone, may lie in the window."""
        return windows.overlap(start, end, *self._with_slack())

    def told(self) -> tuple[str, ...]:
        """Return the notice of what was not read."""
        if self.start is None:
            return (_("lines from {end} on were not read (data.read_until)").format(end=self.end),)
        if self.end is None:
            return (_("lines before {start} were not read (data.read_from)").format(start=self.start),)
        words = _("lines before {start} and from {end} on were not read (data.read_from, data.read_until)")
        return (words.format(start=self.start, end=self.end),)

    def _with_slack(self) -> tuple[date | None, date | None]:
        return (
            self.start - SLACK if self.start is not None else None,
            self.end + SLACK if self.end is not None else None,
        )


def window_of(data: DataConfig) -> Window | None:
    """Return the window of the configuration, None where everything is read."""
    is_open = data.read_from is None and data.read_until is None
    return None if is_open else Window(data.read_from, data.read_until)


def _midnight(day: date | None, zone: Any = None) -> Any:
    return None if day is None else ibis.literal(datetime.combine(day, time(), zone))
