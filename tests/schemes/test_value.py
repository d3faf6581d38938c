from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Value

Table = Callable[..., pd.DataFrame]


def test_contribution_is_margin_less_cost_not_revenue(table: Table) -> None:
    """12 M at 8 % is worth less than 8 M at 22 %."""
    accounts = table(revenue_365d=[12e6, 8e6], margin_365d=[0.96e6, 1.76e6], cost_to_serve=[0.5e6, 0.5e6])
    assert Value(high_share=0.7).assign(accounts).tolist() == ["medium value", "high value"]


@pytest.mark.parametrize(
    ("story", "contributions", "labels"),
    [
        ("who begins at exactly 80 % is medium", [80, 15, 5], ["high value", "medium value", "low value"]),
        ("who crosses 80 % is high", [79, 16, 5], ["high value", "high value", "low value"]),
        ("who crosses 95 % is medium", [80, 14, 6], ["high value", "medium value", "medium value"]),
        ("equals share a class", [50, 50], ["high value", "high value"]),
        ("nothing is low", [100, 0], ["high value", "low value"]),
        ("a loss takes nothing off the total", [80, 20, -1000], ["high value", "medium value", "loss-making"]),
        ("a base without any profit", [0, -1], ["low value", "loss-making"]),
        ("one customer", [3], ["high value"]),
        ("an unknown margin", [3, np.nan], ["high value", NOT_ENOUGH_DATA]),
    ],
)
def test_classes(story: str, contributions: list[float], labels: list[str], table: Table) -> None:
    assert Value().assign(table(margin_365d=contributions)).tolist() == labels, story


def test_an_unknown_cost_counts_as_nothing_and_the_rule_says_so(table: Table) -> None:
    accounts = table(margin_365d=[10.0, 10.0], cost_to_serve=[None, 11.0])
    assert Value().assign(accounts).tolist() == ["high value", "loss-making"]
    assert "unknown cost counts as 0" in Value().rules()["high value"]


def test_the_contribution_stands_beside_the_label(table: Table) -> None:
    accounts = table(margin_365d=[10.0, np.nan, 5.0], cost_to_serve=[4.0, 4.0, None]).set_index(pd.Index([7, 8, 9]))
    contribution = Value().details(accounts)["contribution"]
    assert contribution.index.tolist() == [7, 8, 9]
    np.testing.assert_array_equal(contribution, [6.0, np.nan, 5.0])
    np.testing.assert_array_equal(
        Value().details(accounts.drop(columns="cost_to_serve"))["contribution"], [10, np.nan, 5]
    )


def test_shares_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"high_share \(0.95\) must lie below medium_share"):
        Value(high_share=0.95)
