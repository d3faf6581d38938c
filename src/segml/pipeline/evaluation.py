"""The evaluation out of time, of scores, of next orders and of contacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import pandas as pd

from segml.actions import base_margin
from segml.churn import (
    Backtest,
    Split,
    Terms,
    evaluate,
    interval_coverage,
    profit_metrics,
    scoring_dates,
)
from segml.config import Config
from segml.language import speaking
from segml.pipeline.prepared import Prepared
from segml.pipeline.snapshots import Snapshots, build_snapshots, evaluation_splits
from segml.pipeline.stage import Stage
from segml.progress import Progress, silently


def backtest(prepared: Prepared, config: Config, *, stage: Stage = silently, detail: Progress = silently) -> Backtest:
    """Evaluate the scores out of time; the first two steps of ``train`` that this needs, and no more.

    Parameters
    ----------
    stage : called with the name of each stage as it begins
    detail : called with what a long stage does now
    """
    with speaking(config.report.language):
        return _backtest(prepared, config, stage, detail)


def _backtest(prepared: Prepared, config: Config, stage: Stage, detail: Progress) -> Backtest:
    splits = evaluation_splits(prepared, config)
    stage("features")
    snapshots = build_snapshots(prepared, config, tested_dates(splits, config))
    stage("evaluation out of time")
    return run_backtest(snapshots, splits, config, detail)


def run_backtest(
    snapshots: Snapshots, splits: Sequence[Split], config: Config, progress: Progress = silently
) -> Backtest:
    """Return the out-of-time evaluation of the risk model against its baselines, of next orders and of contacts."""
    found = evaluate(
        snapshots.features,
        snapshots.labels,
        snapshots.scored,
        splits,
        config=config.churn,
        horizon_days=config.horizon_days,
        seed=config.seed,
        tier=config.segments.tier,
        silence=snapshots.silence,
        progress=progress,
    )
    further = {**_order_metrics(snapshots, splits, config), **_profit_metrics(snapshots, found, config)}
    return replace(found, metrics={**found.metrics, **further})


def _order_metrics(snapshots: Snapshots, splits: Sequence[Split], config: Config) -> dict[str, float]:
    """Return how often the interval of the next order held at the test dates."""
    tested = snapshots.features[snapshots.features["as_of"].isin([split.test for split in splits])]
    scored = snapshots.scored.loc[tested.index]
    held = interval_coverage(tested, snapshots.labels, scored, horizon_days=config.horizon_days)
    return {} if isnan(held) else {"next_order/coverage_80": held}


def _profit_metrics(snapshots: Snapshots, found: Backtest, config: Config) -> dict[str, float]:
    """Return what contacts would have earned, at the margin of the latest test date; nothing without their cost."""
    actions = config.actions
    if actions.contact_cost is None or found.table.empty:
        return {}
    margin = base_margin(snapshots.at(found.table["as_of"].max()), actions)
    terms = Terms(actions.contact_cost, actions.success_rate, 1.0 if isnan(margin) else margin)
    return profit_metrics(found.table, terms, resamples=config.churn.bootstrap, seed=config.seed)


def tested_dates(splits: Sequence[Split], config: Config) -> set[pd.Timestamp]:
    """Return all dates that the evaluation reads: of tests, of training, and of lists whose lead time it measures."""
    dates = {moment for split in splits for moment in split.dates}
    return dates | set(scoring_dates(splits, spacing_days=config.churn.spacing_days))
