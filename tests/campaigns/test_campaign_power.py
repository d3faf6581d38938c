"""How large an effect can be seen: against published figures, and against simulated tests."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from segml.campaigns import Past, adjusted_difference, detectable, needed, past, plan
from segml.config import CampaignConfig
from segml.schema import DataError
from segml.windows import as_timestamp
from support import orders

CONFIG = CampaignConfig()


def rate(of: float, customers: int = 100) -> Past:
    return Past(customers, of, math.sqrt(of * (1 - of)), 0.0)


def test_rates_agree_with_the_power_that_r_states_for_two_proportions() -> None:
    ninety = CONFIG.model_copy(update={"power": 0.9})
    assert (
        needed(0.25, rate(0.5), "bought", ninety) == 154
    )  # power.prop.test(p1 = .50, p2 = .75, power = .90): 2 × 76.7
    as_told = CONFIG.model_copy(update={"power": 0.7401659})  # power.prop.test(n = 50, p1 = .50, p2 = .75)
    assert detectable(rate(0.5), "bought", as_told) == pytest.approx(0.25, abs=1e-3)


def test_means_agree_with_the_power_that_r_states_for_t_tests() -> None:
    ninety = CONFIG.model_copy(update={"power": 0.9})
    found = needed(1.0, Past(100, 5.0, 1.0, 0.0), "revenue", ninety)
    assert found in (44, 45)  # power.t.test(power = .90, delta = 1): 2 × 22.02


def test_what_the_past_explains_spares_customers_in_proportion() -> None:
    half = Past(400, 0.5, 0.5, 0.5)
    assert detectable(half, "bought", CONFIG) == pytest.approx(detectable(rate(0.5, 800), "bought", CONFIG))
    assert detectable(half, "orders", CONFIG) == pytest.approx(detectable(rate(0.5, 800), "orders", CONFIG), rel=1e-2)


def test_an_effect_on_a_rate_is_the_one_that_can_be_seen_either_way() -> None:
    up = detectable(rate(0.3), "bought", CONFIG)
    assert up == pytest.approx(detectable(rate(0.7), "bought", CONFIG))
    assert detectable(rate(0.02), "bought", CONFIG) > 0.02  # it cannot fall so far: a rise


def test_too_few_customers_see_nothing() -> None:
    assert math.isnan(detectable(rate(0.5, 9), "bought", CONFIG))
    assert needed(0.6, rate(0.9), "bought", CONFIG) is not None
    assert needed(1e-12, rate(0.5), "orders", CONFIG) is None


def test_the_past_is_measured_within_strata_and_beside_the_period_before() -> None:
    rng = np.random.default_rng(1)
    level = np.repeat([0.0, 10.0], 2000)
    habit = rng.normal(0, 2, 4000)
    table = pd.DataFrame(
        {
            "stratum": np.repeat(["a", "b"], 2000),
            "before": level + habit + rng.normal(0, 1, 4000),
            "outcome": level + habit + rng.normal(0, 1, 4000),
        }
    )
    found = past(table)
    left = 5 * (1 - (4 / 5) ** 2)  # variance of habit and noise that their like of the period before does not foretell
    assert found.deviation**2 * (1 - found.explained) == pytest.approx(left, rel=0.06)
    assert found.mean == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("outcome", ["bought", "orders"])
def test_at_the_visible_effect_four_in_five_tests_see_it(outcome: str) -> None:
    rng = np.random.default_rng(2)
    customers, tests = 200, 1500
    habit = rng.gamma(2.0, 0.5, (tests, customers))
    before = rng.poisson(habit).astype(float)
    after = rng.poisson(habit).astype(float)
    if outcome == "bought":
        before, after = (before > 0).astype(float), (after > 0).astype(float)
    pooled = pd.DataFrame({"stratum": "all", "before": before.ravel(), "outcome": after.ravel()})
    known = past(pooled)
    effect = detectable(Past(customers, known.mean, known.deviation, known.explained), outcome, CONFIG)  # type: ignore[arg-type]
    is_treated = np.arange(customers) % 2 == 0
    if outcome == "bought":  # a share of those who do not buy is won over
        won = rng.random((tests, customers)) < effect / (1 - known.mean)
        after = np.where(is_treated & won, 1.0, after)
    else:
        after = after + is_treated * effect
    stratum = np.zeros(customers)
    seen = [adjusted_difference(y, x, is_treated, stratum).p_value < 0.05 for y, x in zip(after, before, strict=True)]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.045)


def decisions(customers: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"K{number:03}" for number in range(customers)],
            "tier": ["key" if number % 4 == 0 else "small" for number in range(customers)],
            "risk_band": "low",
            "as_of": pd.Timestamp("2024-06-01"),
        }
    )


def lines(customers: int, days: int) -> pd.DataFrame:
    """Return order lines of regular customers whose orders differ in size, as cleaning would hand them on."""
    table = orders(customers, days, every=40)
    rng = np.random.default_rng(0)
    text = pd.Series(None, index=table.index, dtype="str")
    return table.assign(
        order_id=[str(number) for number in range(len(table))],
        amount=rng.lognormal(4, 1, len(table)),
        product_id="p",
        category=text,
        quantity=1.0,
        margin=float("nan"),
        discount=float("nan"),
        channel=text,
        region=text,
        cancelled_at=pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]"),
    )


SHORT = CampaignConfig(days=30)
SPAN: dict[str, Any] = {"known_from": as_timestamp("2024-01-01"), "known_until": as_timestamp("2024-07-15")}


def test_a_plan_says_what_can_be_seen_in_a_sentence() -> None:
    planned = plan(lines(120, 196), decisions(120), SHORT, effect=0.05, **SPAN)
    assert list(planned.table["segment"]) == ["all", "key", "small"] * 3
    assert planned.promises[0].startswith("With 120 customers, 60 of them treated, you can see an effect of ±")
    assert any("points on the share that buys within 30 days (so far 75%)" in one for one in planned.promises)
    assert any(one.startswith("To see ±5.0 points on the share that buys takes ") for one in planned.promises)
    assert "--earlier" in planned.notices[0]


def test_a_plan_with_earlier_decisions_measures_what_came_after_them() -> None:
    log = lines(120, 196)
    planned = plan(log, decisions(120), SHORT, earlier=decisions(120), **SPAN)
    assert planned.notices == ()
    later = log[log["ordered_at"] >= pd.Timestamp("2024-07-01")]
    cut = plan(log.drop(later.index), decisions(120), SHORT, earlier=decisions(120), **SPAN)
    pd.testing.assert_frame_equal(planned.table, cut.table)  # what came after the window does not matter


def test_what_a_plan_lacks_is_told() -> None:
    nobody = CampaignConfig(days=30, where='tier == "huge"')
    with pytest.raises(DataError, match="holds for none of the 120 customers"):
        plan(lines(120, 196), decisions(120), nobody, **SPAN)
    with pytest.raises(DataError, match="earlier decisions need one date"):
        plan(lines(120, 196), decisions(120), SHORT, earlier=decisions(120).drop(columns="as_of"), **SPAN)
    with pytest.raises(DataError, match="is not over: its window runs to 2024-07-31"):
        soon = decisions(120).assign(as_of=pd.Timestamp("2024-07-01"))
        plan(lines(120, 196), decisions(120), SHORT, earlier=soon, **SPAN)
    with pytest.raises(DataError, match="at least 10 customers who bought before"):
        plan(lines(5, 196), decisions(5), SHORT, **SPAN)


def test_t_quantiles_widen_the_effect_that_few_customers_show() -> None:
    few, many = Past(12, 1.0, 1.0, 0.0), Past(12_000, 1.0, 1.0, 0.0)
    normal = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert detectable(many, "revenue", CONFIG) == pytest.approx(normal * math.sqrt(4 / 12_000), rel=1e-3)
    assert detectable(few, "revenue", CONFIG) > 1.1 * normal * math.sqrt(4 / 12)
