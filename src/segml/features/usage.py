"""How a customer uses the product: functions, seats, logins, recommendation, support requests.

Usage comes in two forms. *Dated*: one row a use (or a day, or a month), with ``used_at``; only rows before the as-of
date count. *Undated*: one row a customer without ``used_at``, which tells how things are now, at whatever as-of date.
A customer without a row is unknown, for the product may not cover it; one whose rows are all older than the window has
stopped, and gets zeros.
"""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.features import events
from segml.features.arithmetic import exact_sum, number, ratio
from segml.features.snapshots import SQL_TYPES, collect
from segml.features.spec import Described
from segml.schema import USAGE, USAGE_FIGURES, DataError

FAMILY = "usage"
WINDOW_DAYS, NPS_DAYS = 90, 365


def _usage(name: str, unit: str, meaning: str, columns: str) -> Described:
    return Described(name, FAMILY, unit, meaning, f"data.usage with a column {columns}")


DESCRIBED = (
    _usage(
        "function_share_90d",
        "share",
        "functions of the product used in the last 90 days, over all that anybody ever used; NaN without any use on "
        "record",
        "feature or share_of_features",
    ),
    _usage(
        "seat_share_90d",
        "share",
        "seats in use over seats paid for, over the rows of the last 90 days; 0 where use has stopped, NaN where seats "
        "were never told",
        "seats_used and seats_total",
    ),
    _usage(
        "nps",
        "points",
        "mean answer, 0 to 10, to how likely a recommendation is, of the last 365 days; NaN where none is known",
        "nps",
    ),
    _usage(
        "ticket_count_90d", "tickets", "support requests of the last 90 days; NaN without any use on record", "tickets"
    ),
    _usage(
        "login_count_90d",
        "logins",
        "logins of the last 90 days, or days with a row where logins are not told; NaN without any use on record",
        "used_at or logins",
    ),
)


def usage(data: Any, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the described columns of the customers with a row known at the as-of date, indexed by ``customer_id``.

    Parameters
    ----------
    data : usage table (``schema.USAGE``), dated or undated

    Raises
    ------
    DataError : columns missing, or a share of functions outside 0 to 1
    """
    rows = events.typed(data, USAGE)
    _refuse_neither_form(rows)
    _refuse_percentages(rows)
    known = _with_windows(rows, as_of)
    [functions] = collect(known.aggregate(count=known.feature.nunique()))["count"]
    return _columns(_figures(known), functions)


def _refuse_neither_form(rows: Table) -> None:
    if "used_at" not in rows.columns and not set(USAGE_FIGURES) & set(rows.columns):
        raise DataError(
            f"usage needs 'used_at' (one row a use), or one of {list(USAGE_FIGURES)} (one row a customer); found "
            f"{list(rows.columns)}"
        )


def _refuse_percentages(rows: Table) -> None:
    if "share_of_features" not in rows.columns:
        return
    shares = rows.share_of_features
    [range_] = collect(rows.aggregate(low=shares.min(), high=shares.max())).to_dict("records")
    if range_["low"] < 0 or range_["high"] > 1:
        raise DataError(
            f"usage: share_of_features must be shares from 0 to 1; found {range_['low']:g} to {range_['high']:g}: "
            "divide percentages by 100"
        )


def _with_windows(rows: Table, as_of: pd.Timestamp) -> Table:
    """Return the rows known at the as-of date, all columns there, with who is inside which window."""
    is_dated = "used_at" in rows.columns
    known = events.before(rows, "used_at", as_of) if is_dated else rows.mutate(age=ibis.null("int64"))
    absent = {column.name: ibis.null(SQL_TYPES[column.kind]) for column in USAGE.columns}
    whole = known.mutate(**{name: null for name, null in absent.items() if name not in known.columns})
    return whole.mutate(
        is_recent=windows.in_last(whole.age, WINDOW_DAYS) if is_dated else ibis.literal(True),
        is_of_the_year=windows.in_last(whole.age, NPS_DAYS) if is_dated else ibis.literal(True),
        has_seats=whole.seats_used.notnull() & (whole.seats_total > 0).fill_null(False),  # a share needs both
    )


def _figures(rows: Table) -> pd.DataFrame:
    """Return sums inside the windows, null where nothing was told there, and ``…_ever``: how often it was at all."""
    recent, has_seats = rows.is_recent, rows.has_seats
    figures = {
        "features": rows.feature.nunique(where=recent),
        "features_ever": rows.feature.count(),
        "share": rows.share_of_features.max(where=recent),
        "share_ever": rows.share_of_features.count(),
        "seats_used": exact_sum(rows.seats_used, where=recent & has_seats),
        "seats_total": exact_sum(rows.seats_total, where=recent & has_seats),
        "seats_ever": has_seats.sum(),
        "nps": exact_sum(rows.nps, where=rows.is_of_the_year),
        "nps_told": rows.nps.count(where=rows.is_of_the_year),
        "tickets": exact_sum(rows.tickets, where=recent),
        "tickets_ever": rows.tickets.count(),
        "logins": exact_sum(rows.logins, where=recent),
        "logins_ever": rows.logins.count(),
        "days": rows.used_at.truncate("D").nunique(where=recent),
        "days_ever": rows.used_at.count(),
    }
    return events.by_customer(rows, {name: number(figure) for name, figure in figures.items()})


def _columns(figures: pd.DataFrame, functions: int) -> pd.DataFrame:
    from_events = _unless_never(figures["features"], figures["features_ever"]) / max(functions, 1)
    days = _unless_never(figures["days"], figures["days_ever"])
    seats = ratio(figures["seats_used"], figures["seats_total"])
    columns = {
        "function_share_90d": _unless_never(figures["share"], figures["share_ever"]).fillna(from_events),
        "seat_share_90d": _unless_never(seats, figures["seats_ever"]),
        "nps": ratio(figures["nps"], figures["nps_told"]),
        "ticket_count_90d": _unless_never(figures["tickets"], figures["tickets_ever"]),
        "login_count_90d": _unless_never(figures["logins"], figures["logins_ever"]).fillna(days),
    }
    return pd.DataFrame(columns, index=figures.index)


def _unless_never(recent: pd.Series[float], ever: pd.Series[float]) -> pd.Series[float]:
    """Return what the window tells; 0 where it tells nothing, but there was something before: use has stopped."""
    return recent.fillna(0.0).where(ever > 0)
