"""Churn in steps: the chance of a purchase in each third of the horizon, for those who have not bought until then.

The chance to stay silent over the whole horizon is the product of the chances to stay silent in each period. A period
is learnt from as soon as it is over, so training reaches up to one period before the date of the scores, where the
whole horizon could only be learnt from dates one horizon back.

Source: discrete-time survival analysis, J. D. Singer and J. B. Willett (1993), "It's about time", Journal of
Educational Statistics 18(2), 155-195.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from segml.churn.classifier import RiskClassifier
from segml.churn.inputs import KEYS, check_columns
from segml.labels import silent_column
from segml.schema import DataError
from segml.windows import is_over

PERIODS = 3


def period_ends(horizon_days: int) -> tuple[int, ...]:
    """Return the last day of each period, counted from the as-of date.

    >>> period_ends(90), period_ends(7)
    ((30, 60, 90), (2, 5, 7))
    """
    return tuple(round(horizon_days * number / PERIODS) for number in range(1, PERIODS + 1))


def silence_columns(horizon_days: int) -> list[str]:
    """Return the columns of ``labels.silence`` that tell the periods of a horizon.

    >>> silence_columns(90)
    ['silent_30d', 'silent_60d', 'silent_90d']
    """
    return [silent_column(days) for days in period_ends(horizon_days)]


def followed_rows(
    features: pd.DataFrame, silence: pd.DataFrame, horizon_days: int, *, known_until: pd.Timestamp
) -> pd.DataFrame:
    """Return the features with what is known of their silence at a moment, in the order of the keys.

    Parameters
    ----------
    features : one row a scored customer and training date
    silence : keys and ``silence_columns(horizon_days)`` for every row of ``features``; see ``labels.silence``
    known_until : windows that end later count as unknown, whatever ``silence`` tells of them

    Raises
    ------
    DataError : a column or a customer is missing from ``silence``
    """
    columns = silence_columns(horizon_days)
    check_columns(silence, [*KEYS, *columns], "silence")
    known = silence[[*KEYS, *columns]]
    rows = features.merge(known, on=KEYS, how="left", validate="1:1", indicator="found_in", sort=False)
    missing = rows.loc[rows.pop("found_in") == "left_only", KEYS]
    if len(missing):
        example = missing.iloc[0]
        raise DataError(
            f"customer {example['customer_id']!r} has features but no row in silence at {example['as_of']:%Y-%m-%d}; "
            "make both from the same features"
        )
    for column, days in zip(columns, period_ends(horizon_days), strict=True):
        rows[column] = rows[column].where(is_over(rows["as_of"], known_until, days=days))
    return rows.sort_values(["as_of", "customer_id"], ignore_index=True)


class HazardModel(BaseEstimator):  # type: ignore[misc]
    """Probability of no purchase in a horizon, by the chances of a purchase in its periods.

    Parameters
    ----------
    classifier : of a purchase in one period, fitted on the inputs and the number of the period

    Attributes
    ----------
    classifier_ : the same, fitted
    """

    def __init__(self, classifier: RiskClassifier) -> None:
        self.classifier = classifier

    def fit(self, matrix: pd.DataFrame, silent: pd.DataFrame) -> HazardModel:
        """Learn from inputs (n × inputs) and silence up to the end of each period (n × periods; 1, 0, NaN: unknown).

        A row counts in a period when it was silent until then and the period is over.
        """
        stacked, bought = [], []
        before = pd.Series(1.0, index=silent.index)
        for number, (_, after) in enumerate(silent.items()):
            counts = (before == 1) & after.notna()
            stacked.append(matrix[counts].assign(period=float(number)))
            bought.append(after[counts] == 0)
            before = after
        self.periods_ = silent.shape[1]
        self.classifier_ = clone(self.classifier).fit(pd.concat(stacked), pd.concat(bought))
        return self

    def predict_proba(self, matrix: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities (n × 2) of a purchase in the horizon, and of none."""
        check_is_fitted(self, "classifier_")
        silent = np.ones(len(matrix))
        for number in range(self.periods_):
            silent *= self._stays_silent(matrix.assign(period=float(number)))
        return np.column_stack([1 - silent, silent])

    def _stays_silent(self, matrix: pd.DataFrame) -> Any:
        return self.classifier_.predict_proba(matrix)[:, 0]
