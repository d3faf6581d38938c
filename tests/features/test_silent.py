"""Partial churn: what a customer stopped buying, though it still buys."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.data.engine import connect, to_table
from segml.features.silent import COLUMNS, silent_categories
from segml.schema import ORDER_LINES, DataError

AS_OF = pd.Timestamp("2025-01-01")


Row = tuple[str, str | None, pd.Timestamp, float]


def purchases(customer: str, category: str | None, every: int, until: int, amount: float = 10.0) -> list[Row]:
    """Return purchases every so many days in the year before the as-of date, the last one ``until`` days before it."""
    return [(customer, category, AS_OF - pd.Timedelta(days=day), amount) for day in range(until, 365, every)]


def lines_of(*parts: list[Row]) -> pd.DataFrame:
    rows = [row for part in parts for row in part]
    table = pd.DataFrame(rows, columns=["customer_id", "category", "ordered_at", "amount"])
    table = table.assign(order_id=np.arange(len(table)).astype(str), cancelled_at=None)
    types = {"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]", "amount": "float64"}
    return table.reindex(columns=ORDER_LINES.names).astype(types)


LINES = lines_of(
    purchases("partial", "tape", 10, 5),
    purchases("partial", "glue", 10, 100, 30.0),  # silent for 100 days, ten gaps
    purchases("gone", "tape", 10, 100),
    purchases("gone", "glue", 10, 100),  # inactive altogether
    purchases("loyal", "tape", 10, 5),
    purchases("loyal", "glue", 10, 5),
    purchases("slow", "tape", 10, 5),
    purchases("slow", "glue", 120, 100),  # silent for 100 days, less than a gap
    purchases("once", "tape", 10, 5),
    purchases("once", "nails", 400, 200),  # one purchase day tells no rhythm
    purchases("untold", None, 10, 5),
)


def test_only_what_is_late_by_its_own_rhythm_of_a_customer_that_still_buys_is_silent() -> None:
    silent = silent_categories(LINES, AS_OF)
    assert list(zip(silent["customer_id"], silent["category"], strict=True)) == [("partial", "glue")]
    row = silent.iloc[0]
    assert row["days_since_purchase"] == 100
    assert row["purchase_days"] == 27
    assert row["revenue_365d"] == 810
    assert row["share_of_customer"] == pytest.approx(810 / (810 + 360))
    assert 10 < row["usual_gap_days"] < 12  # 26 gaps of 10 days, drawn to the category's by three


def test_more_gaps_ask_for_more_silence() -> None:
    assert len(silent_categories(LINES, AS_OF, silent_gaps=9.0)) == 1
    assert silent_categories(LINES, AS_OF, silent_gaps=11.0).empty


def test_regions_and_products_can_go_silent_too() -> None:
    regions = LINES.assign(region=LINES["category"], category=None)
    silent = silent_categories(regions, AS_OF, "region")
    assert silent.columns[1] == "region"
    assert silent["region"].tolist() == ["glue"]


def test_most_money_comes_first() -> None:
    larger = lines_of(purchases("z", "tape", 10, 5), purchases("z", "glue", 10, 100, 90.0))
    silent = silent_categories(pd.concat([LINES, larger]), AS_OF)
    assert silent["customer_id"].tolist() == ["z", "partial"]


def test_later_lines_and_cancellations_change_nothing() -> None:
    later = lines_of([("partial", "glue", AS_OF, 500.0), ("gone", "tape", AS_OF + pd.Timedelta(days=3), 5.0)])
    regretted = LINES.assign(cancelled_at=AS_OF)
    assert_frame_equal(silent_categories(pd.concat([LINES, later]), AS_OF), silent_categories(LINES, AS_OF))
    assert_frame_equal(silent_categories(regretted, AS_OF), silent_categories(LINES, AS_OF))


def test_neither_the_order_of_rows_nor_threads_change_anything() -> None:
    shuffled = to_table(LINES.sample(frac=1, random_state=1), connect(2))
    assert_frame_equal(silent_categories(shuffled, AS_OF), silent_categories(LINES, AS_OF))


def test_no_categories_no_rows() -> None:
    silent = silent_categories(LINES.assign(category=None), AS_OF)
    assert silent.empty
    assert {name: str(kind) for name, kind in silent.dtypes.items()} == COLUMNS


def test_lines_without_a_column_are_refused() -> None:
    with pytest.raises(DataError, match=r"order lines lack columns \['category'\]"):
        silent_categories(LINES.drop(columns="category"), AS_OF)
