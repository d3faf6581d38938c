"""Pictures made of bars: sizes of segments, what cleaning took away, revenue by month."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from segml.language import _
from segml.plots.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    axes_or_new,
    date_axis,
    house_style,
    money_axis,
    name_rows,
    percent,
    signed,
    thousands,
)


@house_style()
def plot_segments(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of customers and of revenue of each segment.

    Parameters
    ----------
    data : ``segment``, ``customer_share``, ``revenue_share``; first row on top
    """
    ax = axes_or_new(ax, height=0.5 * len(data) + 0.7)
    for offset, column, colour, label in (
        (-0.18, "customer_share", GREY, _("customers")),
        (0.18, "revenue_share", BLUE, _("revenue")),
    ):
        rows = [row + offset for row in range(len(data))]
        ax.barh(rows, data[column], height=0.32, color=colour, label=label)
        for row, share in zip(rows, data[column], strict=True):
            _label_right_of(ax, max(share, 0.0), row, percent(share))
    name_rows(ax, list(data["segment"]))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, handleheight=0.8, columnspacing=1.4)
    return _bare(ax)


@house_style()
def plot_ledger(data: pd.DataFrame, ax: Axes | None = None, value: Literal["lines", "amount"] = "lines") -> Axes:
    """Draw how cleaning leads from what came in to what was kept, one step a rule.

    Parameters
    ----------
    data : the ledger: ``rule``, ``kind`` and ``lines`` or ``amount``; rows of kind ``corrected`` change no total
        and are left out
    value : what the bars measure
    """
    steps = data[data["kind"] != "corrected"].reset_index(drop=True)
    ax = axes_or_new(ax, height=0.32 * len(steps) + 0.4)
    level = 0.0
    for row, (kind, size) in enumerate(zip(steps["kind"], steps[value].astype("float64"), strict=True)):
        change, colour = (-size, ORANGE) if kind == "taken" else (size, BLUE)
        left = level if kind == "taken" else 0.0
        level = left + change
        ax.barh(row, change, left=left, height=0.62, color=colour, edgecolor=colour, linewidth=0.8)
        _label_right_of(ax, max(left, level), row, signed(change) if kind == "taken" else thousands(change))
    name_rows(ax, list(steps["rule"]))
    return _bare(ax)


@house_style()
def plot_revenue_by_month(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw revenue by calendar month.

    Parameters
    ----------
    data : ``month`` (first day, timestamps), ``revenue``
    """
    ax = axes_or_new(ax, height=2.4)
    ax.bar(data["month"].to_numpy(), data["revenue"], width=np.timedelta64(22, "D"), align="edge", color=BLUE)
    money_axis(ax.yaxis)
    date_axis(ax.xaxis)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    return ax


def _label_right_of(ax: Axes, x: float, y: float, text: str) -> None:
    ax.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", color=INK, fontsize=9)


def _bare(ax: Axes) -> Axes:
    """Leave only a base line at zero: the bars carry their own numbers."""
    ax.xaxis.set_visible(False)
    ax.spines[:].set_visible(False)
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.margins(x=0.16)
    ax.set_xlim(left=ax.dataLim.x0)
    return ax
