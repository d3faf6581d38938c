"""The scores under scrutiny: for whom they hold, against simple signs, how early, and what they rest on."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from segml import plots
from segml.churn import SIGNALS
from segml.churn.names import name_of
from segml.churn.slices import DIMENSIONS
from segml.language import N_, _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.words import decimal, interval, number, share

TARGETS = ("churn", "stagnation")
RULES = {"silent_60d": N_("rule: silent for more than 60 days")}
_SIGNS = {signal.name: signal.title for signal in SIGNALS}


class Cell(NamedTuple):
    """A figure with its interval, as the page writes them."""

    value: str
    interval: str = ""


def scrutiny(content: ReportContent) -> dict[str, Any]:
    """Return the tables and the picture; each is empty where there is nothing to show."""
    return {
        "slices": _slices(content),
        "signals": _signals(content.signals),
        "lead_days": [] if content.lead_time is None else sorted(content.lead_time["within_days"].unique()),
        "lead_time": _lead_time(content.lead_time),
        "pictures": _importance(content.importance),
    }


def _slices(content: ReportContent) -> list[dict[str, Any]]:
    """Return one row a slice; per target the rate, what was predicted, the area and the money reached."""
    if content.slices is None:
        return []
    return [
        {
            "dimension": _(DIMENSIONS[str(dimension)]),
            "name": content.name_of("tier", str(name)) if dimension == "tier" else _(str(name)),
            "customers": number(part["customers"].iloc[0]),
            "cells": [cell for target in TARGETS for cell in _slice_cells(_row(part, target))],
        }
        for (dimension, name), part in content.slices.groupby(["dimension", "slice"], sort=False)
    ]


def _slice_cells(row: pd.Series[Any]) -> list[Cell]:
    rates = [Cell(share(row["base_rate"])), Cell(share(row["predicted"]))]
    return [*rates, _area(row) if row["is_enough"] else Cell(_("too few"))]


def _area(row: pd.Series[Any]) -> Cell:
    return Cell(decimal(row["roc_auc"], 3), interval(row["roc_auc_low"], row["roc_auc_high"], 3))


def _signals(register: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return one row a warning sign; per target its lift, what it finds, and what the model finds with as many."""
    if register is None:
        return []
    return [
        {
            "name": _(_SIGNS.get(str(name), str(name))),
            "customers": number(part["customers"].iloc[0]),
            "coverage": share(part["coverage"].iloc[0]),
            "cells": [cell for target in TARGETS for cell in _signal_cells(_row(part, target))],
            "lost": share(part["lost_share"].iloc[0]),
        }
        for name, part in register.groupby("signal", sort=False)
    ]


def _signal_cells(row: pd.Series[Any]) -> list[Cell]:
    lift = Cell(decimal(row["lift"], 2), interval(row["lift_low"], row["lift_high"], 2))
    return [lift, _percent(row, "recall"), _percent(row, "model_recall")]


def _lead_time(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return one row a way to warn; a cell a number of days."""
    if table is None:
        return []
    return [
        {
            "name": _(RULES[str(strategy)]) if strategy in RULES else name_of(str(strategy)),
            "length": share(part["list_share"].iloc[0]),
            "cells": [_percent(row, "caught") for _place, row in part.sort_values("within_days").iterrows()],
        }
        for strategy, part in table.groupby("strategy", sort=False)
    ]


def _importance(table: pd.DataFrame | None) -> list[Picture]:
    if table is None or table.empty:
        return []
    caption = _(
        "What the scores rest on: how much worse customers are ranked out of time when a group of features is dealt "
        "out anew among them; the lines are 95 % intervals. Groups that tell the same stand in for each other."
    )
    height = 0.36 * table["group"].nunique() + 0.8
    return [picture("importance", caption, partial(plots.plot_importance, table), height=height)]


def _row(part: pd.DataFrame, target: str) -> pd.Series[Any]:
    return part[part["target"] == target].iloc[0]


def _percent(row: pd.Series[Any], name: str) -> Cell:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    known = not (math.isnan(low) or math.isnan(high))
    ends = _("{low} to {high}").format(low=share(low), high=share(high)) if known else ""
    return Cell(share(row[name]), ends)
