"""Who has time when: tasks get a day within the capacity of their owners, those of the most money first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Days = NDArray[np.int64]
_WEEK = 7


class Calendar:
    """Contacts of owners by week: tasks of one owner with one customer in one week are one contact.

    Parameters
    ----------
    capacity_of : contacts that an owner can make in a week
    per_contact : tasks that one contact takes
    """

    def __init__(self, capacity_of: Callable[[str], float], per_contact: int) -> None:
        self._capacity_of, self._per_contact = capacity_of, per_contact
        self._tasks: Counter[tuple[str, str, int]] = Counter()  # by owner, customer and week
        self._contacts: Counter[tuple[str, int]] = Counter()  # by owner and week

    def enter(self, owner: str, customer: str, day: int) -> None:
        """Take note of a task on a day."""
        week = monday(day)
        if not self._tasks[owner, customer, week]:
            self._contacts[owner, week] += 1
        self._tasks[owner, customer, week] += 1

    def has_room(self, owner: str, customer: str, day: int) -> bool:
        """Tell whether the contact of that week takes one more task, or there is time for a contact."""
        week = monday(day)
        tasks = self._tasks[owner, customer, week]
        if tasks:
            return tasks < self._per_contact
        return self._contacts[owner, week] < self._capacity_of(owner)


def place(tasks: pd.DataFrame, calendar: Calendar, until: int) -> list[int | None]:
    """Return the day of each task, or None where nobody has time; tasks come in the order of their precedence.

    A task is tried on its day, then on the Mondays after it, as long as it may wait and they lie before ``until``.

    Parameters
    ----------
    tasks : ``owner``, ``customer_id``, ``day`` (since 1970) and ``wait_days``
    """
    columns = (tasks[name].tolist() for name in ("owner", "customer_id", "day", "wait_days"))
    return [
        _entered(calendar, owner, customer, _days(day, wait, until))
        for owner, customer, day, wait in zip(*columns, strict=True)
    ]


def _entered(calendar: Calendar, owner: str, customer: str, days: Iterable[int]) -> int | None:
    day = next((day for day in days if calendar.has_room(owner, customer, day)), None)
    if day is not None:
        calendar.enter(owner, customer, day)
    return day


def _days(day: int, wait: int, until: int) -> Iterator[int]:
    yield day
    yield from range(monday(day) + _WEEK, min(day + wait + 1, until), _WEEK)


def monday(day: int) -> int:
    """Return the Monday on or before a day, both counted from 1970, which began on a Thursday.

    >>> monday(0), monday(4), monday(10), monday(11)
    (-3, 4, 4, 11)
    """
    return day - (day + 3) % _WEEK


def days_since_1970(moments: pd.Series[pd.Timestamp]) -> Days:
    """Return calendar days as numbers."""
    return moments.to_numpy().astype("datetime64[D]").astype(np.int64)


def from_days(days: Iterable[int | None], index: pd.Index) -> pd.Series[pd.Timestamp]:
    """Return numbered days as timestamps, None as NaT."""
    moments = [np.datetime64("NaT", "D") if day is None else np.datetime64(day, "D") for day in days]
    return pd.Series(np.array(moments, dtype="datetime64[D]"), index=index).astype("datetime64[us]")
