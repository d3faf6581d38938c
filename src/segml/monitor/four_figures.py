"""The four figures by which the work with segments is judged, in the latest period and against earlier ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from segml import windows
from segml.churn.metrics import Array, Statistics
from segml.language import N_, _
from segml.monitor.effectiveness import ratios, redrawn
from segml.monitor.periods import PERIODS, SINCE, Period
from segml.monitor.proportions import UNKNOWN, Proportion, difference, share
from segml.schema import DataError
from segml.schemes import Lifecycle

ORDER_VALUE = "active_order_value"
FIGURES = {
    "new_to_active": N_("New customers who became active"),
    "won_back": N_("Inactive customers won back"),
    ORDER_VALUE: N_("Mean order of active customers"),
    "key_retention": N_("Key customers who bought again"),
}
"""The four figures, and what people call them."""

FIGURE_COLUMNS = [
    *("figure", "period", "customers"),
    *(f"value{end}" for end in ("", "_low", "_high")),
    *(f"change{end}" for end in ("", "_low", "_high")),
]
"""Columns of ``four_figures``, in order."""


def four_figures(
    periods: Mapping[str, Period], *, lifecycle: Lifecycle | None = None, resamples: int, seed: int = 0
) -> pd.DataFrame:
    """Return the four figures of each period, and how the latest differs: one row a figure and period.

    - ``new_to_active``: of the customers that were new at the start and have been customers for ``new_months`` by the
      end, the share that is active then; those whose first months are not over are no cases yet
    - ``won_back``: of the inactive at the start, the share with an order in the period
    - ``active_order_value``: mean order of the customers that were active when the latest period began, and that
      ordered both in it and in the period of the row: the same customers, so that a changed base is no growth
    - ``key_retention``: of the key customers at the start, the share with an order in the period

    Columns: ``customers``: cases; ``value``; ``change`` from the period of the row to the latest, of shares as a
    difference, of money as growth. ``_low``, ``_high``: 95 % intervals, see ``proportions``, and of money by redrawing
    customers. NaN where there is no case, or labels are not known.

    Parameters
    ----------
    periods : name -> period, ``since`` among them; labels ``lifecycle`` and ``tier``
    lifecycle : tells how long customers are new; default ``Lifecycle()``
    resamples, seed : of the bootstrap over customers
    """
    if SINCE not in periods:
        raise DataError(f"the four figures need the period {SINCE!r}; found {list(periods)}")
    new_months = (lifecycle if lifecycle is not None else Lifecycle()).new_months
    counted: dict[str, Callable[[Period], Proportion]] = {
        "new_to_active": lambda period: _became_active(period, new_months),
        "won_back": lambda period: _bought(period, "lifecycle", "inactive"),
        "key_retention": lambda period: _bought(period, "tier", "key"),
    }
    rows = {figure: list(_shares(figure, of, periods)) for figure, of in counted.items()}
    rows[ORDER_VALUE] = list(_order_values(periods, resamples, seed))
    return pd.DataFrame([row for figure in FIGURES for row in rows[figure]], columns=FIGURE_COLUMNS)


def told(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what the four figures say, one sentence each, in the language spoken.

    Parameters
    ----------
    table : as ``four_figures`` returns it
    """
    return tuple(_told(str(figure), part) for figure, part in table.groupby("figure", sort=False))


def _bought(period: Period, scheme: str, label: str) -> Proportion:
    """Return how many customers of a segment placed an order."""
    if scheme not in period.at_start:
        return Proportion(0, 0)
    customers = period.customers
    members = customers[(customers[scheme] == label) & customers["was_there"]]
    return Proportion(int((members["orders"] > 0).sum()), len(members))


