"""What each customer did in all, at each as-of date.

Whatever adds up over all time is first gathered by customer and the dates at which it counts: these are few rows, and
only they are looked at from each date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import MONEY, counted, held, number
from segml.features.dates import KEYS, AsOfDates, Keep
from segml.features.orders import TOTALS, Orders, totals

_REGIONS = 2**24
"""More than there are regions in any log."""

_MONEY = ("net", "net_year_before", "value")
_EARLIEST, _LATEST = ("first_s",), ("last_s", "told")
_COLUMNS = (*_EARLIEST, *_LATEST, "net", "net_year_before", *TOTALS)


def totals_of(batches: Table, orders: Orders, dates: AsOfDates, keep: Keep) -> Table:
    """Return one row a customer with an order, and date: ``customer_id``, ``as_of_s``, and what it did before.

    ``first_age``, ``last_age``: of its first and last purchase; ``net``: its revenue; ``net_year_before``: that of the
    365 days before the last 365; ``region``: on the latest line that tells it, the first by name among equals;
    ``orders``, their ``value`` and ``mean_value``, ``lines`` and ``products``; ``lines_orders``, ``products_orders``:
    how many of them tell these.

    Parameters
    ----------
    batches : with the dates at which they count (``AsOfDates.life``)
    """
    regions = keep(_regions(batches), "regions")
    told = batches.left_join(regions, "region", rname="{name}_right")
    life, aged = ("customer_id", *dates.life), dates.aged(batches, 2 * windows.YEAR_DAYS, windows.YEAR_DAYS)
    year_before = aged.group_by(life).aggregate(net_year_before=held(aged.net.sum()))
    pieces = _together([_ever(told, life), year_before, totals(orders.whole, life)], life)
    known = dates.at_each(pieces)
    if orders.patched is not None:
        known = _together([known, totals(orders.patched, KEYS)], KEYS)
    buyers = known.filter(known.orders > 0).mutate(region_number=known.told & (_REGIONS - 1))
    return buyers.left_join(regions, "region_number", rname="{name}_right").select(
        *KEYS,
        *TOTALS,
        "net",
        "region",
        net_year_before=buyers.net_year_before.fill_null(0),
        first_age=buyers.as_of_s - buyers.first_s,
        last_age=buyers.as_of_s - buyers.last_s,
        mean_value=number(buyers["value"]) / number(buyers.orders),
    )


def _regions(batches: Table) -> Table:
    """Number the regions; the first by name has the highest number."""
    regions = batches.filter(batches.region.notnull()).select("region").distinct()
    return regions.mutate(region_number=ibis.row_number().over(order_by=regions.region.desc()))


def _ever(batches: Table, by: Sequence[str]) -> Table:
    """Gather all batches; ``told``: when a region was told last, and behind that, its number."""
    buys = batches.purchase_lines > 0
    return batches.group_by(by).aggregate(
        first_s=batches.ordered_s.min(where=buys),
        last_s=batches.ordered_s.max(where=buys),
        told=(batches.ordered_s * _REGIONS + batches.region_number).max(),
        net=held(batches.net.sum()),
    )


def _together(tables: Sequence[Table], by: Sequence[str]) -> Table:
    """Gather tables of which each has some of the columns."""
    rows = ibis.union(*(table.select(*by, **{name: _column(table, name) for name in _COLUMNS}) for table in tables))
    return rows.group_by(by).aggregate(**{name: _gathered(rows[name], name) for name in _COLUMNS})


def _column(table: Table, name: str) -> Any:
    return table[name] if name in table.columns else ibis.null(MONEY if name in _MONEY else dt.int64)


def _gathered(values: Any, name: str) -> Any:
    if name in _EARLIEST:
        return values.min()
    if name in _LATEST:
        return values.max()
    return held(values.sum()) if name in _MONEY else counted(values.sum())
