"""The pictures of the study, in the house style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from dense import NOISE, ONE_PURCHASE, Way, cut_at
from history import History
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from segml.plots import house_style
from segml.plots.style import BLUE, GREY, MUTED, ORANGE, SERIES, TEAL


def save(figure: plt.Figure, path: Path) -> None:
    """Write a picture and close it."""
    figure.savefig(path, dpi=130)
    plt.close(figure)


@house_style()
def methods(table: pd.DataFrame) -> plt.Figure:
    """Draw η² of methods and rules on the earlier quarters and on the final one, with intervals."""
    figure, ax = plt.subplots(figsize=(9, 0.42 * len(table) + 1.3), layout="constrained")
    rows = table.iloc[::-1]
    for period, colour, shift in (("earlier", BLUE, 0.12), ("final", ORANGE, -0.12)):
        value = rows[period]
        spread = [value - rows[f"{period}_low"], rows[f"{period}_high"] - value]
        label = "earlier quarters (choose)" if period == "earlier" else "final quarter (confirms)"
        ax.errorbar(
            value, np.arange(len(rows)) + shift, xerr=spread, fmt="o", color=colour, elinewidth=1.2, label=label
        )
    ax.set_yticks(range(len(rows)), rows.index)
    ax.set_xlabel("adjusted η² of the log of the next 90 days' revenue")
    ax.grid(axis="x")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


@house_style()
def what_is_dense(history: History, days: Sequence[str]) -> plt.Figure:
    """Draw what sets HDBSCAN's segments apart: days without orders, and whole numbers of orders."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
    for panels, day in zip(axes, days, strict=True):
        rows = history.bases[day].features
        by_day, by_number = Way(("recency_days", "order_intensity")), Way(("revenue_total", "order_value_mean"))
        _stacked(panels[0], history, day, by_day, rows["recency_days"], np.arange(0, 181, 3))
        ratio = rows["revenue_total"] / rows["order_value_mean"]
        _stacked(panels[1], history, day, by_number, ratio, np.arange(1, 10.2, 0.2))
        panels[0].set_title(f"{day}: recency + intensity", loc="left", fontsize=9, color=MUTED)
        panels[1].set_title(f"{day}: revenue + value of an order", loc="left", fontsize=9, color=MUTED)
    axes[1, 0].set_xlabel("days since the last order")
    axes[1, 1].set_xlabel("revenue ÷ mean value of an order")
    return figure


def _stacked(ax: Axes, history: History, day: str, way: Way, values: pd.Series[float], bins: np.ndarray) -> None:
    numbers = way.labels(cut_at(way.fit(history, day)), history.bases[day])
    found = [number for number in np.unique(numbers) if NOISE < number < ONE_PURCHASE]
    groups = [values[numbers == number] for number in (*found, NOISE)]
    ax.hist(
        groups, bins=bins, stacked=True, color=[*(SERIES[place % len(SERIES)] for place in range(len(found))), GREY]
    )
    ax.set_ylabel("customers")


@house_style()
def quarters(table: pd.DataFrame) -> plt.Figure:
    """Draw, by date, who kept the segment of a quarter ago, and how far the model agrees with its refit."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    lines = (
        (axes[0], "kept_share", "KMeans, frozen (five segments)", BLUE),
        (axes[0], "kept_share_rfm", "RFM segments (ten)", ORANGE),
        (axes[1], "refit_ari", "refit from previous centres", BLUE),
        (axes[1], "cold_ari", "refit from nothing, matched", ORANGE),
    )
    for ax, column, label, colour in lines:
        ax.plot(table.index, table[column], "o-", color=colour, label=label)
    axes[1].axhline(0.93, color=TEAL, linewidth=1, linestyle="dashed", label="wanted")
    axes[0].set_title("customers in the segment of a quarter ago", loc="left", fontsize=9, color=MUTED)
    axes[1].set_title("agreement with the frozen model (ARI)", loc="left", fontsize=9, color=MUTED)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0))
    for ax in axes:
        ax.set_ylim(0, 1.02)
        ax.grid(axis="y")
        ax.legend(loc="lower right")
        ax.tick_params(axis="x", labelsize=8)
    return figure
