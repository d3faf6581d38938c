"""Order lines as they were known at each as-of date, at the grains that features are computed on.

Lines are first gathered into batches (lines of one order that were placed, and cancelled, at the same moments) and
items (the same of one product); only these are joined with the as-of dates, all dates at once. Times are whole
seconds since 1970 (``…_s``), and ``age`` is seconds before the as-of date, always positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import exact, number
from segml.features.spec import Grain
from segml.schema import ORDER_LINES, DataError, Kind, did_you_mean

KEYS = ("customer_id", "as_of_s")
BLOCK_DAYS = 30
"""A month, where months are counted back from the as-of date."""
BLOCKS = 12
"""How many of them features look at."""

SQL_TYPES: dict[Kind, str] = {"text": "string", "number": "float64", "time": "timestamp(6)", "flag": "boolean"}
_ORDER = (*KEYS, "order_id")
_NEVER_S = 2**62


def typed(lines: Table) -> Table:
    """Return the order lines with exactly the canonical columns and types; raise ``DataError`` where one is missing."""
    missing = [name for name in ORDER_LINES.names if name not in lines.columns]
    if missing:
        hint = did_you_mean(missing[0], lines.columns)
        raise DataError(f"order lines lack columns {missing}; found {list(lines.columns)}{hint}")
    return lines.select(
        **{column.name: lines[column.name].cast(SQL_TYPES[column.kind]) for column in ORDER_LINES.columns}
    )


def timed(lines: Table) -> Table:
    """Return typed order lines with their times in whole seconds and the calendar day, counted from 1970."""
    seconds = lines.mutate(
        ordered_s=windows.epoch_seconds(lines.ordered_at), cancelled_s=windows.epoch_seconds(lines.cancelled_at)
    )
    return seconds.mutate(day=_day(seconds.ordered_s)).drop("ordered_at", "cancelled_at")


def _day(seconds: Any) -> Any:
    return seconds // windows.DAY_SECONDS


def collect(table: Table) -> pd.DataFrame:
    """Run an expression and return its rows, in no particular order."""
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame


def calendar(dates: Sequence[pd.Timestamp]) -> Table:
    """Return the as-of dates as a table of one column, ``as_of_s``."""
    return ibis.memtable({"as_of_s": [windows.epoch_seconds(moment) for moment in dates]}, schema={"as_of_s": "int64"})


def at_each(events: Table, as_of: Table) -> Table:
    """Return the events known at each as-of date of a calendar, with ``as_of_s`` and ``age``."""
    known = events.join(as_of, windows.known(events.ordered_s, events.cancelled_s, as_of.as_of_s))
    return known.mutate(age=known.as_of_s - known.ordered_s)


def moments(lines: Table, by: str = "customer_id") -> Table:
    """Return typed order lines gathered by customer (or product) and moments: net money, number of purchase lines."""
    lines = timed(lines)
    return lines.group_by(by, "ordered_s", "cancelled_s").aggregate(
        net=exact(lines.amount).sum(), purchase_lines=(lines.amount > 0).sum()
    )


def spans(starts: Sequence[pd.Timestamp], ends: Sequence[pd.Timestamp]) -> Table:
    """Return windows of time as a table, ``start_s`` and ``end_s``."""
    seconds = {"start_s": map(windows.epoch_seconds, starts), "end_s": map(windows.epoch_seconds, ends)}
    return ibis.memtable(
        {name: list(values) for name, values in seconds.items()}, schema={"start_s": "int64", "end_s": "int64"}
    )


def grains(lines: Table, as_of: Table) -> dict[Grain, Table]:
    """Return the tables that formulas see, by grain, from typed order lines and a calendar.

    batch : one row a batch: sums of money and counts of lines; ``block`` = how many whole months before the as-of date
    order : one row an order with a purchase: its ``value``, ``lines``, ``products``; ``rank`` 0 is the last one
    day : one row a purchase day, with the ``gap`` in days to the one before (null for the first)
    product, category : one row a product (category) bought, with the ages of its first and last purchase, and whether
        it was bought in the year before the last
    """
    lines = timed(lines)
    batches = at_each(_batches(lines), as_of)
    items = _items(lines)
    purchases = batches.filter(batches.purchase_lines > 0)
    return {
        "batch": _with_customer_facts(batches),
        "order": _orders(purchases, at_each(_products_of_orders(items), as_of)),
        "day": _days(purchases),
        "product": _bought(items, "product_id", as_of, days=365),
        "category": _with_largest(_bought(items, "category", as_of)),
    }


def _batches(lines: Table) -> Table:
    amount, buys, returns = exact(lines.amount), lines.amount > 0, lines.amount < 0
    return lines.group_by("customer_id", "order_id", "ordered_s", "cancelled_s", "day").aggregate(
        net=amount.sum(),
        gross=amount.sum(where=buys).fill_null(0),
        returned=(-amount).sum(where=returns).fill_null(0),
        purchase_lines=buys.sum().fill_null(0),
        return_lines=returns.sum().fill_null(0),
        margin=exact(lines.margin).sum(),
        margin_net=amount.sum(where=lines.margin.notnull()),
        discount=exact(lines.discount).sum(where=buys),
        discount_gross=amount.sum(where=buys & lines.discount.notnull()),
        region=lines.region.min(),
    )


def _with_customer_facts(batches: Table) -> Table:
    whole = ibis.window(group_by=KEYS)
    latest = batches.age.min(where=batches.region.notnull()).over(whole)
    facts = batches.mutate(
        first_age=batches.age.max(where=batches.purchase_lines > 0).over(whole),
        is_latest_region=batches.region.notnull() & (batches.age == latest),
        block=(batches.age - 1) // (BLOCK_DAYS * windows.DAY_SECONDS),
    )
    return facts.mutate(
        since_first=facts.age <= facts.first_age,
        full_blocks=ibis.least(facts.first_age // (BLOCK_DAYS * windows.DAY_SECONDS), BLOCKS),
    )


def _items(lines: Table) -> Table:
    bought = lines.filter(lines.amount > 0)
    return bought.group_by("customer_id", "order_id", "product_id", "category", "ordered_s", "cancelled_s").aggregate(
        gross=exact(bought.amount).sum()
    )


def _products_of_orders(items: Table) -> Table:
    """Return how many products an order gains at ``ordered_s`` and loses at ``cancelled_s``.

    A product that stands twice in an order, one line of which is cancelled, counts once while either line stands:
    of overlapping stretches only the part that no earlier one covers is kept.
    """
    items = items.filter(items.product_id.notnull())
    stretches = items.mutate(until=items.cancelled_s.coalesce(_NEVER_S))
    earlier = ibis.window(
        group_by=("customer_id", "order_id", "product_id"),
        order_by=(stretches.ordered_s, stretches.until),
        rows=(None, -1),
    )
    covered = stretches.until.max().over(earlier)
    uncovered = stretches.mutate(ordered_s=ibis.greatest(stretches.ordered_s, covered.coalesce(stretches.ordered_s)))
    kept = uncovered.filter(uncovered.ordered_s < uncovered.until)
    return kept.group_by("customer_id", "order_id", "ordered_s", "cancelled_s").aggregate(products=kept.count())


def _orders(purchases: Table, products: Table) -> Table:
    orders = purchases.group_by(_ORDER).aggregate(
        value=purchases.gross.sum(), lines=purchases.purchase_lines.sum(), age=purchases.age.min()
    )
    counts = products.group_by(_ORDER).aggregate(products=products.products.sum())
    joined = orders.left_join(counts, _ORDER, rname="{name}_right").select(*orders.columns, "products")
    whole = ibis.window(group_by=KEYS)
    latest_first = ibis.window(group_by=KEYS, order_by=(joined.age, joined.order_id.desc()))
    return joined.mutate(
        rank=ibis.row_number().over(latest_first),
        mean_value=number(joined["value"].sum().over(whole)) / number(joined.count().over(whole)),
    )


def _days(purchases: Table) -> Table:
    days = purchases.select(*KEYS, "day").distinct()
    return days.mutate(gap=days.day - days.day.lag().over(group_by=KEYS, order_by=days.day))


def _bought(items: Table, thing: str, as_of: Table, days: int | None = None) -> Table:
    """Return one row a thing bought, with ``gross`` money of all time or of the last days.

    Most things are bought once; these need no grouping at each as-of date, which saves half the memory.
    """
    key = ("customer_id", thing)
    named = items.filter(items[thing].notnull())
    events = named.group_by(*key, "ordered_s", "cancelled_s").aggregate(gross=named.gross.sum())
    things = events.group_by(key).aggregate(
        times=events.count(),
        ordered_s=events.ordered_s.min(),
        cancelled_s=events.cancelled_s.max(),
        gross=events.gross.sum(),
    )
    once = _with_recent(at_each(things.filter(things.times == 1), as_of), days)
    often = _with_recent(at_each(events.semi_join(things.filter(things.times > 1), key), as_of), days)
    grouped = often.group_by(*KEYS, thing).aggregate(
        first_s=often.ordered_s.min(),
        last_s=often.ordered_s.max(),
        gross=often.recent.sum(),
        is_year_before=often.is_year_before.any(),
    )
    single = once.select(
        *KEYS, thing, "is_year_before", first_s=once.ordered_s, last_s=once.ordered_s, gross=once.recent
    )
    return _with_ages(single.union(grouped))


def _with_recent(known: Table, days: int | None) -> Table:
    return known.mutate(
        recent=known.gross if days is None else windows.in_last(known.age, days).ifelse(known.gross, 0),
        is_year_before=windows.in_ages(known.age, 2 * windows.YEAR_DAYS, windows.YEAR_DAYS),
    )


def _with_ages(bought: Table) -> Table:
    return bought.mutate(
        first_age=bought.as_of_s - bought.first_s,
        last_age=bought.as_of_s - bought.last_s,
        is_repeated=_day(bought.first_s) < _day(bought.last_s),
    )


def _with_largest(bought: Table) -> Table:
    return bought.mutate(is_largest=bought.gross == bought.gross.max().over(group_by=KEYS))
