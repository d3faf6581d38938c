"""Whether the model in use still holds: drift of what it reads, earlier scores that have matured, the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from segml import features, monitor
from segml.churn import RiskModel, scored_mask
from segml.churn.inputs import SEASON
from segml.clusters import KMeansSegments, Refit, refit
from segml.language import N_
from segml.monitor import Matured, Verdict
from segml.pipeline.deciding import Decided, Scorer
from segml.pipeline.memory import Past, Promise
from segml.pipeline.prepared import Prepared
from segml.windows import DAY_SECONDS, YEAR_DAYS, before, shift

SCORES = ("p_churn", "p_stagnation")
LAST_REFRESH, LAST_YEAR, TRAINING = N_("last refresh"), N_("same season last year"), N_("training")
"""Earlier moments with which today is compared: what is new, what a season explains, what the model knows."""


@dataclass(frozen=True)
class Watch:
    """What the watch over a model found at one as-of date.

    Attributes
    ----------
    drift : of the scored customers, one row a reference and feature; see ``monitor.drift``
    matured : earlier scores of this model with what came of them; None where none has matured
    refit : of the found segments on the customers of today; None where there is nothing to refit
    verdict : keep, recalibrate or retrain
    """

    drift: pd.DataFrame
    matured: Matured | None
    refit: Refit | None
    verdict: Verdict


def watch(
    prepared: Prepared,
    scorer: Scorer,
    decided: Decided,
    past: Past,
    promise: Promise,
    *,
    data_alarms: Sequence[str] = (),
) -> Watch:
    """Return whether a model still holds at ``prepared.as_of``.

    Parameters
    ----------
    decided : of that date by the scorer
    past : what earlier refreshes left
    promise : what the training of the model measured
    data_alarms : what is wrong with the data, see ``monitor.Quality``
    """
    drifted = _drift(prepared, scorer, decided, past, promise)
    proved = _matured(prepared, scorer, past, promise)
    fits = _refit(scorer, decided)
    age_days = (prepared.as_of - scorer.trained_at).total_seconds() / DAY_SECONDS
    verdict = monitor.verdict(
        matured=proved, drift=drifted, refit=fits, age_days=age_days, config=scorer.config.monitor
    )
    return Watch(drifted, proved, fits, verdict)


def references(prepared: Prepared, scorer: Scorer, past: Past) -> dict[str, pd.Timestamp]:
    """Return the earlier moments with which today is compared, by name, as far as there is history before them."""
    last = {LAST_REFRESH: past.last.as_of} if past.last is not None else {}
    moments = {**last, LAST_YEAR: shift(prepared.as_of, days=-YEAR_DAYS), TRAINING: scorer.trained_at}
    enough = shift(prepared.log_start, days=scorer.config.churn.min_history_days)
    early = {
        name: moment
        for name, moment in moments.items()
        if before(moment, prepared.as_of) and not before(moment, enough)
    }
    return {name: moment for name, moment in early.items() if name != TRAINING or moment not in last.values()}


def _drift(prepared: Prepared, scorer: Scorer, decided: Decided, past: Past, promise: Promise) -> pd.DataFrame:
    risk, moments = scorer.risk, references(prepared, scorer, past)
    now = _scored(decided.features, scorer, risk) if risk is not None else pd.DataFrame()
    if risk is None or now.empty or not moments:
        return pd.DataFrame(columns=monitor.DRIFT_COLUMNS)
    built = features.build(prepared.lines, sorted(set(moments.values())), scorer.config.features)
    bases = {name: _scored(built[built["as_of"] == moment], scorer, risk) for name, moment in moments.items()}
    inputs = [name for name in risk.inputs_ if name not in SEASON]
    known = promise.importance
    weights = monitor.feature_importance(known, inputs) if known is not None and len(known) else None
    filled = {name: base for name, base in bases.items() if len(base)}
    return monitor.drift(now, filled, [*inputs, *SCORES], scorer.config.monitor, importance=weights)


def _scored(base: pd.DataFrame, scorer: Scorer, risk: RiskModel) -> pd.DataFrame:
    """Return the customers of a base whom the model scores, with its scores."""
    if base.empty:
        return base
    stages = scorer.config.segments.lifecycle.assign(base).astype("str")
    kept = base[scored_mask(stages, base["purchase_day_count"], scorer.config.churn)]
    return kept.assign(**risk.predict(kept)) if len(kept) else kept


def _matured(prepared: Prepared, scorer: Scorer, past: Past, promise: Promise) -> Matured | None:
    earlier = [memory.decisions for memory in past.by(promise.model)]
    if not earlier:
        return None
    scores = pd.concat(earlier, ignore_index=True)
    config = scorer.config
    found = monitor.outcomes(
        prepared.lines,
        scores,
        horizon_days=config.horizon_days,
        config=config.labels,
        known_until=prepared.observed_until,
    )
    if found.empty:
        return None
    return monitor.matured(scores, found, promise.backtest, resamples=config.monitor.bootstrap, seed=config.seed)


def _refit(scorer: Scorer, decided: Decided) -> Refit | None:
    found = scorer.clusters
    if found is None or not isinstance(found.clusterer_, KMeansSegments):
        return None
    inputs = found.inputs(decided.features)
    return refit(found.clusterer_, inputs) if len(inputs) else None
