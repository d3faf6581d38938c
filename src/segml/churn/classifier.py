"""The classifier behind both scores: boosted trees and a logistic regression, averaged in logits.

The trees find interactions, the logistic regression keeps the tails sane; both are regularised so hard
that no tuning is needed. Each alone ranks worse than their mean out of time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from segml.churn.boosting import boosted_trees
from segml.churn.forest import forest_of
from segml.churn.normal_scores import NormalScores

Matrix = npt.NDArray[np.float64]

_BLOCK_ROWS = 65_536
"""Rows are scored in blocks, one thread a block: columns of a block fit into the cache, and calls cost little."""


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary classifier for wide, noisy customer features; NaN means unknown.

    Fits run in one thread, so results do not depend on the number of cores; a row's score does not
    depend on the rows scored with it.

    Parameters
    ----------
    library : str
        Whose boosted trees: ``"sklearn"``, or ``"lightgbm"``, which comes with the extra of that name.
    max_leaf_nodes, learning_rate, max_iter, min_samples_leaf, l2_regularization, max_features
        Of the boosted trees, see ``sklearn.ensemble.HistGradientBoostingClassifier``.
    logistic_c : float
        Inverse strength of the ridge penalty on the normal scores of the features.
    random_state : int
        Which features each split may look at.

    Attributes
    ----------
    classes_ : the two labels, sorted
    unknown_ : which features had no value at all in the fit; they are left out of account
    boosting_, normal_scores_, logistic_ : the fitted parts
    forest_ : Forest, the boosted trees in a form that scores fast, or None where they do not fit into it
    """

    def __init__(
        self,
        *,
        library: str = "sklearn",
        max_leaf_nodes: int = 6,
        learning_rate: float = 0.02,
        max_iter: int = 400,
        min_samples_leaf: int = 60,
        l2_regularization: float = 10.0,
        max_features: float = 0.35,
        logistic_c: float = 0.0005,
        random_state: int = 0,
    ) -> None:
        self.library = library
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.logistic_c = logistic_c
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> RiskClassifier:
        """Fit both parts on X (n × features) and two classes y (n)."""
        rows, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, outcome = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported: y must hold 2 classes; found {len(self.classes_)} "
                f"{'class' if len(self.classes_) == 1 else 'classes'}"
            )
        self.unknown_ = np.array([np.isnan(column).all() for column in rows.T])
        if self.unknown_.any():
            rows = np.where(self.unknown_, 0.0, rows)
        with threadpool_limits(1):
            self.boosting_ = self._boosting().fit(rows, outcome)
            self.forest_ = forest_of(self.boosting_)
            self.normal_scores_ = NormalScores()
            scores = self.normal_scores_.fit_transform(rows)
            self.logistic_ = LogisticRegression(C=self.logistic_c, max_iter=1000).fit(scores, outcome)
        self.n_iter_ = self.boosting_.n_iter_
        return self

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the mean of both parts' logits (n) for the second class."""
        check_is_fitted(self)
        rows = np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False))
        logits: Matrix = self._logits(rows, ())[0]
        return logits

    def decision_functions(self, X: npt.ArrayLike, last: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the logits (values × n) of rows whose last feature, which X lacks, takes each of several values.

        What does not depend on that feature is computed once.
        """
        check_is_fitted(self)
        rows = np.asarray(check_array(X, dtype=np.float64, ensure_all_finite="allow-nan"))
        if rows.shape[1] + 1 != self.n_features_in_:
            raise ValueError(f"X must hold all {self.n_features_in_} features but the last; found {rows.shape[1]}")
        return self._logits(rows, tuple(last))

    def _logits(self, rows: Matrix, last: tuple[float, ...]) -> Matrix:
        blocks = [rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS)]
        with threadpool_limits(1), ThreadPoolExecutor(min(os.cpu_count() or 1, len(blocks))) as pool:
            return np.concatenate(list(pool.map(lambda block: self._logits_of_block(block, last), blocks)), axis=1)

    def _logits_of_block(self, rows: Matrix, last: tuple[float, ...]) -> Matrix:
        columns = np.array(rows.T, order="C")
        columns[self.unknown_[: len(columns)]] = 0.0
        both = self._of_trees(columns, last) + self._of_line(columns, last)
        return np.asarray((both + self.logistic_.intercept_[0]) / 2)

    def _of_trees(self, columns: Matrix, last: tuple[float, ...]) -> Matrix:
        if self.forest_ is not None:
            return self.forest_.logits(columns, last)
        with threadpool_limits(1, user_api="openmp"):  # that limit is a thread's own
            rows = [np.vstack([columns, np.full((1, columns.shape[1]), value)]).T for value in last] or [columns.T]
            return np.vstack([self.boosting_.decision_function(each) for each in rows])

    def _of_line(self, columns: Matrix, last: tuple[float, ...]) -> Matrix:
        # Summed up column by column, not as a matrix product: BLAS rounds a row by its place in the batch.
        weights = self.logistic_.coef_[0]
        total: Matrix = np.zeros((1, columns.shape[1]))
        for number, values in enumerate(columns):
            total += weights[number] * self.normal_scores_.column(number, values)
        if not last:
            return total
        of_last: Matrix = weights[-1] * self.normal_scores_.column(len(columns), np.array(last))
        return total + of_last[:, np.newaxis]

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the probabilities (n × 2) of both classes."""
        second = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - second, second])

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the likelier class (n)."""
        likelier = (self.decision_function(X) > 0).astype(np.intp)
        return np.asarray(self.classes_[likelier])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _boosting(self) -> Any:
        return boosted_trees(
            self.library,
            max_leaf_nodes=self.max_leaf_nodes,
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            max_features=self.max_features,
            random_state=self.random_state,
        )
