"""Metrics of several backtests of the same customers against one another: differences with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from segml.churn.metrics import Array, Statistics, with_intervals
from segml.churn.summary import table_statistics


def mean_metrics(tables: Sequence[pd.DataFrame], *, resamples: int, seed: int) -> dict[str, float]:
    """Return the mean of each metric over backtest tables, such as of several seeds, with its 95 % interval.

    The intervals, ``_low`` and ``_high``, redraw the customers for all tables alike; of one table they are those of
    ``summary.metrics``.
    """
    return _over_customers(_mean(tables), tables, resamples, seed)


def paired_differences(
    own: Sequence[pd.DataFrame], other: Sequence[pd.DataFrame], *, resamples: int, seed: int
) -> dict[str, float]:
    """Return by how much each metric of backtest tables exceeds that of other ones, with its 95 % interval.

    Customers are redrawn for both sides alike, whatever rows each has of them. Of several tables a side, such as of
    several seeds, the means are compared. A metric that is not defined on either side is left out.

    Parameters
    ----------
    own, other : backtest tables; columns as of ``evaluate.TABLE_COLUMNS``
    """
    rows = sum(len(table) for table in own)
    ours, theirs = _mean(own), _mean(other)

    def differences(weights: Array) -> Mapping[str, Array]:
        subtracted = theirs(weights[:, rows:])
        return {name: value - subtracted[name] for name, value in ours(weights[:, :rows]).items()}

    return _over_customers(differences, [*own, *other], resamples, seed)


def _mean(tables: Sequence[pd.DataFrame]) -> Statistics:
    """Return the mean of the statistics of several tables, each on its own stretch of the weights."""
    statistics = [table_statistics(table) for table in tables]
    ends = np.cumsum([len(table) for table in tables])[:-1]

    def mean(weights: Array) -> Mapping[str, Array]:
        parts = np.split(weights, ends, axis=1)
        found = [measure(part) for measure, part in zip(statistics, parts, strict=True)]
        return {name: np.mean([part[name] for part in found], axis=0) for name in found[0]}

    return mean


def _over_customers(
    statistics: Statistics, tables: Sequence[pd.DataFrame], resamples: int, seed: int
) -> dict[str, float]:
    if any(table.empty for table in tables):
        return {}
    customers = np.concatenate([table["customer_id"].to_numpy() for table in tables])
    return with_intervals(statistics, customers, resamples=resamples, seed=seed)
