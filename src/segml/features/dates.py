"""The as-of dates of one pass, and at which of them a row counts.

Dates are sorted and have places, from 0. A row that was placed at ``ordered_at`` and cancelled at ``cancelled_at``
counts at the dates from place ``since`` up to, not including, place ``until``: what is computed at all dates need look
at these two small numbers only. With one date there is nothing to tell apart, and neither column is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from segml import windows
from segml.features.bins import Bins

KEYS = ("customer_id", "as_of_s")

DATES = "segml_dates"
"""The name of the table of dates in a recipe."""


@ibis.udf.scalar.builtin(name="segml_as_of", signature=((), "timestamp(6)"))  # type: ignore[untyped-decorator]
def segml_as_of() -> Any:
    """Stand in the place of the as-of date in a recipe for any one date."""


Keep = Callable[[Table, str], Table]
"""Has a table computed at once and held by the engine; the text says what it holds."""


@dataclass(frozen=True)
class AsOfDates:
    """Sorted as-of dates: whole seconds, without a time zone.

    Attributes
    ----------
    moments : the dates; or the place of a single one, an Ibis value, in a recipe for any (``ANY_ONE``)
    """

    moments: tuple[Any, ...]

    @classmethod
    def of(cls, as_of: Any) -> AsOfDates:
        """Return the dates that a caller gives, one or several (``windows.as_timestamps``)."""
        return cls(tuple(windows.as_timestamps(as_of)))

    @property
    def is_one(self) -> bool:
        """Tell whether there is a single date."""
        return len(self.moments) == 1

    @property
    def keys(self) -> tuple[str, ...]:
        """What tells rows of one customer and date from others."""
        return KEYS[:1] if self.is_one else KEYS

    @property
    def life(self) -> tuple[str, ...]:
        """The columns that tell at which dates a row counts."""
        return () if self.is_one else ("since", "until")

    @property
    def until(self) -> tuple[str, ...]:
        """The column of lines and what is gathered from them that tells when they cease to count."""
        return self.life[1:]

    @property
    def rows(self) -> pa.Table:
        """The dates as rows: ``as_of_s`` and ``place``."""
        seconds = [windows.epoch_seconds(moment) for moment in self.moments]
        return pa.table({"as_of_s": pa.array(seconds, "int64"), "place": pa.array(range(len(seconds)), "int16")})

    @cached_property
    def table(self) -> Table:
        """The place where ``rows`` will be; features are made as a recipe before there is any data."""
        return ibis.table({"as_of_s": "int64", "place": "int16"}, name=DATES)

    @cached_property
    def bins(self) -> Bins:
        """Time, cut where the windows of the dates begin and end."""
        return Bins(self.moments)

    def as_of_s(self, rows: Table) -> Any:
        """Return the date of rows that are told apart by ``keys``, in seconds since 1970."""
        return _whole(windows.epoch_seconds(self.moments[0])) if self.is_one else rows.as_of_s

    def in_ages(self, rows: Table, placed: Any, from_days: int, to_days: int = 0) -> Any:
        """Tell which moments lie in ``[as_of − from_days, as_of − to_days)`` of the date of their row.

        Parameters
        ----------
        rows : with ``as_of_s`` where there are several dates
        """
        if not self.is_one:
            return windows.in_ages(rows.as_of_s - windows.epoch_seconds(placed), from_days, to_days)
        begin, end = (windows.days_before(self.moments[0], days) for days in (from_days, to_days))
        return windows.within(placed, begin, end)

    def place(self, moment: Any, days: int = 0) -> Any:
        """Return the place of the first date that lies after so many days from a moment; behind the last if none does.

        At a date that lies at this place or before, the moment is less than so many days ago, or at most.
        """
        limits = [windows.shift(date, days=-days) for date in self.moments]
        return windows.dates_until(moment, limits).cast("int16")

    def stands(self, rows: Table) -> Any:
        """Tell which rows were never cancelled, as far as one looks."""
        return rows.until == len(self.moments)

    def living(self, lines: Table) -> Table:
        """Return the lines that count at one of the dates at least, those of several dates with ``until``."""
        placed, cancelled = lines.ordered_at, lines.cancelled_at
        if self.is_one:
            return lines.filter(windows.known(placed, cancelled, self.moments[0]))
        never = ibis.literal(len(self.moments), "int16")
        early = lines.filter(windows.before(placed, self.moments[-1]))
        early = early.mutate(until=cancelled.isnull().ifelse(never, self.place(cancelled)))
        return early.filter(early.cancelled_at.isnull() | (self.place(early.ordered_at) < early.until))

    def with_since(self, rows: Table) -> Table:
        """Return rows with ``ordered_at`` with the first date at which they count."""
        return rows if self.is_one else rows.mutate(since=self.place(rows.ordered_at))

    def until_older(self, rows: Table, placed: Any, days: int) -> Any:
        """Return up to which date rows count, and are at most so many days old."""
        return ibis.least(rows.until, self.place(placed, days=days))

    def aged(self, rows: Table, from_days: int, to_days: int = 0) -> Table:
        """Return rows with ``ordered_at`` at the dates where they lie in ``[as_of − from_days, as_of − to_days)``."""
        placed = rows.ordered_at
        if self.is_one:
            return rows.filter(self.in_ages(rows, placed, from_days, to_days))
        aged = rows.mutate(since=self.place(placed, days=to_days), until=self.until_older(rows, placed, from_days))
        return aged.filter(aged.since < aged.until)

    def at_each(self, rows: Table) -> Table:
        """Return the rows at each date at which they count: with ``as_of_s``, without their ``life``."""
        if self.is_one:
            return rows.mutate(as_of_s=self.as_of_s(rows))
        dates = self.table
        return rows.join(dates, [rows.since <= dates.place, dates.place < rows.until]).drop("place", *self.life)

    def with_customers(self, rows: Table, customers: Table) -> Table:
        """Return the rows at each date at which they count, with the columns of their customer at that date.

        Parameters
        ----------
        customers : one row a customer (``customer_id``) and date (``as_of_s``)
        """
        return self._joined(customers, rows, "inner")

    def of_customers(self, customers: Table, rows: Table) -> Table:
        """Return the same, and of customers who have no row at a date one of nulls."""
        return self._joined(customers, rows, "left")

    def _joined(self, customers: Table, rows: Table, how: Literal["inner", "left"]) -> Table:
        if self.is_one:
            joined = customers.join(rows, "customer_id", how=how)
        else:
            placed = customers.join(self.table, "as_of_s")
            counts = [placed.customer_id == rows.customer_id, placed.place >= rows.since, placed.place < rows.until]
            joined = placed.join(rows, counts, how=how)
        told = (name for name in rows.columns if name not in ("customer_id", *self.life))
        return joined.select(*customers.columns, *told)


def _whole(number: Any) -> Any:
    return ibis.literal(number, "int64") if isinstance(number, int) else number


ANY_ONE = AsOfDates((segml_as_of(),))
"""Any one date: its moment is a place, to be filled in when a recipe is followed."""
