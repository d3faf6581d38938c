import numpy as np
import pandas as pd
import pytest

from segml.schema import DataError
from segml.segments import shares

CUSTOMERS = pd.DataFrame(
    {
        "abc": pd.Categorical(["C", "A", "B", "C"], ["A", "B", "C", "not enough data"], ordered=True),
        "revenue_365d": [10.0, 70.0, 20.0, 0.0],
        "margin_365d": [5.0, 5.0, -10.0, 0.0],
    }
)


def test_each_segment_has_its_share_of_customers_and_of_revenue() -> None:
    expected = pd.DataFrame(
        {
            "segment": ["A", "B", "C"],
            "customers": [1, 1, 2],
            "customer_share": [0.25, 0.25, 0.5],
            "revenue": [70.0, 20.0, 10.0],
            "revenue_share": [0.7, 0.2, 0.1],
        }
    )
    found = shares(CUSTOMERS, "abc")
    pd.testing.assert_frame_equal(found.astype({"segment": "str"}), expected)
    assert found["segment"].tolist() == ["A", "B", "C"], "in the order of the labels"


def test_the_order_of_rows_changes_nothing_and_the_input_stays() -> None:
    shuffled = CUSTOMERS.iloc[[3, 1, 0, 2]]
    copy = shuffled.copy(deep=True)
    pd.testing.assert_frame_equal(shares(shuffled, "abc"), shares(CUSTOMERS, "abc"))
    pd.testing.assert_frame_equal(shuffled, copy)


def test_no_money_at_all_is_no_share_for_anybody() -> None:
    assert shares(CUSTOMERS, "abc", money="margin_365d")["revenue_share"].tolist() == [0.0, 0.0, 0.0]


def test_no_customers_give_no_rows() -> None:
    assert shares(CUSTOMERS.head(0), "abc").empty


@pytest.mark.parametrize("lacking", ["abc", "revenue_365d"])
def test_a_column_that_is_not_there_is_named(lacking: str) -> None:
    with pytest.raises(DataError, match=rf"shares lacks columns \['{lacking}'\]"):
        shares(CUSTOMERS.drop(columns=lacking), "abc")


def test_shares_of_a_whole_add_up_to_one() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"scheme": rng.choice(list("xyz"), 500), "revenue_365d": rng.lognormal(size=500)})
    found = shares(many, "scheme")
    assert found["customer_share"].sum() == pytest.approx(1)
    assert found["revenue_share"].sum() == pytest.approx(1)
