"""Churn and stagnation: models, evaluation over time, reasons."""

from segml.churn.evaluate import Backtest, evaluate
from segml.churn.inputs import scored_mask
from segml.churn.model import TRUSTED_TYPES, RiskModel
from segml.churn.pareto_nbd import ParetoNBD
from segml.churn.reasons import assess, explain
from segml.churn.risk import BANDS, risk_bands
from segml.churn.schedule import Split, backevaluation_splits, split_at

__all__ = [
    "BANDS",
    "TRUSTED_TYPES",
    "Backtest",
    "ParetoNBD",
    "RiskModel",
    "Split",
    "assess",
    "backevaluation_splits",
    "evaluate",
    "explain",
    "risk_bands",
    "scored_mask",
    "split_at",
]
