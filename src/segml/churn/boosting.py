"""Boosted trees by scikit-learn or by LightGBM, under the same hyper-parameters.

Source of LightGBM: G. Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 30.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from segml.settings import require_extra

_SEEDS = 2**31
"""LightGBM reads seeds as 32-bit signed integers."""
_BOOSTERS_KEPT = 8


def boosted_trees(library: str, **hyper_parameters: Any) -> Any:
    """Return unfitted boosted trees with ``fit(X, y)``, ``decision_function(X)`` and ``n_iter_``.

    Parameters
    ----------
    library : ``"sklearn"`` or ``"lightgbm"``
    hyper_parameters : those of ``config.BoostingConfig``, and ``random_state``

    Raises
    ------
    ConfigError : LightGBM is asked for and not installed
    ValueError : another library
    """
    match library:
        case "sklearn":  # early stopping would hold out random rows of the same customers
            return HistGradientBoostingClassifier(early_stopping=False, **hyper_parameters)
        case "lightgbm":
            return LightGBMTrees(**hyper_parameters)
        case _:
            raise ValueError(f"library must be 'sklearn' or 'lightgbm'; found {library!r}")


class LightGBMTrees(BaseEstimator):  # type: ignore[misc]
    """Boosted trees by LightGBM for outcomes 0 and 1; NaN means unknown.

    What is learnt is held as LightGBM's own text, so copies and stored models hold no object of LightGBM's. Fits and
    scores run in one thread: the same rows in the same order give the same trees, and a row's score does not depend on
    the rows scored with it.

    Parameters
    ----------
    max_leaf_nodes, learning_rate, max_iter, min_samples_leaf, l2_regularization, max_features
        As those of ``sklearn.ensemble.HistGradientBoostingClassifier``; each split draws its own features.
    random_state : int
        Which features each split may look at.

    Attributes
    ----------
    model_text_ : str, the trees
    always_known_ : median (features) of what had a value in every row of the fit, else NaN; a missing value of these,
        for which the trees have no branch, is taken for it
    n_iter_ : int, number of trees; fewer than ``max_iter`` where no split is left
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
        random_state: int = 0,
    ) -> None:
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> LightGBMTrees:
        """Fit on X (n × features) and outcomes y (n; 0 or 1).

        Raises
        ------
        ConfigError : LightGBM is not installed
        """
        lightgbm = require_extra("lightgbm", extra="lightgbm")
        rows, outcome = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        booster = lightgbm.train(self._parameters(), lightgbm.Dataset(rows, outcome), num_boost_round=self.max_iter)
        self.model_text_: str = booster.model_to_string()
        self.always_known_ = np.median(rows, axis=0)
        self.n_iter_: int = booster.current_iteration()
        return self

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the logit (n) of outcome 1."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        known = np.where(np.isnan(rows), self.always_known_, rows)
        return np.asarray(_booster(self.model_text_).predict(known, raw_score=True, num_threads=1))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _parameters(self) -> dict[str, Any]:
        return {
            "objective": "binary",
            "num_leaves": self.max_leaf_nodes,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_samples_leaf,
            "lambda_l2": self.l2_regularization,
            "feature_fraction_bynode": self.max_features,
            "seed": self.random_state % _SEEDS,
            "deterministic": True,
            "force_row_wise": True,  # else it times both ways and takes the faster, which sums in another order
            "num_threads": 1,
            "verbosity": -1,
        }


@lru_cache(maxsize=_BOOSTERS_KEPT)
def _booster(model_text: str) -> Any:
    return require_extra("lightgbm", extra="lightgbm").Booster(model_str=model_text)
