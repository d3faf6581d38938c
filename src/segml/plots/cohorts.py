"""Cohorts over time, as a heat map: who stayed, and what they brought."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from segml.language import _
from segml.plots.cells import draw_cells, name_cell_columns, name_cell_rows, write_cells
from segml.plots.style import MUTED, SEQUENTIAL, axes_or_new, compact, elide, house_style, percent, thousands

CohortValue = Literal["retention", "revenue_per_customer", "order_value"]


@house_style()
def plot_cohorts(data: pd.DataFrame, ax: Axes | None = None, value: CohortValue = "retention") -> Axes:
    """Draw one figure of every cohort at every age; a row is a cohort, oldest first, with its size beside the name.

    Parameters
    ----------
    data : ``cohort, age, customers`` and the value's column, one row a cohort and age
    value : which column to draw
    """
    cells = data.pivot(index="cohort", columns="age", values=value).sort_index()
    sizes = data.groupby("cohort")["customers"].max()
    ax = axes_or_new(ax, width=2.0 + 0.5 * cells.shape[1], height=0.8 + 0.3 * len(cells))
    inks = draw_cells(ax, cells, SEQUENTIAL, _norm(cells, value))
    write_cells(ax, cells.map(_percent if value == "retention" else _money), inks, size=8)
    name_cell_rows(ax, [f"{elide(cohort, 10)} ({thousands(sizes[cohort])})" for cohort in cells.index])
    name_cell_columns(ax, [[str(age)] for age in cells.columns])
    ax.set_title(_("periods since the first purchase →"), loc="left", fontsize=9, color=MUTED, pad=20)
    return ax


def _norm(cells: pd.DataFrame, value: CohortValue) -> Normalize:
    """Colour by the ages after the first: at age 0 retention is all of the cohort, and would pale the rest."""
    known = cells.to_numpy(dtype="float64")[:, 1 if value == "retention" else 0 :]
    return Normalize(0, max(float(np.nanmax(known, initial=0.0)), 1e-9))


def _percent(share: float) -> str:
    return "" if np.isnan(share) else percent(share)


def _money(money: float) -> str:
    return "" if np.isnan(money) else compact(money)
