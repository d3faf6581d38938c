"""Which items are bought together more often than chance has it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pandas.testing import assert_frame_equal
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control, hypergeom

from segml.actions import association
from segml.actions.association import associated, breadth_strata, false_discovery_rates, joint_counts, upper_tail


def baskets(counts: dict[tuple[int, ...], int], items: int) -> csr_array:
    """Return so many baskets of each content."""
    rows = [np.isin(np.arange(items), content) for content, count in counts.items() for _ in range(count)]
    return csr_array(np.array(rows, dtype=np.int32))


def naive_counts(bought: csr_array) -> pd.DataFrame:
    """Count pairs as one would on a small log: all lines of a basket with one another."""
    lines = pd.DataFrame(dict(zip(("basket", "item"), bought.nonzero(), strict=True)))
    both = lines.merge(lines, on="basket", suffixes=("_one", "_other"))
    pairs = both[both["item_one"] < both["item_other"]].groupby(["item_one", "item_other"]).size()
    return pairs.rename("together").rename_axis(["first", "second"]).reset_index().astype("int64")


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.int32, st.tuples(st.integers(1, 25), st.integers(1, 8)), elements=st.integers(0, 1)), st.integers(1, 3)
)
def test_pairs_are_counted_as_a_plain_join_of_the_lines_counts_them(held: np.ndarray, at_least: int) -> None:
    bought = csr_array(held)
    counted = pd.concat(joint_counts(bought, at_least)).sort_values(["first", "second"], ignore_index=True)
    naive = naive_counts(bought)
    expected = naive[naive["together"] >= at_least].reset_index(drop=True)
    assert_frame_equal(counted, expected)


def test_blocks_of_any_size_count_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    held = csr_array(np.random.default_rng(0).integers(0, 2, (40, 17), dtype=np.int32))
    whole = pd.concat(joint_counts(held)).sort_values(["first", "second"], ignore_index=True)
    found = associated(held, np.zeros(40, np.int64), at_least=1, min_lift=1.0, rate=0.9)
    monkeypatch.setattr(association, "BLOCK", 40)
    parts = list(joint_counts(held))
    assert len(parts) == 9
    assert_frame_equal(pd.concat(parts).sort_values(["first", "second"], ignore_index=True), whole)
    assert_frame_equal(associated(held, np.zeros(40, np.int64), at_least=1, min_lift=1.0, rate=0.9), found)


def test_the_tail_is_close_to_the_exact_one_of_fisher() -> None:
    """Nine hundred customers, 90 buy the one and 60 the other."""
    total, one, other = 900, 90, 60
    exact = hypergeom(total, one, other)
    both = np.array([10, 15, 20, 30])
    approximate = upper_tail(both.astype(float), np.full(4, exact.mean()), np.full(4, exact.var()))
    assert np.log(approximate) == pytest.approx(np.log(exact.sf(both - 1)), rel=0.1)


def test_more_than_the_trials_of_that_distribution_is_bounded() -> None:
    """Eight certain purchases and a hundred of 1 %: nine on average, no more than eleven by mean and variance."""
    rng = np.random.default_rng(0)
    drawn = 8 + rng.binomial(100, 0.01, 200_000)
    for count in (12, 13, 14):
        bound = upper_tail(np.array([float(count)]), np.array([9.0]), np.array([0.99]))[0]
        assert (drawn >= count).mean() < bound < 0.5


def test_false_discovery_rates_are_those_of_scipy_with_the_other_tests_at_one() -> None:
    p_values = np.array([0.001, 0.03, 0.004, 0.04])
    expected = false_discovery_control(np.concatenate([p_values, np.ones(6)]))[:4]
    assert false_discovery_rates(p_values, 10) == pytest.approx(expected)


def test_equal_breadths_share_a_stratum_and_none_is_small() -> None:
    breadth = np.repeat([2, 3, 4, 5, 90], [100, 30, 40, 60, 20])
    assert [set(breadth[breadth_strata(breadth) == stratum]) for stratum in range(3)] == [{2}, {3, 4}, {5, 90}]
    assert set(breadth_strata(np.array([2, 3]))) == {0}
    assert breadth_strata(np.zeros(0, np.int64)).tolist() == []
    assert breadth_strata(np.arange(100_000)).max() < association.STRATA


def test_what_breadth_explains_is_not_associated() -> None:
    """A hundred large customers buy all ten items, nine hundred small ones one item each."""
    counts: dict[tuple[int, ...], int] = {tuple(range(10)): 100} | {(item,): 90 for item in range(10)}
    bought = baskets(counts, items=10)
    breadth = np.asarray(bought.sum(axis=1))
    pooled = np.zeros(len(breadth), np.int64)
    assert associated(bought, breadth_strata(breadth), at_least=10, min_lift=1.0, rate=0.05).empty
    assert associated(bought, pooled, at_least=10, min_lift=1.0, rate=0.05).empty  # the excess of all pairs is the same


def test_a_pair_that_is_bought_together_beyond_breadth_is_found() -> None:
    """Six items, two in each basket: those of 0 and 1 six times as often as any other two."""
    counts: dict[tuple[int, ...], int] = {(one, other): 20 for one in range(6) for other in range(one + 1, 6)}
    counts |= {(0, 1): 120}
    bought = baskets(counts, items=6)
    found = associated(bought, np.zeros(bought.shape[0], np.int64), at_least=10, min_lift=1.3, rate=0.01)
    assert found[["first", "second", "together"]].values.tolist() == [[0, 1, 120]]
    assert 60 < found["expected"].iloc[0] < 100
    assert found["p_adjusted"].to_numpy() == pytest.approx(15 * found["p_value"].to_numpy())


def test_expected_counts_of_a_stratum_add_up_to_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    held = csr_array(np.random.default_rng(1).integers(0, 2, (300, 8), dtype=np.int32))
    pairs = pd.concat(joint_counts(held))
    chance = association._Chance.of(held, np.zeros(300, np.int64))
    assert chance.at(pairs)[0].sum() == pytest.approx(pairs["together"].sum())


def test_strata_of_orders_are_as_good_sparse_as_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    held, strata = csr_array(rng.integers(0, 2, (600, 12), dtype=np.int32)), np.repeat(np.arange(40), 15)
    dense = associated(held, strata, at_least=1, min_lift=1.0, rate=0.99)
    monkeypatch.setattr(association, "STRATA", 1)
    assert_frame_equal(associated(held, strata, at_least=1, min_lift=1.0, rate=0.99), dense)


def test_what_stands_alone_in_its_stratum_is_compared_with_nothing() -> None:
    bought = baskets({(0, 1): 30, (2, 3): 30}, items=4)
    assert associated(bought, np.arange(60), at_least=1, min_lift=1.0, rate=0.5).empty


def test_without_baskets_nothing_is_found() -> None:
    found = associated(csr_array((0, 0), dtype=np.int32), np.zeros(0, np.int64), at_least=1, min_lift=1.0, rate=0.5)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == association.PAIRS
