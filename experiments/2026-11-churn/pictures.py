"""The pictures of the study, in the house style."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from segml.churn.summary import gains, reliability
from segml.plots import house_style, plot_money, plot_reliability
from segml.plots.style import BLUE, GREY, ORANGE

SHOWN_RANKINGS = ["revenue_at_risk", "run_rate", "p_stagnation", "p_churn_times_run_rate", "perfect"]


@house_style()
def draw(folder: Path, models: pd.DataFrame, protocols: pd.DataFrame, table: pd.DataFrame) -> None:
    """Write all pictures as PNG.

    Parameters
    ----------
    models : see ``measures.figures``
    protocols : see ``protocols.wrong_protocols``
    table : tested rows with ``p_churn`` and ``p_stagnation`` of the default
    """
    _save(_models(models), folder / "models.png")
    _save(_protocols(protocols), folder / "protocols.png")
    _save(_calibration(table), folder / "calibration.png")
    _save(_money(table), folder / "money.png")


def _save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _models(models: pd.DataFrame) -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained", sharey=True)
    for ax, target, colour in zip(axes, ("churn", "stagnation"), (BLUE, ORANGE), strict=True):
        _with_intervals(ax, models.iloc[::-1], f"{target}_auc", colour)
        ax.set_xlabel(f"ROC AUC of {target}")
    return figure


def _with_intervals(ax: Axes, models: pd.DataFrame, column: str, colour: str) -> None:
    value = models[column]
    spread = [value - models[f"{column}_low"], models[f"{column}_high"] - value]
    ax.errorbar(value, range(len(models)), xerr=spread, fmt="o", color=colour, ecolor=colour, elinewidth=1.2)
    ax.set_yticks(range(len(models)), models.index)
    ax.grid(axis="x")


def _protocols(protocols: pd.DataFrame) -> plt.Figure:
    figure, ax = plt.subplots(figsize=(8.6, 4), layout="constrained")
    rows = protocols.iloc[::-1].reset_index(drop=True)
    ax.hlines(rows.index, rows["true_auc"], rows["pretended_auc"], color=GREY, linewidth=1.2)
    ax.plot(rows["true_auc"], rows.index, "o", color=BLUE, label="out of time")
    ax.plot(rows["pretended_auc"], rows.index, "D", color=ORANGE, label="as the protocol pretends")
    ax.set_yticks(rows.index, rows["protocol"] + " · " + rows["model"])
    ax.set_xlabel("ROC AUC of churn")
    ax.grid(axis="x")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


def _calibration(table: pd.DataFrame) -> plt.Figure:
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    bins = reliability(table)
    for ax, target in zip(axes, ("churn", "stagnation"), strict=True):
        plot_reliability(bins[bins["target"] == target], ax)
        ax.set_title(target)
    return figure


def _money(table: pd.DataFrame) -> plt.Figure:
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    curves = gains(table)
    shown = curves[(curves["target"] == "loss") & curves["strategy"].isin(SHOWN_RANKINGS)]
    plot_money(shown, ax)
    return figure
