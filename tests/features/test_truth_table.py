"""Sixteen lines made by hand, and every feature of them computed by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml import features

AS_OF = pd.Timestamp("2024-01-01")
# Days before the as-of date: 2022-01-01 = 730, 2022-07-01 = 549, 2023-01-01 = 365, 2023-04-01 = 275, 2023-10-03 = 90,
# 2023-12-02 = 30.

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]


def row(
    customer: str, order: str, moment: str, amount: float, product: str | None = None, **others: Any
) -> dict[str, Any]:
    ids = {"customer_id": customer, "order_id": order, "product_id": product}
    return {**ids, "ordered_at": pd.Timestamp(moment), "amount": amount, **others}


ROWS = [
    # a: four orders (1, 2, 3, 5), one return; order 4 was cancelled in time, order 6 comes too late
    row("a", "1", "2023-01-01", 100, "P1", category="X", margin=20, discount=0),
    row("a", "2", "2023-10-03", 60, "P1", category="X", margin=10, discount=0),
    row("a", "2", "2023-10-03", 40, "P2", category="Y", discount=10),
    row("a", "3", "2023-12-02 12:00", 50, "P1", category="X", margin=5, region="north"),
    row("a", "3", "2023-12-02 12:00", 20, "P1", category="X"),
    row("a", "3", "2023-12-02 12:00", 30, "P3"),
    row("a", "7", "2023-12-12", -30, "P1", category="X", margin=-6, discount=3, region="south"),
    row("a", "4", "2023-12-22", 200, "P2", category="Y", region="gone", cancelled_at=pd.Timestamp("2023-12-31")),
    row("a", "5", "2023-12-24", 240, "P2", category="Y", cancelled_at=pd.Timestamp("2024-01-01")),
    row("a", "8", "2023-12-25", 0, "P9", category="Z"),
    row("a", "6", "2024-01-01", 999, "P8", category="Q", margin=999, region="future"),
    # b: two orders, the younger of an unknown product
    row("b", "1", "2022-07-01", 1000, "P5", category="Z", region="east"),
    row("b", "2", "2023-02-15 06:00", 60),
    # c: never bought anything before the as-of date
    row("c", "1", "2023-11-01", -5, "P1"),
    row("c", "2", "2023-11-02", 0, "P1"),
    row("c", "3", "2024-01-01", 70, "P1"),
]

LN2 = math.log(2)
NAN = math.nan

# a: purchase days 2023-01-01, 10-03, 12-02, 12-24: gaps 275, 60, 22, sum 357, squares 75625 + 3600 + 484 = 79709,
#    variance (79709 - 357² / 3) / 2 = 18613.
#    Order values 100, 100, 100, 240: mean 135, deviations -35, -35, -35, 105, variance 14700 / 3 = 4900 = 70².
#    Lines 1, 2, 3, 1; products 1, 2, 2, 1. By product: P1 100 + 60 + 70 = 230, P2 40 + 240 = 280, P3 30.
#    Revenue by month back: 0: 100 - 30 + 240 = 310, 2 (day 90): 100; the first purchase is in the 13th.
# b: one gap, 2022-07-01 to 2023-02-15 = 229 days; order values 1000, 60: mean 530, deviations ±470, variance 441800.
#    The younger purchase is 319.75 days old: in month 10 back.
# base: gaps 357 + 229 = 586 over 3 + 1 = 4, mean 146.5.
EXPECTED: dict[str, tuple[Any, Any]] = {
    "recency_days": (8, 319.75),
    "tenure_days": (365, 549),
    "order_count": (4, 2),
    "order_count_30d": (2, 0),  # 3 is 29.5 days old
    "order_count_90d": (3, 0),  # 2 is 90 days old to the second: inside
    "order_count_180d": (3, 0),
    "order_count_365d": (4, 1),  # 1 is 365 days old to the second: inside
    "purchase_day_count": (4, 2),
    "active_month_share": (2 / 12, 1 / 12),
    "gap_mean_days": (119, 229),
    "gap_cv": (math.sqrt(18613) / 119, NAN),
    "gap_shrunk_days": ((357 + 3 * 146.5) / 6, (229 + 3 * 146.5) / 4),
    "recency_to_gap": (8 / 119, 319.75 / 229),
    "order_intensity": (
        LN2 / 90 * (2 ** (-365 / 90) + 2**-1 + 2 ** (-29.5 / 90) + 2 ** (-8 / 90)),
        LN2 / 90 * (2 ** (-549 / 90) + 2 ** (-319.75 / 90)),
    ),
    "revenue_total": (510, 1060),
    "revenue_30d": (310, 0),
    "revenue_90d": (410, 0),
    "revenue_180d": (410, 0),
    "revenue_365d": (510, 60),
    "order_value_mean": (135, 530),
    "order_value_cv": (70 / 135, math.sqrt(441800) / 530),
    "order_value_last_to_mean": (240 / 135, 60 / 530),
    "margin_365d": (20 + 10 + 5 - 6, NAN),
    "margin_share_365d": (29 / (100 + 60 + 50 - 30), NAN),
    "discount_share_365d": (10 / (100 + 60 + 40 + 10), NAN),  # the discount of a return is no purchase's
    "run_rate_daily": (510 / 365, 60 / 365),
    "revenue_30d_to_run_rate": (310 / (30 * 510 / 365), 0),
    "revenue_90d_to_run_rate": (410 / (90 * 510 / 365), 0),
    "revenue_180d_to_run_rate": (410 / (180 * 510 / 365), 0),
    "revenue_90d_last_year": (100, 60),
    "revenue_90d_last_year_to_run_rate": (100 / (90 * 510 / 365), 60 / (90 * 60 / 365)),
    "revenue_365d_previous": (0, 1000),
    # 12 months numbered back from 0, centre 5.5, Σ(x - 5.5)² = 143: (5.5 Σy - Σxy) / 143 / (Σy / 12)
    "revenue_slope": ((5.5 * 410 - 2 * 100) / 143 / (410 / 12), (5.5 * 60 - 10 * 60) / 143 / (60 / 12)),
    "product_count_365d": (3, NAN),
    "category_count_365d": (2, NAN),
    "product_count_365d_to_previous": (NAN, NAN),  # a is too young, b's last product unknown
    "category_count_365d_to_previous": (NAN, NAN),
    "repeat_product_share": (2 / 3, 0),  # P1 on three days, P2 on two
    "new_product_share_90d": (2 / 3, NAN),  # P2 and P3
    "top_product_share": (280 / 540, NAN),
    "lines_last3_to_mean": (((1 + 3 + 2) / 3) / (7 / 4), 1),
    "products_last3_to_mean": (((1 + 2 + 2) / 3) / (6 / 4), 1),
    "lines_per_order": (7 / 4, 1),
    "return_share_365d": (30 / 540, 0),
    "return_line_count_365d": (1, 0),
    "top_category": ("Y", "Z"),  # X 230, Y 280
    "region": ("south", "east"),
}


@pytest.fixture(scope="module")
def built(line_maker: Maker) -> pd.DataFrame:
    return features.build(line_maker(ROWS), AS_OF)


def test_only_customers_with_a_purchase_before_the_as_of_date_have_a_row(built: pd.DataFrame) -> None:
    assert built["customer_id"].tolist() == ["a", "b"]
    assert built["as_of"].tolist() == [AS_OF, AS_OF]


def test_every_feature_of_the_catalog_stands_in_the_table() -> None:
    assert list(EXPECTED) == [feature.name for feature in features.CATALOG]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_feature_has_the_value_computed_by_hand(built: pd.DataFrame, name: str) -> None:
    found = built[name].tolist()
    if isinstance(EXPECTED[name][0], str):
        assert found == list(EXPECTED[name])
    else:
        np.testing.assert_allclose(found, np.array(EXPECTED[name], dtype=float), rtol=1e-12, atol=0)


def test_a_young_customer_is_measured_over_the_months_it_has(line_maker: Maker) -> None:
    # 100 days old: run rate over 100 days, four months of which two are active, three of them whole
    lines = line_maker([row("a", "1", "2023-09-23", 100), row("a", "2", "2023-12-12", 50)])
    built = features.build(lines, AS_OF).iloc[0]
    assert built["run_rate_daily"] == 150 / 100
    assert built["active_month_share"] == 2 / 4
    # of the whole months only the last saw revenue, 50: (1 · 50 - 0) / 2 / (50 / 3)
    assert built["revenue_slope"] == pytest.approx(50 / 2 / (50 / 3), rel=1e-12)
    assert math.isnan(built["revenue_90d_last_year_to_run_rate"])


def test_the_run_rate_of_a_newcomer_is_taken_over_ninety_days_at_least(line_maker: Maker) -> None:
    returned_before = row("a", "0", "2023-11-01", -20)  # 61 days ago, before the first purchase, within the 90 days
    long_before = row("a", "0", "2023-06-01", -500)
    built = features.build(line_maker([returned_before, long_before, row("a", "1", "2023-12-22", 110)]), AS_OF).iloc[0]
    assert built["run_rate_daily"] == (110 - 20) / 90
    assert math.isnan(built["revenue_slope"])


def test_the_later_order_number_is_the_last_of_two_at_the_same_moment(line_maker: Maker) -> None:
    lines = line_maker([row("a", "9", "2023-12-01", 10), row("a", "8", "2023-12-01", 90)])
    assert features.build(lines, AS_OF)["order_value_last_to_mean"].tolist() == [10 / 50]


def test_equal_categories_and_regions_are_told_by_name(line_maker: Maker) -> None:
    lines = line_maker(
        [
            row("a", "1", "2023-12-01", 10, category="beta", region="west"),
            row("a", "2", "2023-12-01", 10, category="alpha", region="east"),
        ]
    )
    assert features.build(lines, AS_OF)[["top_category", "region"]].iloc[0].tolist() == ["alpha", "east"]


def test_a_product_that_stands_twice_in_an_order_counts_once_whichever_line_is_cancelled(line_maker: Maker) -> None:
    same, apart = ("2023-01-01", "2023-01-01"), ("2023-01-01", "2023-03-01")
    stands: list[tuple[tuple[str, str], tuple[str | None, str | None]]]
    stands = [(moments, fate) for moments in (same, apart) for fate in ((None, None), (None, "2023-06-01"))]
    stands += [(same, ("2023-06-01", None)), (apart, ("2023-06-01", None)), (apart, ("2023-02-01", "2024-06-01"))]
    gone = [(same, ("2023-06-01", "2023-06-01")), (apart, ("2023-02-01", "2023-06-01"))]
    rows = []
    for number, (moments, fates) in enumerate([*stands, *gone]):
        customer = f"c{number}"
        for moment, fate in zip(moments, fates, strict=True):
            rows.append(row(customer, "1", moment, 10, "P", cancelled_at=pd.Timestamp(fate) if fate else None))
        rows += [row(customer, order, f"2023-12-0{order}", 10, "Q") for order in ("2", "3")]
        rows += [row(customer, "4", "2023-12-04", 10, product) for product in ("Q", "R", "S")]
    found = features.build(line_maker(rows), AS_OF)["products_last3_to_mean"].tolist()
    last = (1 + 1 + 3) / 3
    assert found == pytest.approx([last / ((1 + 1 + 1 + 3) / 4)] * len(stands) + [1] * len(gone), rel=1e-12)


def test_breadth_is_compared_with_the_year_before(line_maker: Maker) -> None:
    bought = [
        ("2022-01-01", "P", "K"),  # 730 days old to the second: inside
        ("2022-12-31 23:59:59", "Q", "K"),  # a second older than 365 days
        ("2022-06-01", "R", "L"),
        ("2023-01-01", "P", "K"),  # 365 days old: the last year
        ("2023-05-01", "R", "K"),
    ]
    rows = [row("a", str(n), moment, 10, product, category=k) for n, (moment, product, k) in enumerate(bought)]
    earlier = row("a", "e", "2021-12-31 23:59:59", 10, "S", category="M")
    withdrawn = row("a", "w", "2022-07-01", 10, "T", category="N", cancelled_at=pd.Timestamp("2022-08-01"))
    built = features.build(line_maker([*rows, earlier, withdrawn]), AS_OF).iloc[0]
    assert built["product_count_365d_to_previous"] == 2 / 3
    assert built["category_count_365d_to_previous"] == 1 / 2


@pytest.mark.parametrize(
    ("first", "again", "ratio"),
    [
        ("2022-07-05", "2023-02-01", 1),  # a tenure of 545 days
        ("2022-07-05 00:00:01", "2023-02-01", NAN),
        ("2022-07-05", "2022-08-01", 0),  # nothing in the last year
        ("2021-12-01", "2023-02-01", NAN),  # nothing in the year before
    ],
)
def test_breadth_has_a_year_to_be_compared_with_or_is_unknown(
    first: str, again: str, ratio: float, line_maker: Maker
) -> None:
    lines = line_maker([row("a", "1", first, 10, "P", category="K"), row("a", "2", again, 10, "P", category="K")])
    found = features.build(lines, AS_OF)[["product_count_365d_to_previous", "category_count_365d_to_previous"]]
    np.testing.assert_array_equal(found.iloc[0].to_numpy(dtype=float), [ratio, ratio])


def test_two_orders_a_day_make_one_purchase_day_and_no_repeated_product(line_maker: Maker) -> None:
    lines = line_maker([row("a", "1", "2023-12-01 08:00", 10, "P"), row("a", "2", "2023-12-01 23:59:59.9", 10, "P")])
    built = features.build(lines, AS_OF).iloc[0]
    assert (built["order_count"], built["purchase_day_count"], built["repeat_product_share"]) == (2, 1, 0)
    assert math.isnan(built["gap_mean_days"])


def test_a_product_bought_a_moment_before_the_ninety_days_is_not_new(line_maker: Maker) -> None:
    lines = line_maker([row("a", "1", "2023-10-02 23:59:59", 10, "P"), row("a", "2", "2023-12-01", 10, "P")])
    assert features.build(lines, AS_OF)["new_product_share_90d"].tolist() == [0]


def test_an_as_of_date_may_fall_within_a_day(line_maker: Maker) -> None:
    lines = line_maker([row("a", "1", "2023-12-01 08:00", 10), row("a", "2", "2023-12-01 12:00", 10)])
    built = features.build(lines, pd.Timestamp("2023-12-01 12:00"))
    assert built[["order_count", "recency_days"]].iloc[0].tolist() == [1, 4 / 24]
