"""Why a score is what it is, in words: set one group of features at a time to what is healthy, and see what changes.

The drop in logits, averaged over churn and stagnation, ranks the groups; it is as faithful as Shapley values of the
trees at half their cost, and works for any model that predicts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from segml.churn.inputs import check_columns
from segml.churn.model import TARGETS, RiskModel
from segml.churn.phrases import all_well, days, last_purchase, no_clear_sign, phrase
from segml.churn.risk import risk_bands
from segml.config import ChurnConfig
from segml.features import CATALOG
from segml.language import _

AT_MOST = 3
"""How many reasons a customer gets."""

_SMALLEST_DROP = 0.05
_FURTHEST = 1e-9


def assess(
    model: RiskModel | None,
    features: pd.DataFrame,
    lifecycle: pd.Series[str],
    scored: pd.Series[bool],
    config: ChurnConfig,
    *,
    alarm_from: float = 0.2,
) -> pd.DataFrame:
    """Return what is known of each customer's risk, one row a row of ``features``, on its index.

    Columns: customer_id, p_churn, p_stagnation and risk_band (null where not scored), reasons (never null).

    Parameters
    ----------
    model : None where there was too little to learn from; then nobody is scored
    features : one row a customer and as-of date
    lifecycle, scored : the stage of each row, and whether it is scored; same index
    alarm_from : probability of stagnation from which somebody acts, so that reasons are due
    """
    scores = pd.DataFrame(np.nan, index=features.index, columns=list(TARGETS.values()))
    reasons = _by_rule(features, lifecycle)
    if model is not None:
        wanted = features[scored]
        found = model.predict(wanted)
        scores = found.reindex(features.index)
        reasons = explain(model, wanted, found, config, alarm_from=alarm_from).reindex(features.index).fillna(reasons)
    bands = risk_bands(scores["p_churn"], config.risk_bands)
    return pd.concat([features["customer_id"], scores, bands.rename("risk_band"), reasons.rename("reasons")], axis=1)


def explain(
    model: RiskModel, features: pd.DataFrame, scores: pd.DataFrame, config: ChurnConfig, *, alarm_from: float = 0.2
) -> pd.Series[str]:
    """Return the reasons of each scored customer in words, the weightiest first.

    Parameters
    ----------
    scores : ``p_churn`` and ``p_stagnation`` of the rows of ``features``, on the same index
    alarm_from : probability of stagnation below which, churn being unlikely too, all is well
    """
    calm = (scores["p_churn"] < config.risk_bands[0]) & (scores["p_stagnation"] < alarm_from)
    risky = features[~calm]
    weights = contributions(model, risky)
    told = [
        *(all_well(figures) for figures in _figures(features[calm])),
        *(_name_groups(row, figures) for row, figures in zip(_ranked(weights), _figures(risky), strict=True)),
    ]
    index = features.index[calm].append(risky.index)
    return pd.Series(told, index=index, dtype="str").reindex(features.index)


def contributions(model: RiskModel, features: pd.DataFrame) -> pd.DataFrame:
    """Return, for each row and group of features, by how many logits the group raises the risk above the healthy.

    Groups are those of the catalogue that the model reads; healthy is the training median of customers who neither
    left nor stagnated. Negative: the group lowers the risk.
    """
    if features.empty:
        return pd.DataFrame(index=features.index)
    actual = _mean_logit(model, features)
    changes = {
        group: actual - _mean_logit(model, features.assign(**{name: model.healthy_[name] for name in names}))
        for group, names in groups_of(model).items()
    }
    return pd.DataFrame(changes, index=features.index)


def groups_of(model: RiskModel) -> dict[str, list[str]]:
    """Return the model's inputs by readable group; inputs beyond the catalogue stay unexplained."""
    groups: dict[str, list[str]] = {}
    for feature in CATALOG:
        if feature.name in model.inputs_:
            groups.setdefault(feature.group, []).append(feature.name)
    return groups


def _mean_logit(model: RiskModel, features: pd.DataFrame) -> pd.Series[float]:
    p = model.predict(features).clip(_FURTHEST, 1 - _FURTHEST)
    logit: pd.Series[float] = np.log(p / (1 - p)).mean(axis=1)
    return logit


def _ranked(weights: pd.DataFrame) -> list[list[str]]:
    """Return each row's groups that raise the risk, weightiest first; where none does, all in that order."""
    names = weights.columns.to_numpy()
    order = np.argsort(-weights.to_numpy(), axis=1, kind="stable")
    sizes = np.take_along_axis(weights.to_numpy(), order, axis=1)
    raising = (sizes >= _SMALLEST_DROP).sum(axis=1)
    return [list(names[row][: count or 1]) for row, count in zip(order, raising, strict=True)]


def _name_groups(groups: list[str], figures: dict[str, float]) -> str:
    sentences = [sentence for group in groups if (sentence := phrase(group, figures))]
    return "; ".join(sentences[:AT_MOST]) or no_clear_sign(figures)


def _figures(features: pd.DataFrame) -> list[dict[str, float]]:
    numbers = features.select_dtypes("number")
    return [dict(zip(numbers.columns, row, strict=True)) for row in numbers.to_numpy(dtype="float64").tolist()]


def _by_rule(features: pd.DataFrame, lifecycle: pd.Series[str]) -> pd.Series[str]:
    """Return what the rule that labels a customer rests on."""
    check_columns(features, ["tenure_days", "recency_days"], "features")
    rows = zip(lifecycle, features["tenure_days"], features["recency_days"], strict=True)
    return pd.Series([_of_stage(*row) for row in rows], index=features.index, dtype="str")


def _of_stage(stage: str, tenure_days: float, recency_days: float) -> str:
    if stage == "new":
        return _("first purchase {days} ago").format(days=days(tenure_days))
    if stage == "inactive":
        return _("no purchase for {days}").format(days=days(recency_days))
    return last_purchase(recency_days)
