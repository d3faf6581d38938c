"""Picture of what scores rest on: bars with intervals."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from segml.language import N_, _, in_this_language, numerals
from segml.plots.style import BLUE, INK, ORANGE, axes_or_new, house_style, name_rows

TARGETS = {"churn": (N_("churn"), BLUE, -0.18), "stagnation": (N_("stagnation"), ORANGE, 0.18)}


@house_style()
def plot_importance(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw by how much each group of features lifts the area under the curve, with intervals.

    Parameters
    ----------
    data : ``group``, ``target`` (churn, stagnation), ``auc_drop``, ``auc_drop_low``, ``auc_drop_high``;
        first group on top
    """
    groups = list(dict.fromkeys(data["group"]))
    ax = axes_or_new(ax, height=0.42 * len(groups) + 0.8)
    shown = [target for target in TARGETS if (data["target"] == target).any()]
    for target in shown:
        words, colour, offset = TARGETS[target]
        own = data[data["target"] == target]
        rows = [groups.index(group) + offset * (len(shown) - 1) for group in own["group"]]
        ax.barh(rows, own["auc_drop"], height=0.32, color=colour, label=_(words))
        ax.hlines(rows, own["auc_drop_low"], own["auc_drop_high"], color=INK, linewidth=1)
    name_rows(ax, [_(group) for group in groups])
    ax.set_xlabel(_("ROC AUC lost when it is shuffled"), loc="right")
    ax.xaxis.set_major_formatter(FuncFormatter(in_this_language(_tick)))
    ax.grid(axis="x")
    ax.legend(loc="lower right")
    return ax


def _tick(area: float, place: int | None) -> str:
    return numerals(f"{area:.2f}").replace("-", "−")
