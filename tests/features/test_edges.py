"""Little, odd or huge input."""

import math
import re
from collections.abc import Callable
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from ibis.expr.types import Table

from segml import features
from segml.config import FeaturesConfig
from segml.features.build import aggregate
from segml.features.catalog import definitions
from segml.features.dates import AsOfDates
from segml.features.grains import grains
from segml.features.snapshots import typed
from segml.schema import ORDER_LINES, DataError

AS_OF = pd.Timestamp("2024-01-01")
NUMBERS = [feature.name for feature in features.CATALOG if feature.unit != "text"]
TEXTS = [feature.name for feature in features.CATALOG if feature.unit == "text"]

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]


def line(
    customer: str = "a", order: str = "1", moment: str = "2023-12-01", amount: float = 10.0, **others: Any
) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "order_id": order,
        "ordered_at": pd.Timestamp(moment),
        "amount": amount,
        **others,
    }


def check_shape(built: pd.DataFrame, rows: int) -> None:
    assert built.columns.tolist() == ["customer_id", "as_of", *(feature.name for feature in features.CATALOG)]
    assert built.shape[0] == rows
    assert built.dtypes[NUMBERS].eq("float64").all()
    assert all(isinstance(built[name].dtype, pd.StringDtype) for name in ["customer_id", *TEXTS])
    assert built["as_of"].dtype == "datetime64[us]"
    assert not np.isinf(built[NUMBERS].to_numpy()).any()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [line(moment="2024-01-01"), line(moment="2025-01-01")],
        [line(amount=-10), line(amount=0)],
        [line(cancelled_at=pd.Timestamp("2023-12-31 23:59:59"))],
    ],
    ids=["no lines", "all in the future", "only returns", "cancelled"],
)
def test_without_a_purchase_the_frame_is_empty_and_has_all_columns(
    line_maker: Maker, rows: list[dict[str, Any]]
) -> None:
    check_shape(features.build(line_maker(rows), AS_OF), 0)


def test_one_line_is_enough(line_maker: Maker) -> None:
    built = features.build(line_maker([line()]), AS_OF)
    check_shape(built, 1)
    unknown = [name for name in NUMBERS if math.isnan(built[name].iloc[0])]
    assert "gap_shrunk_days" in unknown  # the base has no gap
    assert {"recency_days", "run_rate_daily", "lines_per_order", "active_month_share"}.isdisjoint(unknown)


def test_all_on_one_date(line_maker: Maker) -> None:
    rows = [line(customer, order) for customer in "abc" for order in "12"]
    built = features.build(line_maker(rows), AS_OF)
    check_shape(built, 3)
    assert built["purchase_day_count"].tolist() == [1, 1, 1]
    assert built["gap_shrunk_days"].isna().all()


def test_amounts_that_round_to_nothing_make_no_infinite_ratio(line_maker: Maker) -> None:
    rows = [line(order=order, amount=1e-9, product_id="P", discount=0, margin=0) for order in "123"]
    built = features.build(line_maker(rows), AS_OF)
    check_shape(built, 1)
    assert built[["order_value_mean", "revenue_total"]].iloc[0].tolist() == [0, 0]
    assert built[["order_value_cv", "top_product_share", "revenue_90d_to_run_rate"]].iloc[0].isna().all()


def test_revenue_that_was_all_returned_makes_trends_unknown(line_maker: Maker) -> None:
    built = features.build(line_maker([line(amount=10), line(order="2", amount=-30)]), AS_OF)
    check_shape(built, 1)
    assert built["run_rate_daily"].iloc[0] == -20 / 90
    assert built[["revenue_30d_to_run_rate", "revenue_slope"]].iloc[0].isna().all()
    assert built["return_share_365d"].iloc[0] == 3


def test_huge_amounts_do_not_overflow(line_maker: Maker) -> None:
    rows = [line(order=str(order), amount=1e12 * (1 + order % 2), product_id=f"P{order}") for order in range(1000)]
    built = features.build(line_maker(rows), AS_OF)
    check_shape(built, 1)
    assert built[["revenue_total", "order_value_mean"]].iloc[0].tolist() == [1.5e15, 1.5e12]
    assert built["order_value_cv"].iloc[0] == pytest.approx(math.sqrt(1000 / 999) / 3, rel=1e-12)


def test_unknown_products_and_categories_are_not_counted_as_one(line_maker: Maker) -> None:
    rows = [line(product_id="P", category=None), line(product_id=None, category="K"), line(product_id=None)]
    built = features.build(line_maker(rows), AS_OF)
    assert built[["product_count_365d", "category_count_365d", "top_product_share"]].iloc[0].tolist() == [1, 1, 1]


