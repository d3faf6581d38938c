"""Forest plot: a figure a row, with its interval."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from segml.language import in_this_language, numerals
from segml.plots.style import BLUE, GREY, MUTED, axes_or_new, house_style, name_rows

NAME_LENGTH = 32


@house_style()
def plot_forest(data: pd.DataFrame, ax: Axes | None = None, *, line: float | None = None) -> Axes:
    """Draw a point a row, on the line of its interval.

    Parameters
    ----------
    data : ``name``, ``value``, ``low``, ``high`` (NaN: no interval; a value of NaN: an empty row), ``is_reference``
        (drawn hollow); first row on top
    line : where nothing differs, such as 0 for differences; also drawn through the reference where it is None
    """
    ax = axes_or_new(ax, height=0.32 * len(data) + 0.6)
    rows = pd.Series(range(len(data)), index=data.index)
    stands_at = data.loc[data["is_reference"], "value"]
    for value in [line] if line is not None else stands_at.dropna():
        ax.axvline(value, color=GREY, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    known = data[["low", "high"]].notna().all(axis=1)
    ax.hlines(rows[known], data.loc[known, "low"], data.loc[known, "high"], color=BLUE, linewidth=1.4, zorder=2)
    for is_reference, face in ((False, BLUE), (True, "white")):
        own = data["is_reference"] == is_reference
        ax.scatter(data.loc[own, "value"], rows[own], s=30, facecolor=face, edgecolor=BLUE, linewidth=1.4, zorder=3)
    name_rows(ax, list(data["name"]), length=NAME_LENGTH)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(in_this_language(_tick)))
    ax.tick_params(axis="x", labelcolor=MUTED)
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    return ax


def _tick(value: float, place: int | None) -> str:
    return numerals(f"{value:.4g}".replace("-", "−"))
