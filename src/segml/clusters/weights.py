"""What a feature said about later revenue, as its weight in the search for segments: learnt in the past only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.stats import rankdata

from segml.schema import DataError, check_columns
from segml.windows import as_timestamp, is_over

Floats = NDArray[np.float64]


def revenue_weights(
    features: pd.DataFrame,
    next_revenue: pd.Series[Any],
    names: Sequence[str],
    *,
    horizon_days: int,
    known_until: pd.Timestamp,
) -> dict[str, float]:
    """Return the absolute Spearman ρ of each feature with the revenue of the window after it, the largest scaled to 1.

    Segments on features weighted so tell more of the next period than segments on features of equal weight. The window
    must be over when segments are made, otherwise the weights would know the future that segments are tested on.

    Parameters
    ----------
    features : ``customer_id``, ``as_of`` (one date, earlier than ``known_until``) and the columns ``names``; a missing
        value takes the median
    next_revenue : money in ``[as_of, as_of + horizon_days)``, indexed by ``customer_id``
    names : numeric features to weigh
    horizon_days : length of that window
    known_until : the as-of date at which segments are made

    Returns
    -------
    dict, weight (0 to 1) by name: 0 for a column without variance, 1 for all where nothing is related to revenue

    Raises
    ------
    DataError : the window is not over by ``known_until``; several dates; customers twice or without revenue; columns
        that are missing, no numbers or infinite
    """
    check_columns(features.columns, ["customer_id", "as_of", *names], "features for weights lack")
    _check_window(features["as_of"], horizon_days, as_timestamp(known_until))
    revenue_ranks = _centred_ranks(_revenue(features["customer_id"], next_revenue))
    strengths = {name: _strength(_numbers(features[name]), revenue_ranks) for name in names}
    strongest = max(strengths.values(), default=0.0)
    if strongest == 0:
        return dict.fromkeys(names, 1.0)
    return {name: strength / strongest for name, strength in strengths.items()}


def _check_window(as_of: pd.Series[Any], horizon_days: int, known_until: pd.Timestamp) -> None:
    dates = as_of.unique()
    if len(dates) != 1:
        raise DataError(f"weights are learnt at one as-of date; found {len(dates)}: pass the rows of one")
    if horizon_days < 1:
        raise DataError(f"horizon_days is {horizon_days}; the window of revenue has at least one day")
    if not is_over(as_timestamp(dates[0]), known_until, days=horizon_days):
        raise DataError(
            f"weights may know only windows that are over: the {horizon_days} days from {dates[0]} end after "
            f"{known_until}, when segments are made; take features of {known_until - pd.Timedelta(days=horizon_days)} "
            "or before"
        )


def _revenue(customers: pd.Series[Any], next_revenue: pd.Series[Any]) -> Floats:
    for who, keys in (("features", customers), ("next_revenue", next_revenue.index.to_series())):
        if keys.duplicated().any():
            raise DataError(f"{who}: customer {keys[keys.duplicated()].min()!r} comes twice; pass one row a customer")
    revenue = customers.map(next_revenue)
    unknown = customers[revenue.isna()]
    if len(unknown):
        raise DataError(
            f"next_revenue lacks {len(unknown)} of {len(customers)} customers in features, such as {unknown.min()!r}; "
            "it is indexed by customer_id, and 0 where nothing was bought"
        )
    return revenue.to_numpy(dtype=float)


def _numbers(column: pd.Series[Any]) -> Floats:
    if not (is_numeric_dtype(column) or is_bool_dtype(column)):
        raise DataError(f"feature {column.name!r} is {column.dtype}, no number; leave it out of the weights")
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"feature {column.name!r} has infinite values; make them missing or finite")
    known = values[~np.isnan(values)]
    return np.where(np.isnan(values), np.median(known), values) if known.size else np.zeros(len(values))


def _strength(values: Floats, revenue_ranks: Floats) -> float:
    ranks = _centred_ranks(values)
    # Exact sums, so that the order of rows cannot change the last bit.
    spread = math.sqrt(math.fsum(ranks**2) * math.fsum(revenue_ranks**2))
    return abs(math.fsum(ranks * revenue_ranks)) / spread if spread > 0 else 0.0


def _centred_ranks(values: Floats) -> Floats:
    return np.asarray(rankdata(values) - (len(values) + 1) / 2)
