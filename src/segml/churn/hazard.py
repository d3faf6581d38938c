"""Churn in steps: the chance of a purchase in each third of the horizon, for those who have not bought until then.

The chance to stay silent over the whole horizon is the product of the chances to stay silent in each period. A period
is learnt from as soon as it is over, so training reaches up to one period before the date of the scores, where the
whole horizon could only be learnt from dates one horizon back.

Source: discrete-time survival analysis, J. D. Singer and J. B. Willett (1993), "It's about time", Journal of
Educational Statistics 18(2), 155-195.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from segml.churn.classifier import RiskClassifier
from segml.churn.inputs import KEYS, check_columns, in_order_of_keys
from segml.labels import silent_column
from segml.schema import DataError
from segml.windows import is_over

Matrix = npt.NDArray[np.float64]

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
    known = features[KEYS].merge(silence[[*KEYS, *columns]], on=KEYS, how="left", validate="1:1", indicator="found_in")
    missing = known.loc[known.pop("found_in") == "left_only", KEYS]
    if len(missing):
        example = missing.iloc[0]
        raise DataError(
            f"customer {example['customer_id']!r} has features but no row in silence at {example['as_of']:%Y-%m-%d}; "
            "make both from the same features"
        )
    for column, days in zip(columns, period_ends(horizon_days), strict=True):
        known[column] = known[column].where(is_over(known["as_of"], known_until, days=days))
    return in_order_of_keys(features, known[columns])


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
        after = silent.to_numpy(dtype="float64")
        before = np.column_stack([np.ones(len(after)), after[:, :-1]])
        counts = (before == 1) & ~np.isnan(after)
        stacked = _stacked(matrix.to_numpy(dtype="float64"), counts)
        del matrix  # where nobody else needs it, the fit gets its memory
        self.periods_ = silent.shape[1]
        self.classifier_ = clone(self.classifier).fit(stacked, after.T[counts.T] == 0)
        return self

    def predict_proba(self, matrix: pd.DataFrame) -> Matrix:
        """Return the probabilities (n × 2) of a purchase in the horizon, and of none."""
        check_is_fitted(self, "classifier_")
        logits = self.classifier_.decision_functions(matrix.to_numpy(dtype="float64"), range(self.periods_))
        silent = np.prod(1 - 1 / (1 + np.exp(-logits)), axis=0)
        return np.column_stack([1 - silent, silent])


def _stacked(matrix: Matrix, counts: npt.NDArray[np.bool_]) -> Matrix:
    """Return the rows that count in each period, period after period, with its number as the last column.

    Columns are contiguous in memory, and only one of them at a time exists twice.
    """
    columns = matrix.shape[1]
    table = np.empty((columns + 1, int(counts.sum())))
    for column, values in enumerate(matrix.T):
        table[column] = np.concatenate([values[taken] for taken in counts.T])
    table[columns] = np.repeat(np.arange(counts.shape[1]), counts.sum(axis=0))
    return table.T
