"""Calls with a stated error: will, uncertain or safe.

Class-conditional ("Mondrian") split conformal prediction: a customer is given every outcome that its score does not
make implausible among earlier customers with that outcome; one outcome is a call, both or none is "uncertain". Vovk,
Gammerman & Shafer, *Algorithmic Learning in a Random World*, 2005, ch. 4.5; Sadinle, Lei & Wasserman, "Least Ambiguous
Set-Valued Classifiers With Bounded Error Levels", JASA 2019.

The promise (at most the stated share of those to whom it happens is called safe, and of the others "will") holds for
customers exchangeable with the earlier ones. Seasons break that, so what was reached out of time is measured. On Online
Retail II, with an error of 0.1 allowed, 93 % of those who left were not called safe and 89 % of those who stayed not
"will" (stagnation: 89 % and 89 %), and 59 % of customers were called either (stagnation: 47 %)::

    python -m segml.backtest --config configs/online_retail_ii.yaml --as-of 2011-03-13 2011-06-12 2011-09-11 \\
        --set churn.conformal_error=0.1 --json

Calibrated also on a date whose model knew less than a year, and so not its season (2010-12-12 before the dates above),
the calls miss the level: 99 % and 80 % (stagnation: 99 % and 79 %), with too many "will" and too few safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from segml.churn.inputs import check_columns
from segml.churn.metrics import Array, Statistics, weighted_mean, with_intervals
from segml.churn.prior_shift import moved_by
from segml.churn.summary import SCORES
from segml.language import _
from segml.windows import is_over

WILL, UNCERTAIN, SAFE = "will", "uncertain", "safe"
CALLS = {target: f"{target}_call" for target in SCORES}
"""Target -> the column of its calls."""


class ConformalCalls(BaseEstimator):  # type: ignore[misc]
    """Calls of churn and stagnation from scores, calibrated on scores whose outcome came to be known.

    Parameters
    ----------
    error : largest share of each outcome that may be called the other one

    Attributes
    ----------
    cases_, others_ : dict, target -> sorted scores of those to whom it happened, and of the others
    """

    def __init__(self, error: float = 0.1) -> None:
        self.error = error

    def fit(self, table: pd.DataFrame) -> ConformalCalls:
        """Learn from out-of-time scores with their outcomes; with too few of them nobody gets a call.

        Parameters
        ----------
        table : ``churned``, ``stagnated``, ``p_churn``, ``p_stagnation``, such as rows of a backtest's table; never
            scores of rows that their model was trained on
        """
        check_columns(table, [column for pair in SCORES.values() for column in pair], "calibration table")
        parts = {target: _by_outcome(table, *columns) for target, columns in SCORES.items()}
        self.cases_ = {target: cases for target, (cases, _) in parts.items()}
        self.others_ = {target: others for target, (_, others) in parts.items()}
        return self

    def moved(self, constants: Mapping[str, float]) -> ConformalCalls:
        """Return the calls for scores whose logits are moved by the constants of their targets: each stays as it is."""
        check_is_fitted(self, "cases_")
        calls = ConformalCalls(self.error)
        calls.cases_, calls.others_ = (
            {target: moved_by(scores, constants.get(target, 0.0)) for target, scores in known.items()}
            for known in (self.cases_, self.others_)
        )
        return calls

    def predict(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Return the calls (columns ``CALLS``) of rows with ``p_churn`` and ``p_stagnation``; null where these are."""
        check_is_fitted(self, "cases_")
        columns = {CALLS[target]: self._call(scores[column], target) for target, (_, column) in SCORES.items()}
        return pd.DataFrame(columns, index=scores.index)

    def _call(self, score: pd.Series[float], target: str) -> pd.Series[str]:
        values, cases, others = score.to_numpy(dtype=float), self.cases_[target], self.others_[target]
        as_case = (1 + np.searchsorted(cases, values, side="right")) / (1 + len(cases))
        as_other = (1 + len(others) - np.searchsorted(others, values, side="left")) / (1 + len(others))
        may_happen, may_not = as_case > self.error, as_other > self.error
        call = np.select([may_happen & ~may_not, may_not & ~may_happen], [WILL, SAFE], UNCERTAIN)
        return pd.Series(call, index=score.index, dtype="str").where(score.notna())


