"""Discounts given as a share of the list price."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.config import CleaningConfig, from_mapping
from segml.data import Cleaned, clean, connect, read_transactions

TODAY = date(2024, 6, 30)
GOOD = {"customer_id": "a", "ordered_at": datetime(2024, 5, 1), "quantity": 4.0, "unit_price": 25.0}


def cleaned(*rows: dict[str, Any]) -> Cleaned:
    frame = pd.DataFrame([GOOD | {"order_id": str(number)} | row for number, row in enumerate(rows)])
    return clean(frame, CleaningConfig(), today=TODAY)


def money(*rows: dict[str, Any]) -> Any:
    """Return amount and discount of each line."""
    lines = cleaned(*rows).lines.to_pyarrow().to_pandas().sort_values("order_id")
    return np.round(lines[["amount", "discount"]].astype(float), 9).fillna(-1).to_numpy().tolist()


@pytest.mark.parametrize(
    ("story", "row", "amount", "discount"),
    [
        ("the unit price is the list price", {"discount_rate": 0.2}, 80.0, 20.0),
        ("nothing taken off", {"discount_rate": 0.0}, 100.0, 0.0),
        ("no rate is no discount, and none is made up", {"discount_rate": np.nan}, 100.0, -1.0),
        ("a given amount stands", {"discount_rate": 0.2, "amount": 40.0}, 40.0, 10.0),
        ("a given discount stands", {"discount_rate": 0.2, "discount": 3.0}, 80.0, 3.0),
        ("a return", {"discount_rate": 0.2, "quantity": -4.0}, -80.0, -20.0),
        ("an unusable rate, the amount given", {"discount_rate": 1.0, "amount": 40.0}, 40.0, -1.0),
    ],
)
def test_the_truth_table(story: str, row: dict[str, Any], amount: float, discount: float) -> None:
    assert money(row) == [[amount, discount]], story


@pytest.mark.parametrize("rate", [1.0, 15.0, -0.1, np.inf])
def test_a_rate_outside_0_to_1_is_counted_and_no_amount_is_made_up_from_it(rate: float) -> None:
    result = cleaned({"discount_rate": 0.99}, {"discount_rate": rate, "amount": 5.0}, {"discount_rate": rate})
    assert result.ledger["bad_amount"].tally.lines == 1
    assert result.ledger["number_unknown"].tally.lines == 2
    assert result.lines.amount.sum().to_pyarrow().as_py() == pytest.approx(6.0)


def test_northwind_reconciles_to_the_cent(shared_data: Path) -> None:
    columns = {
        "customer_id": "CustomerID",
        "order_id": "OrderID",
        "ordered_at": "OrderDate",
        "product_id": "ProductID",
        "category": "CategoryName",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
        "discount_rate": "Discount",
        "region": "Country",
    }
    config = from_mapping({"data": {"columns": columns}})
    path = shared_data / "northwind.parquet"
    result = clean(read_transactions(path, config.data, connect()), config.data.cleaning, today=TODAY)
    source = pd.read_parquet(path)
    exact = [
        Decimal(str(price)) * quantity * (1 - Decimal(str(round(float(rate), 6))))
        for price, quantity, rate in zip(source["UnitPrice"], source["Quantity"], source["Discount"], strict=True)
    ]
    assert len(source) == result.ledger.kept.lines == 2155
    assert round(result.ledger.kept.amount, 2) == round(sum(exact), 2) == Decimal("1265793.04")
    listed = source["UnitPrice"] * source["Quantity"]
    discounts = result.lines.discount.sum().to_pyarrow().as_py()
    assert discounts == pytest.approx(float(listed.sum()) - 1265793.04, abs=0.01)
