"""What a customer buys: breadth, renewal and concentration of products, and the size of orders.

Lines whose product (category) is unknown count for nothing here.
"""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.features.arithmetic import number, ratio, sum_of
from segml.features.orders import LAST_ORDERS
from segml.features.spec import Definition, Feature, Ingredient
from segml.features.value import sum_in_ages

FAMILY = "assortment"
MIN_YEARS_DAYS = 365 + 180
"""Tenure from which breadth is compared with the year before: at least half of that year was seen."""


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (
        *_breadth(),
        *_to_year_before("product", "products"),
        *_to_year_before("category", "categories"),
        *_renewal(),
        *_concentration(),
        *_order_size(),
    )


def _breadth() -> tuple[Definition, ...]:
    return (
        Ingredient(
            "purchase_lines_365d",
            grain="batch",
            formula=lambda batches: sum_of(batches.purchase_lines, windows.in_last(batches.age, 365)),
        ),
        Ingredient(
            "products_365d",
            grain="product",
            formula=lambda products: products.in_365d.sum(),
        ),
        Feature(
            "product_count_365d",
            FAMILY,
            "products",
            "different products bought in the last 365 days; NaN where lines were bought, but no product is known",
            "assortment",
            grain="customer",
            formula=lambda c: _count_of_known(c, "products_365d"),
        ),
        Ingredient(
            "categories_365d",
            grain="category",
            formula=lambda categories: categories.in_365d.sum(),
        ),
        Feature(
            "category_count_365d",
            FAMILY,
            "categories",
            "different categories bought in the last 365 days; NaN where lines were bought, but no category is known",
            "assortment",
            grain="customer",
            formula=lambda c: _count_of_known(c, "categories_365d"),
        ),
    )


def _count_of_known(customers: pd.DataFrame, column: str) -> pd.Series[float]:
    count = customers[column].fillna(0.0)
    return count.where((count > 0) | ~(customers["purchase_lines_365d"] > 0))


def _to_year_before(thing: Literal["product", "category"], words: str) -> tuple[Definition, ...]:
    """A year that was seen in part had more to it, so that its ratio shows too little narrowing, never too much."""
    return (
        Ingredient(f"{words}_year_before", grain=thing, formula=lambda things: things.year_before.sum()),
        Feature(
            f"{thing}_count_365d_to_previous",
            FAMILY,
            "ratio",
            f"{words} of the last 365 days over those of the 365 days before; NaN where none were bought then, or the "
            f"tenure is below {MIN_YEARS_DAYS} days",
            "assortment",
            is_model_input=False,
            grain="customer",
            formula=lambda c: ratio(c[f"{thing}_count_365d"], c[f"{words}_year_before"]).where(
                c["tenure_days"] >= MIN_YEARS_DAYS
            ),
        ),
    )


def _renewal() -> tuple[Definition, ...]:
    return (
        Ingredient("products_ever", grain="product", formula=lambda products: products.ever.sum()),
        Ingredient("products_repeated", grain="product", formula=lambda products: products.repeated.sum()),
        Feature(
            "repeat_product_share",
            FAMILY,
            "share",
            "share of all products ever bought that were bought on more than one day",
            "renewal of assortment",
            grain="customer",
            formula=lambda c: ratio(c["products_repeated"], c["products_ever"]),
        ),
        Ingredient(
            "products_90d",
            grain="product",
            formula=lambda products: products.in_90d.sum(),
        ),
        Ingredient(
            "products_new_90d",
            grain="product",
            formula=lambda products: products.new_90d.sum(),
        ),
        Feature(
            "new_product_share_90d",
            FAMILY,
            "share",
            "share of the products of the last 90 days that were never bought before; NaN without a purchase",
            "renewal of assortment",
            grain="customer",
            formula=lambda c: ratio(c["products_new_90d"], c["products_90d"]),
        ),
    )


def _concentration() -> tuple[Definition, ...]:
    return (
        Ingredient("top_product_gross", grain="product", formula=lambda products: number(products.top.max())),
        Ingredient("products_gross", grain="batch", formula=lambda batches: sum_in_ages(batches, "product_gross", 365)),
        Feature(
            "top_product_share",
            FAMILY,
            "share",
            "share of the largest product in the purchases of the last 365 days, before returns; NaN without one",
            "assortment",
            grain="customer",
            formula=lambda c: ratio(c["top_product_gross"], c["products_gross"]),
        ),
    )


def _order_size() -> tuple[Definition, ...]:
    return (
        *_last_orders_to_mean("lines", "purchase lines"),
        *_last_orders_to_mean("products", "different products"),
        Feature(
            "lines_per_order",
            FAMILY,
            "lines",
            "mean number of purchase lines of an order",
            "order size",
            grain="customer",
            formula=lambda c: c["lines_total"] / c["order_count"],
        ),
    )


def _last_orders_to_mean(column: str, words: str) -> tuple[Definition, ...]:
    """Orders in which the column is unknown are left out of both means."""

    def mean_of_last(orders: Table) -> Any:
        return number(orders[column].sum()) / number(orders[column].count()).nullif(0)

    return (
        Ingredient(f"{column}_total", grain="total", formula=lambda customers: customers[column]),
        Ingredient(f"{column}_orders", grain="total", formula=lambda customers: customers[f"{column}_orders"]),
        Ingredient(f"{column}_last", grain="last", formula=mean_of_last),
        Feature(
            f"{column}_last{LAST_ORDERS}_to_mean",
            FAMILY,
            "ratio",
            f"mean number of {words} of the last {LAST_ORDERS} orders (of all, if fewer) over that of all orders",
            "order size",
            grain="customer",
            formula=lambda c: ratio(c[f"{column}_last"], c[f"{column}_total"] / c[f"{column}_orders"]),
        ),
    )
