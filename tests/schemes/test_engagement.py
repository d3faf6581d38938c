from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes import Engagement

Table = Callable[..., pd.DataFrame]

TRUTH = [
    ("buys often and lately", 89.9, 4, 0, 0, "active"),
    ("buys often, but not lately", 90, 4, 0, 0, "periodic"),
    ("buys lately, but not often", 10, 3, 0, 0, "periodic"),
    ("not often, but answers", 10, 1, 10, 3, "active"),
    ("answers too rarely", 10, 1, 10, 2, "periodic"),
    ("was touched and never answers", 10, 1, 3, 0, "periodic"),
    ("answers, but does not buy", 200, 0, 2, 2, "periodic"),
    ("bought within half a year", 179.9, 1, 0, 0, "periodic"),
    ("silent for half a year", 180, 1, 0, 0, "passive"),
    ("silent, and touched in vain", 400, 0, 5, 0, "passive"),
    ("never touched, judged by purchases", 10, 12, 0, np.nan, "active"),
    ("never touched, and silent", 400, 0, 0, np.nan, "passive"),
    ("touches unknown", 10, 12, np.nan, np.nan, NOT_ENOUGH_DATA),
    ("answers not told", 10, 3, 5, np.nan, "periodic"),
    ("silence unknown", np.nan, 3, 5, 5, NOT_ENOUGH_DATA),
]


@pytest.mark.parametrize(("story", "recency", "orders", "touched", "answered", "label"), TRUTH)
def test_the_truth_table(
    story: str, recency: float, orders: float, touched: float, answered: float, label: str, table: Table
) -> None:
    customer = table(
        recency_days=[recency],
        order_count_365d=[orders],
        touch_count_365d=[touched],
        response_count_365d=[answered],
    )
    assert Engagement().assign(customer).tolist() == [label], story


def test_without_a_table_of_touches_it_is_no_scheme(table: Table) -> None:
    with pytest.raises(DataError, match=r"lacks columns \['touch_count_365d'\]"):
        Engagement().assign(table(recency_days=[5.0, 200.0], order_count_365d=[9.0, 1.0]))


def test_with_any_answer_enough_nobody_is_active_for_being_written_to(table: Table) -> None:
    customer = table(recency_days=[5.0], order_count_365d=[1.0], touch_count_365d=[4.0], response_count_365d=[0.0])
    assert Engagement(active_response_share=0.0).assign(customer).tolist() == ["periodic"]
