from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Renewal

Table = Callable[..., pd.DataFrame]

TRUTH = [
    ("renews today", 1.0, 0.0, "low", "renews soon: low health"),
    ("renews on the last day", 1.0, 60.0, "medium", "renews soon: medium health"),
    ("renews a day later", 1.0, 61.0, "medium", "no renewal soon"),
    ("renews soon and does well", 1.0, 30.0, "high", "renews soon: high health"),
    ("the last renewal has passed", 1.0, np.nan, "high", "no renewal soon"),
    ("health unknown", 1.0, 30.0, NOT_ENOUGH_DATA, NOT_ENOUGH_DATA),
    ("no contract", np.nan, np.nan, "high", NOT_ENOUGH_DATA),
]


@pytest.mark.parametrize(("story", "has_contract", "days", "health", "label"), TRUTH)
def test_the_truth_table(story: str, has_contract: float, days: float, health: str, label: str, table: Table) -> None:
    customer = table(has_contract=[has_contract], days_to_renewal=[days], health=[health])
    assert Renewal().assign(customer).tolist() == [label], story
    as_category = customer.assign(health=customer["health"].astype("category"))
    assert Renewal().assign(as_category).tolist() == [label], story


def test_the_days_are_a_setting(table: Table) -> None:
    customer = table(has_contract=[1.0], days_to_renewal=[61.0], health=["low"])
    renewal = Renewal(within_days=90)
    assert renewal.assign(customer).tolist() == ["renews soon: low health"]
    assert set(renewal.rules()) == set(Renewal.labels)
