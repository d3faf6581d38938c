"""Associations against a known truth: independent purchases by customers of unequal breadth, and planted pairs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import false_discovery_control, hypergeom

from segml.actions.association import associated, breadth_strata
from segml.config import CrossSellConfig

CONFIG = CrossSellConfig()
CUSTOMERS, ITEMS, PLANTED = 1500, 60, 5
SEEDS = 20
SMALL_SHELF, FEW = 11, 2

Held = np.ndarray
Draw = Callable[[np.random.Generator, int], Held]


def of_one_ability(rng: np.random.Generator, items: int) -> Held:
    """Customers differ in how much they buy, items in how often they are bought (Rasch)."""
    size, rarity = rng.normal(-1.5, 1.5, CUSTOMERS), rng.normal(0, 1.2, items)
    return rng.random((CUSTOMERS, items)) < 1 / (1 + np.exp(rarity - size[:, None]))


def of_many_orders(rng: np.random.Generator, items: int) -> Held:
    """Customers differ in the number of purchases, each of which is any item by its share."""
    purchases, share = rng.lognormal(np.log(0.1 * items), 1.2, CUSTOMERS), rng.dirichlet(np.full(items, 0.7))
    return rng.random((CUSTOMERS, items)) < 1 - np.exp(-purchases[:, None] * share)


def of_a_given_number(rng: np.random.Generator, items: int) -> Held:
    """Customers need a number of items, and take those that they like most."""
    mean = items / 4
    number = np.clip(rng.negative_binomial(1.2, 1.2 / (1.2 + mean), CUSTOMERS) + 1, 1, items)
    liking = rng.normal(0, 1, items) + rng.gumbel(size=(CUSTOMERS, items))
    return np.argsort(np.argsort(-liking, axis=1), axis=1) < number[:, None]


def of_staples_and_specialities(rng: np.random.Generator, items: int) -> Held:
    """Some items everybody buys, others only large customers do."""
    size, slope = rng.normal(0, 1, CUSTOMERS), rng.uniform(0.2, 2.5, items)
    return rng.random((CUSTOMERS, items)) < 1 / (1 + np.exp(rng.normal(1, 1.5, items) - slope * size[:, None]))


WORLDS: dict[str, Draw] = {
    draw.__name__: draw for draw in (of_one_ability, of_many_orders, of_a_given_number, of_staples_and_specialities)
}

Pairs = set[tuple[int, int]]


def world(draw: Draw, seed: int, *, items: int, planted: int) -> tuple[csr_array, Pairs]:
    """Return baskets and the planted pairs: half of those who buy the one buy the other for that."""
    rng = np.random.default_rng(seed)
    held = draw(rng, items)
    pairs = rng.permutation(items)[: 2 * planted].reshape(-1, 2)
    for one, other in pairs:
        held[:, other] |= held[:, one] & (rng.random(CUSTOMERS) < 0.5)
    return csr_array(held[held.sum(axis=1) > 1].astype(np.int32)), {(min(pair), max(pair)) for pair in pairs.tolist()}


def naive(bought: csr_array) -> Pairs:
    """Return what Fisher's exact test finds among all customers, at the same rate of false discoveries."""
    total, held, both = bought.shape[0], np.asarray(bought.sum(axis=0)), (bought.T @ bought).toarray()
    one, other = np.triu_indices(len(held), 1)
    p_value = hypergeom(total, held[one], held[other]).sf(both[one, other] - 1)
    p_value[both[one, other] < CONFIG.min_customers] = 1.0
    found = false_discovery_control(p_value) <= CONFIG.false_discovery_rate
    return set(zip(one[found].tolist(), other[found].tolist(), strict=True))


def ours(bought: csr_array) -> Pairs:
    found = associated(
        bought,
        breadth_strata(np.asarray(bought.sum(axis=1))),
        at_least=CONFIG.min_customers,
        min_lift=CONFIG.min_lift,
        rate=CONFIG.false_discovery_rate,
    )
    return set(zip(found["first"].tolist(), found["second"].tolist(), strict=True))


@dataclass(frozen=True)
class Rates:
    """Means over the seeds: false rules in a run, false ones among those found, planted pairs that are found."""

    false: float
    false_share: float
    recall: float


def rates(find: Callable[[csr_array], Pairs], draw: Draw, *, items: int, planted: int, seeds: int = SEEDS) -> Rates:
    runs = []
    for seed in range(seeds):
        bought, truth = world(draw, seed, items=items, planted=planted)
        found = find(bought)
        wrong = len(found - truth)
        runs.append((wrong, wrong / max(len(found), 1), len(found & truth) / max(len(truth), 1)))
    return Rates(*np.mean(runs, axis=0).tolist())


@pytest.mark.parametrize("name", WORLDS)
def test_where_nothing_is_associated_the_naive_test_finds_thousands_and_ours_hardly_any(name: str) -> None:
    assert rates(naive, WORLDS[name], items=ITEMS, planted=0, seeds=3).false > 1000  # of 1,770 pairs
    assert rates(ours, WORLDS[name], items=ITEMS, planted=0).false_share <= CONFIG.false_discovery_rate


@pytest.mark.parametrize("name", WORLDS)
def test_planted_pairs_are_found_and_little_else(name: str) -> None:
    found = rates(ours, WORLDS[name], items=ITEMS, planted=PLANTED)
    assert found.false_share <= CONFIG.false_discovery_rate
    assert found.recall > 0.7
    assert rates(naive, WORLDS[name], items=ITEMS, planted=PLANTED, seeds=3).false_share > 0.98


@pytest.mark.parametrize("name", WORLDS)
def test_on_a_shelf_of_a_few_categories_twice_the_rate_is_kept(name: str) -> None:
    """Few pairs are all there is to tell what breadth explains."""
    rate = 2 * CONFIG.false_discovery_rate
    assert rates(ours, WORLDS[name], items=SMALL_SHELF, planted=0).false_share <= rate
    found = rates(ours, WORLDS[name], items=SMALL_SHELF, planted=FEW)
    assert found.false_share <= rate
    assert found.recall > 0.75


def orders(seed: int, *, planted: bool) -> tuple[csr_array, np.ndarray]:
    """Return orders of customers who like some items more than others, and whose the orders are."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(200), rng.geometric(0.05, 200))
    liking = rng.gamma(0.3, size=(200, ITEMS))
    share = liking / liking.sum(axis=1, keepdims=True)
    held = rng.random((len(owner), ITEMS)) < 1 - np.exp(-rng.gamma(1.5, 3.0, (len(owner), 1)) * share[owner])
    if planted:
        held[:, 1] |= held[:, 0] & (rng.random(len(owner)) < 0.5)
    is_told = held.sum(axis=1) > 1
    return csr_array(held[is_told].astype(np.int32)), owner[is_told]


def test_orders_are_compared_with_other_orders_of_the_same_customer() -> None:
    found = {planted: [_of_orders(*orders(seed, planted=planted)) for seed in range(10)] for planted in (False, True)}
    assert sum(map(len, found[False])) <= 1
    assert np.mean([(0, 1) in pairs for pairs in found[True]]) >= 0.9
    assert sum(len(pairs - {(0, 1)}) for pairs in found[True]) <= 1
    assert len(naive(orders(0, planted=False)[0])) > 100


def _of_orders(bought: csr_array, owner: np.ndarray) -> Pairs:
    found = associated(bought, owner, at_least=10, min_lift=CONFIG.min_lift, rate=CONFIG.false_discovery_rate)
    return set(zip(found["first"].tolist(), found["second"].tolist(), strict=True))
