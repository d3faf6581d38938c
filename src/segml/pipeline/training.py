"""The whole training run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml.actions import call_list, margin_notices
from segml.churn import (
    Backtest,
    ConformalCalls,
    RiskModel,
    Split,
    split_at,
)
from segml.config import Config
from segml.display import Displayed
from segml.language import _, ngettext, speaking
from segml.pipeline.deciding import Decided, Scorer, decide, described
from segml.pipeline.evaluation import run_backtest, tested_dates
from segml.pipeline.prepared import Prepared
from segml.pipeline.segmentation import Segmentation, describe_segments
from segml.pipeline.snapshots import Snapshots, build_snapshots, evaluation_splits
from segml.pipeline.stage import Stage
from segml.progress import silently
from segml.schema import DataError
from segml.segments import (
    VALIDATIONS,
    FoundSegments,
    Past,
    Playbook,
    earlier,
    find_segments,
)
from segml.windows import shift

PAST_BASES = VALIDATIONS + 3
"""Clusters are chosen on some horizons and tested on the next; before, one to learn on and one to weigh by."""


@dataclass(frozen=True, repr=False)
class Training(Displayed):
    """What a training run learnt, decided and measured."""

    prepared: Prepared
    scorer: Scorer
    decided: Decided
    found: FoundSegments
    segmentation: Segmentation
    backtest: Backtest
    metrics: dict[str, float]
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        return (
            f"Training({self.prepared.source!r}, as of {self.prepared.as_of.date()}: {len(self.decisions):,} customers)"
        )

    @property
    def config(self) -> Config:
        """The configuration of the run."""
        return self.scorer.config

    @property
    def decisions(self) -> pd.DataFrame:
        """One row a customer: labels, scores, reasons, money at risk, action."""
        return self.decided.decisions

    @property
    def profiles(self) -> pd.DataFrame:
        """One row a segment of each scheme."""
        return self.segmentation.profiles

    def call_list(self) -> pd.DataFrame:
        """Return the customers to call, worst first; see ``actions.call_list``."""
        return call_list(self.decisions, self.config.actions)


def find_clusters(
    prepared: Prepared, config: Config, *, stage: Stage = silently, detail: Stage = silently
) -> FoundSegments:
    """Return the segments that training would find; the first two steps of ``train``, and no more."""
    with speaking(config.report.language):
        past = _past_dates(prepared, config)
        stage("features")
        snapshots = build_snapshots(prepared, config, [prepared.as_of, *past])
        stage("segments")
        return _found(_customers(snapshots, prepared), snapshots, past, prepared, config, detail)


def train(
    prepared: Prepared,
    config: Config,
    *,
    playbook: Playbook | None = None,
    stage: Stage = silently,
    detail: Stage = silently,
) -> Training:
    """Run the whole flow: features, segments, evaluation out of time, final models, decisions.

    Parameters
    ----------
    playbook : names and strategies of segments; default the built-in one
    stage : called with the name of each stage as it begins
    detail : called with what a long stage has just done
    """
    with speaking(config.report.language):
        return _train(prepared, config, playbook, stage, detail)


def _train(prepared: Prepared, config: Config, playbook: Playbook | None, stage: Stage, detail: Stage) -> Training:
    latest = split_at(
        prepared.observed_until,
        prepared.log_start,
        config=config.churn,
        horizon_days=config.horizon_days,
        scored_at=prepared.as_of,
    )
    splits = evaluation_splits(prepared, config)
    past = _past_dates(prepared, config)
    stage("features")
    tested = tested_dates(splits, config)
    snapshots = build_snapshots(prepared, config, [prepared.as_of, *past, *latest.dates, *tested])
    now = _customers(snapshots, prepared)
    stage("segments")
    found = _found(now, snapshots, past, prepared, config, detail)
    metrics = {**prepared.ledger.metrics(), **found.metrics}
    notices = [*prepared.notices, *found.notices]
    stage("evaluation out of time")
    backtest = run_backtest(snapshots, splits, config, detail)
    stage("scores")
    risk, why_not = _learn(snapshots, latest, now, config)
    scorer = Scorer(config, risk, found.model, prepared.as_of, _calls(backtest, config))
    decided = decide(now, prepared, scorer)
    stage("profiles")
    segmentation = describe_segments(decided, prepared, scorer, playbook)
    about_base = [caution.message for caution in segmentation.cautions if not caution.scheme]
    notices += [*backtest.notices, *why_not, *margin_notices(now, config.actions), *about_base]
    metrics |= backtest.metrics
    return Training(prepared, scorer, decided, found, segmentation, backtest, metrics, tuple(dict.fromkeys(notices)))


def _customers(snapshots: Snapshots, prepared: Prepared) -> pd.DataFrame:
    """Return the features of all customers at the as-of date."""
    now = snapshots.at(prepared.as_of)
    if now.empty:
        raise DataError(f"nobody has bought anything before the as-of date {prepared.as_of.date()}; set a later one")
    return now


def _found(
    now: pd.DataFrame,
    snapshots: Snapshots,
    past: tuple[pd.Timestamp, ...],
    prepared: Prepared,
    config: Config,
    detail: Stage,
) -> FoundSegments:
    bases = _past(snapshots, past, prepared, config)
    clustered = _clustered(now, prepared, config)
    return find_segments(clustered, config.segments, config.seed, past=bases, progress=detail)


def _past_dates(prepared: Prepared, config: Config) -> tuple[pd.Timestamp, ...]:
    """Return dates one horizon apart at which clusters are tried out, the latest first, as far as history allows."""
    enough = shift(prepared.log_start, days=config.churn.min_history_days)
    dates = (shift(prepared.observed_until, days=-config.horizon_days * back) for back in range(1, PAST_BASES + 1))
    return tuple(moment for moment in dates if moment >= enough)


def _past(snapshots: Snapshots, dates: tuple[pd.Timestamp, ...], prepared: Prepared, config: Config) -> Past:
    outcomes = snapshots.labels
    bases = [
        earlier(_clustered(snapshots.at(moment), prepared, config), outcomes[outcomes["as_of"] == moment])
        for moment in dates
    ]
    return Past(bases, config.horizon_days)


def _clustered(base: pd.DataFrame, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return the base with the described columns beside the features where clusters are to read such."""
    wanted = {
        name for section in config.segments.clusters.compared for name in (*section.features, *section.categories)
    }
    return base if wanted <= set(base.columns) or base.empty else described(base, prepared, config)


