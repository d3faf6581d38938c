"""Cells with numbers in them: what heat maps and matrices are drawn from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize

from segml.plots.style import INK, ON_DARK, ON_LIGHT, PAPER

Inks = npt.NDArray[np.str_]


def draw_cells(ax: Axes, cells: pd.DataFrame, colours: Colormap, norm: Normalize) -> Inks:
    """Draw the cells from the top down; return the colour in which each can be written on."""
    values = np.ma.masked_invalid(cells.to_numpy(dtype="float64"))
    ax.pcolormesh(values, cmap=colours, norm=norm, edgecolors=PAPER, linewidth=2)
    ax.set_ylim(len(cells), 0)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return np.apply_along_axis(_readable_on, -1, colours(norm(values)))


def write_cells(ax: Axes, texts: pd.DataFrame, inks: Inks, dy: float = 0.0, size: float = 9.5) -> None:
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


def name_cell_rows(ax: Axes, names: list[str]) -> None:
    """Write names to the left of the rows."""
    for row, name in enumerate(names):
        ax.annotate(
            name, (0, row + 0.5), xytext=(-8, 0), textcoords="offset points", ha="right", va="center", color=INK
        )


def name_cell_columns(ax: Axes, names: list[list[str]]) -> None:
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
