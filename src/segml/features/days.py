"""Purchase days, and the gaps between them, at each as-of date."""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr.types import Table

from segml.features.dates import KEYS, AsOfDates

_DAY = ("customer_id", "day")


def purchase_days(purchases: Table, dates: AsOfDates) -> Table:
    """Return how many ``days`` with a purchase there are, with the ``gaps`` between consecutive ones.

    One row or several a customer and date, to be summed: ``days``; ``gaps``, their number; ``gap_sum`` and
    ``gap_square_sum``, in days. Of customers whose purchase days stand, as nearly all do, the gap to the day before is
    the same at every date, and what is known at a date is what was known at the one before and what came since. Where a
    whole day was cancelled later, the gaps are computed anew at each date.

    Parameters
    ----------
    purchases : batches with a purchase
    """
    if dates.is_one:
        return dates.at_each(_gathered(purchases.select(*_DAY).distinct(), ("customer_id",)))
    days = _days(purchases, dates)
    shaken = days.filter(days.since.isnull() | (days.first < days.since)).select("customer_id").distinct()
    firm = _gathered(days.anti_join(shaken, "customer_id"), ("customer_id",), by=("customer_id", "since"))
    lasting = firm.mutate(until=ibis.literal(len(dates.moments), "int16"))
    again = dates.at_each(purchases.semi_join(shaken, "customer_id")).select(*KEYS, "day").distinct()
    anew = _gathered(again, KEYS)
    return dates.at_each(lasting).select(*anew.columns).union(anew)


def _days(purchases: Table, dates: AsOfDates) -> Table:
    """Return the purchase days: known ``since`` by a purchase that stands (null: by none), ``first`` by any."""
    stands = dates.stands(purchases)
    return purchases.group_by(_DAY).aggregate(since=purchases.since.min(where=stands), first=purchases.since.min())


def _gathered(days: Table, whose: tuple[str, ...], by: tuple[str, ...] | None = None) -> Table:
    gap = days.day - days.day.lag().over(group_by=whose, order_by=days.day)
    with_gaps = days.mutate(gap=gap)
    return with_gaps.group_by(by or whose).aggregate(**_sums(with_gaps))


def _sums(days: Table) -> dict[str, Any]:
    return {
        "days": days.count(),
        "gaps": days.gap.count(),
        "gap_sum": days.gap.sum().fill_null(0).cast("int64"),
        "gap_square_sum": (days.gap * days.gap).sum().fill_null(0).cast("int64"),
    }
