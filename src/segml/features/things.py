"""Products and categories bought, at each as-of date.

Most products are bought once; the others, and categories, are gathered anew at each date. Customers buy so many of them
that looking from each date in turn costs less than one row a purchase and date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import exact
from segml.features.dates import KEYS, AsOfDates, Keep

Thing = Literal["product_id", "category"]

PRODUCT_DAYS = windows.YEAR_DAYS
"""Money is of the last year where products are compared, of all time where categories are."""


def products_bought(lines: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return the products bought at each date: one row or several a customer, to be summed.

    A row stands for ``things`` products that brought ``gross`` in the last year together, and the largest of them
    ``top``, and of which the same is true: ``is_repeated``, bought on more than one day; ``is_new_90d``, first bought in
    the last 90 days; ``is_in_90d``, ``is_in_365d`` and ``is_year_before``, bought in the last 90 or 365 days, or in the
    365 before these. Lines whose product is unknown are left out.

    Parameters
    ----------
    lines : of ``AsOfDates.living``
    """
    bought = _bought(lines, "product_id")
    if dates.is_one:
        return _each(_seen_from(dates.moments[0], _priced(bought), "product_id", PRODUCT_DAYS))
    events = _events(bought, "product_id", keep)
    seen = []
    for moment, once, often in zip(dates.moments, _known(events.once, dates), _known(events.often, dates), strict=True):
        seen += [_once_seen_from(moment, once), _each(_seen_from(moment, often, "product_id", PRODUCT_DAYS))]
    return _united(seen)


def categories_bought(lines: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return one row a category bought, and date, with ``gross`` of all time, and what is true of it as above.

    ``is_largest`` tells the customer's largest by ``gross``; several may be. Lines whose category is unknown are left
    out. ``things`` is 1.
    """
    bought = _bought(lines, "category")
    known = [_priced(bought)] if dates.is_one else _known(keep(_gathered(bought, "category"), "events"), dates)
    seen = [
        _seen_from(moment, rows, "category", None).select(*KEYS, "category", "gross", "is_in_365d", "is_year_before")
        for moment, rows in zip(dates.moments, known, strict=True)
    ]
    categories = keep(_united(seen), "categories")
    largest = categories.gross.max().over(group_by=dates.keys)
    return categories.mutate(things=ibis.literal(1, "int64"), is_largest=categories.gross == largest)


@dataclass(frozen=True)
class _Events:
    """Purchases of a product at one moment: those bought once, many in a row, and those bought often, one in a row."""

    once: Table
    often: Table


def _bought(lines: Table, thing: Thing) -> Table:
    return lines.filter((lines.amount > 0) & lines[thing].notnull())


def _priced(lines: Table) -> Table:
    return lines.mutate(gross=exact(lines.amount))


def _gathered(bought: Table, thing: Thing) -> Table:
    return bought.group_by("customer_id", thing, "ordered_at", "until").aggregate(gross=exact(bought.amount).sum())


def _events(bought: Table, thing: Thing, keep: Keep) -> _Events:
    key, moments = ("customer_id", thing), ("ordered_at", "until")
    events = keep(_gathered(bought, thing), "events")
    things = events.group_by(key).aggregate(
        times=events.count(), **{name: events[name].max() for name in (*moments, "gross")}
    )
    things = keep(things, "things")
    single = things.filter(things.times == 1)
    once = single.group_by("customer_id", *moments).aggregate(
        things=single.count(), gross=single.gross.sum(), top=single.gross.max()
    )
    often = events.semi_join(things.filter(things.times > 1), key)
    return _Events(keep(once, "once"), keep(often, "often"))


def _known(events: Table, dates: AsOfDates) -> list[Table]:
    """Return the events known at each date."""
    return [
        events.filter(windows.before(events.ordered_at, moment) & (events.until > place))
        for place, moment in enumerate(dates.moments)
    ]


def _seen_from(moment: pd.Timestamp, known: Table, thing: Thing, days: int | None) -> Table:
    """Return what was bought, and its ``gross`` of the last days or of all time, from purchases known at a moment."""
    placed = known.ordered_at
    things = known.group_by("customer_id", thing).aggregate(
        first=placed.min(),
        last=placed.max(),
        gross=known.gross.sum(where=None if days is None else _in_last(placed, moment, days)).fill_null(0),
        is_year_before=_in_year_before(placed, moment).any(),
    )
    first, last = things["first"], things["last"]
    return things.select(
        "customer_id",
        thing,
        "gross",
        "is_year_before",
        is_repeated=first.date() < last.date(),
        is_new_90d=_in_last(first, moment, 90),
        is_in_90d=_in_last(last, moment, 90),
        is_in_365d=_in_last(last, moment, 365),
        as_of_s=_literal(moment),
    )


def _each(products: Table) -> Table:
    """Return products, one in a row, as rows that may stand for several."""
    return products.drop("product_id").mutate(things=ibis.literal(1, "int64"), top=products.gross)


def _once_seen_from(moment: pd.Timestamp, known: Table) -> Table:
    placed, nothing = known.ordered_at, ibis.literal(0, "int64")
    recent, latest = _in_last(placed, moment, PRODUCT_DAYS), _in_last(placed, moment, 90)
    return known.select(
        "customer_id",
        "things",
        gross=recent.ifelse(known.gross, nothing),
        top=recent.ifelse(known.top, nothing),
        is_year_before=_in_year_before(placed, moment),
        is_repeated=ibis.literal(False),
        is_new_90d=latest,
        is_in_90d=latest,
        is_in_365d=_in_last(placed, moment, 365),
        as_of_s=_literal(moment),
    )


def _literal(moment: pd.Timestamp) -> Any:
    return ibis.literal(windows.epoch_seconds(moment), "int64")


def _in_last(placed: Any, moment: pd.Timestamp, days: int) -> Any:
    return windows.within(placed, windows.shift(moment, days=-days), moment)


def _in_year_before(placed: Any, moment: pd.Timestamp) -> Any:
    year, two_years = (windows.shift(moment, days=-years * windows.YEAR_DAYS) for years in (1, 2))
    return windows.within(placed, two_years, year)


def _united(seen: Sequence[Table]) -> Table:
    first, *others = seen
    return ibis.union(first, *(table.select(*first.columns) for table in others)) if others else first
