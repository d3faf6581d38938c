"""Statistics with intervals as tables: a row a part of the backtest, all parts over the same redrawn customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml.churn.metrics import Array, Statistics, with_intervals

ENDS = ("", "_low", "_high")


def interval_table(
    parts: Mapping[Any, Statistics],
    customers: npt.ArrayLike,
    *,
    keys: Sequence[str],
    names: Sequence[str],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row a part: its keys, then each statistic with ``_low`` and ``_high`` of its 95 % interval.

    No rows where there are no customers.

    Parameters
    ----------
    parts : what the row is about, as a tuple -> its statistics as a function of row weights (b × n)
    customers : (n,) whose row it is
    keys : columns that hold what the row is about
    names : the statistics, in the order of the columns; NaN where one is not defined
    """
    columns = [f"{name}{end}" for name in names for end in ENDS]
    if len(np.asarray(customers)) == 0:
        return pd.DataFrame(columns=[*keys, *columns])
    statistics = list(parts.values())

    def together(weights: Array) -> dict[str, Array]:
        return {
            f"{place}/{name}": value for place, part in enumerate(statistics) for name, value in part(weights).items()
        }

    found = with_intervals(together, customers, resamples=resamples, seed=seed)
    rows = [
        {**dict(zip(keys, key, strict=True)), **{name: found.get(f"{place}/{name}", np.nan) for name in columns}}
        for place, key in enumerate(parts)
    ]
    return pd.DataFrame(rows, columns=[*keys, *columns])
