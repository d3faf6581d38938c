"""The classifier behind both scores: boosted trees and a logistic regression, averaged in logits.

The trees find interactions, the logistic regression keeps the tails sane; both are regularised so hard
that no tuning is needed. Each alone ranks worse than their mean out of time.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

_QUANTILES = 1000
_BLOCK_ROWS = 16_384
"""Rows are scored in blocks that fit into the cache, one thread a block."""


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary classifier for wide, noisy customer features; NaN means unknown.

    Fits run in one thread, so results do not depend on the number of cores; a row's score does not
    depend on the rows scored with it.

    Parameters
    ----------
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
    """

    def __init__(
        self,
        *,
        max_leaf_nodes: int = 6,
        learning_rate: float = 0.02,
        max_iter: int = 400,
        min_samples_leaf: int = 60,
        l2_regularization: float = 10.0,
        max_features: float = 0.35,
        logistic_c: float = 0.0005,
        random_state: int = 0,
    ) -> None:
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
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, outcome = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported: y must hold 2 classes; found {len(self.classes_)} "
                f"{'class' if len(self.classes_) == 1 else 'classes'}"
            )
        self.unknown_ = np.isnan(X).all(axis=0)
        X = np.where(self.unknown_, 0.0, X)
        with threadpool_limits(1):
            self.boosting_ = self._boosting().fit(X, outcome)
            self.normal_scores_ = _normal_scores(len(X))
            self.logistic_ = LogisticRegression(C=self.logistic_c, max_iter=1000).fit(
                self.normal_scores_.fit_transform(X), outcome
            )
        self.n_iter_ = self.boosting_.n_iter_
        return self

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the mean of both parts' logits (n) for the second class."""
        check_is_fitted(self)
        rows = np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False))
        blocks = [rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS)]
        with threadpool_limits(1), ThreadPoolExecutor(min(os.cpu_count() or 1, len(blocks))) as pool:
            return np.concatenate(list(pool.map(self._mean_logit, blocks)))

    def _mean_logit(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        X = np.where(self.unknown_, 0.0, X)
        with threadpool_limits(1, user_api="openmp"):  # that limit is a thread's own
            trees = self.boosting_.decision_function(X)
        # A row-wise sum, not a matrix product: BLAS rounds a row by its place in the batch.
        linear = (self.normal_scores_.transform(X) * self.logistic_.coef_[0]).sum(axis=1)
        return np.asarray((trees + linear + self.logistic_.intercept_[0]) / 2, dtype=np.float64)

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

    def _boosting(self) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(
            max_leaf_nodes=self.max_leaf_nodes,
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            max_features=self.max_features,
            early_stopping=False,  # its hold-out would be random rows of the same customers
            random_state=self.random_state,
        )


def _normal_scores(rows: int) -> Pipeline:
    """Return impute → normal scores by rank → unit variance."""
    return make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=min(_QUANTILES, rows), output_distribution="normal", subsample=None),
        StandardScaler(),
    )
