"""Intervals hold the true effect as often as they say, over many tests."""

import numpy as np
import pytest

from campaign_worlds import Floats, worlds
from segml.campaigns import Estimate, adjusted_difference, together

SEED = 20


def held(estimates: list[Estimate], truth: Floats) -> float:
    """Return the share of 95 % intervals that hold the truth."""
    ends = np.array([one.interval(0.05) for one in estimates])
    return float(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())


@pytest.mark.parametrize("uplift", [0.0, 0.3])
@pytest.mark.parametrize(
    ("customers", "strata", "share", "spread"),
    [(24, 2, 0.5, 1.0), (120, 4, 0.5, 1.0), (120, 4, 0.7, 1.8), (120, 4, 0.3, 1.0), (400, 6, 0.5, 1.8)],
)
def test_coverage_lies_between_93_and_99_per_cent(
    customers: int, strata: int, share: float, spread: float, uplift: float
) -> None:
    """Two standard errors of 1,500 tests are 1.1 points."""
    made = worlds(1500, customers, strata, share=share, uplift=uplift, spread=spread, seed=SEED)
    rows = range(1500)
    of_orders = [
        adjusted_difference(made.orders[one], made.orders_before[one], made.is_treated[one], made.stratum)
        for one in rows
    ]
    of_revenue = [
        adjusted_difference(made.revenue[one], made.revenue_before[one], made.is_treated[one], made.stratum)
        for one in rows
    ]
    assert 0.93 <= held(of_orders, made.orders_effect) <= 0.975
    assert 0.93 <= held(of_revenue, made.revenue_effect) <= 0.99
    bias = np.array([one.difference for one in of_orders]) - made.orders_effect
    assert abs(bias.mean()) < 4 * bias.std() / np.sqrt(1500)


def test_the_period_before_narrows_the_interval_and_moves_nothing() -> None:
    made = worlds(600, 200, 4, share=0.5, uplift=0.2, spread=1.0, seed=SEED)
    adjusted, plain = [], []
    for one in range(600):
        with_before = (made.orders_before[one], np.zeros(200))
        both = [adjusted_difference(made.orders[one], x, made.is_treated[one], made.stratum) for x in with_before]
        adjusted.append(both[0])
        plain.append(both[1])
    widths = [np.mean([np.diff(one.interval(0.05)) for one in group]) for group in (adjusted, plain)]
    assert widths[0] < 0.9 * widths[1]
    gap = np.array([one.difference - other.difference for one, other in zip(adjusted, plain, strict=True)])
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(600)


def test_without_a_period_before_and_strata_it_is_welch() -> None:
    from scipy import stats

    rng = np.random.default_rng(1)
    after, is_treated = rng.normal(size=30), np.arange(30) < 12
    found = adjusted_difference(after, np.zeros(30), is_treated, np.zeros(30))
    peer = stats.ttest_ind(after[is_treated], after[~is_treated], equal_var=False)
    assert found.p_value == pytest.approx(peer.pvalue)
    assert found.interval(0.05) == pytest.approx(tuple(peer.confidence_interval(0.95)))


def test_the_slope_is_that_of_a_weighted_regression() -> None:
    """Lin's tyranny of the minority: least squares on cells with weights that do not depend on the outcome."""
    rng = np.random.default_rng(2)
    stratum, is_treated = np.repeat([0, 1], [40, 20]), rng.permuted(np.arange(60) % 3 == 0)
    before = rng.normal(size=60)
    after = 0.7 * before + is_treated * (1 + stratum) + rng.normal(size=60)
    cell = 2 * stratum + is_treated
    count, share = np.bincount(cell)[cell], np.bincount(stratum)[stratum] / 60
    weight = np.sqrt(share**2 / (count * (count - 1)))
    design = np.column_stack([cell == one for one in range(4)] + [before]).astype(float)
    beta = np.linalg.lstsq(design * weight[:, None], after * weight, rcond=None)[0]
    expected = 40 / 60 * (beta[1] - beta[0]) + 20 / 60 * (beta[3] - beta[2])
    assert adjusted_difference(after, before, is_treated, stratum).difference == pytest.approx(expected)


def test_where_outcomes_do_not_vary_nothing_is_told() -> None:
    found = adjusted_difference(np.ones(20), np.ones(20), np.arange(20) % 2, np.zeros(20))
    assert found.difference == 0
    assert np.isnan(found.interval(0.05)).all()
    assert np.isnan(found.p_value)


def test_a_single_customer_does_not_decide_the_slope() -> None:
    before = np.zeros(20)
    before[3] = 100.0
    after = np.arange(20.0)
    found = adjusted_difference(after, before, np.arange(20) % 2, np.zeros(20))
    plain = adjusted_difference(after, np.zeros(20), np.arange(20) % 2, np.zeros(20))
    assert found == plain


def test_parts_add_up_by_their_weights() -> None:
    found = together([(0.25, Estimate(4.0, 16.0, 10.0, 8.0)), (0.75, Estimate(0.0, 0.0, float("nan"), 4.0))])
    assert found == Estimate(1.0, 1.0, 10.0, 5.0)
