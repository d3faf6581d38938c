"""Customers on one scale: neither giants, nor units, nor rare categories decide what a segment is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_object_dtype
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import PowerTransformer
from sklearn.utils.validation import _check_feature_names_in, check_array, check_is_fitted, validate_data

TRUSTED_TYPES = ("segml.clusters.preprocessing.CustomerScaler",)
"""Types of our own in a stored scaler: what ``skops.io.load`` may be told to trust."""

MOST_CATEGORIES = 3
OTHER, UNKNOWN = "other", "unknown"

# A column whose logarithms spread less than this share of the largest one is a constant with rounding errors.
_ROUNDING = 1e-12

Matrix = NDArray[np.float64]
Levels = NDArray[np.object_]


class CustomerScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Logarithm or Yeo-Johnson, z-score, clip, weight; a few categories as plain 0/1 columns beside it.

    Amounts, counts and days have long tails: the logarithm makes ratios of them comparable, the clip keeps the rest
    of a tail from forming segments of its own. The logarithm keeps the sign, ``sign(x) · log1p(|x|)``, so that a
    customer who returned more than it bought lies below zero. A missing number takes the median of the fit (a column
    without any value becomes 0), a column without variance becomes 0. Numbers come first, in the order of X, then the
    levels of each category. The order of rows changes no bit, nor does the company in which a row is transformed.

    Parameters
    ----------
    power : ``"log"`` or ``"yeo-johnson"`` (Yeo & Johnson 2000, as in scikit-learn), before the z-score
    clip : largest absolute z-score; ``inf`` clips nothing
    weights : factor (0 or more) of each numeric column after the clip, by name or in their order; None means 1 each
    categories : up to three columns (of a data frame) that become 0/1 columns, not standardised. A missing value is
        the level "unknown". Levels of fewer customers than ``min_category_share`` are merged into "other", which
        levels unseen in the fit join too; where the fit merged nothing, these are 0 in every column.
    min_category_share : share of the customers of the fit below which a level is merged

    Attributes
    ----------
    numeric_names_ : names of the numeric columns (x0, x1, … where X has no names)
    median_, mean_, scale_, weights_ : per numeric column; mean and (population) deviation are those after the power,
        a scale of ``inf`` stands for a column without variance
    power_ : fitted ``PowerTransformer``, None for the logarithm
    levels_ : dict, the levels of each category that have a column
    n_features_in_, feature_names_in_ : as in scikit-learn

    Raises
    ------
    ValueError : infinite values; text that is not named in ``categories``; parameters out of range

    Examples
    --------
    >>> CustomerScaler(clip=1.3).fit_transform([[0], [0], [0], [99], [-99]]).round(3).ravel().tolist()
    [0.0, 0.0, 0.0, 1.3, -1.3]
    """

    def __init__(
        self,
        *,
        power: Literal["log", "yeo-johnson"] = "log",
        clip: float = 3.0,
        weights: Mapping[str, float] | ArrayLike | None = None,
        categories: Sequence[str] = (),
        min_category_share: float = 0.05,
    ) -> None:
        self.power = power
        self.clip = clip
        self.weights = weights
        self.categories = categories
        self.min_category_share = min_category_share

    def fit(self, X: Any, y: None = None) -> CustomerScaler:
        """Learn medians, scales and levels from X (customers, features)."""
        self._check_parameters()
        values = self._numbers(X, reset=True)
        self.numeric_names_ = self._numeric(_check_feature_names_in(self))
        self.weights_ = _checked_weights(self.weights, self.numeric_names_)
        # Sorted and of one layout, so that the order of rows cannot change the last bit of a sum.
        ordered = np.sort(np.ascontiguousarray(values), axis=0)
        self.median_ = np.array([_median(column[~np.isnan(column)]) for column in ordered.T])
        ordered = self._filled(ordered)
        is_yeo_johnson = self.power == "yeo-johnson"
        self.power_ = PowerTransformer("yeo-johnson", standardize=False).fit(ordered) if is_yeo_johnson else None
        powered = self._powered(ordered)
        self.mean_ = powered.mean(axis=0)
        deviation = powered.std(axis=0)
        self.scale_ = np.where(_is_flat(ordered) | (deviation == 0), np.inf, deviation)
        self.levels_ = {name: _kept_levels(_levels(X[name]), self.min_category_share) for name in self.categories}
        return self

    def transform(self, X: Any) -> Matrix:
        """Return scaled numbers and 0/1 levels of X, (customers, columns)."""
        check_is_fitted(self)
        values = self._numbers(X, reset=False)
        scaled = (self._powered(self._filled(values)) - self.mean_) / self.scale_
        weighted = np.clip(scaled, -self.clip, self.clip) * self.weights_
        return np.column_stack([weighted, *(_one_hot(_levels(X[name]), kept) for name, kept in self.levels_.items())])

    def inverse_transform(self, X: Any) -> Matrix:
        """Return the numeric columns of scaled X in their own units, (rows, numeric columns).

        What was clipped or filled stays so; columns of weight 0 are NaN, because nothing is left of them.
        """
        check_is_fitted(self)
        scaled = check_array(X, dtype=np.float64)[:, : len(self.weights_)]
        weights = np.where(self.weights_ > 0, self.weights_, np.nan)
        # A column without variance is at its mean whatever its scaled value says.
        deviations = np.where(np.isinf(self.scale_), 0.0, self.scale_)
        powered = scaled / weights * deviations + self.mean_
        if self.power_ is not None:
            return np.asarray(self.power_.inverse_transform(powered))
        return np.asarray(np.sign(powered) * np.expm1(np.abs(powered)))

    def get_feature_names_out(self, input_features: Any = None) -> Levels:
        """Return the names of the columns: those of the numbers, then ``category_level``."""
        check_is_fitted(self)
        numeric = self._numeric(_check_feature_names_in(self, input_features))
        return np.array([*numeric, *_level_names(self.levels_)], dtype=object)

    def _check_parameters(self) -> None:
        if self.power not in ("log", "yeo-johnson"):
            raise ValueError(f"power is {self.power!r}; it can be 'log' or 'yeo-johnson'")
        if not self.clip > 0:
            raise ValueError(f"clip is {self.clip!r}; it must be above 0, inf clips nothing")
        if not 0 <= self.min_category_share <= 1:
            raise ValueError(f"min_category_share is {self.min_category_share!r}; it is a share, from 0 to 1")
        _check_categories(self.categories)

    def _numbers(self, X: Any, *, reset: bool) -> Matrix:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            numeric = X.drop(columns=_found_categories(self.categories, X))
            _refuse_text(numeric)
            return np.asarray(check_array(numeric, dtype=np.float64, ensure_all_finite="allow-nan", estimator=self))
        if len(self.categories):
            raise ValueError(f"categories are {list(self.categories)}, but X is no data frame with columns of names")
        return np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset))

    def _numeric(self, names: Iterable[Any]) -> list[str]:
        return [str(name) for name in names if name not in self.categories]

    def _filled(self, values: Matrix) -> Matrix:
        return np.where(np.isnan(values), self.median_, values)

    def _powered(self, values: Matrix) -> Matrix:
        power: Callable[[Matrix], Matrix] = _signed_log if self.power_ is None else self.power_.transform
        return power(values)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _check_categories(categories: Sequence[str]) -> None:
    if isinstance(categories, str):
        raise ValueError(f"categories is the text {categories!r}; pass a list of column names, [{categories!r}]")
    if len(set(categories)) < len(categories):
        raise ValueError(f"categories name a column twice: {list(categories)}")
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"categories are {list(categories)}: more than {MOST_CATEGORIES} make segments that only repeat the "
            "categories, since 0/1 columns outvote the numbers; keep those that matter, profile by the others"
        )


