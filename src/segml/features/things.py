"""Products and categories bought, at each as-of date.

Most products are bought once; the others are gathered anew at each date. Customers buy so many of them that looking
from each date in turn costs less than one row a purchase and date.
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
from segml.features.dates import AsOfDates, Keep

Thing = Literal["product_id", "category"]

PRODUCT_DAYS = windows.YEAR_DAYS
"""Products are compared by money of the last year, categories by that of all time."""


def products_bought(lines: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return the products bought at each date: one row or several a customer, to be summed.

    A row stands for ``things`` products that brought ``gross`` in the last year together, and the largest of them
    ``top``, and of which the same is true: ``is_repeated``, bought on more than one day; ``is_new_90d``, first bought
    in the last 90 days; ``is_in_90d``, ``is_in_365d`` and ``is_year_before``, bought in the last 90 or 365 days, or in
    the 365 before these. Lines whose product is unknown are left out.

    Parameters
    ----------
    lines : of ``AsOfDates.living``
    """
    bought = _bought(lines, "product_id")
    if dates.is_one:
        return _seen_from(dates.moments[0], _priced(bought))
    events = _events(bought, keep)
    seen = []
    for moment, once, often in zip(dates.moments, _known(events.once, dates), _known(events.often, dates), strict=True):
        seen += [_once_seen_from(moment, once), _seen_from(moment, often)]
    return _united(seen)


def categories_bought(lines: Table, dates: AsOfDates, keep: Keep) -> Table:
    """Return one row a category bought, and date, with ``gross`` of all time, and what is true of it as above.

    ``is_largest`` tells the customer's largest by ``gross``; several may be. Lines whose category is unknown are left
    out. ``things`` is 1.

    A customer buys few categories, and each often: all dates are computed side by side, in columns of their own.
    """
    bought = _bought(lines, "category")
    events = _priced(bought) if dates.is_one else keep(_gathered(bought, "category"), "events")
    figures = [_figures(place, moment, events, dates) for place, moment in enumerate(dates.moments)]
    categories = keep(
        events.group_by("customer_id", "category").aggregate(
            **{name: value for each in figures for name, value in each}
        ),
        "categories",
    )
    largest = categories.group_by("customer_id").aggregate(
        **{f"largest_{place}": categories[f"gross_{place}"].max() for place in range(len(figures))}
    )
    judged = categories.join(largest, "customer_id")
    return _united([_of_date(place, moment, judged) for place, moment in enumerate(dates.moments)])


def _figures(place: int, moment: pd.Timestamp, events: Table, dates: AsOfDates) -> list[tuple[str, Any]]:
    """Return the aggregates of one date by their names; a category that is not known then has no ``last``."""
    placed = events.ordered_at
    known = ibis.literal(True) if dates.is_one else windows.before(placed, moment) & (events.until > place)
    return [
        (f"last_{place}", placed.max(where=known)),
        (f"gross_{place}", events.gross.sum(where=known)),
        (f"is_year_before_{place}", (known & _in_year_before(placed, moment)).any()),
    ]


def _of_date(place: int, moment: pd.Timestamp, categories: Table) -> Table:
    known = categories.filter(categories[f"last_{place}"].notnull())
    return known.select(
        "customer_id",
        "category",
        things=ibis.literal(1, "int64"),
        is_in_365d=_in_last(known[f"last_{place}"], moment, 365),
        is_year_before=known[f"is_year_before_{place}"],
        is_largest=known[f"gross_{place}"] == known[f"largest_{place}"],
        as_of_s=_literal(moment),
    )


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


def _events(bought: Table, keep: Keep) -> _Events:
    key, moments = ("customer_id", "product_id"), ("ordered_at", "until")
    events = keep(_gathered(bought, "product_id"), "events")
    once_at = {name: events[name].max() for name in (*moments, "gross")}
    products = keep(events.group_by(key).aggregate(times=events.count(), **once_at), "products")
    single = products.filter(products.times == 1)
    once = single.group_by("customer_id", *moments).aggregate(
        things=single.count(), gross=single.gross.sum(), top=single.gross.max()
    )
    often = events.semi_join(products.filter(products.times > 1), key)
    return _Events(keep(once, "once"), keep(often, "often"))


def _known(events: Table, dates: AsOfDates) -> list[Table]:
    """Return the events known at each date."""
    return [
        events.filter(windows.before(events.ordered_at, moment) & (events.until > place))
        for place, moment in enumerate(dates.moments)
    ]


def _seen_from(moment: pd.Timestamp, known: Table) -> Table:
    """Return the products bought, one in a row, from purchases known at a moment."""
    placed = known.ordered_at
    products = known.group_by("customer_id", "product_id").aggregate(
        first=placed.min(),
        last=placed.max(),
        gross=known.gross.sum(where=_in_last(placed, moment, PRODUCT_DAYS)).fill_null(0),
        is_year_before=_in_year_before(placed, moment).any(),
    )
    first, last = products["first"], products["last"]
    return products.select(
        "customer_id",
        "gross",
        "is_year_before",
        things=ibis.literal(1, "int64"),
        top=products.gross,
        is_repeated=first.date() < last.date(),
        is_new_90d=_in_last(first, moment, 90),
        is_in_90d=_in_last(last, moment, 90),
        is_in_365d=_in_last(last, moment, 365),
        as_of_s=_literal(moment),
    )


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
