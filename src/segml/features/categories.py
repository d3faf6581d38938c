"""Categories bought, at each as-of date."""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.features import things
from segml.features.arithmetic import counted, held, sum_of
from segml.features.dates import AsOfDates, Keep


def categories_bought(lines: Table, batches: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return how many categories were bought by each date: one row or several a customer, to be summed.

    ``in_365d`` and ``year_before``: bought in the last 365 days, or in the 365 before these. ``largest``: the name of
    the customer's largest category by money of all time, else null; several may be. Lines whose category is unknown are
    left out.

    Parameters
    ----------
    lines : of ``AsOfDates.living``
    batches : with ``category_line``, the largest amount of their lines with a category
    """
    bought = things.bought(lines, "category")
    if dates.is_one:
        return _counted(keep(things.seen(things.each_line(bought), "category", dates), "seen"), dates)
    binned = things.binned(bought, dates)
    early = held(binned.gross.sum(where=dates.stands(binned) & (binned.since == 0)).fill_null(0))
    pairs = keep(things.pairs(binned, "category", dates, early=early), "categories")
    special = keep(things.special(pairs, _least_of_largest(pairs, batches, dates), "category"), "special")
    events = keep(things.events_of(special, bought, "category", dates), "events")
    seen = keep(things.seen(events, "category", dates), "seen")
    counts = _counted_in_bins(pairs, dates).filter(lambda customer: (customer.in_365d > 0) | (customer.year_before > 0))
    return keep(counts, "counted").union(_counted(seen, dates))


def _least_of_largest(pairs: Table, batches: Table, dates: AsOfDates) -> Table:
    """Return the ``least`` that a customer's largest category brought, at any date.

    That is, what the largest had brought by the first date; of customers who were not known then, their largest line
    when they first were.
    """
    early = pairs.group_by("customer_id").aggregate(early=pairs.early.max())
    standing = batches.filter(dates.stands(batches) & batches.category_line.notnull())
    first = standing.group_by("customer_id").aggregate(since=standing.since.min())
    begun = standing.join(first, ["customer_id", "since"])
    lines = begun.group_by("customer_id").aggregate(line=begun.category_line.max())
    both = lines.left_join(early, "customer_id", rname="{name}_right")
    return both.select("customer_id", least=ibis.greatest(both.line, both.early.fill_null(0)))


def _counted(seen: Table, dates: AsOfDates) -> Table:
    largest = seen.group_by(dates.keys).aggregate(most=seen.gross.max())
    judged = seen.join(largest, dates.keys).filter(lambda thing: thing.is_counted | (thing.gross == thing.most))
    recent = dates.in_ages(judged, judged.last_at, windows.YEAR_DAYS)
    return judged.select(
        *dates.keys,
        **things.counts(judged, in_365d=recent, year_before=judged.is_year_before),
        largest=(judged.gross == judged.most).ifelse(judged.category, None),
    )


def _counted_in_bins(pairs: Table, dates: AsOfDates) -> Table:
    """Count the categories of which bins tell enough."""
    bins, steady = dates.bins, pairs.filter(~pairs.is_unsteady)
    alike = steady.group_by("customer_id", *bins.names("bits")).aggregate(categories=steady.count())

    def told(rows: Table, place: int) -> dict[str, Any]:
        spans = ("in_365d", "year_before")
        return {span: counted(sum_of(rows.categories, bins.any(rows, "bits", span, place))) for span in spans}

    return things.side_by_side(alike, dates, told).mutate(largest=ibis.null("string"))
