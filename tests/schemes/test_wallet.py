from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import GrowthPotential, ShareOfWallet

Table = Callable[..., pd.DataFrame]


def test_the_share_of_wallet_on_a_line_belongs_to_the_higher_class(table: Table) -> None:
    spent = [0.0, 29.99, 30.0, 69.99, 70.0, 130.0, -5.0]
    labels = ["low", "low", "medium", "medium", "high", "high", "low"]
    assert ShareOfWallet().assign(table(revenue_365d=spent, potential=[100.0] * 7)).tolist() == labels


def test_no_potential_tells_nothing(table: Table) -> None:
    accounts = table(revenue_365d=[50.0] * 4, potential=[0.0, -1.0, np.nan, 100.0])
    assert ShareOfWallet().assign(accounts).tolist() == [NOT_ENOUGH_DATA] * 3 + ["medium"]
    np.testing.assert_array_equal(ShareOfWallet().details(accounts)["wallet_share"], [np.nan] * 3 + [0.5])


def test_classes_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"medium_from .* must lie below high_from"):
        ShareOfWallet(medium_from=0.7)
    with pytest.raises(ValidationError, match=r"low_share_below .* must lie below high_share_from"):
        GrowthPotential(low_share_below=0.7)


PEERS = [100.0] * 11
"""Eleven customers that spend 100 each: the median stays 100 whoever joins them."""


@pytest.mark.parametrize(
    ("story", "revenue", "potential", "label"),
    [
        ("a low share, and peers spend more", 29.0, 100.0, "high"),
        ("a share on the line is not low", 30.0, 100.0, "medium"),
        ("a low share, but peers spend no more", 100.0, 1000.0, "medium"),
        ("peers spend more, the share is middling", 69.0, 100.0, "medium"),
        ("peers spend more, but the wallet is exhausted", 70.0, 100.0, "low"),
        ("a middling share, and peers spend no more", 100.0, 200.0, "low"),
        ("nothing spent, and peers do", 0.0, 100.0, "high"),
        ("potential unknown, peers spend twice as much", 50.0, None, "high"),
        ("potential unknown, peers spend a little less than twice as much", 50.1, None, "medium"),
        ("potential unknown, peers spend as much", 100.0, None, "low"),
        ("a potential of zero is unknown", 50.0, 0.0, "high"),
        ("potential unknown, nothing spent", 0.0, None, NOT_ENOUGH_DATA),
        ("revenue unknown", None, 100.0, NOT_ENOUGH_DATA),
    ],
)
def test_growth_potential(story: str, revenue: float, potential: float, label: str, table: Table) -> None:
    base = table(revenue_365d=[revenue, *PEERS], potential=[potential, *[None] * len(PEERS)])
    base = base.assign(industry="glass", company_size="small")
    assert GrowthPotential().assign(base)[0] == label, story


def test_peers_are_the_closest_group_that_is_large_enough(table: Table) -> None:
    groups = [("glass", "small", 10.0)] * 3 + [("glass", "large", 30.0)] * 4 + [("wood", "small", 90.0)] * 9
    industry, size, revenue = (list(column) for column in zip(*groups, strict=True))
    base = table(revenue_365d=revenue, industry=industry, company_size=size)

    def median(min_peers: int) -> float:
        return float(GrowthPotential(min_peers=min_peers).peer_median(base)[0])

    assert [median(3), median(4), median(7), median(8)] == [10.0, 30.0, 30.0, 90.0]


def test_who_spends_nothing_is_no_peer_and_unknown_traits_make_no_group(table: Table) -> None:
    base = table(revenue_365d=[10.0, 0.0, 0.0, 40.0], industry=["glass", "glass", "glass", None])
    base["company_size"] = ["small", "small", "small", NOT_ENOUGH_DATA]
    assert GrowthPotential(min_peers=1).peer_median(base).tolist() == [10.0, 10.0, 10.0, 25.0]


def test_a_base_without_revenue_has_no_peers(table: Table) -> None:
    base = table(revenue_365d=[0.0, 0.0], potential=[100.0, None])
    assert GrowthPotential().assign(base).tolist() == ["medium", NOT_ENOUGH_DATA]
