"""Pictures of found segments: how many there are, where they lie, what they bring, and how customers move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from segml.language import N_, _, in_this_language, numerals
from segml.plots.cells import draw_cells, name_cell_columns, name_cell_rows, write_cells
from segml.plots.style import (
    BLUE,
    GREY,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    SEQUENTIAL,
    SERIES,
    TEAL,
    axes_or_new,
    elide,
    house_style,
    name_rows,
    percent,
    percent_axis,
    thousands,
    wrap,
)

CRITERIA = {
    "agreement": N_("agreement of resamples (ARI)"),
    "min_jaccard": N_("lowest Jaccard of a segment"),
    "prediction_strength": N_("prediction strength"),
    "min_valley": N_("shallowest valley of density"),
    "next_period_eta2": N_("next revenue explained (η²)"),
}
"""Columns that ``plot_candidates`` draws, and what people call them."""

NO_MARKS: Mapping[str, float] = MappingProxyType({})

_MARKERS = ("o", "^", "s", "D")
_DASHES = (0, (4, 3))
_LABEL_LENGTH = 34
_MANY = 6
_HALF_INTERVAL = 1.96  # standard errors


@house_style()
def plot_candidates(
    data: pd.DataFrame,
    ax: Axes | None = None,
    *,
    chosen: float | None = None,
    thresholds: Mapping[str, float] = NO_MARKS,
    baselines: Mapping[str, float] = NO_MARKS,
    size_name: str | None = None,
) -> list[Axes]:
    """Draw each criterion over the number of segments, in panels that take the place of the axes; return the panels.

    Parameters
    ----------
    data : candidates of one algorithm: ``size`` and any of the columns in ``CRITERIA``, of which those all unknown get
        no panel; with ``next_period_error``, the standard error of ``next_period_eta2``, its 95 % interval is drawn
    ax : part of a grid of subplots
    chosen : size to mark
    thresholds : criterion -> from where on it speaks for a size
    baselines : name of a simple rule -> its η²
    size_name : what the size is, in the language spoken; default the number of segments
    """
    shown = [criterion for criterion in CRITERIA if criterion in data.columns and data[criterion].notna().any()]
    ax = axes_or_new(ax, width=6.4, height=2.1 * ((len(shown) + 1) // 2))
    panels = _panels(ax, len(shown))
    for panel, criterion in zip(panels, shown, strict=True):
        _draw_criterion(panel, data, criterion, chosen)
        if criterion in thresholds:
            panel.axhline(thresholds[criterion], color=GREY, linewidth=1, linestyle=_DASHES, zorder=1)
        panel.set_xlabel(_("number of segments") if size_name is None else size_name, loc="right", labelpad=1)
    if "next_period_eta2" in shown:
        _draw_baselines(panels[shown.index("next_period_eta2")], baselines)
    return panels


@house_style()
def plot_projection(
    data: pd.DataFrame, ax: Axes | None = None, *, centres: pd.DataFrame, explained: tuple[float, float]
) -> Axes:
    """Draw customers on a sheet, coloured by segment; for looking only.

    Parameters
    ----------
    data : ``x, y, segment``, one row a customer; segments without a centre, such as noise, are drawn grey
    centres : ``segment, x, y``; first row in the first colour
    explained : share of the variance that lies along x and along y
    """
    ax = axes_or_new(ax, height=4.0)
    looks = dict(zip(centres["segment"], _looks(), strict=False))
    for segment, points in data.groupby("segment", sort=True):
        colour, marker = looks.get(segment, (GREY, "."))
        ax.scatter(
            points["x"], points["y"], s=7, alpha=0.45, color=colour, marker=marker, linewidths=0, rasterized=True
        )
    for segment, x, y in centres[["segment", "x", "y"]].itertuples(index=False):
        outline: list[AbstractPathEffect] = [withStroke(linewidth=3.5, foreground=PAPER)]
        text = ax.annotate(str(segment), (x, y), ha="center", va="center", fontsize=12, weight="bold", color=INK)
        text.set_path_effects(outline)
    ax.set_xlabel(_("first direction, {share} of the variance").format(share=percent(explained[0])), loc="right")
    title = _("second direction, {share} of the variance; for looking only").format(share=percent(explained[1]))
    ax.set_title(title, loc="left", fontsize=9, color=MUTED)
    ax.set(xticks=[], yticks=[])
    return ax


@house_style()
def plot_size_against_revenue(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what share of customers each segment is, and what share of revenue it brings.

    Above the diagonal a customer brings more than the average one.

    Parameters
    ----------
    data : ``segment``, ``customer_share``, ``revenue_share``; unknown shares of revenue count as none
    """
    ax = axes_or_new(ax, width=6.4, height=max(3.2, 0.21 * len(data) + 0.6))
    points = data.fillna({"revenue_share": 0.0}).sort_values("revenue_share", kind="stable")
    x, y = points["customer_share"].to_numpy(), points["revenue_share"].to_numpy()
    end = 1.08 * max(float(x.max(initial=0)), float(y.max(initial=0)), 0.01)
    ax.plot([0, end], [0, end], color=GREY, linewidth=1, linestyle=_DASHES, zorder=1)
    ax.scatter(x, y, s=42, color=BLUE, zorder=3, clip_on=False)
    bottom = min(0.0, 1.1 * float(y.min(initial=0)))
    ax.set(xlim=(0, end), ylim=(bottom, end))
    heights = _apart((y - bottom) / (end - bottom), 1 / max(len(points), 12))
    for segment, across, up, height in zip(points["segment"], x, y, heights, strict=True):
        _label_beside(ax, elide(segment, _LABEL_LENGTH), (across, up), height)
    percent_axis(ax.xaxis)
    percent_axis(ax.yaxis)
    ax.set_xlabel(_("of customers"), loc="right")
    ax.set_title(_("of revenue"), loc="left", fontsize=9, color=MUTED)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    return ax