def test_nobody_bought_for_a_year_means_no_products_not_unknown_ones(line_maker: Maker) -> None:
    built = features.build(line_maker([line(moment="2022-01-01")]), AS_OF)
    assert built[["product_count_365d", "category_count_365d"]].iloc[0].tolist() == [0, 0]


def test_numbers_for_customers_become_text(line_maker: Maker) -> None:
    lines = line_maker([line()]).astype({"customer_id": "object"}).assign(customer_id=[12347])
    assert features.build(lines, AS_OF)["customer_id"].tolist() == ["12347"]


def test_further_windows_make_further_features(line_maker: Maker) -> None:
    config = FeaturesConfig(windows_days=(7, 30, 90, 180, 365))
    built = features.build(line_maker([line(moment="2023-12-26")]), AS_OF, config)
    assert built[["order_count_7d", "revenue_7d"]].iloc[0].tolist() == [1, 10]
    assert set(features.model_inputs(config)) - set(features.model_inputs()) == {"order_count_7d", "revenue_7d"}


@pytest.mark.parametrize("dates", [[AS_OF], ["2023-06-01", AS_OF]])
def test_windows_longer_than_a_year_are_seen_whole(line_maker: Maker, dates: list[Any]) -> None:
    config = FeaturesConfig(windows_days=(30, 90, 180, 365, 500), run_rate_days=700)
    rows = [line(order_id="1", moment="2022-09-01"), line(order_id="2", moment="2022-03-01")]
    built = features.build(line_maker(rows), dates, config).iloc[-1]
    assert built[["revenue_365d", "revenue_500d", "order_count_500d", "revenue_total"]].tolist() == [0, 10, 1, 20]
    assert built["run_rate_daily"] == 20 / 671  # since the first purchase


@pytest.mark.parametrize("dates", [[AS_OF], ["2023-06-01", AS_OF]])
def test_of_regions_told_at_the_same_moment_the_first_by_name_counts(line_maker: Maker, dates: list[Any]) -> None:
    told = [("1", "2023-03-01", "a"), ("2", "2023-04-01", "c"), ("3", "2023-04-01", "b"), ("4", "2023-05-01", None)]
    rows = [line(order_id=number, moment=moment, region=region) for number, moment, region in told]
    later = line(order_id="5", moment="2023-07-01", region="0", cancelled_at=pd.Timestamp("2023-08-01"))
    assert features.build(line_maker([*rows, later]), dates)["region"].tolist() == ["b"] * len(dates)


def test_the_prior_of_the_gap_is_configurable(line_maker: Maker) -> None:
    rows = [line("a", str(day), f"2023-12-{day}") for day in (10, 12, 14)] + [
        line("b", "1"),
        line("b", "2", "2023-12-11"),
    ]
    shrunk = features.build(line_maker(rows), AS_OF, FeaturesConfig(gap_prior_orders=1.0))["gap_shrunk_days"].tolist()
    base = (2 + 2 + 10) / 3
    assert shrunk == pytest.approx([(2 + 2 + base) / 3, (10 + base) / 2], rel=1e-12)


def test_a_missing_column_is_named(line_maker: Maker) -> None:
    lines = line_maker([line()]).rename(columns={"amount": "amounts"})
    with pytest.raises(DataError, match=r"order lines lack columns \['amount'\]; found .*did you mean 'amounts'"):
        features.build(lines, AS_OF)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        ([], "at least one as-of date is needed"),
        (pd.Timestamp("2024-01-01 00:00:00.5"), "an as-of date is a whole second"),
        (pd.Timestamp("2024-01-01", tz="UTC"), "carries no time zone"),
    ],
)
def test_an_as_of_date_that_is_none_is_refused(line_maker: Maker, as_of: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        features.build(line_maker([line()]), as_of)


def _at_once(rows: Table, kind: str) -> Table:
    """Keep nothing: all tables in one query."""
    return rows


@pytest.mark.parametrize("dialect", ["postgres", "databricks"])
def test_the_expressions_compile_for_other_engines(dialect: str) -> None:
    kinds = {"text": "string", "number": "float64", "time": "timestamp(6)"}
    lines = ibis.table({column.name: kinds[column.kind] for column in ORDER_LINES.columns}, name="lines")
    dates = AsOfDates.of(AS_OF)
    tables = grains(typed(lines), dates, 365, _at_once)
    query = ibis.to_sql(aggregate(tables, definitions(), dates, _at_once), dialect=dialect)
    assert re.search("gap_square_sum", query)
