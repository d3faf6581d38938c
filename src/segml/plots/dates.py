"""Pictures of what was measured at several test dates."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from segml.churn.names import name_of
from segml.language import _, in_this_language, numerals
from segml.plots.style import GREY, MUTED, SERIES, axes_or_new, date_axis, elide, house_style, thousands

_STEP = 0.12
_COIN = 0.5
_LABEL = 0.07  # height of a name, as a share of the axis


@house_style()
def plot_areas_by_date(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the area under the curve of each ranking at each test date, with its 95 % interval where it is known.

    Parameters
    ----------
    data : ``as_of``, ``strategy``, ``roc_auc``, ``roc_auc_low``, ``roc_auc_high``; the first strategy is the model,
        drawn boldest; at most four others; each rising in time
    """
    ax = axes_or_new(ax)
    dates = sorted(data["as_of"].unique())
    strategies = list(data.groupby("strategy", sort=False))
    for place, (strategy, rows) in enumerate(strategies):
        offset, is_model = _STEP * (place - (len(strategies) - 1) / 2), place == 0
        x = [dates.index(moment) + offset for moment in rows["as_of"]]
        line = ax.plot(x, rows["roc_auc"], marker="o", label=elide(name_of(str(strategy)), 34))[0]
        line.set(color=SERIES[place], linewidth=2.4 if is_model else 1.2, zorder=4 if is_model else 3)
        ax.vlines(x, rows["roc_auc_low"], rows["roc_auc_high"], color=SERIES[place], linewidth=1)
    ax.axhline(_COIN, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    ax.set_xticks(range(len(dates)), [f"{moment:%Y-%m-%d}" for moment in dates])
    ax.set_xlim(-0.5, len(dates) - 0.5)
    ax.yaxis.set_major_formatter(FuncFormatter(in_this_language(_tick)))
    ax.set_title(_("ROC-AUC with its 95 % interval"), loc="left", fontsize=9, color=MUTED)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, labelspacing=0.3)
    return ax


@house_style()
def plot_sizes(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many customers each segment has at each date, one line a segment, named at its end.

    Parameters
    ----------
    data : ``as_of``, ``segment``, ``customers``; one row a segment and date; up to some eight segments read well
    """
    ax = axes_or_new(ax)
    ends = []
    for place, (segment, rows) in enumerate(data.groupby("segment", sort=False)):
        ordered = rows.sort_values("as_of")
        colour = SERIES[place % len(SERIES)]
        ax.plot(ordered["as_of"], ordered["customers"], marker="o", markersize=4, color=colour)
        ends.append((float(ordered["customers"].iloc[-1]), str(segment), colour))
    ax.set_ylim(0)
    _name_ends(ax, data["as_of"].max(), ends)
    ax.yaxis.set_major_formatter(FuncFormatter(in_this_language(_count)))
    date_axis(ax.xaxis)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    return ax


def _name_ends(ax: Axes, last: pd.Timestamp, ends: list[tuple[float, str, str]]) -> None:
    """Write the name of each line at its end, moved up where it would cover the one below."""
    least = ax.get_ylim()[1] * _LABEL
    below = -least
    for height, name, colour in sorted(ends):
        below = max(height, below + least)
        ax.annotate(
            elide(name, 18),
            (last, below),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=9,
            annotation_clip=False,
        )


def _count(customers: float, place: int | None) -> str:
    return thousands(customers)


def _tick(area: float, place: int | None) -> str:
    return numerals(f"{area:.2f}")
