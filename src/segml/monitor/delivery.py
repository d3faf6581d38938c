"""What one delivery of order lines looked like, in figures small enough to be kept until the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.snapshots import collect, timed, typed
from segml.windows import DAY_SECONDS, Moment

RECENT_DAYS = 90
"""Before the as-of date, over which unknown values are counted: a whole log would hide what has just changed."""

NULLABLE = ("product_id", "category", "quantity", "margin", "discount", "channel", "region")
"""Columns of order lines that a source may leave empty."""

NAMED = ("category", "channel", "region")
"""Columns whose new names are told."""


@dataclass(frozen=True)
class Delivery:
    """One delivery of order lines as it stood at its as-of date.

    Attributes
    ----------
    as_of : the moment looked back from; lines at or after it, or cancelled before it, do not count
    ledger : ``Ledger.to_dict()`` of its cleaning
    lines, customers : in all
    newest_age_days : from the newest line to the as-of date; NaN without lines
    recent_lines, recent_customers : of the last ``RECENT_DAYS``
    recent_nulls : column -> recent lines in which it is unknown
    names : column -> its values, sorted
    months : revenue by calendar month, ``2024-03`` -> money
    """

    as_of: pd.Timestamp
    ledger: Mapping[str, Any]
    lines: int
    customers: int
    newest_age_days: float
    recent_lines: int
    recent_customers: int
    recent_nulls: Mapping[str, int]
    names: Mapping[str, tuple[str, ...]]
    months: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the delivery as plain values for JSON."""
        names = {column: list(values) for column, values in self.names.items()}
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}
        counted = {"recent_nulls": dict(self.recent_nulls), "months": dict(self.months), "ledger": dict(self.ledger)}
        return own | counted | {"as_of": self.as_of.isoformat(), "names": names}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Delivery:
        """Return the delivery of which ``to_dict`` told."""
        names = {column: tuple(found) for column, found in values["names"].items()}
        return cls(**{**values, "as_of": windows.as_timestamp(values["as_of"]), "names": names})


def delivered(lines: Any, as_of: Moment, ledger: Mapping[str, Any]) -> Delivery:
    """Return what a delivery looks like at its as-of date.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    ledger : ``Ledger.to_dict()`` of the cleaning that gave the lines
    """
    moment = windows.as_timestamps(as_of)[0]
    table = _known(lines, moment)
    counts = _counts(table)
    newest = counts["newest_age_s"]
    return Delivery(
        as_of=moment,
        ledger=ledger,
        lines=int(counts["lines"]),
        customers=int(counts["customers"]),
        newest_age_days=float("nan") if newest is None else newest / DAY_SECONDS,
        recent_lines=int(counts["recent_lines"]),
        recent_customers=int(counts["recent_customers"]),
        recent_nulls={name: int(counts[f"null_{name}"]) for name in NULLABLE},
        names={name: _names(table, name) for name in NAMED},
        months=revenue_by_month(lines, moment, moment),
    )


def revenue_by_month(lines: Any, ordered_before: pd.Timestamp, standing_at: pd.Timestamp) -> dict[str, float]:
    """Return net revenue by calendar month, of the lines placed before one moment that still stand at another.

    Parameters
    ----------
    lines : as in ``delivered``
    ordered_before, standing_at : the second is the same moment or a later one
    """
    table = _known(lines, standing_at).filter(
        lambda line: windows.before(line.ordered_s, windows.epoch_seconds(ordered_before))
    )
    sums = collect(table.group_by("month").aggregate(revenue=number(exact(table.amount).sum())))
    by_month = sums.set_index("month")["revenue"].sort_index()
    return {f"{month:%Y-%m}": float(revenue) for month, revenue in by_month.items()}


def _known(lines: Any, as_of: pd.Timestamp) -> Table:
    """Return the lines that stand at a moment, with their ``month`` and ``age`` in seconds before it."""
    table = typed(to_table(lines))
    seconds = timed(table.mutate(month=table.ordered_at.truncate("M")))
    moment = windows.epoch_seconds(as_of)
    standing = seconds.filter(windows.known(seconds.ordered_s, seconds.cancelled_s, moment))
    return standing.mutate(age=moment - standing.ordered_s)


def _counts(table: Table) -> Mapping[str, Any]:
    is_recent = windows.in_last(table.age, RECENT_DAYS)
    counted = table.aggregate(
        lines=table.count(),
        customers=table.customer_id.nunique(),
        newest_age_s=table.age.min(),
        recent_lines=table.count(where=is_recent),
        recent_customers=table.customer_id.nunique(where=is_recent),
        **{f"null_{name}": table.count(where=is_recent & table[name].isnull()) for name in NULLABLE},
    )
    (row,) = counted.to_pyarrow().to_pylist()
    return dict(row)


def _names(table: Table, column: str) -> tuple[str, ...]:
    found = table.filter(table[column].notnull()).select(column).distinct().to_pyarrow()
    return tuple(sorted(found[column].to_pylist()))
