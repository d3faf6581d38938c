"""Churn and stagnation: models, evaluation over time, reasons."""

from segml.churn.areas import areas_by_date
from segml.churn.canaries import column_areas, overstatement
from segml.churn.conformal import ConformalCalls
from segml.churn.evaluate import Backtest, evaluate
from segml.churn.importance import importance
from segml.churn.inputs import scored_mask
from segml.churn.lead_time import lead_time, left_for_good, scoring_dates
from segml.churn.model import TRUSTED_TYPES, RiskModel
from segml.churn.next_order import NextOrder, interval_coverage
from segml.churn.paired import mean_metrics, paired_differences
from segml.churn.pareto_nbd import ParetoNBD
from segml.churn.profit import Terms, profit_curve, profit_metrics
from segml.churn.reasons import assess, explain
from segml.churn.risk import BANDS, risk_bands
from segml.churn.schedule import Split, backevaluation_splits, split_at
from segml.churn.signals import SIGNALS, Signal, signal_register
from segml.churn.slices import slices
from segml.churn.summary import metric_names

__all__ = [
    "BANDS",
    "SIGNALS",
    "TRUSTED_TYPES",
    "Backtest",
    "ConformalCalls",
    "NextOrder",
    "ParetoNBD",
    "RiskModel",
    "Signal",
    "Split",
    "Terms",
    "areas_by_date",
    "assess",
    "backevaluation_splits",
    "column_areas",
    "evaluate",
    "explain",
    "importance",
    "interval_coverage",
    "lead_time",
    "left_for_good",
    "mean_metrics",
    "metric_names",
    "overstatement",
    "paired_differences",
    "profit_curve",
    "profit_metrics",
    "risk_bands",
    "scored_mask",
    "scoring_dates",
    "signal_register",
    "slices",
    "split_at",
]
