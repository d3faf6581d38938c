"""The whole flow as functions of tables: no files, no clock, no MLflow."""

from segml.pipeline.deciding import Decided, Scorer, decide, described, score
from segml.pipeline.evaluation import backtest, run_backtest
from segml.pipeline.prepared import QUIET_DAYS, STALE_DAYS, Prepared, check_as_of, prepare
from segml.pipeline.segmentation import Segmentation, describe_segments
from segml.pipeline.snapshots import Snapshots, build_snapshots, evaluation_splits
from segml.pipeline.training import Training, train

__all__ = [
    "QUIET_DAYS",
    "STALE_DAYS",
    "Decided",
    "Prepared",
    "Scorer",
    "Segmentation",
    "Snapshots",
    "Training",
    "backtest",
    "build_snapshots",
    "check_as_of",
    "decide",
    "describe_segments",
    "described",
    "evaluation_splits",
    "prepare",
    "run_backtest",
    "score",
    "train",
]
