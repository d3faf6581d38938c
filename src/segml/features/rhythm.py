"""How long, how often and how regularly a customer buys, and for how long it has been silent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.features.arithmetic import WEIGHT_SCALE, exact_sum, number, ratio
from segml.features.snapshots import BLOCK_DAYS, BLOCKS
from segml.features.spec import Definition, Feature, Ingredient

FAMILY = "rhythm"


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (
        *_silence_and_tenure(),
        *_counts(config),
        *_months(),
        *_gaps(),
        *_gaps_and_base(config),
        *_intensity(config),
    )


def _silence_and_tenure() -> tuple[Definition, ...]:
    return (
        Feature(
            "recency_days",
            FAMILY,
            "days",
            "time since the last purchase",
            "silence",
            grain="total",
            formula=lambda customers: number(customers.last_age) / windows.DAY_SECONDS,
        ),
        Feature(
            "tenure_days",
            FAMILY,
            "days",
            "time since the first purchase",
            "tenure",
            grain="total",
            formula=lambda customers: number(customers.first_age) / windows.DAY_SECONDS,
        ),
    )


def _counts(config: FeaturesConfig) -> tuple[Definition, ...]:
    return (
        Feature(
            "order_count",
            FAMILY,
            "orders",
            "orders with a purchase",
            "rhythm",
            grain="total",
            formula=lambda customers: customers.orders,
        ),
        *(_orders_in_window(days) for days in config.windows_days),
        Feature(
            "purchase_day_count",
            FAMILY,
            "days",
            "calendar days with a purchase",
            "rhythm",
            grain="day",
            formula=lambda days: days.days.sum(),
        ),
    )


def _orders_in_window(days: int) -> Feature:
    return Feature(
        f"order_count_{days}d",
        FAMILY,
        "orders",
        f"orders with a purchase in the last {days} days",
        "rhythm",
        grain="order",
        formula=lambda orders: windows.in_last(orders.age, days).sum(),
    )


def _months() -> tuple[Definition, ...]:
    return (
        Ingredient(
            "active_blocks",
            grain="batch",
            formula=lambda batches: batches.active_block.bit_or().fill_null(0),
        ),
        Feature(
            "active_month_share",
            FAMILY,
            "share",
            f"share of the last {BLOCKS} months, or of those since the first purchase if fewer, with a purchase; "
            f"a month is {BLOCK_DAYS} days, counted back from the as-of date",
            "rhythm",
            grain="customer",
            formula=lambda c: _bits(c["active_blocks"]) / np.ceil(c["tenure_days"] / BLOCK_DAYS).clip(upper=BLOCKS),
        ),
    )


def _bits(masks: pd.Series[float]) -> pd.Series[float]:
    """Return how many bits are set in whole numbers."""
    return pd.Series(np.bitwise_count(masks.to_numpy().astype("int64")), index=masks.index)


def _gaps() -> tuple[Definition, ...]:
    return (
        Ingredient("gap_count", grain="day", formula=lambda days: days.gaps.sum()),
        Ingredient("gap_sum", grain="day", formula=lambda days: days.gap_sum.sum()),
        Ingredient("gap_square_sum", grain="day", formula=lambda days: days.gap_square_sum.sum()),
        Feature(
            "gap_mean_days",
            FAMILY,
            "days",
            "mean gap between consecutive purchase days; NaN with one purchase day",
            "rhythm",
            grain="customer",
            formula=lambda c: ratio(c["gap_sum"], c["gap_count"]),
        ),
        Feature(
            "gap_cv",
            FAMILY,
            "ratio",
            "sample standard deviation of the gaps over their mean; NaN with fewer than two gaps",
            "rhythm",
            grain="customer",
            formula=_gap_variation,
        ),
    )


def _gap_variation(customers: pd.DataFrame) -> pd.Series[float]:
    """Whole days make whole sums of squares, so nothing is lost in the difference."""
    count, total = customers["gap_count"], customers["gap_sum"]
    spread = count * customers["gap_square_sum"] - total**2
    return ratio(spread, count * (count - 1)) ** 0.5 / ratio(total, count)


def _gaps_and_base(config: FeaturesConfig) -> tuple[Definition, ...]:
    prior = config.gap_prior_orders
    return (
        Feature(
            "gap_shrunk_days",
            FAMILY,
            "days",
            f"mean gap, drawn to the base: {prior:g} further gaps as long as the mean of all customers' gaps at the "
            "as-of date; NaN where the base has no gap",
            "rhythm",
            grain="customer",
            formula=lambda c: (
                (c["gap_sum"] + prior * ratio(c["base_gap_sum"], c["base_gap_count"])) / (c["gap_count"] + prior)
            ),
        ),
        Feature(
            "recency_to_gap",
            FAMILY,
            "ratio",
            "time since the last purchase over the customer's mean gap; NaN with one purchase day",
            "silence",
            grain="customer",
            formula=lambda c: ratio(c["recency_days"], c["gap_mean_days"]),
        ),
    )


def _intensity(config: FeaturesConfig) -> tuple[Definition, ...]:
    half_life = config.intensity_half_life_days
    decay = math.log(2) / half_life

    def decayed(orders: Table) -> Any:
        age_days = number(orders.age) / windows.DAY_SECONDS
        return exact_sum((age_days * -decay).exp(), WEIGHT_SCALE) * decay

    return (
        Feature(
            "order_intensity",
            FAMILY,
            "orders a day",
            f"exponentially weighted rate of orders: an order counts half after {half_life:g} days",
            "rhythm",
            grain="order",
            formula=decayed,
        ),
    )
