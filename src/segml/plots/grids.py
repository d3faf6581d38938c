"""Pictures made of cells with numbers: profiles of clusters, the RFM map, ABC × XYZ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from segml.plots.style import (
    DIVERGING,
    INK,
    MUTED,
    ON_DARK,
    ON_LIGHT,
    PAPER,
    SEQUENTIAL,
    axes_or_new,
    elide,
    house_style,
    percent,
    thousands,
    wrap,
)

Inks = npt.NDArray[np.str_]

PROFILE_LIMIT = 2.0
"""Standard deviations from the base at which the colour of a profile cell is full."""


@house_style()
def plot_profiles(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how far each segment lies from the base, feature by feature.

    Parameters
    ----------
    data : standardised means (0 = the base, 1 = one standard deviation above it); index = names of the segments,
        columns = readable names of the features
    """
    ax = axes_or_new(ax, width=2.4 + 1.1 * len(data), height=0.34 * data.shape[1] + 0.9)
    cells = data.T
    inks = _draw_cells(ax, cells, DIVERGING, Normalize(-PROFILE_LIMIT, PROFILE_LIMIT))
    _write(ax, cells.map(_signed), inks)
    _name_rows(ax, [elide(name, 30) for name in cells.index])
    _name_columns(ax, [wrap(name, 15, 3) for name in cells.columns])
    return ax


@house_style()
def plot_rfm_map(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw where customers and revenue lie by recency and frequency score; the best corner is top right.

    Parameters
    ----------
    data : ``recency``, ``frequency`` (scores, 5 best), ``customers``, ``revenue_share``; a pair of scores that nobody
        has may be missing
    """
    ax = axes_or_new(ax)
    customers, shares = _matrices(data, "recency", "frequency")
    _draw_sizes(ax, customers.iloc[::-1], shares.iloc[::-1])
    ax.set_title("recency score ↑    frequency score →", loc="left", fontsize=9, color=MUTED, pad=20)
    return ax


@house_style()
def plot_abc_xyz(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the matrix of revenue class against steadiness.

    Parameters
    ----------
    data : ``abc``, ``xyz``, ``customers``, ``revenue_share``; an empty cell may be missing
    """
    ax = axes_or_new(ax, height=2.6)
    _draw_sizes(ax, *_matrices(data, "abc", "xyz"))
    return ax


def _matrices(data: pd.DataFrame, rows: str, columns: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay customers and shares of revenue out as matrices, labels in order."""
    customers = data.pivot(index=rows, columns=columns, values="customers").sort_index()
    return customers, data.pivot(index=rows, columns=columns, values="revenue_share").sort_index()


def _draw_sizes(ax: Axes, customers: pd.DataFrame, shares: pd.DataFrame) -> None:
    """Colour cells by share of revenue; write customers, and the share below."""
    inks = _draw_cells(ax, shares, SEQUENTIAL, Normalize(0, max(float(np.nanmax(shares.to_numpy())), 1e-9)))
    _write(ax, customers.map(_count), inks, dy=6)
    _write(ax, shares.map(_share), inks, dy=-6, size=8)
    _name_rows(ax, [elide(label, 15) for label in customers.index])
    _name_columns(ax, [wrap(label, 15, 2) for label in customers.columns])


def _draw_cells(ax: Axes, cells: pd.DataFrame, colours: Colormap, norm: Normalize) -> Inks:
    """Draw the cells from the top down; return the colour in which each can be written on."""
    values = np.ma.masked_invalid(cells.to_numpy(dtype="float64"))
    ax.pcolormesh(values, cmap=colours, norm=norm, edgecolors=PAPER, linewidth=2)
    ax.set_ylim(len(cells), 0)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return np.apply_along_axis(_readable_on, -1, colours(norm(values)))


def _write(ax: Axes, texts: pd.DataFrame, inks: Inks, dy: float = 0.0, size: float = 9.5) -> None:
    """Write a text into each cell, ``dy`` points above its middle."""
    for (row, column), text in np.ndenumerate(texts.to_numpy()):
        ax.annotate(
            str(text),
            (column + 0.5, row + 0.5),
            xytext=(0, dy),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            color=inks[row, column],
        )


def _readable_on(colour: npt.NDArray[np.float64]) -> str:
    """Return dark ink for light cells, light ink for dark ones, by relative luminance."""
    red, green, blue = colour[:3] ** 2.2
    return ON_DARK if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.22 else ON_LIGHT


def _name_rows(ax: Axes, names: list[str]) -> None:
    for row, name in enumerate(names):
        ax.annotate(
            name, (0, row + 0.5), xytext=(-8, 0), textcoords="offset points", ha="right", va="center", color=INK
        )


def _name_columns(ax: Axes, names: list[list[str]]) -> None:
    """Write names above the columns; each line is a text of its own, so that any font centres it."""
    for column, lines in enumerate(names):
        for level, line in enumerate(reversed(lines)):
            ax.annotate(
                line,
                (column + 0.5, 0),
                xytext=(0, 6 + 12 * level),
                textcoords="offset points",
                ha="center",
                va="baseline",
                color=INK,
                fontsize=9,
            )


def _signed(value: float) -> str:
    text = f"{value:+z.1f}".replace("-", "−")
    return {"+nan": "", "nan": "", "+0.0": "0.0"}.get(text, text)


def _count(value: float) -> str:
    return "" if np.isnan(value) else thousands(value)


def _share(value: float) -> str:
    return "" if np.isnan(value) else percent(value)
