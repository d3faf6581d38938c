"""Things bought, products or categories, at each as-of date: what both have in common.

A customer buys more things than anything else in a log, so that looking at all of them from each date costs the most.
From many dates, therefore, only those are looked at that need it (``special``): those of which a purchase was cancelled
later, and those that may be the customer's largest. Of all others it is enough to know in which bins of time they were
bought (``segml.features.bins``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import exact, held
from segml.features.dates import KEYS, AsOfDates

Thing = Literal["product_id", "category"]

TOGETHER = 12
"""How many dates are computed side by side, in columns of their own: more of them make long expressions."""


def bought(lines: Table, thing: Thing) -> Table:
    """Return the purchases of which the thing is known."""
    return lines.filter((lines.amount > 0) & lines[thing].notnull())


def each_line(purchases: Table) -> Table:
    """Return purchases as events of one line each."""
    placed = purchases.ordered_at
    return purchases.mutate(gross=exact(purchases.amount), first_at=placed, last_at=placed)


def binned(purchases: Table, dates: AsOfDates, *, money_days: int | None = None) -> Table:
    """Return purchases with their money, their ``bin``, and the first date at which they count.

    ``is_unsteady`` are those of which the bin does not tell enough: cancelled later, or on a day that is in two bins.

    Parameters
    ----------
    money_days : of how many days money is asked for; what is older at all dates has none. None: of all time
    """
    placed, gross = purchases.ordered_at, exact(purchases.amount)
    if money_days is not None:
        gross = windows.before(placed, windows.days_before(dates.moments[0], money_days)).ifelse(0, gross)
    return dates.with_since(purchases).mutate(
        gross=gross,
        bin=dates.bins.of(placed),
        is_unsteady=~dates.stands(purchases) | dates.bins.is_split(placed),
    )


def pairs(purchases: Table, thing: Thing, dates: AsOfDates, **also: Any) -> Table:
    """Return one row a customer and thing: in which bins it was bought, and for how much money in all.

    Parameters
    ----------
    purchases : of ``binned``
    also : further aggregates
    """
    return purchases.group_by("customer_id", thing).aggregate(
        **dates.bins.gathered(purchases.bin),
        gross=held(purchases.gross.sum()),
        is_unsteady=purchases.is_unsteady.any(),
        **also,
    )


def special(things: Table, least: Table, thing: Thing) -> Table:
    """Return what has to be looked at from each date: the unsteady, and what brought enough to be the largest.

    Parameters
    ----------
    least : one row a customer, with the money that its largest thing brings at ``least`` at any date
    """
    compared = things.left_join(least, "customer_id", rname="{name}_right")
    may_be_largest = compared.gross >= compared.least.fill_null(0)
    return compared.filter(compared.is_unsteady | may_be_largest).select("customer_id", thing, "is_unsteady")


def events_of(
    wanted: Table, purchases: Table, thing: Thing, dates: AsOfDates, *, money_days: int | None = None
) -> Table:
    """Return the purchases of special things, gathered as far as the same is true of them at any date.

    Of unsteady things those in the same bin are; of the others, which are here for their money only, those that count
    at the same dates.

    Parameters
    ----------
    wanted : of ``special``
    purchases : of ``bought``
    money_days : of how many days the money is; None: of all time
    """
    lines = dates.with_since(purchases.join(wanted, ["customer_id", thing]))
    if money_days is not None:
        old = dates.until_older(lines, lines.ordered_at, money_days)
        lines = lines.mutate(until=lines.is_unsteady.ifelse(lines.until, old))
        lines = lines.filter(lines.since < lines.until)
    placed = lines.mutate(gross=exact(lines.amount), bin=lines.is_unsteady.ifelse(dates.bins.of(lines.ordered_at), 0))
    return placed.group_by("customer_id", thing, "is_unsteady", "bin", *dates.life).aggregate(
        gross=held(placed.gross.sum()), first_at=placed.ordered_at.min(), last_at=placed.ordered_at.max()
    )


def seen(events: Table, thing: Thing, dates: AsOfDates, *, money_days: int | None = None) -> Table:
    """Return the things bought, one in a row, from what is known of them at each date.

    ``is_counted`` tells those whose bins do not tell enough; the others are here for their money only.

    Parameters
    ----------
    money_days : of how many days the money is; None: of all time
    """
    if dates.is_one or money_days is not None:
        return _looked_at(events, thing, dates, money_days)
    unsteady = _looked_at(events.filter(events.is_unsteady), thing, dates, None)
    grown = dates.at_each(_steps(events.filter(~events.is_unsteady), thing))
    steady = grown.mutate(is_year_before=ibis.literal(False), is_counted=ibis.literal(False))
    return unsteady.union(steady.select(*unsteady.columns))


def _looked_at(events: Table, thing: Thing, dates: AsOfDates, money_days: int | None) -> Table:
    known = dates.at_each(events)
    told = {} if dates.is_one else {"is_counted": known.is_unsteady}
    recent = None if money_days is None else dates.in_ages(known, known.last_at, money_days)
    looked_at = known.group_by(*dates.keys, thing, **told).aggregate(
        first_at=known.first_at.min(),
        last_at=known.last_at.max(),
        gross=held(known.gross.sum(where=recent).fill_null(0)),
        is_year_before=dates.in_ages(known, known.last_at, 2 * windows.YEAR_DAYS, windows.YEAR_DAYS).any(),
    )
    return looked_at.mutate(is_counted=ibis.literal(True)) if dates.is_one else looked_at


def _steps(events: Table, thing: Thing) -> Table:
    """Return the money of steady things as it grew: each row holds from its ``since`` to that of the next."""
    in_time: dict[str, Any] = {"group_by": ("customer_id", thing), "order_by": events.since}
    return events.mutate(
        gross=held(events.gross.sum().over(ibis.cumulative_window(**in_time))),
        until=events.since.lead().over(ibis.window(**in_time)).fill_null(events.until),
    )


def counts(things: Table, **conditions: Any) -> dict[str, Any]:
    """Return 1 where a thing is counted and a condition holds, else 0, under the names of the conditions."""
    return {name: (things.is_counted & holds).ifelse(1, 0).cast("int64") for name, holds in conditions.items()}


def side_by_side(alike: Table, dates: AsOfDates, told: Callable[[Table, int], Mapping[str, Any]]) -> Table:
    """Aggregate rows of each customer at each date, and return one row a customer and date.

    One row a customer with columns for each date costs less than each row at each date.

    Parameters
    ----------
    told : returns the aggregates at the date of a place
    """
    places = range(len(dates.moments))
    first, *others = (_together(alike, dates, places[start : start + TOGETHER], told) for start in places[::TOGETHER])
    return ibis.union(first, *others) if others else first


def _together(alike: Table, dates: AsOfDates, places: range, told: Callable[[Table, int], Mapping[str, Any]]) -> Table:
    figures = {place: told(alike, place) for place in places}
    wide = alike.group_by("customer_id").aggregate(
        **{f"{name}_{place}": value for place in places for name, value in figures[place].items()}
    )
    these = dates.table.filter(dates.table.place.between(places[0], places[-1]))
    each = wide.cross_join(these)
    return each.select(
        *KEYS,
        **{
            name: each.place.cases(*((place, each[f"{name}_{place}"]) for place in places))
            for name in figures[places[0]]
        },
    )
