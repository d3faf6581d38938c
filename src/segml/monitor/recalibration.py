"""A risk model at the level of what came: its probabilities are moved, its ranking stays.

One constant added to all logits of a target makes expected cases equal observed ones, which is the maximum likelihood
fit of a constant. A season looks like an error in level and passes, so only a share of the constant is taken.
"""

from __future__ import annotations

from copy import copy

import pandas as pd

from segml.churn import RiskModel
from segml.churn.prior_shift import shift_to
from segml.churn.summary import SCORES
from segml.config import MonitorConfig


def recalibrated(model: RiskModel, table: pd.DataFrame, config: MonitorConfig | None = None) -> RiskModel:
    """Return a copy of a model whose probabilities are moved towards the rates of matured scores of its own.

    A target with fewer than ``min_cases`` rows of its rarer outcome is left as it is.

    Parameters
    ----------
    model : fitted; it stays as it is
    table : matured scores of this model, such as ``Matured.table``: ``churned``, ``p_churn``, ``stagnated``,
        ``p_stagnation``
    config : ``recalibration_share`` and ``min_cases``; default ``MonitorConfig()``
    """
    moved = copy(model)
    moved.shifts_ = {**model.shifts_}
    for target, constant in level_errors(table, config).items():
        moved.shifts_[target] = moved.shifts_.get(target, 0.0) + constant
    return moved


def level_errors(table: pd.DataFrame, config: MonitorConfig | None = None) -> dict[str, float]:
    """Return the constants that ``recalibrated`` adds to the logits of the targets, as far as they can be told."""
    config = config if config is not None else MonitorConfig()
    found = {}
    for target, (outcome, probability) in SCORES.items():
        happened = table[outcome].to_numpy(dtype=bool)
        if min(happened.sum(), (~happened).sum()) >= config.min_cases:
            found[target] = config.recalibration_share * shift_to(table[probability], float(happened.mean()))
    return found
