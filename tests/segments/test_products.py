"""Products by revenue and steadiness."""

from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.features import build
from segml.schema import NOT_ENOUGH_DATA, ORDER_LINES
from segml.schemes import Abc, Xyz
from segml.segments import classify_products

AS_OF = pd.Timestamp("2025-01-01")
TEXT = ("customer_id", "order_id", "product_id", "category", "channel", "region")


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return order lines with all columns; what a row leaves out is null."""
    lines = pd.DataFrame(rows, columns=list(ORDER_LINES.names))
    times = dict.fromkeys(("ordered_at", "cancelled_at"), "datetime64[us]")
    numbers = dict.fromkeys(("amount", "quantity", "margin", "discount"), "float64")
    return lines.astype({**dict.fromkeys(TEXT, "str"), **times, **numbers})


def sold(product: str | None, moment: str, amount: float, customer: str = "a", **rest: Any) -> dict[str, Any]:
    when = pd.Timestamp(moment)
    found = {"customer_id": customer, "order_id": moment, "ordered_at": when, "amount": amount, "product_id": product}
    return found | rest


def monthly(product: str, amount: float, **rest: Any) -> list[dict[str, Any]]:
    return [sold(product, f"2024-{month:02}-15", amount, **rest) for month in range(1, 13)]


@pytest.fixture
def lines() -> pd.DataFrame:
    return table(
        [
            *monthly("P1", 50, category="glue", margin=1.0),
            sold("P2", "2024-03-10", 310, customer="b", category="tape", margin=90.0),
            sold("P2", "2024-03-10", 0.5, customer="c", category="glue", margin=0.1),
            sold("P2", "2024-06-10", -0.5, customer="c"),
            sold("P3", "2024-12-20", 90, margin=9.0),
            sold("OLD", "2023-05-01", 900, category="tape"),
            sold("RETURNED", "2024-05-01", -7),
            sold("FUTURE", "2025-01-01", 999),
            sold("CANCELLED", "2024-05-01", 999, cancelled_at=pd.Timestamp("2024-06-01")),
            sold(None, "2024-05-01", 999),
        ]
    )


def test_products_are_ranked_and_classed_as_customers_are(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(), Xyz()).set_index("product_id")
    assert list(found.index) == ["P1", "P2", "P3", "OLD"]
    assert found["revenue_365d"].tolist() == [600.0, 310.0, 90.0, 0.0]
    assert found["abc"].tolist() == ["A", "A", "B", "C"]  # P1 and P2 make 91 %: P2 crosses the line
    assert found["xyz"].tolist() == ["X", "Z", NOT_ENOUGH_DATA, NOT_ENOUGH_DATA]
    assert found["abc_xyz"].tolist() == ["AX", "AZ", NOT_ENOUGH_DATA, NOT_ENOUGH_DATA]
    assert found["revenue_cv"]["P1"] == 0.0


def test_customers_and_orders_are_those_of_the_last_year_with_a_purchase(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(), Xyz()).set_index("product_id")
    assert found["customers"].to_dict() == {"P1": 1, "P2": 2, "P3": 1, "OLD": 0}
    assert found["orders"].to_dict() == {"P1": 12, "P2": 2, "P3": 1, "OLD": 0}  # one number, two customers: two orders


def test_the_category_is_that_of_the_largest_purchases(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(), Xyz()).set_index("product_id")["category"]
    assert found.dropna().to_dict() == {"P1": "glue", "P2": "tape", "OLD": "tape"}


def test_by_margin_another_product_leads(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(by="margin"), Xyz()).set_index("product_id")
    assert list(found.index) == ["P1", "P2", "P3", "OLD"]
    assert found["margin_365d"].dropna().to_dict() == {"P1": 12.0, "P2": pytest.approx(90.1), "P3": 9.0}
    assert found["abc"].to_dict() == {"P1": "B", "P2": "A", "P3": "B", "OLD": NOT_ENOUGH_DATA}


def test_a_shorter_window_has_its_own_money_and_the_year_stays(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(window_days=30), Xyz()).set_index("product_id")
    assert found["revenue_30d"].tolist() == [50.0, 0.0, 90.0, 0.0]
    assert found["revenue_365d"]["P1"] == 600.0
    assert found["abc"].to_dict() == {"P1": "A", "P2": "C", "P3": "A", "OLD": "C"}


def test_columns(lines: pd.DataFrame) -> None:
    found = classify_products(lines, AS_OF, Abc(), Xyz())
    told = ["product_id", "category", "customers", "orders", "revenue_365d", "revenue_cv", "abc", "xyz", "abc_xyz"]
    assert list(found.columns) == told


def test_the_money_of_products_is_that_of_customers(lines: pd.DataFrame) -> None:
    named = lines[lines["product_id"].notna()]
    customers = build(named, AS_OF)
    assert set(customers["customer_id"]) == {"a", "b", "c"}
    without_returns = named[named["product_id"] != "RETURNED"]
    products = classify_products(without_returns, AS_OF, Abc(), Xyz())["revenue_365d"].sum()
    assert products == pytest.approx(build(without_returns, AS_OF)["revenue_365d"].sum(), abs=1e-9)


def test_without_products_there_are_no_rows(lines: pd.DataFrame) -> None:
    found = classify_products(lines.assign(product_id=pd.Series(index=lines.index, dtype="str")), AS_OF, Abc(), Xyz())
    assert found.empty
    assert "abc_xyz" in found.columns


def test_equal_products_come_in_the_order_of_their_names_and_rows_in_any(lines: pd.DataFrame) -> None:
    equal = table([sold(product, "2024-05-01", 10) for product in ("c", "a", "b")])
    assert classify_products(equal, AS_OF, Abc(), Xyz())["product_id"].tolist() == ["a", "b", "c"]
    first = classify_products(lines, AS_OF, Abc(), Xyz())
    assert_frame_equal(classify_products(lines.sample(frac=1, random_state=4), AS_OF, Abc(), Xyz()), first)
