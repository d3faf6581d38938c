"""Products bought, at each as-of date."""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.features import things
from segml.features.arithmetic import counted, only, sum_of
from segml.features.bins import Bins
from segml.features.dates import KEYS, AsOfDates, Keep

MONEY_DAYS = windows.YEAR_DAYS
"""Products are compared by money of the last year."""

_DAY_BITS = 32
_EPOCH = 2 ** (_DAY_BITS - 1)


def products_bought(lines: Table, batches: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return how many products were bought by each date: one row or several a customer, to be summed.

    Of ``ever`` products there are ``repeated``, bought on more than one day; ``new_90d``, first bought in the last 90
    days; ``in_90d``, ``in_365d`` and ``year_before``, bought in the last 90 or 365 days, or in the 365 before these;
    the largest of them has ``top`` money in the last year (null: not told). Lines without a product are left out.

    Parameters
    ----------
    lines : of ``AsOfDates.living``
    batches : with ``product_line``, the largest amount of their lines with a product
    """
    bought = things.bought(lines, "product_id")
    if dates.is_one:
        return _counted(things.seen(things.each_line(bought), "product_id", dates, money_days=MONEY_DAYS), dates)
    binned = things.binned(bought, dates, money_days=MONEY_DAYS)
    pairs = things.pairs(binned, "product_id", dates, **_days(binned, dates.bins))
    products = keep(_alike(pairs, dates.bins), "products")
    named = products.filter(products.product_id.notnull())
    special = keep(things.special(named, _least_top(batches, dates), "product_id"), "special")
    events = keep(things.events_of(special, bought, "product_id", dates, money_days=MONEY_DAYS), "events")
    seen = things.seen(events, "product_id", dates, money_days=MONEY_DAYS)
    counts = _counted_in_bins(products, dates).filter(lambda customer: customer.ever > 0)
    return keep(counts, "counted").union(_counted(seen, dates))


def _days(purchases: Table, bins: Bins) -> dict[str, Any]:
    """Return aggregates for the first day, and for the latest day in the first bin, packed behind the bin."""
    day = windows.epoch_day(purchases.ordered_at) + _EPOCH
    return {"first_day": day.min(), "packed_day": ((len(bins.edges) - purchases.bin) * 2**_DAY_BITS + day).max()}


def _alike(pairs: Table, bins: Bins) -> Table:
    """Gather the products that a customer bought in the same bin, and in no other; the others keep their name.

    ``again_0``, … are the bins in which a product was bought on another day than the first.
    """
    pairs = pairs.mutate(**bins.later(pairs))
    is_once = ~bins.is_any(pairs, "later") & ~pairs.is_unsteady
    is_again_at_once = (pairs.packed_day & (2**_DAY_BITS - 1)) > pairs.first_day
    again = {
        name: is_again_at_once.ifelse(pairs[bits], pairs[later])
        for name, bits, later in zip(bins.names("again"), bins.names("bits"), bins.names("later"), strict=True)
    }
    named = pairs.mutate(product_id=is_once.ifelse(None, pairs.product_id), **again)
    alike = ("customer_id", "product_id", "is_unsteady", *bins.names("bits"), *bins.names("again"))
    return named.group_by(alike).aggregate(products=named.count(), gross=named.gross.max())


def _least_top(batches: Table, dates: AsOfDates) -> Table:
    """Return the ``least`` that a customer's largest product brings in a year, at any date: it has a line like that."""
    standing = batches.filter(dates.stands(batches) & batches.product_line.notnull())
    recent = dates.at_each(dates.aged(standing, MONEY_DAYS))
    tops = recent.group_by(KEYS).aggregate(top=recent.product_line.max())
    return tops.group_by("customer_id").aggregate(least=tops.top.min())


def _counted(seen: Table, dates: AsOfDates) -> Table:
    first, last = seen.first_at, seen.last_at
    return seen.select(
        *dates.keys,
        **things.counts(
            seen,
            ever=ibis.literal(True),
            repeated=first.date() < last.date(),
            new_90d=dates.in_ages(seen, first, 90),
            in_90d=dates.in_ages(seen, last, 90),
            in_365d=dates.in_ages(seen, last, windows.YEAR_DAYS),
            year_before=seen.is_year_before,
        ),
        top=seen.gross,
    )


def _counted_in_bins(products: Table, dates: AsOfDates) -> Table:
    """Count the products of which bins tell enough; of those in a single bin these tell the money, too."""
    bins, steady = dates.bins, products.filter(~products.is_unsteady)
    alike = steady.group_by("customer_id", *bins.names("bits"), *bins.names("again")).aggregate(
        products=counted(steady.products.sum()), top=only(steady.gross, steady.product_id.isnull()).max()
    )

    def told(rows: Table, place: int) -> dict[str, Any]:
        def count(condition: Any) -> Any:
            return counted(sum_of(rows.products, condition))

        latest, recent = bins.any(rows, "bits", "in_90d", place), bins.any(rows, "bits", "in_365d", place)
        return {
            "ever": count(bins.any(rows, "bits", "known", place)),
            "repeated": count(bins.any(rows, "again", "known", place)),
            "new_90d": count(latest & ~bins.any(rows, "bits", "before_90d", place)),
            "in_90d": count(latest),
            "in_365d": count(recent),
            "year_before": count(bins.any(rows, "bits", "year_before", place)),
            "top": only(rows.top, recent).max(),
        }

    return things.side_by_side(alike, dates, told)
