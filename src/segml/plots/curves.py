"""Pictures made of curves: calibration, what a ranking finds, concentration of revenue."""

from __future__ import annotations

import math
from itertools import cycle

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from segml.churn.names import PERFECT, name_of
from segml.language import _
from segml.plots.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    SERIES,
    axes_or_new,
    elide,
    house_style,
    money_axis,
    percent,
    percent_axis,
    thousands,
)

SHARES = (0, 0.2, 0.4, 0.6, 0.8, 1)
STEPS = (1, 2, 5, 10)
"""Between ticks, times a power of ten."""
SMALLEST_POINT, LARGEST_POINT = 6, 42
"""Square points of print."""


@house_style()
def plot_reliability(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what was predicted against what happened; on the diagonal the probabilities are true.

    Both axes end at the highest share, rounded up to a tenth.

    Parameters
    ----------
    data : ``predicted``, ``observed`` (shares, one row a bin), ``customers``: the area of a point, and, as the fewest
        and the most of any, in words
    """
    ax = axes_or_new(ax)
    top = _up_to_a_tenth(data[["predicted", "observed"]].to_numpy(dtype=float).max(initial=0))
    ax.plot([0, top], [0, top], color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.plot(data["predicted"], data["observed"], color=BLUE, zorder=3)
    areas = LARGEST_POINT * data["customers"] / data["customers"].max()
    ax.scatter(
        data["predicted"], data["observed"], s=areas.clip(lower=SMALLEST_POINT), color=BLUE, zorder=3, clip_on=False
    )
    _square(ax, _("predicted"), _("observed"), top)
    ax.set_title(_customers_a_point(data["customers"]), loc="right", fontsize=9, color=MUTED)
    return ax


@house_style()
def plot_gains(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of those who left is found within the first x of each ranking.

    Parameters
    ----------
    data : ``strategy``, ``share_of_customers``, ``share_captured``, one curve a strategy; the first is the model, drawn
        boldest; ``perfect`` is the bound; at most four others
    """
    return _plot_captured(data, axes_or_new(ax), _("of those it happened to, found"))


@house_style()
def plot_money(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which share of the lost revenue lies with the first x of customers called; data as in ``plot_gains``."""
    return _plot_captured(data, axes_or_new(ax), _("of the lost revenue, reached"))


@house_style()
def plot_profit(data: pd.DataFrame, ax: Axes | None = None, *, chosen: tuple[float, float] | None = None) -> Axes:
    """Draw the profit of contacting the first x of customers; below zero, contacts cost more than they save.

    Parameters
    ----------
    data : ``strategy``, ``share_of_customers``, ``profit`` (money), one curve an order; the first is drawn boldest
    chosen : share of customers and profit of the list that was chosen, marked
    """
    ax = axes_or_new(ax)
    _draw_strategies(ax, data, "profit")
    ax.axhline(0, color=GREY, linewidth=1, zorder=1)
    if chosen is not None:
        ax.plot(*([place] for place in chosen), linestyle="none", marker="o", markersize=7, color=SERIES[0], zorder=4)
    ax.set(xlim=(0, 1.02), xticks=SHARES)
    percent_axis(ax.xaxis)
    money_axis(ax.yaxis)
    ax.set_xlabel(_("of scored customers, worst first"), loc="right")
    ax.set_title(_("profit of contacts"), loc="left", fontsize=9, color=MUTED)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.legend(loc="best", borderaxespad=0.2, labelspacing=0.3)
    return ax


@house_style()
def plot_lorenz(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the concentration of revenue, largest customers first, with what the top 10 % and 20 % bring.

    Parameters
    ----------
    data : ``customer_share``, ``revenue_share``, rising; rows at 0.1 and 0.2 are marked where they are there
    """
    ax = axes_or_new(ax)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    ax.plot(data["customer_share"], data["revenue_share"], color=BLUE, linewidth=2.2)
    marks = data[data["customer_share"].round(6).isin([0.1, 0.2])]
    ax.plot(marks["customer_share"], marks["revenue_share"], linestyle="none", marker="o", color=BLUE, clip_on=False)
    for customers, revenue in marks[["customer_share", "revenue_share"]].itertuples(index=False):
        ax.annotate(
            _("top {customers} bring {revenue}").format(customers=percent(customers), revenue=percent(revenue)),
            (customers, revenue),
            xytext=(10, -10),
            textcoords="offset points",
            color=INK,
        )
    _square(ax, _("of customers, largest first"), _("of revenue"))
    return ax


def _draw_strategies(ax: Axes, data: pd.DataFrame, value: str) -> None:
    """Draw one curve a strategy, the first boldest, perfect knowledge dotted."""
    colours = cycle(SERIES)
    for strategy, curve in data.groupby("strategy", sort=False):
        line = ax.plot(curve["share_of_customers"], curve[value], label=elide(name_of(str(strategy)), 34))[0]
        if strategy == PERFECT:
            line.set(color=GREY, linewidth=1.2, linestyle=(0, (1, 1.4)))
        else:
            line.set(color=next(colours), linewidth=1.4)
    ax.lines[0].set(linewidth=2.6, zorder=3)


def _plot_captured(data: pd.DataFrame, ax: Axes, found: str) -> Axes:
    _draw_strategies(ax, data, "share_captured")
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1, label=_("at random"))
    _square(ax, _("of scored customers, worst first"), found)
    ax.legend(loc="lower right", borderaxespad=0.2, labelspacing=0.3)
    return ax


def _square(ax: Axes, across: str, up: str, top: float = 1) -> None:
    """Set both axes to shares from 0 to the top; the upward one is named above, where it can be read."""
    ax.set(xlim=(0, 1.02 * top), ylim=(0, 1.03 * top))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=STEPS, prune="lower"))
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel(across, loc="right")
    ax.set_title(up, loc="left", fontsize=9, color=MUTED)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)


def _up_to_a_tenth(share: float) -> float:
    """Return a share rounded up to a tenth, at least one."""
    return max(1, math.ceil(round(share * 10, 6))) / 10


def _customers_a_point(customers: pd.Series[int]) -> str:
    if customers.empty:
        return ""
    fewest, most = thousands(customers.min()), thousands(customers.max())
    count = fewest if fewest == most else f"{fewest}–{most}"
    return _("customers a point: {count}").format(count=count)