def _learn(
    snapshots: Snapshots, split: Split, now: pd.DataFrame, config: Config
) -> tuple[RiskModel | None, tuple[str, ...]]:
    """Return the model for scores at the as-of date, or none and the reason."""
    if len(now) < config.segments.min_customers:
        too_few = ngettext(
            "no scores: {n} customer, fewer than segments.min_customers = {least}",
            "no scores: {n} customers, fewer than segments.min_customers = {least}",
            len(now),
        )
        return None, (too_few.format(n=len(now), least=config.segments.min_customers),)
    if not split.training:
        too_short = _(
            "no scores: the history is shorter than {days} days (churn.min_history_days) and one horizon of {horizon}; "
            "there is nothing to learn from"
        )
        return None, (too_short.format(days=config.churn.min_history_days, horizon=config.horizon_days),)
    model = RiskModel().fit(
        snapshots.training(split),
        snapshots.labels,
        base=now,
        config=config.churn,
        horizon_days=config.horizon_days,
        seed=config.seed,
        followed=snapshots.followed(split, config.horizon_days),
        last_year=snapshots.last_year(split, now),
    )
    return model, model.notices_


def _calls(backtest: Backtest, config: Config) -> ConformalCalls | None:
    """Return calls that are calibrated on all test dates, or none where they are not asked for."""
    error = config.churn.conformal_error
    return None if error is None else ConformalCalls(error).fit(backtest.table)
