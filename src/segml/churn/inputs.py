"""What the models read: who is scored, which columns, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segml import schema
from segml.config import ChurnConfig

KEYS = ["customer_id", "as_of"]
SEASON = ("season_sin", "season_cos")
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


def in_order_of_keys(features: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the features with their outcomes, row for row as given, sorted by the keys and numbered anew.

    The features are copied once, however many rows there are.
    """
    order = features[KEYS].reset_index(drop=True).sort_values(["as_of", "customer_id"]).index
    rows = features.iloc[order].reset_index(drop=True)
    return rows.assign(**{str(name): column.to_numpy()[order] for name, column in outcomes.items()})


def model_matrix(
    features: pd.DataFrame, inputs: Sequence[str], day_of_year: pd.Series[int] | int | None = None
) -> pd.DataFrame:
    """Return the inputs as float64 (n × inputs, index kept); infinite means unknown, as NaN does.

    With a day of the year come the sine and cosine of it, since base rates move with the season. The table is one block
    of memory whose columns are contiguous, made without another copy of the features.
    """
    check_columns(features, [*KEYS, *inputs], "features")
    names = [*inputs, *(SEASON if day_of_year is not None else ())]
    table = np.empty((len(names), len(features)))
    for row, name in zip(table, inputs, strict=False):
        row[:] = features[name].to_numpy(dtype="float64", na_value=np.nan)
        row[np.isinf(row)] = np.nan
    if day_of_year is not None:
        angle = 2 * np.pi * day_of_year / _YEAR_DAYS
        table[-2], table[-1] = np.sin(angle), np.cos(angle)
    return pd.DataFrame(table.T, index=features.index, columns=names, copy=False)


def purchase_history(features: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return frequency, recency and age, in days, as ``ParetoNBD`` takes them."""
    check_columns(features, ["purchase_day_count", "tenure_days", "recency_days"], "features")
    repeats = (features["purchase_day_count"] - 1).clip(lower=0)
    age = features["tenure_days"].clip(lower=0)
    recency = (age - features["recency_days"]).clip(lower=0).where(repeats > 0, 0.0)
    return {"frequency": repeats, "recency": recency.where(recency <= age, age), "age": age}