def _by_outcome(table: pd.DataFrame, outcome: str, probability: str) -> tuple[Array, Array]:
    happened, score = table[outcome].to_numpy(dtype=bool), table[probability].to_numpy(dtype=float)
    return np.sort(score[happened]), np.sort(score[~happened])


class MeasuredCalls(NamedTuple):
    """What calls would have been worth: ``metrics`` with intervals, ``by_date`` one row a test date, ``notices``."""

    metrics: dict[str, float]
    by_date: pd.DataFrame
    notices: tuple[str, ...]

    def beside(self, by_date: pd.DataFrame) -> pd.DataFrame:
        """Return the same rows, one a test date, with what calls were worth at each, if they were measured at all."""
        return by_date.merge(self.by_date, on="as_of", how="left") if len(self.by_date) else by_date


NOT_ASKED = MeasuredCalls({}, pd.DataFrame(), ())


def measure_calls(
    table: pd.DataFrame, error: float | None, *, horizon_days: int, resamples: int, seed: int
) -> MeasuredCalls:
    """Return how calls would have held at each test date, calibrated on the earlier ones whose horizon was over.

    For ``churn`` and ``stagnation``, as ``conformal/<target>_…`` with 95 % intervals over customers, and by date as
    ``<target>_…``: ``coverage_cases`` (share of those to whom it happened that were not called safe),
    ``coverage_others`` (share of the others that were not called "will"), ``called_will`` and ``called_safe``.

    Parameters
    ----------
    table : the backtest's table
    error : as of ``ConformalCalls``; None: nothing is measured
    """
    if error is None:
        return NOT_ASKED
    parts = {moment: _called(table, moment, error, horizon_days) for moment in sorted(table["as_of"].unique())}
    known = {moment: part for moment, part in parts.items() if part is not None}
    if not known:
        told = _("the calls could not be checked: no test date has an earlier one whose horizon was over by then")
        return NOT_ASKED._replace(notices=(told,))
    called = pd.concat(known.values(), ignore_index=True)
    found = with_intervals(_statistics(called), called["customer_id"].to_numpy(), resamples=resamples, seed=seed)
    metrics = {f"conformal/{name}": value for name, value in found.items()}
    return MeasuredCalls(metrics, pd.DataFrame([_date_row(moment, part) for moment, part in known.items()]), ())


def _called(table: pd.DataFrame, moment: pd.Timestamp, error: float, horizon_days: int) -> pd.DataFrame | None:
    """Return the rows of a test date with their calls, by what was known then; None where nothing was."""
    known = table[is_over(table["as_of"], moment, days=horizon_days)]
    if known.empty:
        return None
    rows = table[table["as_of"] == moment]
    return rows.join(ConformalCalls(error).fit(known).predict(rows))


def _statistics(called: pd.DataFrame) -> Statistics:
    outcomes = {target: called[outcome].to_numpy(dtype=bool) for target, (outcome, _p) in SCORES.items()}
    calls = {target: called[column].to_numpy(dtype=object) for target, column in CALLS.items()}

    def of(weights: Array) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for target, happened in outcomes.items():
            will, safe = calls[target] == WILL, calls[target] == SAFE
            found |= {
                f"{target}_coverage_cases": weighted_mean(~safe, weights * happened),
                f"{target}_coverage_others": weighted_mean(~will, weights * ~happened),
                f"{target}_called_will": weighted_mean(will, weights),
                f"{target}_called_safe": weighted_mean(safe, weights),
            }
        return found

    return of


def _date_row(moment: pd.Timestamp, called: pd.DataFrame) -> dict[str, Any]:
    found = _statistics(called)(np.ones((1, len(called))))
    return {"as_of": moment, **{name: float(value[0]) for name, value in found.items()}}
