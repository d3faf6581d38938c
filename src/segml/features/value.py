"""How much a customer spends: revenue, order value, margin, discount. Revenue is net: returns subtract."""

from __future__ import annotations

from typing import Any

import numpy as np
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.features.arithmetic import SQUARE_SCALE, exact_sum, number, only, ratio, sum_of
from segml.features.spec import Definition, Feature, Ingredient

FAMILY = "value"
MARGIN = "data.columns.margin or data.columns.cost"


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (*_revenue(config), *_order_value(), *_margin(), *_discount())


def _revenue(config: FeaturesConfig) -> tuple[Definition, ...]:
    return (
        Feature(
            "revenue_total",
            FAMILY,
            "money",
            "revenue since the first line",
            "revenue level",
            grain="total",
            formula=lambda customers: customers.net,
        ),
        *(_revenue_in_window(days) for days in config.windows_days),
    )


def _revenue_in_window(days: int) -> Feature:
    return Feature(
        f"revenue_{days}d",
        FAMILY,
        "money",
        f"revenue of the last {days} days",
        "revenue level",
        grain="batch",
        formula=lambda batches: sum_in_ages(batches, "net", days),
    )


def sum_in_ages(batches: Table, column: str, from_days: int, to_days: int = 0) -> Any:
    """Return the sum of a decimal column over ``[as_of − from_days, as_of − to_days)``; zero where there is no line."""
    inside = windows.in_ages(batches.age, from_days, to_days)
    return number(sum_of(batches[column], inside))


def _order_value() -> tuple[Definition, ...]:
    return (
        Feature(
            "order_value_mean",
            FAMILY,
            "money",
            "mean value of an order: its purchase lines, before returns",
            "order value",
            grain="total",
            formula=lambda customers: customers.mean_value,
        ),
        Ingredient("order_value_square_sum", grain="order", formula=_relative_square_sum),
        Feature(
            "order_value_cv",
            FAMILY,
            "ratio",
            "sample standard deviation of order value over its mean; NaN with one order",
            "order value",
            grain="customer",
            formula=lambda c: np.sqrt(ratio(c["order_value_square_sum"], c["order_count"] - 1)),
        ),
        Ingredient(
            "order_value_last",
            grain="last",
            formula=lambda orders: number(orders["value"].max(where=orders["rank"] == 0)),
        ),
        Feature(
            "order_value_last_to_mean",
            FAMILY,
            "ratio",
            "value of the last order over the mean value",
            "order value",
            grain="customer",
            formula=lambda c: ratio(c["order_value_last"], c["order_value_mean"]),
        ),
    )


def _relative_square_sum(orders: Table) -> Any:
    deviation = number(orders["value"]) / orders.mean_value.nullif(0) - 1
    return exact_sum(deviation * deviation, SQUARE_SCALE)


def _margin() -> tuple[Definition, ...]:
    return (
        Feature(
            "margin_365d",
            FAMILY,
            "money",
            "margin of the last 365 days, over the lines that tell it; NaN where none does",
            "margin",
            source=MARGIN,
            grain="batch",
            formula=lambda batches: number(only(batches.margin, windows.in_last(batches.age, 365)).sum()),
        ),
        Ingredient("margin_net_365d", grain="batch", formula=lambda batches: sum_in_ages(batches, "margin_net", 365)),
        Feature(
            "margin_share_365d",
            FAMILY,
            "share",
            "margin of the last 365 days over the revenue of the same lines; NaN where that is not positive",
            "margin",
            source=MARGIN,
            grain="customer",
            formula=lambda c: ratio(c["margin_365d"], c["margin_net_365d"]),
        ),
    )


def _discount() -> tuple[Definition, ...]:
    return (
        Ingredient("discount_sum", grain="batch", formula=lambda batches: sum_in_ages(batches, "discount", 365)),
        Ingredient(
            "discount_gross", grain="batch", formula=lambda batches: sum_in_ages(batches, "discount_gross", 365)
        ),
        Feature(
            "discount_share_365d",
            FAMILY,
            "share",
            "discounts of the last 365 days over list prices (amount plus discount), over the purchase lines that tell "
            "them; NaN where none does",
            "margin",
            source="data.columns.discount",
            grain="customer",
            formula=lambda c: ratio(c["discount_sum"], c["discount_gross"] + c["discount_sum"]),
        ),
    )
