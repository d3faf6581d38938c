from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.tier import Tier


@pytest.fixture
def accounts(table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Ten accounts, 1000 in all, each with us for two years and as large a year ago."""
    revenue = [500.0, 130, 100, 90, 70, 60, 20, 15, 10, 5]
    return table(revenue_365d=revenue, revenue_365d_previous=revenue, tenure_days=[730.0] * 10)


def tiers(accounts: pd.DataFrame, scheme: Tier | None = None) -> list[str]:
    return (scheme or Tier()).assign(accounts).tolist()


def test_key_accounts_make_the_first_60_percent_and_small_ones_the_last_5(accounts: pd.DataFrame) -> None:
    assert tiers(accounts) == ["key"] * 2 + ["standard"] * 4 + ["small"] * 4


def test_who_begins_on_the_line_is_not_key(accounts: pd.DataFrame) -> None:
    assert tiers(accounts, Tier(key_revenue_share=0.5))[:2] == ["key", "standard"]


def test_key_accounts_are_at_most_a_share_of_the_buyers(accounts: pd.DataFrame) -> None:
    assert tiers(accounts, Tier(key_customer_share_at_most=0.1)).count("key") == 1
    silent = accounts.assign(revenue_365d=accounts["revenue_365d"].where(accounts.index < 5, 0.0))
    assert tiers(silent).count("key") == 1


def test_equals_that_do_not_all_fit_are_not_key(accounts: pd.DataFrame) -> None:
    revenue = [300.0] * 3 + [10.0] * 7
    alike = accounts.assign(revenue_365d=revenue, revenue_365d_previous=revenue)
    assert tiers(alike, Tier(key_customer_share_at_most=0.2))[:3] == ["standard"] * 3


def test_there_is_always_room_for_one_key_account(accounts: pd.DataFrame) -> None:
    assert tiers(accounts.iloc[:1]) == ["key"]
    assert tiers(accounts.iloc[:2]) == ["key", "standard"]


def test_a_key_account_may_need_a_least_revenue_and_years(accounts: pd.DataFrame) -> None:
    assert tiers(accounts, Tier(key_min_revenue=200))[:2] == ["key", "standard"]
    assert tiers(accounts, Tier(key_min_years=2.5)).count("key") == 0
    words = Tier(key_min_revenue=3e6, key_min_years=2).rules()["key"]
    assert "from 3,000,000, with us 2 years and more" in words


@pytest.mark.parametrize(
    ("story", "place", "previous", "tenure", "tier"),
    [
        ("up by 30 percent", 3, 90 / 1.3, 730, "growing"),
        ("up by a little less", 3, 70, 730, "standard"),
        ("key accounts stay key", 0, 10, 730, "key"),
        ("the small tail does not grow", 9, 1, 730, "small"),
        ("nothing to grow from", 3, 0, 730, "standard"),
        ("came a year and a quarter ago and buys as before", 3, 90 * 91 / 365, 365 + 91, "standard"),
        ("came a year and a quarter ago and buys half as much again", 3, 60 * 91 / 365, 365 + 91, "growing"),
        ("too short a year before", 3, 1, 365 + 89, "standard"),
        ("the shortest year before that counts", 3, 60 * 90 / 365, 365 + 90, "growing"),
        ("came this year", 3, 0, 200, "standard"),
        ("with us for four years and as large as a year ago", 3, 90, 1460, "standard"),
    ],
)
def test_growth(story: str, place: int, previous: float, tenure: float, tier: str, accounts: pd.DataFrame) -> None:
    accounts.loc[place, ["revenue_365d_previous", "tenure_days"]] = [previous, tenure]
    assert tiers(accounts)[place] == tier, story


def test_growing_may_need_a_least_revenue(accounts: pd.DataFrame) -> None:
    grown = accounts.assign(revenue_365d_previous=accounts["revenue_365d"] / 2)
    assert tiers(grown, Tier(growing_min_revenue=95))[2:5] == ["growing", "standard", "standard"]


def test_accounts_without_revenue_are_small_and_a_base_without_any_is_unclear(accounts: pd.DataFrame) -> None:
    some = accounts.assign(revenue_365d=[10.0] * 8 + [0.0, -5.0])
    assert tiers(some)[8:] == ["small", "small"]
    assert set(tiers(accounts.assign(revenue_365d=0.0))) == {NOT_ENOUGH_DATA}


def test_a_base_of_any_shape_has_no_more_key_accounts_than_allowed() -> None:
    rng = np.random.default_rng(3)
    for sigma in (0.1, 1, 3):
        revenue = rng.lognormal(5, sigma, 200).round()
        accounts = pd.DataFrame({"customer_id": [f"c{i}" for i in range(200)], "as_of": pd.Timestamp("2025-07-01")})
        accounts = accounts.assign(revenue_365d=revenue, revenue_365d_previous=revenue, tenure_days=800.0)
        assert 1 <= tiers(accounts).count("key") <= 40
