"""Cross-sell in the simulated world, where some articles go with others and the truth is known.

Articles of one family are bought together anyway, as a company has its usual ones; pairs of different families are
looked at.
"""

import pytest

from segml.actions.cross_sell import cross_sell
from segml.config import CrossSellConfig, DemoConfig
from segml.data.simulate import World, simulate
from segml.features.baskets import gather

SEEDS = (1, 2, 3, 4)
PLANTED = 30
AS_OF = "2026-01-01"
CONFIG = CrossSellConfig(by="product_id")

Pairs = set[frozenset[str]]

pytestmark = pytest.mark.slow


def found(world: World) -> Pairs:
    """Return the pairs of articles of different families that are rules."""
    rules = cross_sell(gather(world.truth_lines, AS_OF, CONFIG), CONFIG).rules
    is_apart = rules["bought"].str[:3] != rules["item"].str[:3]
    return set(map(frozenset, rules.loc[is_apart, ["bought", "item"]].to_numpy().tolist()))


def planted(world: World) -> Pairs:
    return set(map(frozenset, world.truth_pairs.to_numpy().tolist()))


@pytest.fixture(scope="module")
def worlds() -> list[tuple[Pairs, Pairs]]:
    """Return what is found and what is planted in the worlds of all seeds."""
    each = (simulate(DemoConfig(customers=2000, seed=seed, companions=PLANTED)) for seed in SEEDS)
    return [(found(world), planted(world)) for world in each]


def test_of_the_planted_pairs_nearly_all_are_found(worlds: list[tuple[Pairs, Pairs]]) -> None:
    """Recall: 115 of 120."""
    recall = sum(len(rules & truth) for rules, truth in worlds) / sum(len(truth) for _, truth in worlds)
    assert recall == pytest.approx(0.96, abs=0.03)
    assert all(len(rules & truth) >= 0.85 * PLANTED for rules, truth in worlds)


def test_what_is_found_beside_them_is_second_hand(worlds: list[tuple[Pairs, Pairs]]) -> None:
    """Who buys glue has other usual adhesives, too: they go with the glue's companion, at second hand."""
    for rules, truth in worlds:
        articles = frozenset().union(*truth)
        unexplained = [pair for pair in rules if not pair & articles]
        assert len(unexplained) <= 0.08 * len(rules)


def test_where_nothing_is_planted_hardly_anything_is_found() -> None:
    """A handful of 95,000 pairs: industries do prefer some families."""
    assert len(found(simulate(DemoConfig(customers=2000, seed=1)))) <= 8
