"""Columns of decisions beside the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def beside(features: pd.DataFrame, known: pd.DataFrame, values: ArrayLike) -> pd.Series[Any]:
    """Return numbers about the known customers on the index of all features; NaN for the others.

    Parameters
    ----------
    known : from ``Scheme.known``, numbered by the place in ``features``
    values : one number a known customer
    """
    column = np.full(len(features), np.nan)
    column[known.index.to_numpy()] = np.asarray(values, dtype=float)
    return pd.Series(column, index=features.index)
