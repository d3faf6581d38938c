"""The picture of a study: a forest plot of every metric, and beside it one of its differences to the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from segml.plots import house_style, plot_forest

_WIDTH, _ROW, _AROUND = 9.6, 0.28, 0.85


@house_style()
def draw(table: pd.DataFrame, reference: str, metrics: Sequence[str]) -> Figure:
    """Return the picture of a table of ``comparison``."""
    names = list(dict.fromkeys(table["variant"]))
    size = (_WIDTH, len(metrics) * (_ROW * len(names) + _AROUND))
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.09))
    axes = figure.subplots(len(metrics), 2, squeeze=False, width_ratios=(3, 2))
    for (left, right), metric in zip(axes, metrics, strict=True):
        rows = table[table["metric"] == metric].assign(is_reference=lambda data: data["variant"] == reference)
        _panel(left, rows, "value", ("low", "high"), metric)
        if rows["difference"].notna().any():
            compared = rows.assign(difference=rows["difference"].mask(rows["is_reference"], 0.0))
            ends = ("difference_low", "difference_high")
            _panel(right, compared, "difference", ends, f"difference to {reference}", line=0.0)
            right.set_yticklabels([])
        else:
            right.set_axis_off()
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def _panel(
    ax: Axes, rows: pd.DataFrame, value: str, ends: tuple[str, str], title: str, line: float | None = None
) -> None:
    low, high = ends
    columns = {"name": rows["variant"], "value": rows[value], "low": rows[low], "high": rows[high]}
    plot_forest(pd.DataFrame({**columns, "is_reference": rows["is_reference"]}).reset_index(drop=True), ax, line=line)
    ax.set_title(title, loc="left", fontsize=10)
