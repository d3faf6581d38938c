"""The whole flow as functions of tables: no files, no clock, no MLflow."""

from segml.pipeline.deciding import Decided, Scorer, decide, described, judge, score
from segml.pipeline.evaluation import backtest, run_backtest
from segml.pipeline.memory import Memory, Past, Promise
from segml.pipeline.prepared import QUIET_DAYS, STALE_DAYS, Prepared, check_as_of, look_back, prepare
from segml.pipeline.refreshing import Refresh, refresh
from segml.pipeline.row_scores import ROW_SCORES, columns_read, row_scores
from segml.pipeline.segmentation import Segmentation, describe_segments
from segml.pipeline.snapshots import Snapshots, build_snapshots, evaluation_splits
from segml.pipeline.training import Training, find_clusters, train

__all__ = [
    "QUIET_DAYS",
    "ROW_SCORES",
    "STALE_DAYS",
    "Decided",
    "Memory",
    "Past",
    "Prepared",
    "Promise",
    "Refresh",
    "Scorer",
    "Segmentation",
    "Snapshots",
    "Training",
    "backtest",
    "build_snapshots",
    "check_as_of",
    "columns_read",
    "decide",
    "describe_segments",
    "described",
    "evaluation_splits",
    "find_clusters",
    "judge",
    "look_back",
    "prepare",
    "refresh",
    "row_scores",
    "run_backtest",
    "score",
    "train",
]
