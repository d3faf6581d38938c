"""Features as normal scores: unknown means median, then the normal quantile of the rank, then unit variance.

The same numbers as scikit-learn's ``SimpleImputer``, ``QuantileTransformer`` and ``StandardScaler`` one after the
other, column by column, faster and without their copies of the whole matrix.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from sklearn.base import BaseEstimator

Vector = npt.NDArray[np.float64]

_QUANTILES = 1000
_MARGIN = 1e-7
"""So near to the smallest or the largest value, a value counts as that; and no rank is nearer to 0 or 1."""

_BOUNDS = ndtri(_MARGIN - np.spacing(1)), ndtri(1 - (_MARGIN - np.spacing(1)))


class NormalScores(BaseEstimator):  # type: ignore[misc]
    """Normal scores of the columns of a matrix of two rows or more; NaN means unknown, no column is all unknown.

    Attributes
    ----------
    medians_ : (columns) what an unknown value is taken for
    steps_ : (up to 1000) ranks at equal steps from 0 to 1
    quantiles_ : (columns × steps) value at each of them
    ranks_ : (columns × steps) rank of each of these values; equal ones share the mean of their ranks
    slopes_ : (columns × steps) by how much the rank rises with the value towards the next one
    means_, scales_ : (columns) mean and standard deviation of the scores before they are standardised
    """

    def fit_transform(self, X: Vector) -> Vector:
        """Learn from X (n × columns) and return its scores (n × columns, row by row in memory)."""
        rows, columns = X.shape
        self.steps_ = np.linspace(0, 1, min(_QUANTILES, rows))
        self.medians_, self.means_, self.scales_ = np.empty(columns), np.empty(columns), np.ones(columns)
        self.quantiles_, self.ranks_, self.slopes_ = np.zeros((3, columns, len(self.steps_)))
        scores = np.empty(X.shape)
        for number in range(columns):
            self._learn_ranks(number, np.array(X[:, number]))
            scores[:, number] = self._standardised(number, self._score(number, X[:, number]))
        return scores

    def transform(self, X: Vector) -> Vector:
        """Return the scores (n × columns) of X."""
        return np.column_stack([self.column(number, values) for number, values in enumerate(X.T)])

    def column(self, number: int, values: Vector) -> Vector:
        """Return the scores of values of one column."""
        return np.asarray((self._score(number, values) - self.means_[number]) / self.scales_[number])

    def _learn_ranks(self, number: int, values: Vector) -> None:
        self.medians_[number] = np.nanmedian(values)
        values[np.isnan(values)] = self.medians_[number]
        quantiles = np.percentile(values, self.steps_ * 100)
        first, after = (np.searchsorted(quantiles, quantiles, side) for side in ("left", "right"))
        rises, widths = np.diff(self.steps_), np.diff(quantiles)
        self.quantiles_[number] = quantiles
        self.ranks_[number] = 0.5 * (self.steps_[first] + self.steps_[after - 1])
        np.divide(rises, widths, out=self.slopes_[number, :-1], where=widths > 0)

    def _standardised(self, number: int, scores: Vector) -> Vector:
        self.means_[number] = scores.mean()
        if np.ptp(scores) > 0:
            self.scales_[number] = scores.std()
        return np.asarray((scores - self.means_[number]) / self.scales_[number])

    def _score(self, number: int, values: Vector) -> Vector:
        values = np.where(np.isnan(values), self.medians_[number], values)
        quantiles = self.quantiles_[number]
        below = np.clip(np.searchsorted(quantiles, values, side="right") - 1, 0, len(quantiles) - 2)
        above = below + 1
        start, slope = quantiles[below], self.slopes_[number][below]
        # From both sides, as scikit-learn does: near rank 1 the last bits of a rank are many of its normal score.
        from_below = slope * (values - start) + self.steps_[below]
        from_above = slope * (quantiles[above] - values) - self.steps_[above]
        rank = np.where(values == start, self.ranks_[number][below], 0.5 * (from_below - from_above))
        rank[values + _MARGIN > quantiles[-1]] = 1.0
        rank[values - _MARGIN < quantiles[0]] = 0.0
        return np.asarray(np.clip(ndtri(rank), *_BOUNDS))
