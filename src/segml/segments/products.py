"""Products as customers are read: who makes the money, and how steadily."""

from __future__ import annotations

from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.periods import revenue_variation
from segml.features.snapshots import at_each, calendar, collect, timed, typed
from segml.schemes import Abc, AbcXyz, Xyz
from segml.windows import YEAR_DAYS, Moment


def classify_products(lines: Any, as_of: Moment, abc: Abc, xyz: Xyz) -> pd.DataFrame:
    """Return the products that were ever bought, with their ABC and XYZ classes, by falling revenue, then by name.

    Columns: ``product_id``; ``category``, the one with the largest purchases of all time, the first by name among
    equals; ``customers, orders`` with a purchase, and ``revenue_365d``, net, of the last 365 days; the money that
    ``abc`` ranks by where it is another (``margin_365d``, ``revenue_90d``; NaN where unknown); ``revenue_cv`` (see
    ``schemes.variation``); ``abc, xyz, abc_xyz`` as ordered categoricals. Lines without a product are left out.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    abc, xyz : thresholds; cut points of ABC are those of customers, and do not hold for products
    """
    known = _known(lines, as_of)
    table = _sales(known, abc).merge(_categories(known), on="product_id", how="left", validate="1:1")
    steadiness = revenue_variation(lines, as_of, xyz, by="product_id")
    table = table.assign(revenue_cv=steadiness.reindex(table["product_id"]).to_numpy())
    for scheme in (abc.by_shares(), xyz, AbcXyz()):
        table[scheme.name] = scheme.assign(table)
    table.insert(1, "category", table.pop("category"))
    return table.sort_values(["revenue_365d", "product_id"], ascending=[False, True], ignore_index=True)


def _known(lines: Any, as_of: Moment) -> Table:
    """Return the lines of products that were known at the as-of date, with their ``age`` and exact money."""
    table = typed(to_table(lines))
    named = timed(table.filter(table.product_id.notnull()))
    known = at_each(named, calendar([windows.as_timestamps(as_of)[0]]))
    return known.mutate(revenue=exact(known.amount), margin=exact(known.margin), is_purchase=known.amount > 0)


def _sales(known: Table, abc: Abc) -> pd.DataFrame:
    last_year = windows.in_last(known.age, YEAR_DAYS)
    order = known.customer_id.concat("\x1f", known.order_id)  # two customers may share an order number
    table = known.group_by("product_id").aggregate(
        bought=known.is_purchase.any(),
        customers=known.customer_id.nunique(where=known.is_purchase & last_year),
        orders=order.nunique(where=known.is_purchase & last_year),
        revenue_365d=number(known.revenue.sum(where=last_year).fill_null(0)),
        **({} if abc.requires == ("revenue_365d",) else {abc.requires[0]: _money(known, abc)}),
    )
    frame = collect(table.filter(table.bought).drop("bought"))
    return frame.astype({"product_id": "str"})


def _money(known: Table, abc: Abc) -> Any:
    """Return the money of the window that ABC looks at; where no line tells the margin, it is unknown."""
    total = known[abc.by].sum(where=windows.in_last(known.age, abc.window_days))
    return number(total.fill_null(0) if abc.by == "revenue" else total)


def _categories(known: Table) -> pd.DataFrame:
    bought = known.filter(known.is_purchase & known.category.notnull())
    totals = bought.group_by("product_id", "category").aggregate(gross=bought.revenue.sum())
    ranked = totals.mutate(most=totals.gross.max().over(group_by="product_id"))
    largest = ranked.filter(ranked.gross == ranked.most)
    return collect(largest.group_by("product_id").aggregate(category=largest.category.min())).astype("str")
