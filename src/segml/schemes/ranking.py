"""Customers against customers: quantile scores and cumulative shares, in which equals are always equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

# Shares are compared with round thresholds such as 0.8: sums of cents must not miss one by their last bit.
SHARE_DECIMALS = 9


def quantile_scores(values: ArrayLike, bins: int) -> NDArray[np.int64]:
    """Return scores 1 (smallest values) to ``bins`` by quantile of the mid-rank; equal values, equal scores.

    The mid-rank of a value is the mean rank of all that share it, so that few distinct values need no special case:
    where all customers are equal, all get the middle score.

    Parameters
    ----------
    values : one number a customer, without NaN
    bins : number of scores

    Examples
    --------
    >>> quantile_scores([10, 20, 30, 40, 50], 5).tolist()
    [1, 2, 3, 4, 5]
    >>> quantile_scores([1, 1, 1, 1, 7], 5).tolist()
    [3, 3, 3, 3, 5]
    """
    ranks = pd.Series(np.asarray(values, dtype=float)).rank(method="average").to_numpy()
    doubled = np.rint(2 * ranks).astype(np.int64)  # halves become whole: no rounding decides a border
    return bins * (doubled - 1) // (2 * len(ranks)) + 1


def cut_scores(values: ArrayLike, cuts: Sequence[float]) -> NDArray[np.int64]:
    """Return scores 1 to ``len(cuts) + 1``: how many of the rising cut points a value reaches, plus one.

    >>> cut_scores([0, 99.9, 100, 5000], [100, 1000]).tolist()
    [1, 1, 2, 3]
    """
    return np.searchsorted(np.asarray(cuts, dtype=float), np.asarray(values, dtype=float), side="right") + 1


def share_above(values: ArrayLike) -> NDArray[np.float64]:
    """Return, per value, the share of the total that strictly larger values hold; values below 0 count as 0.

    The largest value gets 0. A class that ends at a share of the total holds everyone whose ``share_above`` is below
    it, the one who crosses the line included. NaN where the total is not positive.

    >>> share_above([20, 50, 30, -5]).tolist()
    [0.8, 0.0, 0.5, 1.0]
    """
    distinct, place, count = np.unique(
        np.clip(np.asarray(values, float), 0, None), return_inverse=True, return_counts=True
    )
    up_to = np.cumsum((distinct * count)[::-1])  # from the largest value down
    if up_to[-1] <= 0:
        return np.full(len(place), np.nan)
    above = np.concatenate([[0.0], up_to[:-1]])[::-1] / up_to[-1]
    return np.asarray(np.round(above, SHARE_DECIMALS)[place])


def count_at_least(values: ArrayLike) -> NDArray[np.int64]:
    """Return, per value, how many values are at least as large, itself included.

    >>> count_at_least([20, 50, 30, 30]).tolist()
    [4, 1, 3, 3]
    """
    numbers = np.asarray(values, dtype=float)
    return len(numbers) - np.searchsorted(np.sort(numbers), numbers, side="left")
