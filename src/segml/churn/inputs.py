"""What the models read: who is scored, which columns, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segml import schema
from segml.config import ChurnConfig

KEYS = ["customer_id", "as_of"]
_YEAR_DAYS = 365.25


def scored_mask(
    lifecycle: pd.Series[str], purchase_days: pd.Series[float] | None = None, config: ChurnConfig | None = None
) -> pd.Series[bool]:
    """Tell who is scored: by default every customer that is neither new nor inactive; their stage tells enough.

    Parameters
    ----------
    lifecycle : stage of each row
    purchase_days : days with a purchase of each row, for ``min_purchase_days``; None: nobody has too few
    config : ``unscored_stages`` and ``min_purchase_days``; default ``ChurnConfig()``

    >>> scored_mask(pd.Series(["new", "active", "stagnating", "inactive"])).tolist()
    [False, True, True, False]
    """
    config = config if config is not None else ChurnConfig()
    known = ~lifecycle.isin(config.unscored_stages)
    return known if purchase_days is None else known & (purchase_days >= config.min_purchase_days)


def check_columns(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise ``DataError`` that names the columns which the table lacks."""
    schema.check_columns(table.columns, columns, f"{name} lack")


def model_matrix(features: pd.DataFrame, inputs: Sequence[str]) -> pd.DataFrame:
    """Return the inputs as float64 (n × inputs, index kept); infinite means unknown, as NaN does."""
    check_columns(features, [*KEYS, *inputs], "features")
    return features[list(inputs)].astype("float64").replace([np.inf, -np.inf], np.nan)


def add_season(matrix: pd.DataFrame, day_of_year: pd.Series[int] | int) -> pd.DataFrame:
    """Return the matrix with the sine and cosine of the day of the year: base rates move with the season."""
    angle = 2 * np.pi * day_of_year / _YEAR_DAYS
    return matrix.assign(season_sin=np.sin(angle), season_cos=np.cos(angle))


def purchase_history(features: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return frequency, recency and age, in days, as ``ParetoNBD`` takes them."""
    check_columns(features, ["purchase_day_count", "tenure_days", "recency_days"], "features")
    repeats = (features["purchase_day_count"] - 1).clip(lower=0)
    age = features["tenure_days"].clip(lower=0)
    recency = (age - features["recency_days"]).clip(lower=0).where(repeats > 0, 0.0)
    return {"frequency": repeats, "recency": recency.where(recency <= age, age), "age": age}