@house_style()
def plot_migration(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many customers went from which segment (rows) to which (columns).

    Parameters
    ----------
    data : ``from``, ``to``, ``customers``; null where a customer was not there then (row "(new)") or is not now
        (column "(gone)"); a pair that nobody went may be missing; segments stand in the order of their appearance, and
        more than six head their columns by number
    """
    segments = list(dict.fromkeys([*data["from"].dropna(), *data["to"].dropna()]))
    cells = _crossed(data, segments)
    is_many = len(segments) > _MANY
    ax = axes_or_new(
        ax,
        width=2.8 + (0.62 if is_many else 1.05) * cells.shape[1],
        height=0.34 * len(cells) + (0.7 if is_many else 1.1),
    )
    inks = draw_cells(ax, cells, SEQUENTIAL, Normalize(0, max(float(np.nanmax(cells.to_numpy(), initial=0)), 1)))
    write_cells(ax, cells.map(_whole), inks, size=8 if is_many else 9.5)
    heads = [str(place) for place in range(1, len(segments) + 1)] if is_many else segments
    rows = [f"{place} {name}" for place, name in enumerate(segments, 1)] if is_many else segments
    name_cell_rows(ax, [elide([*rows, _("(new)")][place], _LABEL_LENGTH) for place in range(len(cells))])
    name_cell_columns(ax, [wrap([*heads, _("(gone)")][place], 13, 3) for place in range(cells.shape[1])])
    ax.set_title(_("from ↓    to →"), loc="left", fontsize=9, color=MUTED, pad=22 if is_many else 46)
    return ax


@house_style()
def plot_silhouettes(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the mean silhouette of each segment: information, by which no number of segments is chosen.

    Parameters
    ----------
    data : ``segment``, ``silhouette`` (−1 to 1); first row on top; unknown is left blank
    """
    ax = axes_or_new(ax, height=0.32 * len(data) + 0.8)
    ax.barh(range(len(data)), data["silhouette"], height=0.6, color=BLUE)
    for row, value in enumerate(data["silhouette"]):
        if not np.isnan(value):
            ax.annotate(
                _decimal(value, None),
                (max(value, 0.0), row),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=INK,
                fontsize=9,
            )
    name_rows(ax, list(data["segment"]))
    ax.axvline(0, color=MUTED, linewidth=0.8)
    ax.set_xlabel(_("mean silhouette, for information"), loc="right")
    ax.xaxis.set_major_formatter(FuncFormatter(in_this_language(_decimal)))
    ax.margins(x=0.16)
    ax.spines["left"].set_visible(False)
    return ax


def _panels(ax: Axes, number: int) -> list[Axes]:
    """Return so many axes, two in a row, in the place of the given one."""
    place, figure = ax.get_subplotspec(), ax.get_figure()
    if place is None or figure is None:
        raise ValueError("panels need axes that are part of a grid, such as those of figure.add_subplot()")
    columns = min(number, 2)
    grid = place.subgridspec(-(-number // columns), columns)
    ax.remove()
    return [figure.add_subplot(grid[panel // columns, panel % columns]) for panel in range(number)]


def _draw_criterion(ax: Axes, data: pd.DataFrame, criterion: str, chosen: float | None) -> None:
    ax.plot(data["size"], data[criterion], color=BLUE, marker="o", markersize=4, zorder=3)
    if criterion == "next_period_eta2" and "next_period_error" in data.columns:
        half = _HALF_INTERVAL * data["next_period_error"]
        ax.fill_between(data["size"], data[criterion] - half, data[criterion] + half, color=BLUE, alpha=0.15, lw=0)
    if chosen is not None:
        mark = data[data["size"] == chosen]
        ax.axvline(chosen, color=ORANGE, linewidth=1, zorder=1)
        ax.plot(mark["size"], mark[criterion], linestyle="none", marker="o", markersize=8, color=ORANGE, zorder=4)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(FuncFormatter(in_this_language(_decimal)))
    ax.set_title(_(CRITERIA[criterion]), loc="left", fontsize=9, color=MUTED)
    ax.margins(y=0.12)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)


def _draw_baselines(ax: Axes, baselines: Mapping[str, float]) -> None:
    for (name, eta), colour in zip(baselines.items(), (TEAL, *SERIES[3:]) * len(baselines), strict=False):
        label = f"{elide(_(name), 24)} {_decimal(eta, None, 3)}"
        ax.axhline(eta, color=colour, linewidth=1.2, linestyle=(0, (1, 1.4)), label=label, zorder=2)
    if baselines:
        ax.legend(loc="best", fontsize=8, borderaxespad=0.2, labelspacing=0.2)


def _looks() -> Iterator[tuple[str, str]]:
    """Yield colours, and with each round of them another marker."""
    return ((SERIES[place % len(SERIES)], _MARKERS[place // len(SERIES) % len(_MARKERS)]) for place in count())


def _apart(heights: np.ndarray[tuple[int], np.dtype[np.float64]], gap: float) -> list[float]:
    """Return rising heights (0 to 1), moved up or down so that each lies at least a gap above the one before."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    ceiling = 1.0
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], ceiling)
        ceiling = placed[place] - gap
    return placed


def _label_beside(ax: Axes, text: str, point: tuple[float, float], height: float) -> None:
    """Write a text to the right of the axes, at a share of their height, with a line to its point."""
    ax.annotate(
        text,
        point,
        xytext=(1.03, height),
        textcoords="axes fraction",
        va="center",
        fontsize=9,
        color=INK,
        arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "relpos": (0, 0.5), "shrinkA": 2, "shrinkB": 4},
    )


def _crossed(data: pd.DataFrame, segments: Sequence[object]) -> pd.DataFrame:
    """Return customers by place of segment then and now; those without one stand last, where there are any."""
    places = {segment: place for place, segment in enumerate(segments)}
    coded = {
        side: data[side].map(places, na_action="ignore").fillna(len(segments)).astype(int) for side in ("from", "to")
    }
    cells = data.assign(**coded).pivot(index="from", columns="to", values="customers").astype("float64")
    rows, columns = (sorted({*places.values(), *coded[side]}) for side in ("from", "to"))
    return cells.reindex(index=rows, columns=columns)


def _whole(value: float) -> str:
    return "" if np.isnan(value) else thousands(value)


def _decimal(value: float, place: int | None, digits: int = 2) -> str:
    return numerals(f"{value:z.{digits}f}").replace("-", "−")
