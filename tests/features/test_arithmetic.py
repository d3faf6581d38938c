"""Sums that give the same bits in any order."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from segml.data.engine import to_table
from segml.features.arithmetic import MONEY_SCALE, SQUARE_SCALE, WEIGHT_SCALE, exact_sum, ratio


def total(values: list[float], scale: int) -> float:
    return float(exact_sum(to_table(pd.DataFrame({"value": values}))["value"], scale).to_pyarrow().as_py())


@pytest.mark.parametrize("scale", [MONEY_SCALE, SQUARE_SCALE, WEIGHT_SCALE])
def test_a_sum_does_not_depend_on_the_order_of_its_parts(scale: int) -> None:
    values = np.exp(-np.arange(2000) / 37)
    rising, falling = total(sorted(values), scale), total(sorted(values)[::-1], scale)
    assert rising == falling
    assert sum(sorted(values)) != sum(sorted(values)[::-1])  # which the sum of floats does


def test_what_cancels_out_leaves_the_rest_whole() -> None:
    assert total([1e15, 0.1, -1e15], MONEY_SCALE) == 0.1


@pytest.mark.parametrize(("scale", "size"), [(MONEY_SCALE, 1e3), (SQUARE_SCALE, 1.0), (WEIGHT_SCALE, 1e-9)])
def test_the_scale_keeps_nine_digits_and_more(scale: int, size: float) -> None:
    values = (np.random.default_rng(1).random(1000) * size).tolist()
    truth = float(sum(map(Fraction, values)))
    assert math.isclose(total(values, scale), truth, rel_tol=1e-9)


def test_a_ratio_is_unknown_where_the_denominator_is_not_positive_or_not_known() -> None:
    found = ratio(pd.Series([0.0, 1.0, 1.0, 1.0, np.nan]), pd.Series([2.0, 0.0, -1.0, np.nan, 1.0]))
    assert found.isna().tolist() == [False, True, True, True, True]
