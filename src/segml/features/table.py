"""Order lines in, one row of features a customer and as-of date out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.data import scratch
from segml.data.engine import to_table
from segml.data.failures import explained
from segml.data.memory import limit_in_bytes
from segml.features import workfolder
from segml.features.build import aggregates, base_of, finish
from segml.features.outofcore import Plan, Progress, features_of, plan_for, write_buckets
from segml.features.snapshots import collect
from segml.windows import Moment

ROWS_AT_A_TIME = 100_000
"""Of how many rows, about, aggregates are in memory at a time, beside the features that are made of them."""


def build(
    lines: Any,
    as_of: Moment | Iterable[Moment],
    config: FeaturesConfig | None = None,
    *,
    memory_limit: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Return what was known about each customer just before each as-of date.

    All dates are computed in one pass. The result is the same, bit for bit, for any order of lines, number of threads
    and set of dates computed together; lines at or after a date, and cancellations from then on, change nothing.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : one moment or several, whole seconds; a date means its midnight
    config : windows and shrinkage; default ``FeaturesConfig()``
    memory_limit : what DuckDB may take, ``1GB``; by default 60 % of the memory that is free. Where that is too little,
        customers are split into buckets, which are computed one at a time, with temporary files. The table itself is
        held in memory; ``write`` is for one that is too large for it
    progress : called with the number of buckets done and of all, where there are several

    Returns
    -------
    One row a customer with a purchase before the as-of date, and as-of date, sorted by both: ``customer_id, as_of``
    and the columns of ``catalog(config)``. Numbers and counts are float64, NaN is unknown.

    Raises
    ------
    DataError : columns missing, an as-of date that is none, or the memory is too little even with buckets
    OutputError : the disk is full of temporary files
    """
    config = config if config is not None else FeaturesConfig()
    dates, table = windows.as_timestamps(as_of), to_table(lines)
    if table.get_backend().name == "duckdb":
        plan = plan_for(table, len(dates), limit_in_bytes(memory_limit))
        if plan.buckets > 1:
            return _by_buckets(table, dates, config, plan, progress)
        if len(dates) > 1:
            return _some_dates_at_a_time(table, dates, config)
    with aggregates(table, dates, config) as aggregating:
        aggregated = collect(aggregating)
    return _finished(aggregated, config)


def _some_dates_at_a_time(table: Table, dates: list[pd.Timestamp], config: FeaturesConfig) -> pd.DataFrame:
    """Make features of aggregates of some dates at a time: those of all take more memory than the features do."""
    done, left, together = [], [windows.epoch_seconds(moment) for moment in dates], 1
    with aggregates(table, dates, config) as aggregating:
        while left:
            some, left = left[:together], left[together:]
            aggregated = collect(aggregating.filter(aggregating.as_of_s.between(some[0], some[-1])))
            done.append(_finished(aggregated, config))
            together = max(1, ROWS_AT_A_TIME * together // max(1, len(aggregated)))
    return pd.concat(done, ignore_index=True)


def _finished(aggregated: pd.DataFrame, config: FeaturesConfig) -> pd.DataFrame:
    return finish(aggregated, base_of(aggregated), config).sort_values(["as_of", "customer_id"], ignore_index=True)


def _by_buckets(
    table: Table, dates: list[pd.Timestamp], config: FeaturesConfig, plan: Plan, progress: Progress | None
) -> pd.DataFrame:
    with (
        scratch.temporary() as folder,
        explained(folder, plan.limit, plan.disk_bytes),
        workfolder.opened(folder / "build", None, plan.buckets) as work,
    ):
        runs = write_buckets(table, dates, config, work, plan, progress)
        return pd.concat(features_of(runs, config), ignore_index=True)
