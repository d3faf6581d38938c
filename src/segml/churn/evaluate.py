"""Rolling out-of-time evaluation: train on the past of each test date, score its customers, compare with what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml.churn import canaries
from segml.churn.baselines import BASELINES, baseline_scores
from segml.churn.conformal import measure_calls
from segml.churn.importance import SHUFFLED_COLUMNS, importance, shuffled_scores
from segml.churn.inputs import KEYS, check_columns
from segml.churn.lead_time import lead_time, left_for_good, scoring_dates
from segml.churn.model import TARGETS, RiskModel
from segml.churn.prior_shift import last_year
from segml.churn.risk import band_rates
from segml.churn.schedule import Split, followed_at
from segml.churn.signals import signal_register
from segml.churn.slices import slices
from segml.churn.summary import by_date, gains, metrics, reliability
from segml.config import ChurnConfig
from segml.display import Displayed
from segml.language import _
from segml.progress import Progress, silently
from segml.schema import DataError
from segml.schemes import Tier

OUTCOMES = ["churned", "stagnated", "run_rate", "lost_revenue"]
TABLE_COLUMNS = [*KEYS, "churned", "stagnated", "p_churn", "p_stagnation", "run_rate", "lost_revenue", *BASELINES]
"""Columns of the backtest table, in order: one row a scored customer and test date."""

LIST_COLUMNS = [*KEYS, *TARGETS.values(), *BASELINES]
"""Columns of the scores that lists are drawn up from: one row a scored customer and date."""


@dataclass(frozen=True, repr=False)
class Backtest(Displayed):
    """What an out-of-time evaluation found.

    Attributes
    ----------
    table : one row a scored customer and test date, sorted by date and customer, columns ``TABLE_COLUMNS``
    metrics : name to value, ``_low`` and ``_high`` the 95 % interval over customers; see ``summary.metrics`` and
        ``conformal.measure_calls``
    by_date : one row a test date: customers, base rates, areas under the curve, what the model learnt from, and how
        calls held where they are asked for
    reliability : predicted against observed rate by bin of equal count, for both targets
    gains : share captured against share of customers called, by target and strategy
    bands : what happened to the customers of each risk band
    slices : the same measures by tier, size, length of history and trend; see ``slices.slices``
    signals : simple warning signs against the model; see ``signals.signal_register``
    importance : what each group of features adds out of time; see ``importance.importance``
    lead_time : how soon lost customers were listed; see ``lead_time.lead_time``
    notices : what could not be done, in sentences
    """

    table: pd.DataFrame
    metrics: dict[str, float]
    by_date: pd.DataFrame
    reliability: pd.DataFrame
    gains: pd.DataFrame
    bands: pd.DataFrame
    slices: pd.DataFrame
    signals: pd.DataFrame
    importance: pd.DataFrame
    lead_time: pd.DataFrame
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Backtest({len(self.table):,} scored customers at {self.table['as_of'].nunique()} dates)"


@dataclass(frozen=True)
class _Study:
    """The data and settings that all splits share."""

    features: pd.DataFrame
    labels: pd.DataFrame
    scored: pd.Series[bool]
    config: ChurnConfig
    horizon_days: int
    seed: int
    inputs: Sequence[str] | None
    silence: pd.DataFrame | None

    def at(self, moment: pd.Timestamp) -> pd.DataFrame:
        """Return the features of all customers at an as-of date."""
        return self.features[self.features["as_of"] == moment]

    def scored_at(self, *moments: pd.Timestamp) -> pd.DataFrame:
        """Return the features of the customers that are scored at these dates."""
        return self.features[self.features["as_of"].isin(moments) & self.scored]


@dataclass(frozen=True)
class _Scored:
    """What one split gave: rows of the table, scores of shuffled customers, scores for lists, and notices."""

    rows: pd.DataFrame
    shuffled: pd.DataFrame
    for_lists: pd.DataFrame
    read: tuple[str, ...]
    notices: tuple[str, ...]


def evaluate(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    scored: pd.Series[bool],
    splits: Sequence[Split],
    *,
    config: ChurnConfig,
    horizon_days: int,
    seed: int,
    inputs: Sequence[str] | None = None,
    tier: Tier | None = None,
    silence: pd.DataFrame | None = None,
    progress: Progress = silently,
) -> Backtest:
    """Train and score at each split, then measure all scored customers together.

    Lead time also reads features at ``lead_time.scoring_dates``, as far as there are any: each of these dates is scored
    by the model of the latest test date by then.

    Parameters
    ----------
    features : one row a customer and as-of date, for every test and training date
    labels : the outcomes; every scored row of a test or training date has one
    scored : True where a row of ``features`` is neither new nor inactive; same index
    splits : test dates with their training dates
    config, horizon_days, seed : as configured
    inputs : feature columns of the models; default the catalogue's
    tier : the tiers by which customers are sliced; default ``Tier()``
    silence : of every scored row of a training or recent date, see ``labels.silence``: churn is learnt by periods;
        default: from the labels
    progress : called with what is done next: each test date, then the measures

    Raises
    ------
    ValueError : a training label reaches past its test date
    DataError : columns, dates or labels missing
    """
    check_columns(features, [*KEYS, *BASELINES[:2]], "features")
    check_columns(labels, [*KEYS, *OUTCOMES], "labels")
    if not scored.index.equals(features.index):
        raise DataError("scored must hold one flag a row of features, on the same index")
    for split in splits:
        split.check(horizon_days)
    study = _Study(features, labels, scored, config, horizon_days, seed, inputs, silence)
    parts = []
    for number, (split, lists) in enumerate(_with_list_dates(study, splits), 1):
        progress(f"{split.test.date()}, {number} of {len(splits)}")
        parts.append(_score_split(study, split, lists))
    progress("measures")
    table = _join([part.rows for part in parts])
    return _measure(study, splits, parts, table, tier)


def _measure(
    study: _Study, splits: Sequence[Split], parts: Sequence[_Scored], table: pd.DataFrame, tier: Tier | None
) -> Backtest:
    redrawn: dict[str, Any] = {"resamples": study.config.bootstrap, "seed": study.seed}
    tested = study.features[study.features["as_of"].isin([split.test for split in splits])]
    found, undefined = metrics(table, **redrawn)
    calls = measure_calls(table, study.config.conformal_error, horizon_days=study.horizon_days, **redrawn)
    read = list(dict.fromkeys(name for part in parts for name in part.read))
    told = (f"{split.test.date()}: {text}" for split, part in zip(splits, parts, strict=True) for text in part.notices)
    return Backtest(
        table=table,
        metrics={**found, **calls.metrics},
        by_date=calls.beside(by_date(table, splits)),
        reliability=reliability(table),
        gains=gains(table),
        bands=band_rates(table, study.config.risk_bands),
        slices=slices(table, tested, tier=tier, **redrawn),
        signals=signal_register(tested, table, **redrawn),
        importance=importance(table, _stack([part.shuffled for part in parts], SHUFFLED_COLUMNS), **redrawn),
        lead_time=_lead_time(study, _stack([part.for_lists for part in parts], LIST_COLUMNS)),
        notices=(
            *told,
            *canaries.warnings(canaries.column_areas(tested, table, read), found),
            *undefined,
            *calls.notices,
        ),
    )


def _with_list_dates(study: _Study, splits: Sequence[Split]) -> list[tuple[Split, tuple[pd.Timestamp, ...]]]:
    """Return each split with the dates of lists that its model is the latest for."""
    known = set(study.features["as_of"].unique())
    dates = [moment for moment in scoring_dates(splits, spacing_days=study.config.spacing_days) if moment in known]
    latest = {moment: max(split.test for split in splits if split.test <= moment) for moment in dates}
    return [(split, tuple(moment for moment in dates if latest[moment] == split.test)) for split in splits]


def _score_split(study: _Study, split: Split, lists: Sequence[pd.Timestamp]) -> _Scored:
    """Return what one test date gives."""
    base, wanted = study.at(split.test), study.scored_at(split.test)
    if wanted.empty:
        return _Scored(
            _empty(TABLE_COLUMNS),
            _empty(SHUFFLED_COLUMNS),
            _empty(LIST_COLUMNS),
            (),
            (_("nobody is scored at this date"),),
        )
    model = RiskModel().fit(
        study.scored_at(*split.training),
        study.labels,
        base=base,
        config=study.config,
        horizon_days=study.horizon_days,
        seed=study.seed,
        inputs=study.inputs,
        followed=followed_at(study.features, study.scored, study.silence, split, study.horizon_days),
        last_year=last_year(study.features, study.labels, study.scored, split, wanted),
    )
    outcomes = study.labels[[*KEYS, *OUTCOMES]]
    rows = _scores(study, model, split.test).merge(outcomes, on=KEYS, how="left", validate="1:1")
    for_lists = [_scores(study, model, moment) for moment in lists]
    return _Scored(
        rows[TABLE_COLUMNS],
        shuffled_scores(model, wanted, seed=study.seed),
        _stack(for_lists, LIST_COLUMNS),
        tuple(model.inputs_),
        model.notices_,
    )


def _scores(study: _Study, model: RiskModel, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the model's and the baselines' scores of the customers that are scored at a date."""
    wanted = study.scored_at(moment)
    baselines = baseline_scores(study.at(moment), study.horizon_days).loc[wanted.index]
    return pd.concat([wanted[KEYS], model.predict(wanted)[list(TARGETS.values())], baselines], axis=1)


def _lead_time(study: _Study, scores: pd.DataFrame) -> pd.DataFrame:
    gone = left_for_good(study.features, study.labels, horizon_days=study.horizon_days)
    return lead_time(scores, gone, resamples=study.config.bootstrap, seed=study.seed)


def _stack(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else _empty(columns)


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns)).astype({"customer_id": "str", "as_of": "datetime64[us]"})


def _join(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all test dates, typed and sorted; raise where an outcome is missing."""
    table = _stack(parts, TABLE_COLUMNS)
    unknown = table[OUTCOMES].isna().any(axis=1)
    if unknown.any():
        dates = ", ".join(sorted({str(moment.date()) for moment in table.loc[unknown, "as_of"]}))
        raise DataError(f"labels lack rows for the test dates {dates}; build them for every test date")
    types = {"customer_id": "str", "as_of": "datetime64[us]", **dict.fromkeys(TABLE_COLUMNS[4:], "float64")}
    types |= dict.fromkeys(TARGETS, "bool")
    return table.astype(types).sort_values(["as_of", "customer_id"], ignore_index=True)
