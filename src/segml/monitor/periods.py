"""The periods that a refresh compares: who was where when each began, and what they did in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import pandas as pd

from segml import windows
from segml.features.activity import ACTIVITY_COLUMNS
from segml.language import N_
from segml.schema import DataError, check_columns
from segml.windows import Moment

SINCE: Final = "since"
BEFORE: Final = "before"
LAST_YEAR: Final = "last_year"
PERIODS = {
    SINCE: N_("since the last refresh"),
    BEFORE: N_("the period before"),
    LAST_YEAR: N_("the same season last year"),
}
"""The periods that are compared, and what people call them."""


class Span(NamedTuple):
    """A stretch of time, ``[start, end)``."""

    start: pd.Timestamp
    end: pd.Timestamp


def spans(last: Moment, now: Moment) -> dict[str, Span]:
    """Return the periods to compare: since the last refresh, as long a one before it, and the same a year ago.

    >>> spans("2024-04-01", "2024-07-01")["last_year"].start
    Timestamp('2023-04-01 00:00:00')
    """
    start, end = windows.as_timestamp(last), windows.as_timestamp(now)
    if not windows.before(start, end):
        raise ValueError(f"a refresh comes after the last one; found {last} and {now}")
    return {
        SINCE: Span(start, end),
        BEFORE: Span(start - (end - start), start),
        LAST_YEAR: Span(windows.shift(start, months=-12), windows.shift(end, months=-12)),
    }


@dataclass(frozen=True)
class Period:
    """What is known of one period.

    Attributes
    ----------
    span : from when to when
    at_start : one row a customer there at the start: ``customer_id`` and a column of labels for each scheme, such as
        the decisions of that moment
    activity : what customers did in it, as ``features.activity`` returns it
    at_end : like ``at_start``; None: what customers became is not known

    Raises
    ------
    DataError : columns missing, or customers repeated
    """

    span: Span
    at_start: pd.DataFrame
    activity: pd.DataFrame
    at_end: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        check_columns(self.activity.columns, ACTIVITY_COLUMNS, "the activity of a period lacks")
        tables = {"labels at the start": self.at_start, "activity": self.activity, "labels at the end": self.at_end}
        for name, table in tables.items():
            if table is None:
                continue
            check_columns(table.columns, ["customer_id"], f"{name} of a period lack")
            if table["customer_id"].duplicated().any():
                raise DataError(f"{name} of a period hold a customer more than once; pass one row a customer")

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Labels at the start beside what was done: customers that ``was_there``, or did something; sorted."""
        own = [name for name in ACTIVITY_COLUMNS if name != "customer_id"]
        labels = self.at_start.drop(columns=own, errors="ignore").assign(was_there=True)
        joined = labels.merge(self.activity, on="customer_id", how="outer", sort=True)
        joined["was_there"] = joined["was_there"].notna()
        joined = joined[joined["was_there"] | (joined["lines"] > 0)].reset_index(drop=True)
        return joined.fillna({"lines": 0, "revenue": 0.0, "orders": 0, "gross": 0.0})
