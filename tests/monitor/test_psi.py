"""The population stability index: hand-made counts, then its law by simulation."""

import numpy as np
import pandas as pd
import pytest

from segml.monitor import psi
from segml.monitor.psi import Binned


def test_the_index_is_the_sum_over_bins_of_difference_times_log_ratio() -> None:
    then, now = np.array([10_000, 30_000]), np.array([20_000, 20_000])
    plain = (0.5 - 0.25) * np.log(0.5 / 0.25) + (0.5 - 0.75) * np.log(0.5 / 0.75)
    assert psi.index(Binned(then, now)) == pytest.approx(plain, abs=1e-4)


def test_the_same_shares_have_an_index_of_zero_and_one_bin_has_none() -> None:
    counts = np.array([10, 20, 30])
    assert psi.index(Binned(counts, counts)) == 0
    assert psi.index(Binned(np.array([9]), np.array([7]))) == 0
    assert psi.chance(Binned(np.array([9]), np.array([7]))) == 0


def test_an_empty_bin_is_no_infinity() -> None:
    assert 1 < psi.index(Binned(np.array([50, 50]), np.array([100, 0]))) < 5


def test_bins_of_the_reference_hold_equal_counts_and_at_least_ten() -> None:
    values = np.arange(1000.0)
    assert psi.number_bins(values, values, 10).then.tolist() == [100] * 10
    assert len(psi.number_bins(values[:50], values, 10).then) == 5
    assert len(psi.number_bins(values[:12], values, 10).then) == 2


def test_many_equal_values_share_a_bin() -> None:
    values = np.concatenate([np.zeros(600), np.arange(1.0, 401)])
    binned = psi.number_bins(values, values, 10)
    assert binned.then.tolist() == [600, 100, 100, 100, 100]


def test_unknown_values_are_a_bin_of_their_own() -> None:
    then, now = np.arange(100.0), np.concatenate([np.arange(60.0), np.full(40, np.nan)])
    assert psi.number_bins(then, now, 2).now.tolist() == [50, 10, 40]
    nothing = np.full(20, np.nan)
    assert psi.number_bins(nothing, nothing, 10).then.tolist() == [20]


def test_values_beyond_those_of_the_reference_fall_into_its_outer_bins() -> None:
    assert psi.number_bins(np.arange(20.0), np.array([-5.0, 99.0]), 2).now.tolist() == [1, 1]


def test_rare_categories_are_taken_together_and_a_frequent_new_one_is_not() -> None:
    then = pd.Series(["a"] * 50 + ["b"] * 46 + ["c", "d", "e", "f"])
    assert psi.category_bins(then, then).then.tolist() == [50, 46, 4]
    now = pd.Series(["a"] * 50 + ["z"] * 50)
    assert psi.category_bins(then, now).now.tolist() == [50, 0, 50, 0]


@pytest.mark.parametrize(("customers", "worlds"), [(50, 1000), (500, 600), (5000, 150)])
def test_without_change_the_index_follows_the_law_of_yurdakul_and_naranjo(customers: int, worlds: int) -> None:
    """The mean is (1/n + 1/m) · (B − 1), and one in twenty exceeds what chance allows."""
    rng = np.random.default_rng(7)
    drawn = [rng.lognormal(size=(2, customers)) for _ in range(worlds)]
    binned = [psi.number_bins(then, now, 10) for then, now in drawn]
    found = np.array([psi.index(one) for one in binned])
    freedom = len(binned[0].then) - 1
    assert found.mean() / (2 / customers * freedom) == pytest.approx(1, abs=0.12)
    exceed = np.mean(found > [psi.chance(one) for one in binned])
    assert exceed == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / worlds))
