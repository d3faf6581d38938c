"""What changed since last time, and whether the model is still to be trusted."""

from segml.monitor.base import GROUPS, BaseChanges, base_changes
from segml.monitor.delivery import Delivery, delivered
from segml.monitor.drift import DRIFT_COLUMNS, drift, feature_importance, lasting, share_drifted
from segml.monitor.effectiveness import by_segment
from segml.monitor.four_figures import FIGURES, four_figures
from segml.monitor.in_words import base_told, moves_told
from segml.monitor.matured import Matured, matured, outcomes
from segml.monitor.migration import CAUSES, Migration, carried, migration, migrations
from segml.monitor.periods import PERIODS, Period, Span, spans
from segml.monitor.quality import Quality, quality
from segml.monitor.recalibration import level_errors, recalibrated
from segml.monitor.same_names import SameNames, same_names
from segml.monitor.verdict import Check, Verdict, verdict

__all__ = [
    "CAUSES",
    "DRIFT_COLUMNS",
    "FIGURES",
    "GROUPS",
    "PERIODS",
    "BaseChanges",
    "Check",
    "Delivery",
    "Matured",
    "Migration",
    "Period",
    "Quality",
    "SameNames",
    "Span",
    "Verdict",
    "base_changes",
    "base_told",
    "by_segment",
    "carried",
    "delivered",
    "drift",
    "feature_importance",
    "four_figures",
    "lasting",
    "level_errors",
    "matured",
    "migration",
    "migrations",
    "moves_told",
    "outcomes",
    "quality",
    "recalibrated",
    "same_names",
    "share_drifted",
    "spans",
    "verdict",
]
