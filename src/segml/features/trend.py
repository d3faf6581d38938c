"""Whether a customer grows or falls: windows against its own run rate, last year and the slope."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.features.arithmetic import number, ratio, sum_of
from segml.features.snapshots import BLOCK_DAYS, BLOCKS
from segml.features.spec import Definition, Feature, Ingredient
from segml.features.value import sum_in_ages

FAMILY = "trend"
MIN_SLOPE_BLOCKS = 3


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (*_run_rate(config), *_last_year(), *_slope())


def _run_rate(config: FeaturesConfig) -> tuple[Definition, ...]:
    longest, shortest = config.run_rate_days, config.min_exposure_days

    def revenue(batches: Table) -> Any:
        counts = batches.since_first | windows.in_last(batches.age, shortest)
        return number(sum_of(batches.net, counts & windows.in_last(batches.age, longest)))

    return (
        Ingredient("run_rate_revenue", grain="batch", formula=revenue),
        Feature(
            "run_rate_daily",
            FAMILY,
            "money a day",
            f"revenue a day over the last {longest} days; over the tenure if that is shorter, but at least "
            f"{shortest} days",
            "revenue level",
            grain="customer",
            formula=lambda c: c["run_rate_revenue"] / c["tenure_days"].clip(lower=shortest).clip(upper=longest),
        ),
        *(_to_run_rate(days) for days in (30, 90, 180)),
    )


def _to_run_rate(days: int) -> Feature:
    return Feature(
        f"revenue_{days}d_to_run_rate",
        FAMILY,
        "ratio",
        f"revenue of the last {days} days over that of {days} days at the run rate; NaN where that is not positive",
        "revenue trend",
        grain="customer",
        formula=lambda c: ratio(c[f"revenue_{days}d"], days * c["run_rate_daily"]),
    )


def _last_year() -> tuple[Definition, ...]:
    return (
        Feature(
            "revenue_90d_last_year",
            FAMILY,
            "money",
            "revenue of the 90 days that began 365 days before the as-of date: the season ahead, a year ago",
            "season",
            grain="batch",
            formula=lambda batches: sum_in_ages(batches, "net", 365, 365 - 90),
        ),
        Feature(
            "revenue_90d_last_year_to_run_rate",
            FAMILY,
            "ratio",
            "the same over 90 days at the run rate; NaN where that is not positive, or the tenure below 365 days",
            "season",
            grain="customer",
            formula=lambda c: ratio(c["revenue_90d_last_year"], 90 * c["run_rate_daily"]).where(
                c["tenure_days"] >= 365
            ),
        ),
        Feature(
            "revenue_365d_previous",
            FAMILY,
            "money",
            "revenue of the 365 days before the last 365",
            "revenue trend",
            grain="total",
            formula=lambda customers: customers.net_year_before,
        ),
    )


def _slope() -> tuple[Definition, ...]:
    return (
        Ingredient("slope_sum", grain="batch", formula=lambda batches: _in_full_blocks(batches, batches.net)),
        Ingredient(
            "slope_moment", grain="batch", formula=lambda batches: _in_full_blocks(batches, batches.net * batches.block)
        ),
        Feature(
            "revenue_slope",
            FAMILY,
            "share a month",
            f"least-squares slope of revenue by month, over its mean; of the whole months of {BLOCK_DAYS} days since "
            f"the first purchase, at most the last {BLOCKS}; NaN with fewer than {MIN_SLOPE_BLOCKS}, or where the mean "
            "is not positive",
            "revenue trend",
            grain="customer",
            formula=_relative_slope,
        ),
    )


def _in_full_blocks(batches: Table, values: Any) -> Any:
    return number(sum_of(values, batches.block < batches.full_blocks))


def _relative_slope(customers: pd.DataFrame) -> pd.Series[float]:
    """Blocks are numbered backwards, so a sum that leans on high numbers is a fall."""
    blocks = np.floor(customers["tenure_days"] / BLOCK_DAYS).clip(upper=BLOCKS)
    blocks = blocks.where(blocks >= MIN_SLOPE_BLOCKS)
    covariance = (blocks - 1) / 2 * customers["slope_sum"] - customers["slope_moment"]
    slope = covariance / (blocks * (blocks**2 - 1) / 12)
    return ratio(slope, customers["slope_sum"] / blocks)
