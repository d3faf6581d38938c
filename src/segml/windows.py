"""Half-open time windows: the only place that compares a date with the as-of date.

Features look back from the as-of date, ``[start, as_of)``; labels look forward from it,
``[as_of, end)``. Every function takes either pandas or Ibis values, so that the same words mean the
same thing in the data base and in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import ibis
import numpy as np
import pandas as pd

from segml.schema import DataError

DAY_SECONDS = 86_400
YEAR_DAYS = 365

Moment = str | date | datetime | pd.Timestamp
"""An as-of date as callers give it."""


def as_timestamp(moment: Moment) -> pd.Timestamp:
    """Return an as-of date as a timestamp without a time zone; a bare date means its midnight.

    >>> as_timestamp("2011-03-13")
    Timestamp('2011-03-13 00:00:00')
    """
    stamp = pd.Timestamp(moment)
    if stamp.tz is not None:
        raise ValueError(f"an as-of date carries no time zone; found {stamp}")
    return stamp.as_unit("us")


def as_timestamps(as_of: Any) -> list[pd.Timestamp]:
    """Return one or several as-of dates as timestamps, each once, oldest first.

    >>> as_timestamps(["2011-06-12", "2011-03-13", "2011-06-12"])
    [Timestamp('2011-03-13 00:00:00'), Timestamp('2011-06-12 00:00:00')]
    """
    several = as_of if isinstance(as_of, Iterable) and not isinstance(as_of, str) else [as_of]
    stamps = sorted({as_timestamp(moment) for moment in several})
    if not stamps:
        raise DataError("at least one as-of date is needed; found none")
    uneven = [str(stamp) for stamp in stamps if stamp != stamp.floor("s")]
    if uneven:
        raise DataError(f"an as-of date is a whole second, because ages are counted in seconds; found {uneven}")
    return stamps


def epoch_seconds(moment: Any) -> Any:
    """Return moments as whole seconds since 1970, rounded down; as-of dates are whole seconds, so no order is lost.

    >>> epoch_seconds(pd.Timestamp("1970-01-02 00:00:00.9"))
    86400
    """
    if isinstance(moment, pd.Timestamp):
        return int(moment.floor("s").timestamp())
    return moment.truncate("s").epoch_seconds().cast("int64")


def from_epoch_seconds(seconds: pd.Series[int]) -> pd.Series[pd.Timestamp]:
    """Return whole seconds since 1970 as timestamps, the inverse of ``epoch_seconds``."""
    return pd.to_datetime(seconds, unit="s").dt.as_unit("us")


def epoch_day(moment: Any) -> Any:
    """Return the calendar days of moments, counted from 1970.

    >>> epoch_day(pd.Timestamp("1970-01-02 23:59"))
    1
    """
    if isinstance(moment, pd.Timestamp):
        return epoch_seconds(moment) // DAY_SECONDS
    return moment.date().epoch_days().cast("int64")


def in_last(age_seconds: Any, days: int) -> Any:
    """Tell which ages, in seconds before the as-of date, lie in ``[as_of − days, as_of)``."""
    return in_ages(age_seconds, days, 0)


def in_ages(age_seconds: Any, from_days: int, to_days: int) -> Any:
    """Tell which ages, in seconds before the as-of date, lie in ``[as_of − from_days, as_of − to_days)``."""
    return (age_seconds <= from_days * DAY_SECONDS) & (age_seconds > to_days * DAY_SECONDS)


def midnight_after(moment: pd.Timestamp) -> pd.Timestamp:
    """Return the first midnight after a moment: the default as-of date for a log that ends then.

    >>> midnight_after(pd.Timestamp("2011-12-09 12:50"))
    Timestamp('2011-12-10 00:00:00')
    """
    return pd.Timestamp(moment).normalize().as_unit("us") + pd.Timedelta(days=1)


def shift(as_of: pd.Timestamp, *, days: int = 0, months: int = 0) -> pd.Timestamp:
    """Return the as-of date moved by days and calendar months (negative: back)."""
    return (as_of + pd.DateOffset(months=months) + pd.Timedelta(days=days)).as_unit("us")


def days_before(as_of: Any, days: int) -> Any:
    """Return the moment so many days before the as-of date, which may be an Ibis value.

    >>> days_before(pd.Timestamp("2011-03-13"), 90)
    Timestamp('2010-12-13 00:00:00')
    """
    return shift(as_of, days=-days) if isinstance(as_of, pd.Timestamp) else as_of - ibis.interval(days=days)


def day_after(as_of: pd.Series[pd.Timestamp], days: pd.Series[float]) -> pd.Series[pd.Timestamp]:
    """Return the calendar day that lies so many days, negative ones too, after each as-of date.

    Whole seconds first: 0.1 + 0.2 days must not push a purchase at midnight to the day before.
    """
    seconds = pd.to_timedelta((days * DAY_SECONDS).round(), unit="s")
    day: pd.Series[pd.Timestamp] = (as_of + seconds).dt.floor("D")
    return day


def to_working_days(days: pd.Series[pd.Timestamp], *, back: bool = False) -> pd.Series[pd.Timestamp]:
    """Return Monday to Friday as they are, and days of a weekend as the Monday after, or the Friday before.

    Public holidays are not known.

    >>> to_working_days(pd.Series(pd.to_datetime(["2026-01-02", "2026-01-03"]))).dt.day_name().tolist()
    ['Friday', 'Monday']
    """
    rolled = np.busday_offset(days.to_numpy().astype("datetime64[D]"), 0, roll="backward" if back else "forward")
    return pd.Series(rolled, index=days.index).astype("datetime64[us]")


def months_in_days(as_of: pd.Timestamp, months: int) -> float:
    """Return the length in days of the last ``months`` calendar months before the as-of date.

    >>> months_in_days(pd.Timestamp("2011-03-13"), 3)
    90.0
    """
    return (as_of - shift(as_of, months=-months)).total_seconds() / DAY_SECONDS


def before(time: Any, as_of: Any) -> Any:
    """Tell which moments lie strictly before the as-of date."""
    return time < as_of


def within(time: Any, start: Any, end: Any) -> Any:
    """Tell which moments lie in ``[start, end)``."""
    return (time >= start) & (time < end)


def within_open(time: Any, start: Any | None, end: Any | None) -> Any:
    """Tell which moments lie in ``[start, end)``, where None, at one side at most, leaves that side open."""
    if start is None:
        return before(time, end)
    return time >= start if end is None else within(time, start, end)


def overlap(start: Any, end: Any, other_start: Any | None, other_end: Any | None) -> bool:
    """Tell whether ``[start, end)`` has moments in common with ``[other_start, other_end)``; None leaves a side open.

    >>> overlap(date(2024, 1, 1), date(2024, 2, 1), date(2024, 2, 1), None)
    False
    """
    begins_early = other_end is None or start < other_end
    return begins_early and (other_start is None or other_start < end)


def is_over(as_of: Any, known_until: pd.Timestamp, *, days: int) -> Any:
    """Tell which windows ``[as_of, as_of + days)`` have passed by the end of what is known.

    >>> is_over(pd.Timestamp("2011-06-12"), pd.Timestamp("2011-07-12"), days=30)
    True
    """
    return as_of <= shift(known_until, days=-days)


def known(ordered_at: Any, cancelled_at: Any, as_of: Any) -> Any:
    """Tell which order lines were known, and stood, just before the as-of date.

    A line that is cancelled later still stands: at the as-of date nobody could know.
    """
    return before(ordered_at, as_of) & (cancelled_at.isnull() | (cancelled_at >= as_of))


def dates_until(moment: Any, dates: Sequence[Any]) -> Any:
    """Return how many of the sorted dates lie at or before a moment: at these, it is not known yet.

    The expression asks as often as a search by halves does, and holds each date once.
    """

    def count(low: int, high: int) -> Any:
        if low == high:
            return ibis.literal(low)
        middle = (low + high) // 2
        return before(moment, dates[middle]).ifelse(count(low, middle), count(middle + 1, high))

    return count(0, len(dates))


def training_dates(
    test_date: pd.Timestamp, first_date: pd.Timestamp, *, horizon_days: int, spacing_days: int, at_most: int
) -> list[pd.Timestamp]:
    """Return the as-of dates whose labels are complete at ``test_date``, oldest first.

    The latest is one horizon before the test date (the embargo), the others follow backwards every
    ``spacing_days`` down to ``first_date`` (inclusive).

    >>> training_dates(pd.Timestamp("2011-06-12"), pd.Timestamp("2011-01-01"), horizon_days=90,
    ...                spacing_days=30, at_most=12)
    [Timestamp('2011-01-13 00:00:00'), Timestamp('2011-02-12 00:00:00'), Timestamp('2011-03-14 00:00:00')]
    """
    latest = test_date - pd.Timedelta(days=horizon_days)
    steps = (latest - pd.Timedelta(days=spacing_days * step) for step in range(at_most))
    return sorted(moment for moment in steps if moment >= first_date)


def check_embargo(training: Sequence[pd.Timestamp], test_date: pd.Timestamp, *, horizon_days: int) -> None:
    """Raise ``ValueError`` where the label window of a training date reaches past the test date."""
    late = [moment for moment in training if moment + pd.Timedelta(days=horizon_days) > test_date]
    if late:
        raise ValueError(
            f"training dates {[str(moment.date()) for moment in late]} have labels that end after the test date "
            f"{test_date.date()}; leave one horizon ({horizon_days} days) between them"
        )


def check_complete(dates: Sequence[pd.Timestamp], known_until: pd.Timestamp, *, horizon_days: int) -> None:
    """Raise ``DataError`` where the label window of a date reaches past the end of the log."""
    late = [moment for moment in dates if moment + pd.Timedelta(days=horizon_days) > known_until]
    if late:
        raise DataError(
            f"what happened in the {horizon_days} days from {[str(moment) for moment in late]} on is not known yet: "
            f"the log ends at {known_until}; take dates up to {known_until - pd.Timedelta(days=horizon_days)}"
        )
