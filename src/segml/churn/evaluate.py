"""Rolling out-of-time evaluation: train on the past of each test date, score its customers, compare with what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from segml.churn.baselines import BASELINES, baseline_scores
from segml.churn.inputs import KEYS, check_columns
from segml.churn.model import TARGETS, RiskModel
from segml.churn.risk import band_rates
from segml.churn.schedule import Split
from segml.churn.summary import by_date, gains, metrics, reliability
from segml.config import ChurnConfig
from segml.language import _
from segml.schema import DataError

OUTCOMES = ["churned", "stagnated", "run_rate", "lost_revenue"]
TABLE_COLUMNS = [*KEYS, "churned", "stagnated", "p_churn", "p_stagnation", "run_rate", "lost_revenue", *BASELINES]
"""Columns of the backtest table, in order: one row a scored customer and test date."""


@dataclass(frozen=True)
class Backtest:
    """What an out-of-time evaluation found.

    Attributes
    ----------
    table : one row a scored customer and test date, sorted by date and customer, columns ``TABLE_COLUMNS``
    metrics : name to value, ``_low`` and ``_high`` the 95 % interval over customers; see ``summary.metrics``
    by_date : one row a test date: customers, base rates, areas under the curve, what the model learnt from
    reliability : predicted against observed rate by bin of equal count, for both targets
    gains : share captured against share of customers called, by target and strategy
    bands : what happened to the customers of each risk band
    notices : what could not be done, in sentences
    """

    table: pd.DataFrame
    metrics: dict[str, float]
    by_date: pd.DataFrame
    reliability: pd.DataFrame
    gains: pd.DataFrame
    bands: pd.DataFrame
    notices: tuple[str, ...]


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
) -> Backtest:
    """Train and score at each split, then measure all scored customers together.

    Parameters
    ----------
    features : one row a customer and as-of date, for every test and training date
    labels : the outcomes; every scored row of a test or training date has one
    scored : True where a row of ``features`` is neither new nor inactive; same index
    splits : test dates with their training dates
    config, horizon_days, seed : as configured
    inputs : feature columns of the models; default the catalogue's

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
    study = _Study(features, labels, scored, config, horizon_days, seed, inputs)
    parts = [_score_split(study, split) for split in splits]
    table = _join([rows for rows, texts in parts])
    found, undefined = metrics(table, resamples=config.bootstrap, seed=seed)
    notices = (
        f"{split.test.date()}: {text}" for split, (rows, texts) in zip(splits, parts, strict=True) for text in texts
    )
    return Backtest(
        table=table,
        metrics=found,
        by_date=by_date(table, splits),
        reliability=reliability(table),
        gains=gains(table),
        bands=band_rates(table, config.risk_bands),
        notices=(*notices, *undefined),
    )


def _score_split(study: _Study, split: Split) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table's rows of one test date, and what could not be done."""
    base = study.features[study.features["as_of"] == split.test]
    wanted = base[study.scored.loc[base.index]]
    if wanted.empty:
        return _empty_table(), (_("nobody is scored at this date"),)
    model = RiskModel().fit(
        study.features[study.features["as_of"].isin(split.training) & study.scored],
        study.labels,
        base=base,
        config=study.config,
        horizon_days=study.horizon_days,
        seed=study.seed,
        inputs=study.inputs,
    )
    baselines = baseline_scores(base, study.horizon_days).loc[wanted.index]
    scores = pd.concat([wanted[KEYS], model.predict(wanted), baselines], axis=1)
    outcomes = study.labels[[*KEYS, *OUTCOMES]]
    return scores.merge(outcomes, on=KEYS, how="left", validate="1:1")[TABLE_COLUMNS], model.notices_


def _empty_table() -> pd.DataFrame:
    return pd.DataFrame(columns=TABLE_COLUMNS)


def _join(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all test dates, typed and sorted; raise where an outcome is missing."""
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled) if filled else _empty_table()
    unknown = table[OUTCOMES].isna().any(axis=1)
    if unknown.any():
        dates = ", ".join(sorted({str(moment.date()) for moment in table.loc[unknown, "as_of"]}))
        raise DataError(f"labels lack rows for the test dates {dates}; build them for every test date")
    types = {"customer_id": "str", "as_of": "datetime64[us]", **dict.fromkeys(TABLE_COLUMNS[4:], "float64")}
    types |= dict.fromkeys(TARGETS, "bool")
    return table.astype(types).sort_values(["as_of", "customer_id"], ignore_index=True)
