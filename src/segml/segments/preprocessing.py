"""Behaviour and value features on one scale, without letting giants decide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

Matrix = NDArray[np.float64]


class LogStandardClip(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """log1p, then z-score, then clip at ``± clip`` standard deviations.

    Amounts, counts and days have long tails: the logarithm makes ratios of them comparable, the clip keeps the rest
    of a tail from forming segments of its own. The logarithm keeps the sign, ``sign(x) · log1p(|x|)``, so that a
    customer who returned more than it bought lies below zero, not at it. NaN takes the median of the fit (a column
    without any value takes 0), a column without variance becomes 0. The order of rows changes nothing.

    Parameters
    ----------
    clip : largest absolute value after scaling

    Attributes
    ----------
    median_ : what NaN is replaced by, per feature
    mean_, scale_ : mean and standard deviation (population) of the logarithms, per feature
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> LogStandardClip(clip=1.3).fit_transform([[0], [0], [0], [99], [-99]]).round(3).ravel().tolist()
    [0.0, 0.0, 0.0, 1.3, -1.3]
    """

    def __init__(self, clip: float = 3.0) -> None:
        self.clip = clip

    def fit(self, X: Any, y: None = None) -> LogStandardClip:
        """Learn median, mean and standard deviation of each column (customers, features)."""
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.median_ = np.array([_median(column[~np.isnan(column)]) for column in values.T])
        # Sorted, so that the order of rows cannot change the last bit of a sum.
        logs = np.sort(_signed_log(self._filled(values)), axis=0)
        self.mean_ = logs.mean(axis=0)
        deviation = logs.std(axis=0)
        is_flat = logs[0] == logs[-1]
        self.scale_ = np.where(is_flat, 1.0, deviation)
        return self

    def transform(self, X: Any) -> Matrix:
        """Return the scaled copy of X (customers, features)."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        scaled: Matrix = (_signed_log(self._filled(values)) - self.mean_) / self.scale_
        return np.clip(scaled, -self.clip, self.clip)

    def inverse_transform(self, X: Any) -> Matrix:
        """Return scaled values on their own scale; what was clipped or unknown stays so."""
        check_is_fitted(self)
        logs = np.asarray(X, dtype=float) * self.scale_ + self.mean_
        return np.asarray(np.sign(logs) * np.expm1(np.abs(logs)))

    def _filled(self, values: Matrix) -> Matrix:
        return np.where(np.isnan(values), self.median_, values)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _signed_log(values: Matrix) -> Matrix:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _median(known: Matrix) -> float:
    return float(np.median(known)) if known.size else 0.0
