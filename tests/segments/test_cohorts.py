"""Retention and money of cohorts by age."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.schema import ORDER_LINES
from segml.segments import cohort_table

AS_OF = pd.Timestamp("2025-04-10")
TEXT = ("customer_id", "order_id", "product_id", "category", "channel", "region")


def table(*rows: tuple[str, str, float], cancelled: dict[int, str] | None = None) -> pd.DataFrame:
    """Return order lines of (customer, moment, amount); every moment of a customer is an order."""
    lines = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    lines = lines.assign(order_id=lines["ordered_at"], cancelled_at=pd.Series(cancelled or {}, dtype="str"))
    lines = lines.reindex(columns=list(ORDER_LINES.names))
    times = dict.fromkeys(("ordered_at", "cancelled_at"), "datetime64[us]")
    numbers = dict.fromkeys(("amount", "quantity", "margin", "discount"), "float64")
    return lines.astype({**dict.fromkeys(TEXT, "str"), **times, **numbers})


@pytest.fixture
def lines() -> pd.DataFrame:
    return table(
        ("a", "2024-07-01 00:00", 100),  # the first moment of Q3
        ("a", "2024-07-01 00:00", 20),  # a second line of the same order
        ("a", "2024-10-05", 50),
        ("a", "2025-01-05", 30),
        ("b", "2024-09-30 23:59:59", 80),
        ("b", "2024-09-30 23:59:59", -10),
        ("b", "2025-02-01", -5),  # a return is no purchase
        ("c", "2024-10-01", 40),
        ("c", "2025-04-01", 999),  # a quarter that is not over
        ("d", "2025-04-02", 999),  # nor is its cohort
        ("e", "2025-04-10", 999),  # the as-of date: future
        ("f", "2024-08-01", -3),  # returned before it ever bought
        ("f", "2024-11-01", 60),
    )


def test_what_each_cohort_did_at_each_age(lines: pd.DataFrame) -> None:
    found = cohort_table(lines, AS_OF, "quarter")
    expected = pd.DataFrame(
        [
            ("2024-Q3", 0, 2, 2, 1.0, 190.0, 95.0, 2, 100.0),
            ("2024-Q3", 1, 2, 1, 0.5, 50.0, 25.0, 1, 50.0),
            ("2024-Q3", 2, 2, 1, 0.5, 25.0, 12.5, 1, 30.0),
            ("2024-Q4", 0, 2, 2, 1.0, 100.0, 50.0, 2, 50.0),
            ("2024-Q4", 1, 2, 0, 0.0, 0.0, 0.0, 0, np.nan),
        ],
        columns=[
            "cohort",
            "age",
            "customers",
            "active",
            "retention",
            "revenue",
            "revenue_per_customer",
            "orders",
            "order_value",
        ],
    )
    assert_frame_equal(found, expected)


def test_a_period_that_ends_on_the_as_of_date_is_complete(lines: pd.DataFrame) -> None:
    assert cohort_table(lines, "2025-04-01", "quarter")["age"].max() == 2
    assert cohort_table(lines, "2025-03-31", "quarter")["age"].max() == 1


def test_months_and_years(lines: pd.DataFrame) -> None:
    months = cohort_table(lines, AS_OF, "month")
    assert months["cohort"].unique().tolist() == ["2024-07", "2024-09", "2024-10", "2024-11"]
    july = months[months["cohort"] == "2024-07"]
    assert july["active"].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 0]
    years = cohort_table(lines, AS_OF, "year")
    assert years[["cohort", "age", "customers"]].to_numpy().tolist() == [["2024", 0, 4]]


def test_cancelled_lines_count_until_they_are_cancelled() -> None:
    rows = ("a", "2024-01-05", 10.0), ("a", "2024-02-05", 10.0)
    before = cohort_table(table(*rows, cancelled={1: "2024-03-01"}), "2024-03-01", "month")
    after = cohort_table(table(*rows, cancelled={1: "2024-03-01"}), "2024-03-02", "month")
    assert before["active"].tolist() == [1, 1]
    assert after["active"].tolist() == [1, 0]


def test_without_a_complete_period_there_are_no_rows(lines: pd.DataFrame) -> None:
    assert cohort_table(lines, "2024-07-15", "month").empty
    assert cohort_table(lines.iloc[:0], AS_OF, "month").empty
    assert "retention" in cohort_table(lines.iloc[:0], AS_OF, "month").columns


def test_sizes_and_money_add_up_and_rows_may_come_in_any_order() -> None:
    rng = np.random.default_rng(5)
    moments = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 700 * 86_400, 800), unit="s")
    rows = zip("c" + pd.Series(rng.integers(0, 60, 800)).astype("str"), moments.astype("str"), strict=True)
    lines = table(*((customer, moment, 0.1 + place) for place, (customer, moment) in enumerate(rows)))
    found = cohort_table(lines, "2025-01-01", "quarter")
    assert found.loc[found["age"] == 0, "customers"].sum() == lines["customer_id"].nunique()
    assert found["revenue"].sum() == pytest.approx(lines["amount"].sum())
    assert (found["active"] <= found["customers"]).all()
    assert_frame_equal(
        cohort_table(lines.sample(frac=1, random_state=1), "2025-01-01", "quarter"), found, check_exact=True
    )
