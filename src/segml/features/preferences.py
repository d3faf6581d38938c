"""What a customer prefers: category, channel, season, and how close orders follow on each other.

These columns stand beside the features and describe; no model reads them. All look at the last 365 days.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number
from segml.features.snapshots import collect, timed, typed
from segml.features.spec import Described
from segml.windows import YEAR_DAYS, Moment

FAMILY = "preferences"
TOP_UP_DAYS = 7
SEASONS = ("winter", "spring", "summer", "autumn")
"""Northern hemisphere; winter begins in December."""

_CATEGORY, _CHANNEL = "data.columns.category", "data.columns.channel"
_DECIMALS = 9  # equal shares must not differ by their last bit

PREFERENCES = (
    Described(
        "affinity_category",
        FAMILY,
        "text",
        "category whose share of the customer's purchases lies furthest above its share of the base's; the first by "
        "name among equals",
        _CATEGORY,
    ),
    Described(
        "affinity_share",
        FAMILY,
        "share",
        "share of that category in the customer's purchases of the last 365 days, before returns",
        _CATEGORY,
    ),
    Described("affinity_lift", FAMILY, "ratio", "that share over the category's share of the base's", _CATEGORY),
    Described(
        "top_channel",
        FAMILY,
        "text",
        "channel of most orders of the last 365 days; the first by name among equals",
        _CHANNEL,
    ),
    Described("top_channel_share", FAMILY, "share", "share of the orders with a channel that came by it", _CHANNEL),
    Described(
        "peak_season",
        FAMILY,
        "text",
        "season with the largest purchases of the last 365 days, before returns; the first by name among equals; null "
        "where the first purchase is less than 365 days ago",
    ),
    Described("peak_season_share", FAMILY, "share", "share of that season in the purchases of the last 365 days"),
    Described(
        "top_up_order_share",
        FAMILY,
        "share",
        "share of the orders of the last 365 days that were placed less than 7 calendar days after the one before; "
        "NaN where none had one before",
    ),
)
"""The columns of ``preferences``, in order."""


def preferences(lines: Any, as_of: Moment) -> pd.DataFrame:
    """Return what each customer preferred in the last 365 days: ``customer_id`` and the columns of ``PREFERENCES``.

    One row a customer with a purchase before the as-of date, sorted; null where unknown. Like the features, it is the
    same, bit for bit, for any order of lines and number of threads.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from
    """
    purchases = _purchases(lines, windows.as_timestamps(as_of)[0])
    recent = purchases.filter(windows.in_last(purchases.age, YEAR_DAYS))
    result = purchases.group_by("customer_id").aggregate(tenure=purchases.age.max())
    for part in (_affinity(recent), _channel(recent), _season(recent), _top_ups(purchases)):
        result = result.left_join(part, "customer_id", rname="{name}_right").drop("customer_id_right")
    has_year = result.tenure >= YEAR_DAYS * windows.DAY_SECONDS
    result = result.mutate(
        peak_season=has_year.ifelse(result.peak_season, None),
        peak_season_share=has_year.ifelse(result.peak_season_share, None),
    )
    types = {column.name: "str" if column.unit == "text" else "float64" for column in PREFERENCES}
    frame = collect(result.select("customer_id", *types)).astype({"customer_id": "str", **types})
    return frame.sort_values("customer_id", ignore_index=True)


def _purchases(lines: Any, as_of: pd.Timestamp) -> Table:
    """Return the purchase lines known at the as-of date, with their ``age`` and exact ``gross`` money."""
    table = timed(typed(to_table(lines)))
    now = windows.epoch_seconds(as_of)
    known = table.filter(windows.known(table.ordered_s, table.cancelled_s, now) & (table.amount > 0))
    return known.mutate(age=now - known.ordered_s, gross=exact(known.amount))


def _affinity(recent: Table) -> Table:
    bought = recent.filter(recent.category.notnull())
    spend = bought.group_by("customer_id", "category").aggregate(gross=bought.gross.sum())
    shares = spend.mutate(
        share=_share(spend.gross, "customer_id"),
        base=number(spend.gross.sum().over(group_by="category")) / number(spend.gross.sum().over()).nullif(0),
    )
    best = _first(shares, (shares["share"] - shares.base).round(_DECIMALS), "category")
    return best.select(
        "customer_id",
        affinity_category=best.category,
        affinity_share=best["share"],
        affinity_lift=best["share"] / best.base.nullif(0),
    )


def _channel(recent: Table) -> Table:
    placed = recent.filter(recent.channel.notnull())
    orders = placed.group_by("customer_id", "channel").aggregate(orders=placed.order_id.nunique())
    shares = orders.mutate(share=_share(orders.orders, "customer_id"))
    best = _first(shares, shares.orders, "channel")
    return best.select("customer_id", top_channel=best.channel, top_channel_share=best["share"])


def _season(recent: Table) -> Table:
    month = recent.ordered_s.as_timestamp("s").month()
    seasons = (month % 12 // 3).cases(*enumerate(SEASONS))
    named = recent.mutate(season=seasons)
    spend = named.group_by("customer_id", "season").aggregate(gross=named.gross.sum())
    shares = spend.mutate(share=_share(spend.gross, "customer_id"))
    best = _first(shares, shares.gross, "season")
    return best.select("customer_id", peak_season=best.season, peak_season_share=best["share"])


def _top_ups(purchases: Table) -> Table:
    """Take an order to be placed with its first line; days are calendar days, so a weekly order tops up nothing."""
    orders = purchases.group_by("customer_id", "order_id").aggregate(day=purchases.day.min(), age=purchases.age.max())
    before = orders.day.lag().over(group_by="customer_id", order_by=(orders.day, orders.order_id))
    gaps = orders.mutate(gap=orders.day - before)
    recent = gaps.filter(windows.in_last(gaps.age, YEAR_DAYS) & gaps.gap.notnull())
    return recent.group_by("customer_id").aggregate(
        top_up_order_share=number((recent.gap < TOP_UP_DAYS).sum()) / number(recent.count())
    )


def _share(values: Any, of: str) -> Any:
    """Return numbers over their sum within a group."""
    return number(values) / number(values.sum().over(group_by=of)).nullif(0)


def _first(shares: Table, rank: Any, name: str) -> Table:
    """Return, per customer, the row with the highest rank, the first by name among equals."""
    place = ibis.row_number().over(group_by="customer_id", order_by=(rank.desc(), shares[name]))
    return shares.mutate(place=place).filter(lambda row: row.place == 0)
