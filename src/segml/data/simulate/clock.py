"""The world's time: days since its first midnight, as floats, and how they become timestamps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Stamps = NDArray[np.datetime64]

YEAR = 365.25
NEVER = np.inf
"""The day of something that does not happen."""

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Clock:
    """The span the log covers: ``days`` days up to ``end``, which is exclusive."""

    end: date
    days: int

    @property
    def start(self) -> np.datetime64:
        """The first midnight of the log."""
        return np.datetime64(self.end, "us") - np.timedelta64(self.days, "D")

    def day_number(self, day: date) -> int:
        """Return a calendar day as a number of days since the start."""
        return int((np.datetime64(day, "us") - self.start) // np.timedelta64(1, "D"))

    def stamps(self, day: Any) -> Stamps:
        """Return moments, to the second, of days since the start; a day that never comes is NaT."""
        day = np.asarray(day, dtype=np.float64)
        comes = np.isfinite(day)
        seconds = np.floor(np.where(comes, day, 0.0) * _DAY_SECONDS + 0.5).astype("timedelta64[s]")
        stamps: Stamps = np.where(comes, self.start + seconds.astype("timedelta64[us]"), np.datetime64("NaT", "us"))
        return stamps

    def years(self, day: Floats) -> Ints:
        """Return the calendar year of each day."""
        return self.stamps(day).astype("datetime64[Y]").astype(np.int64) + 1970

    def day_of_year(self, day: Floats) -> Floats:
        """Return how many days of its calendar year have passed at each day."""
        stamps = self.stamps(day)
        since = stamps - stamps.astype("datetime64[Y]").astype("datetime64[us]")
        passed: Floats = since / np.timedelta64(_DAY_SECONDS, "s")
        return passed

    def weekday(self, day: Floats) -> Ints:
        """Return the day of the week, Monday 0."""
        return (self.stamps(day).astype("datetime64[D]").astype(np.int64) + 3) % 7
