"""Pictures made of cells with numbers: profiles of clusters, the RFM map, ABC × XYZ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from segml.language import _, numerals
from segml.plots.cells import draw_cells, name_cell_columns, name_cell_rows, write_cells
from segml.plots.style import (
    DIVERGING,
    MUTED,
    SEQUENTIAL,
    axes_or_new,
    elide,
    house_style,
    percent,
    thousands,
    wrap,
)

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
    inks = draw_cells(ax, cells, DIVERGING, Normalize(-PROFILE_LIMIT, PROFILE_LIMIT))
    write_cells(ax, cells.map(_signed), inks)
    name_cell_rows(ax, [elide(name, 30) for name in cells.index])
    name_cell_columns(ax, [wrap(name, 15, 3) for name in cells.columns])
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
    ax.set_title(_("recency score ↑    frequency score →"), loc="left", fontsize=9, color=MUTED, pad=20)
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
    inks = draw_cells(ax, shares, SEQUENTIAL, Normalize(0, max(float(np.nanmax(shares.to_numpy())), 1e-9)))
    write_cells(ax, customers.map(_count), inks, dy=6)
    write_cells(ax, shares.map(_share), inks, dy=-6, size=8)
    name_cell_rows(ax, [elide(label, 15) for label in customers.index])
    name_cell_columns(ax, [wrap(label, 15, 2) for label in customers.columns])


def _signed(value: float) -> str:
    text = f"{value:+z.1f}".replace("-", "−")
    return numerals({"+nan": "", "nan": "", "+0.0": "0.0"}.get(text, text))


def _count(value: float) -> str:
    return "" if np.isnan(value) else thousands(value)


def _share(value: float) -> str:
    return "" if np.isnan(value) else percent(value)
