"""What segments did in a period: revenue, margin, orders, retention.

A customer counts in the segment that it was in when the period began, whatever became of it. Those without a label then
came in the period: they have a row of their own, so that money adds up to the period's revenue.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml.churn.metrics import Array, Statistics, with_intervals
from segml.language import N_, _
from segml.monitor.periods import Period
from segml.monitor.proportions import UNKNOWN, Proportion, share

CAME = N_("came in the period")
"""The row of customers who had no label when the period began."""

NOT_TOLD = N_("not told")
"""The row of customers who were there and whose label is null."""

SEGMENT_COLUMNS = [
    *("scheme", "segment", "period", "customers"),
    *("revenue", "revenue_share"),
    *(f"revenue_per_customer{end}" for end in ("", "_low", "_high")),
    *("margin", "margin_rate", "orders"),
    *(f"order_value{end}" for end in ("", "_low", "_high")),
    "retained",
    *(f"retention{end}" for end in ("", "_low", "_high")),
]
"""Columns of ``by_segment``, in order."""


def by_segment(periods: Mapping[str, Period], schemes: Sequence[str], *, resamples: int, seed: int = 0) -> pd.DataFrame:
    """Return what each segment of some schemes did in each period: one row a scheme, segment and period.

    Columns: ``customers`` at the start (of ``CAME``: those who came); ``revenue`` net, ``revenue_share`` of the
    period's; ``revenue_per_customer``; ``margin`` (NaN where none is known) and ``margin_rate`` over the revenue that
    tells it; ``orders``; ``order_value``, money before returns over orders; ``retained``: customers with an order in
    the period, ``retention``: their share (NaN of ``CAME``: who came has ordered). ``_low`` and ``_high`` are 95 %
    intervals: of retention after Wilson, of money by redrawing customers. Within a scheme and period customers,
    revenue, margin and orders add up to the totals.

    Parameters
    ----------
    periods : name -> period, such as those of ``periods.spans``
    schemes : columns of labels; one that a period's labels lack has no rows there
    resamples, seed : of the bootstrap over customers; 0: no intervals of money
    """
    rows = [
        {"scheme": scheme, "segment": segment, "period": name, **row}
        for scheme in schemes
        for name, period in periods.items()
        if scheme in period.at_start
        for segment, row in _segments(period.customers, scheme, resamples, seed)
    ]
    return pd.DataFrame(rows, columns=SEGMENT_COLUMNS)


def called(segment: str) -> str:
    """Return what people call the rows that are no segments; any other name as it is."""
    return _(segment) if segment in (CAME, NOT_TOLD) else segment


def redrawn(statistics: Statistics, customers: npt.ArrayLike, resamples: int, seed: int) -> dict[str, float]:
    """Return statistics with ``_low`` and ``_high``, by redrawing customers (n); NaN where one is not defined."""
    found = with_intervals(statistics, customers, resamples=resamples, seed=seed)
    names = statistics(np.ones((1, len(np.asarray(customers)))))
    return {f"{name}{end}": found.get(f"{name}{end}", math.nan) for name in names for end in ("", "_low", "_high")}


def ratios(part: Array, whole: Array) -> Array:
    """Return quotients, NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0)


def _segments(
    customers: pd.DataFrame, scheme: str, resamples: int, seed: int
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the row of each segment of a scheme, those who came last."""
    labels = customers[scheme].astype("object")
    labels = labels.where(labels.notna(), NOT_TOLD).where(customers["was_there"], CAME)
    total = math.fsum(customers["revenue"])
    for segment in sorted(labels.unique(), key=lambda name: (name == CAME, name == NOT_TOLD, str(name))):
        row = _row(customers[labels == segment], total, resamples, seed)
        yield str(segment), row | (UNKNOWN.named("retention") if segment == CAME else {})


def _row(members: pd.DataFrame, total: float, resamples: int, seed: int) -> dict[str, object]:
    revenue = math.fsum(members["revenue"])
    is_told = members["margin"].notna()
    margin = math.fsum(members.loc[is_told, "margin"]) if is_told.any() else math.nan
    retained = int((members["orders"] > 0).sum())
    return {
        "customers": len(members),
        "revenue": revenue,
        "revenue_share": _ratio(revenue, total),
        "margin": margin,
        "margin_rate": _ratio(margin, math.fsum(members.loc[is_told, "margin_revenue"])),
        "orders": int(members["orders"].sum()),
        "retained": retained,
        **share(Proportion(retained, len(members))).named("retention"),
        **redrawn(_money(members), members["customer_id"], resamples, seed),
    }


def _money(members: pd.DataFrame) -> Statistics:
    revenue, gross, orders = (members[name].to_numpy(dtype=float) for name in ("revenue", "gross", "orders"))

    def of(weights: Array) -> dict[str, Array]:
        return {
            "revenue_per_customer": ratios(weights @ revenue, weights.sum(axis=1)),
            "order_value": ratios(weights @ gross, weights @ orders),
        }

    return of


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
