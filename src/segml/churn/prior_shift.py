"""The level of last year's season: one constant added to all logits of a target moves their mean, and no ranking.

Source: M. Saerens, P. Latinne, C. Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14(1), 21-41.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from segml.churn.schedule import Split
from segml.config import ChurnConfig
from segml.language import N_, _

Vector = npt.NDArray[np.float64]

OUTCOMES = {"churn": "churned", "stagnation": "stagnated"}
NOT_MOVED = {
    "churn": N_("churn scores are not moved to last year's season (churn.prior_shift)"),
    "stagnation": N_("stagnation scores are not moved to last year's season (churn.prior_shift)"),
}
_NEAREST = 1e-12
"""So near to 0 and 1 come probabilities whose logits are finite."""


@dataclass(frozen=True)
class LastYear:
    """What the level of last year's season is learnt from.

    Attributes
    ----------
    now : features of the customers who are scored at the moment of training
    before : ``churned``, ``stagnated`` of those who were scored one year before; no rows where none is known
    """

    now: pd.DataFrame
    before: pd.DataFrame


def last_year(
    features: pd.DataFrame, labels: pd.DataFrame, scored: pd.Series[bool], split: Split, now: pd.DataFrame
) -> LastYear:
    """Return what the level is learnt from; outcomes count only of the date that the split says is known.

    Parameters
    ----------
    features, labels, scored : as in ``evaluate``
    split : its ``year_before`` is among the dates of ``features`` and ``labels``, or None
    now : features of the customers who are scored at the moment of training
    """
    known = features.loc[(features["as_of"] == split.year_before) & scored, "customer_id"]
    labelled = labels[(labels["as_of"] == split.year_before) & labels["customer_id"].isin(known)]
    return LastYear(now, labelled[list(OUTCOMES.values())].astype("bool"))


def learn_shifts(
    score: Callable[[pd.DataFrame], pd.DataFrame], year: LastYear | None, config: ChurnConfig
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the constants of the targets under ``prior_shift``, and a sentence on each that cannot be moved.

    Parameters
    ----------
    score : features to ``p_churn`` and ``p_stagnation`` at the model's own level
    year : what to learn from; None: nothing is known
    """
    targets: dict[str, None] = dict.fromkeys(config.prior_shift)
    reasons = {target: _why_not_move(year, target, config) for target in targets}
    constants = {}
    if year is not None and None in reasons.values():
        own = score(year.now)
        rates = {target: float(year.before[OUTCOMES[target]].mean()) for target in reasons if reasons[target] is None}
        constants = {target: shift_to(own[f"p_{target}"], rate) for target, rate in rates.items()}
    return constants, tuple(reason for reason in reasons.values() if reason)


def _why_not_move(year: LastYear | None, target: str, config: ChurnConfig) -> str | None:
    """Return why a target cannot be moved, as a sentence, or None."""
    if year is None or year.now.empty or year.before.empty:
        told = _("{instead}: it takes scored customers now and, with known outcomes, one year before")
        return told.format(instead=_(NOT_MOVED[target]))
    happened = year.before[OUTCOMES[target]]
    rarer = int(min(happened.sum(), (~happened).sum()))
    if rarer >= config.min_class_rows:
        return None
    told = _("{instead}: {count} rows of the rarer outcome one year before, at least {needed} are needed ({key})")
    return told.format(
        instead=_(NOT_MOVED[target]), count=rarer, needed=config.min_class_rows, key="churn.min_class_rows"
    )


def shift_to(probability: npt.ArrayLike, mean: float) -> float:
    """Return the constant that, added to all logits, gives the probabilities (n, n ≥ 1) this mean, 0 < mean < 1.

    The order of the probabilities does not matter.

    >>> round(shift_to([0.5, 0.5], 0.75), 6) == round(float(np.log(3)), 6)
    True
    """
    logits = np.sort(_logits(probability))
    # With the first of these constants no probability is above the mean, with the second none below.
    lowest, highest = logit(mean) - logits[-1] - 1, logit(mean) - logits[0] + 1
    return float(brentq(lambda constant: expit(logits + constant).mean() - mean, lowest, highest))


def moved_by(probability: npt.ArrayLike, constant: float) -> Vector:
    """Return the probabilities with a constant added to their logits.

    >>> moved_by([0.5, 0.75], np.log(3)).round(6).tolist()
    [0.75, 0.9]
    """
    return np.asarray(expit(_logits(probability) + constant))


def _logits(probability: npt.ArrayLike) -> Vector:
    return np.asarray(logit(np.clip(np.asarray(probability, dtype=np.float64), _NEAREST, 1 - _NEAREST)))


def moved(scores: pd.DataFrame, constants: Mapping[str, float]) -> pd.DataFrame:
    """Return ``p_churn`` and ``p_stagnation`` moved by the constants of their targets, stagnation at least churn."""
    level = scores.assign(**{f"p_{target}": moved_by(scores[f"p_{target}"], by) for target, by in constants.items()})
    return level.assign(p_stagnation=np.maximum(level["p_churn"], level["p_stagnation"]))
