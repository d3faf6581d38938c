"""Orders at each as-of date: their value and size as they stood then, and which are a customer's last.

An order whose purchases were all known, and cancelled, between the same as-of dates is in one piece: it is the same at
every date, and is computed once. Few orders are not (lines cancelled later, or placed at both sides of a date); these
are put together anew at each date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from segml import windows
from segml.features.arithmetic import counted, held
from segml.features.dates import KEYS, AsOfDates, Keep

ORDER = ("customer_id", "order_id")
TOTALS = ("orders", "value", "lines", "products", "lines_orders", "products_orders")
LAST_ORDERS = 3
"""How many orders the table of the last ones holds of each customer."""
_NEXT = tuple(f"next_{step}" for step in range(1, LAST_ORDERS))


@dataclass(frozen=True)
class Orders:
    """Orders with a purchase: ``value``, ``lines``, ``products`` (null: unknown) and ``ordered_at``, the latest moment.

    Attributes
    ----------
    whole : those in one piece, with the dates at which they count (``AsOfDates.life``)
    patched : the others, one row an order and date (``as_of_s``); None with one date, at which all are in one piece
    """

    dates: AsOfDates
    whole: Table
    patched: Table | None

    def at_each(self, customers: Table) -> Table:
        """Return one row an order and date, with its ``age`` and the ``mean_value`` of the customer's orders.

        Parameters
        ----------
        customers : with ``mean_value``, one row a customer and date
        """
        customers = customers.select("customer_id", "as_of_s", "mean_value")
        orders = self.dates.with_customers(self.whole, customers)
        if self.patched is not None:
            columns = orders.columns
            orders = orders.union(self.patched.join(customers, KEYS).select(*columns))
        return _with_age(orders)

    def last(self, keep: Keep) -> Table:
        """Return the last orders of each customer and date, ``rank`` 0 the latest.

        Where all orders of a customer stand, an order's rank at a date is how many of the next ones were placed before.
        """
        if self.patched is None:
            return _ranked(self.whole, self.dates.keys)
        columns, followed = self.patched.columns, keep(_followed(self.whole, self.dates), "followed")
        shaken = followed.filter(~followed.stands).select("customer_id").union(self.patched.select("customer_id"))
        firm = self.dates.at_each(followed.anti_join(shaken, "customer_id"))
        anew = self.dates.at_each(followed.semi_join(shaken, "customer_id")).select(*columns).union(self.patched)
        passed = [windows.before(firm[name], firm.as_of_s).ifelse(1, 0) for name in _NEXT]
        return firm.select(*columns, rank=counted(sum(passed))).union(_ranked(anew, KEYS).select(*columns, "rank"))


def orders_of(purchases: Table, lines: Table, dates: AsOfDates, keep: Keep) -> Orders:
    """Return the orders of batches with a purchase, and of the lines that these were gathered from."""
    pieces = purchases.group_by(*ORDER, *dates.life).aggregate(
        value=held(purchases.gross.sum()),
        lines=counted(purchases.purchase_lines.sum()),
        ordered_at=purchases.ordered_at.max(),
    )
    items = lines.filter((lines.amount > 0) & lines.product_id.notnull()).select(
        *ORDER, "product_id", "ordered_at", *dates.until
    )
    if dates.is_one:
        return Orders(dates, keep(_with_products(pieces, items), "orders"), None)
    pieces = keep(pieces, "pieces")
    in_pieces = keep(
        pieces.group_by(ORDER).aggregate(pieces=pieces.count()).filter(lambda order: order.pieces > 1), "in_pieces"
    )
    whole = keep(_with_products(pieces.anti_join(in_pieces, ORDER), items), "orders")
    return Orders(dates, whole, keep(_patched(pieces, items, in_pieces, dates), "patched"))


def totals(orders: Table, by: Sequence[str]) -> Table:
    """Return the sums ``TOTALS`` over orders, whole ones or patched; ``by`` has their customer."""
    sizes = {name: counted(orders[name].sum()) for name in ("lines", "products")}
    told = {f"{name}_orders": orders[name].count() for name in sizes}
    return orders.group_by(by).aggregate(orders=orders.count(), value=held(orders["value"].sum()), **sizes, **told)


def _with_products(orders: Table, items: Table) -> Table:
    distinct = items.select(*ORDER, "product_id").distinct()
    counts = distinct.group_by(ORDER).aggregate(products=distinct.count())
    return orders.left_join(counts, ORDER, rname="{name}_right").select(*orders.columns, "products")


def _patched(pieces: Table, items: Table, in_pieces: Table, dates: AsOfDates) -> Table:
    order = (*KEYS, "order_id")
    parts = dates.at_each(pieces.semi_join(in_pieces, ORDER))
    sums = parts.group_by(order).aggregate(
        value=held(parts["value"].sum()),
        lines=counted(parts.lines.sum()),
        ordered_at=parts.ordered_at.max(),
    )
    known = dates.at_each(dates.with_since(items.semi_join(in_pieces, ORDER)))
    counts = known.group_by(order).aggregate(products=known.product_id.nunique())
    return sums.left_join(counts, order, rname="{name}_right").select(*sums.columns, "products")


def _followed(whole: Table, dates: AsOfDates) -> Table:
    """Return orders, whether they stand, and when the next ones were placed, in seconds, as ``_NEXT`` has them.

    Orders are left out of the dates at which certainly enough later ones are known: nobody asks for them there. Only
    those that were never cancelled count as later ones.
    """
    stands = dates.stands(whole)
    oldest_first = ibis.window(group_by=("customer_id", stands), order_by=(whole.ordered_at, whole.order_id))
    following = {
        name: whole.ordered_at.lead(step).over(oldest_first) for step, name in enumerate((*_NEXT, "passed"), 1)
    }
    later = whole.mutate(**following, stands=stands)
    passed = (later.stands & later.passed.notnull()).ifelse(dates.place(later.passed), later.until)
    seconds = {name: windows.epoch_seconds(later[name]) for name in _NEXT}
    return later.mutate(until=ibis.least(later.until, passed), **seconds).drop("passed")


def _ranked(orders: Table, by: Sequence[str]) -> Table:
    latest_first = ibis.window(group_by=by, order_by=(orders.ordered_at.desc(), orders.order_id.desc()))
    ranked = orders.mutate(rank=ibis.row_number().over(latest_first))
    return ranked.filter(ranked["rank"] < LAST_ORDERS)


def _with_age(orders: Table) -> Table:
    return orders.mutate(age=orders.as_of_s - windows.epoch_seconds(orders.ordered_at))