def _became_active(period: Period, new_months: int) -> Proportion:
    """Return how many of the customers whose first months were over by the end were active then."""
    if period.at_end is None or "lifecycle" not in period.at_start or "lifecycle" not in period.at_end:
        return Proportion(0, 0)
    customers = period.customers
    is_over = customers["tenure_days"] >= windows.months_in_days(period.span.end, new_months)
    due = customers.loc[(customers["lifecycle"] == "new") & is_over, "customer_id"]
    became = due.map(period.at_end.set_index("customer_id")["lifecycle"])
    return Proportion(int((became == "active").sum()), len(due))


def _shares(
    figure: str, counted: Callable[[Period], Proportion], periods: Mapping[str, Period]
) -> Iterator[dict[str, object]]:
    latest = counted(periods[SINCE])
    for name, period in periods.items():
        found = counted(period)
        change = UNKNOWN if name == SINCE else difference(latest, found)
        values = {**share(found).named("value"), **change.named("change")}
        yield {"figure": figure, "period": name, "customers": found.cases, **values}


def _order_values(periods: Mapping[str, Period], resamples: int, seed: int) -> Iterator[dict[str, object]]:
    ordered = _active_orders(periods[SINCE])
    for name, period in periods.items():
        both = ordered.merge(_orders(period.customers), on="customer_id", suffixes=("", "_there"))
        values = redrawn(_growth(both), both["customer_id"], resamples, seed) if len(both) else {}
        change = UNKNOWN.named("change") if name == SINCE else {}
        yield {"figure": ORDER_VALUE, "period": name, "customers": len(both), **values, **change}


def _active_orders(period: Period) -> pd.DataFrame:
    customers = period.customers
    if "lifecycle" not in period.at_start:
        return _orders(customers[:0])
    return _orders(customers[(customers["lifecycle"] == "active") & customers["was_there"]])


def _orders(customers: pd.DataFrame) -> pd.DataFrame:
    return customers.loc[customers["orders"] > 0, ["customer_id", "gross", "orders"]]


def _growth(both: pd.DataFrame) -> Statistics:
    """Return the mean order there, and its growth to the latest period, as a function of customers' weights."""
    gross, orders, gross_there, orders_there = (
        both[name].to_numpy(dtype=float) for name in ("gross", "orders", "gross_there", "orders_there")
    )

    def of(weights: Array) -> dict[str, Array]:
        there = ratios(weights @ gross_there, weights @ orders_there)
        return {"value": there, "change": ratios(ratios(weights @ gross, weights @ orders), there) - 1}

    return of


def _told(figure: str, part: pd.DataFrame) -> str:
    rows = {str(row["period"]): {str(name): value for name, value in row.items()} for row in part.to_dict("records")}
    if math.isnan(rows[SINCE]["value"]):
        return _("{figure}: not known.").format(figure=_(FIGURES[figure]))
    words = _("{figure}: {value:.0%} of {customers:,} [{value_low:.0%}, {value_high:.0%}]")
    if figure == ORDER_VALUE:
        words = _("{figure}: {value:,.0f}, over {customers:,} customers [{value_low:,.0f}, {value_high:,.0f}]")
    begins = words.format(**(rows[SINCE] | {"figure": _(FIGURES[figure])}))
    others = [_against(row, figure) for name, row in rows.items() if name != SINCE and not math.isnan(row["change"])]
    return "; ".join([begins, *others]) + "."


def _against(row: Mapping[Any, Any], figure: str) -> str:
    words = _("{change:+.0f} points against {period} [{change_low:+.0f}, {change_high:+.0f}]: {means}")
    if figure == ORDER_VALUE:
        words = _("{change:+.0f} % against {period} [{change_low:+.0f}, {change_high:+.0f}]: {means}")
    hundredths = {name: 100 * row[name] for name in ("change", "change_low", "change_high")}
    period = PERIODS[row["period"]]
    return words.format(period=_(period), means=_means(row), **hundredths)


def _means(row: Mapping[Any, Any]) -> str:
    if row["change_low"] > 0:
        return _("more")
    return _("less") if row["change_high"] < 0 else _("no clear difference")