def _found_categories(categories: Sequence[str], X: pd.DataFrame) -> list[str]:
    missing = [name for name in categories if name not in X.columns]
    if missing:
        raise ValueError(f"categories {missing} are not among the columns {list(X.columns)}")
    return list(categories)


def _refuse_text(numeric: pd.DataFrame) -> None:
    checks = (is_numeric_dtype, is_bool_dtype, is_object_dtype)
    text = [name for name, dtype in numeric.dtypes.items() if not any(check(dtype) for check in checks)]
    if text:
        raise ValueError(f"columns {text} are no numbers; name them in categories, or leave them out")


def _checked_weights(weights: Any, names: list[str]) -> Matrix:
    if weights is None:
        return np.ones(len(names))
    # A pandas Series has items too, and is meant by its names, not by its order.
    given = np.asarray(_by_name(dict(weights.items()), names) if hasattr(weights, "items") else weights, dtype=float)
    if given.shape != (len(names),):
        raise ValueError(f"weights have the shape {given.shape}; there are {len(names)} numeric columns: {names}")
    if not (np.isfinite(given) & (given >= 0)).all():
        raise ValueError(f"weights are {given.tolist()}; each must be a finite number, 0 or more")
    if not given.any():
        raise ValueError("weights are all 0: no number would tell customers apart; give at least one a weight above 0")
    return given


def _by_name(weights: Mapping[str, float], names: list[str]) -> list[float]:
    differing = sorted(set(weights) ^ set(names))
    if differing:
        raise ValueError(
            f"weights and numeric columns must have the same names; {differing} are in one of them only: weights of "
            f"{list(weights)}, numeric columns {names}"
        )
    return [weights[name] for name in names]


def _is_flat(values: Matrix) -> NDArray[np.bool_]:
    low, high = _signed_log(np.stack([values.min(axis=0), values.max(axis=0)]))
    return np.asarray(high - low <= _ROUNDING * np.maximum(-low, high))


def _levels(column: pd.Series[Any]) -> Levels:
    codes, values = pd.factorize(column)
    # Missing values have the code −1, and so the last name.
    names = np.array([*(_level_name(value) for value in values), UNKNOWN], dtype=object)
    return names[codes]


def _level_name(value: Any) -> str:
    # Whole numbers turn into fractions (1 into 1.0) as soon as one value of the column is missing.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _kept_levels(levels: Levels, min_share: float) -> list[str]:
    names, counts = np.unique(levels.astype(str), return_counts=True)
    frequent = sorted(set(names[counts / len(levels) >= min_share].tolist()) - {OTHER})
    has_other = len(frequent) < len(names)
    return [*frequent, OTHER] if has_other else frequent


def _one_hot(levels: Levels, kept: list[str]) -> Matrix:
    known = np.where(np.isin(levels.astype(str), kept), levels, OTHER)
    return np.column_stack([known == level for level in kept]).astype(float)


def _level_names(levels: Mapping[str, list[str]]) -> list[str]:
    return [f"{name}_{level}" for name, kept in levels.items() for level in kept]


def _signed_log(values: Matrix) -> Matrix:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _median(known: Matrix) -> float:
    return float(np.median(known)) if known.size else 0.0
