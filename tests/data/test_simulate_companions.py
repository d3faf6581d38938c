"""Articles that are planted to go together."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.config import DemoConfig
from segml.data.simulate import World, simulate
from segml.data.simulate.companions import COMPANIES, ORDERS

PLAIN = DemoConfig(customers=300, days=600, seed=5)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(PLAIN.model_copy(update={"companions": 60}))


def test_pairs_are_of_different_families_and_share_no_article(world: World) -> None:
    pairs = world.truth_pairs
    assert len(pairs) == 60
    assert (pairs["product_id"].str[:3] != pairs["companion_id"].str[:3]).all()
    assert not pd.concat([pairs["product_id"], pairs["companion_id"]]).duplicated().any()


def test_orders_of_the_one_hold_the_other_as_often_as_told(world: World) -> None:
    lines = world.truth_lines[world.truth_lines["amount"] > 0]
    pairs = world.truth_pairs.set_index("product_id")["companion_id"]
    of_one = lines[lines["product_id"].isin(pairs.index)]
    wanted = pd.MultiIndex.from_arrays([of_one["order_id"], of_one["product_id"].map(pairs)])
    held = pd.Series(wanted.isin(pd.MultiIndex.from_frame(lines[["order_id", "product_id"]])), index=of_one.index)
    company = held.groupby([of_one["customer_id"], of_one["product_id"]]).agg(["mean", "size"])
    often = company.loc[company["size"] >= 4, "mean"]
    assert len(often) > 50
    assert (often > 0.2).mean() == pytest.approx(COMPANIES, abs=0.12)
    assert often[often > 0.2].mean() == pytest.approx(ORDERS, abs=0.08)


def test_without_pairs_the_world_is_what_it_was(world: World) -> None:
    plain = simulate(PLAIN)
    assert plain.truth_pairs.empty
    assert plain.truth_pairs.columns.tolist() == ["product_id", "companion_id"]
    assert_frame_equal(plain.truth, world.truth)
    assert len(plain.truth_lines) < len(world.truth_lines) < 1.1 * len(plain.truth_lines)
