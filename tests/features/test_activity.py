"""What customers did in a stretch of time: a hand-made table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from engines import engine
from few_lines import log
from segml.data.engine import to_table
from segml.features import activity

__all__ = ["engine"]

LINES = log(
    ("a", "1", "2024-01-01", 100.0, 20.0, None),
    ("a", "2", "2024-04-01", 50.0, 10.0, None),  # the first moment of the stretch
    ("a", "2", "2024-04-01", 30.0, None, None),
    ("a", "3", "2024-05-05", -20.0, -4.0, None),  # a return is no order
    ("a", "4", "2024-07-01", 999.0, 9.0, None),  # the moment after it
    ("b", "5", "2024-02-01", 40.0, 8.0, None),
    ("c", "6", "2024-05-01", 70.0, 7.0, "2024-06-30"),  # cancelled before the end
    ("d", "7", "2024-05-01", 70.0, 7.0, "2024-07-01"),  # and after it
    ("e", "8", "2024-08-01", 10.0, 1.0, None),
)


def test_the_stretch_is_half_open_and_seen_from_its_end(engine: Any) -> None:
    found: Any = activity(to_table(LINES, engine), "2024-04-01", "2024-07-01").set_index("customer_id")
    assert found.index.tolist() == ["a", "b", "d"]
    assert found.loc["a"].to_dict() == {
        "lines": 3,
        "revenue": 60.0,
        "margin": 6.0,
        "margin_revenue": 30.0,
        "orders": 1,
        "gross": 80.0,
        "tenure_days": 182.0,
    }
    assert found.loc["b", ["lines", "revenue", "orders", "gross", "tenure_days"]].tolist() == [0, 0, 0, 0, 151]
    assert np.isnan(found.loc["b", "margin"])
    assert found.loc["d", "revenue"] == 70.0


def test_later_lines_and_the_order_of_lines_change_nothing() -> None:
    found = activity(LINES, "2024-04-01", "2024-07-01")
    known = LINES[LINES["ordered_at"] < "2024-07-01"].sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(activity(known, "2024-04-01", "2024-07-01"), found, check_exact=True)


def test_revenue_adds_up_over_stretches() -> None:
    parts = [
        activity(LINES, *ends)["revenue"].sum() for ends in (("2023-01-01", "2024-03-01"), ("2024-03-01", "2025-01-01"))
    ]
    standing = LINES[LINES["cancelled_at"].isna()]
    assert sum(parts) == standing["amount"].sum()


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it begins; found 2024-07-01 and 2024-04-01"):
        activity(LINES, "2024-07-01", "2024-04-01")
