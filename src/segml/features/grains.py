"""Order lines as they were known at each as-of date, at the grains that features are computed on.

Lines are first gathered into batches: those of one order that were placed at the same moment and count at the same
as-of dates. Only what is gathered is looked at from each date, all dates at once. Times are whole seconds since 1970
(``…_s``), and ``age`` is seconds before the as-of date, always positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import counted, exact, held
from segml.features.categories import categories_bought
from segml.features.dates import KEYS, AsOfDates, Keep
from segml.features.days import purchase_days
from segml.features.orders import orders_of
from segml.features.products import products_bought
from segml.features.snapshots import BLOCK_DAYS, BLOCKS
from segml.features.spec import Grain
from segml.features.totals import totals_of


def grains(lines: Table, dates: AsOfDates, longest_days: int, keep: Keep) -> Iterator[tuple[Grain, Table]]:
    """Yield the tables that formulas see, by grain, from typed order lines; group them by ``dates.keys``.

    ``keep`` has tables computed that are read more than once. What a grain is made of is no longer needed when the next
    one is asked for.

    total : one row a customer: what it did in all (``segml.features.totals``)
    batch : one row a batch of the last ``longest_days``: sums of money and counts of lines; ``block`` = how many whole
        months before the as-of date, ``active_block`` = 2 to the power of it where something was bought in one of the
        last ones, else 0. A customer without a batch has one row, in which all of this is null
    order : one row an order with a purchase: its ``value``, ``lines``, ``products``
    last : the last three of them; ``rank`` 0 is the latest
    day : sums over purchase days and the gaps between them
    product, category : counts of what was bought
    """
    living = dates.living(lines)
    batches = keep(dates.with_since(_batches(living, dates)), "batches")
    yield "product", products_bought(living, batches, dates, keep)
    yield "category", categories_bought(living, batches, dates, keep)
    purchases = batches.filter(batches.purchase_lines > 0)
    orders = orders_of(purchases, living, dates, keep)
    customers = keep(totals_of(batches, orders, dates, keep), "customers")
    yield "total", customers
    firsts = customers.select(*KEYS, "first_age")
    yield "batch", _with_blocks(dates.of_customers(firsts, dates.aged(batches, longest_days)))
    yield "order", orders.at_each(customers)
    yield "last", orders.last(keep)
    yield "day", purchase_days(purchases, dates)


def _batches(lines: Table, dates: AsOfDates) -> Table:
    amount, buys, returns = exact(lines.amount), lines.amount > 0, lines.amount < 0
    sums = lines.group_by("customer_id", "order_id", "ordered_at", *dates.until).aggregate(
        net=held(amount.sum()),
        returned=held(amount.sum(where=returns).fill_null(0)),
        purchase_lines=counted(buys.sum().fill_null(0)),
        return_lines=counted(returns.sum().fill_null(0)),
        margin=held(exact(lines.margin).sum()),
        margin_net=held(amount.sum(where=lines.margin.notnull())),
        discount=held(exact(lines.discount).sum(where=buys)),
        discount_gross=held(amount.sum(where=buys & lines.discount.notnull())),
        region=lines.region.min(),
        product_gross=held(amount.sum(where=buys & lines.product_id.notnull()).fill_null(0)),
        **({} if dates.is_one else _largest_lines(lines)),
    )
    timed = sums.mutate(
        returned=-sums.returned, gross=held(sums.net - sums.returned), ordered_s=windows.epoch_seconds(sums.ordered_at)
    )
    return timed.mutate(day=windows.epoch_day(timed.ordered_at))


def _largest_lines(lines: Table) -> dict[str, Any]:
    """Return the largest purchase lines that tell a product or category: these bring that much at least."""
    amount, buys = exact(lines.amount), lines.amount > 0
    return {
        "product_line": amount.max(where=buys & lines.product_id.notnull()),
        "category_line": amount.max(where=buys & lines.category.notnull()),
    }


def _with_blocks(batches: Table) -> Table:
    aged = batches.mutate(age=batches.as_of_s - batches.ordered_s)
    month = BLOCK_DAYS * windows.DAY_SECONDS
    block = (aged.age - 1) // month
    is_active = (aged.purchase_lines > 0) & (block < BLOCKS)
    return aged.mutate(
        block=block,
        active_block=is_active.ifelse(block.cases(*((month, 2**month) for month in range(BLOCKS)), else_=0), 0),
        since_first=aged.age <= aged.first_age,
        full_blocks=ibis.least(aged.first_age // month, BLOCKS),
    )
