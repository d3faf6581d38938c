"""Revenue by period, counted back from the as-of date."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.features.periods import revenue_by_month, revenue_by_period, revenue_variation
from segml.schemes import Xyz

AS_OF = pd.Timestamp("2024-03-13")

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]


def row(customer: str, moment: str, amount: float, cancelled: str | None = None) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "order_id": moment,
        "ordered_at": pd.Timestamp(moment),
        "amount": amount,
        "cancelled_at": pd.Timestamp(cancelled) if cancelled else None,
    }


def test_months_run_from_day_to_day_and_are_zero_when_empty_and_unknown_before_the_first_purchase(
    line_maker: Maker,
) -> None:
    lines = line_maker(
        [
            row("old", "2023-01-01", 5),  # before all months: every month counts
            row("old", "2024-01-13", 7),  # the first moment of a month
            row("old", "2024-02-12 23:59:59", -2),  # and the last
            row("old", "2024-02-13", 9),
            row("old", "2024-03-13", 99),  # the as-of date: future
            row("young", "2024-02-12 23:59:59", 3),
            row("young", "2024-02-20", 4, "2024-03-12"),  # cancelled in time
            row("young", "2024-02-21", 6, "2024-03-13"),  # cancelled too late to be known
            row("returner", "2024-02-20", -1),
            row("late returner", "2023-12-20", -1),  # returned before its first purchase
            row("late returner", "2024-02-20", 8),
        ]
    )
    months = pd.DatetimeIndex(["2023-12-13", "2024-01-13", "2024-02-13"], dtype="datetime64[us]", name="month")
    expected = pd.DataFrame(
        {"late returner": [np.nan, np.nan, 8], "old": [0, 5, 9], "young": [np.nan, 3, 6]}, index=months, dtype=float
    ).T
    found = revenue_by_month(lines, AS_OF, 3)
    assert_frame_equal(found, expected.rename_axis("customer_id"), check_exact=True)


def test_a_month_that_is_too_short_ends_on_its_last_day(line_maker: Maker) -> None:
    lines = line_maker([row("a", "2024-01-01", 1), row("a", "2024-02-29", 2), row("a", "2024-03-30", 4)])
    found = revenue_by_month(lines, pd.Timestamp("2024-03-31"), 2)
    assert found.columns.tolist() == [pd.Timestamp("2024-01-31"), pd.Timestamp("2024-02-29")]
    assert found.to_numpy().tolist() == [[0, 6]]


def test_without_a_purchase_there_is_no_row(line_maker: Maker) -> None:
    found = revenue_by_month(line_maker([row("a", "2024-03-13", 1)]), AS_OF, 2)
    assert found.shape == (0, 2)


def test_order_of_rows_and_later_rows_change_nothing(random_lines: pd.DataFrame) -> None:
    as_of = pd.Timestamp("2023-09-13")
    past = random_lines[random_lines["ordered_at"] < as_of]
    past = past.assign(cancelled_at=past["cancelled_at"].where(past["cancelled_at"] < as_of)).sample(
        frac=1, random_state=1
    )
    found = revenue_by_month(random_lines, as_of, 12)
    assert_frame_equal(revenue_by_month(past, as_of, 12), found, check_exact=True)


@pytest.mark.parametrize("customer", ["c3", "c17"])
def test_the_months_of_a_long_known_customer_add_up_to_its_revenue(random_lines: pd.DataFrame, customer: str) -> None:
    as_of = pd.Timestamp("2024-06-01")
    seen = random_lines[random_lines["ordered_at"].between("2023-06-01", as_of, inclusive="left")]
    seen = seen[~(seen["cancelled_at"] < as_of) & (seen["customer_id"] == customer)]
    assert revenue_by_month(random_lines, as_of, 12).loc[customer].sum() == pytest.approx(
        seen["amount"].sum(), rel=1e-12
    )


def test_weeks_have_seven_days_and_quarters_three_months(line_maker: Maker) -> None:
    lines = line_maker(
        [
            row("a", "2023-01-01", 1),
            row("a", "2024-02-28", 2),
            row("a", "2024-03-05 23:59", 4),
            row("a", "2024-03-06", 8),
        ]
    )
    weeks = revenue_by_period(lines, AS_OF, "week", 2)
    assert weeks.columns.tolist() == [pd.Timestamp("2024-02-28"), pd.Timestamp("2024-03-06")]
    assert weeks.columns.name == "week"
    assert weeks.to_numpy().tolist() == [[6, 8]]
    quarters = revenue_by_period(lines, AS_OF, "quarter", 2)
    assert quarters.columns.tolist() == [pd.Timestamp("2023-09-13"), pd.Timestamp("2023-12-13")]
    assert quarters.to_numpy().tolist() == [[0, 14]]


def test_products_have_periods_too_and_lines_without_one_are_left_out(line_maker: Maker) -> None:
    lines = line_maker(
        [
            row("a", "2024-01-20", 5) | {"product_id": "P"},
            row("b", "2024-02-20", 7) | {"product_id": "P"},
            row("b", "2024-02-20", 9) | {"product_id": "Q"},
            row("b", "2024-02-20", 99),
        ]
    )
    found = revenue_by_period(lines, AS_OF, "month", 2, by="product_id")
    assert found.index.name == "product_id"
    assert found.T["P"].tolist() == [5, 7]
    assert found.T["Q"].fillna(-1).tolist() == [-1, 9]


def test_variation_counts_empty_periods_as_zero_and_not_those_before_the_first_purchase(line_maker: Maker) -> None:
    lines = line_maker(
        [
            row("steady", "2023-12-20", 6),
            row("steady", "2024-01-20", 6),
            row("steady", "2024-02-20", 6),
            row("gap", "2023-12-20", 9),
            row("gap", "2024-02-20", 9),
            row("young", "2024-01-20", 6),
        ]
    )
    found = revenue_variation(lines, AS_OF, Xyz(periods=3, min_periods=3))
    assert found.name == "revenue_cv"
    assert found["steady"] == 0.0
    assert found["gap"] == pytest.approx(np.sqrt(0.5))
    assert np.isnan(found["young"])
    assert revenue_variation(lines, AS_OF, Xyz(periods=3, min_periods=2))["young"] == 1.0
