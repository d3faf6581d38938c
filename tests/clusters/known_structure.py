"""Customers whose groups are known: groups of many kinds, and bases without any group.

Every maker takes a seed and returns features as a company has them (positive, long-tailed), the true group of each
customer, and what the customer buys afterwards. Groups lie in the logarithm of the features; distances between them
are in standard deviations within a group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

NAMES = (
    "revenue_365d",
    "order_count_365d",
    "order_value_mean",
    "recency_days",
    "active_month_share",
    "gap_shrunk_days",
)
CUSTOMERS = 1500
NOISE = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """Features, the true group of each customer (−1 is noise), and the logarithm of what it buys next."""

    inputs: pd.DataFrame
    groups: Ints
    later: Floats

    @property
    def k(self) -> int:
        """Number of true groups; 1 is no structure."""
        return len(set(self.groups) - {NOISE})


Maker = Callable[[int], Known]


def archetypes_of_two(seed: int) -> Known:
    """Small and rare against large and frequent."""
    return _customers(seed, orders=[3, 30], value=[200, 2_000], patience=[1.0, 1.0], shares=[0.6, 0.4])


def archetypes_of_three(seed: int) -> Known:
    """Rare, steady, and large accounts."""
    return _customers(seed, orders=[2, 12, 60], value=[300, 200, 2_500], patience=[1, 1, 1], shares=[0.5, 0.3, 0.2])


def archetypes_of_five(seed: int) -> Known:
    """The same, and steady customers who went silent, and project buyers: few, large orders."""
    return _customers(
        seed,
        orders=[3, 15, 70, 25, 4],
        value=[150, 200, 1_500, 300, 8_000],
        patience=[1, 1, 1, 15, 1],
        shares=[0.3, 0.25, 0.1, 0.2, 0.15],
    )


def equal_groups_of_six(seed: int) -> Known:
    """Six round groups of one size."""
    return _groups(seed, 6, apart=5.0)


def heavy_tails_of_four(seed: int) -> Known:
    """Spread by Student's t with three degrees of freedom."""
    return _groups(seed, 4, apart=6.0, draw=lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3))


def giant_of_three(seed: int) -> Known:
    """Three groups, and one customer a thousand times larger than all others."""
    known = _groups(seed, 3, apart=5.0)
    inputs = known.inputs.copy()
    inputs.iloc[0] = inputs.max() * 1_000
    return replace(known, inputs=inputs)


def correlated_of_five(seed: int) -> Known:
    """Features that go together within the groups (correlation 0.6)."""
    return _groups(seed, 5, apart=6.0, correlation=0.6)


def unequal_of_six(seed: int) -> Known:
    """From half of the customers down to 4 %."""
    return _groups(seed, 6, apart=5.5, shares=[0.50, 0.18, 0.12, 0.09, 0.07, 0.04])


def noise_of_six(seed: int) -> Known:
    """Six groups and 3 % of customers who belong to none."""
    known = _groups(seed, 6, apart=5.5)
    rng = np.random.default_rng([seed, 1])
    astray = rng.random(len(known.groups)) < 0.03
    logs = np.log(known.inputs.to_numpy())
    logs[astray] = rng.uniform(logs.min(axis=0), logs.max(axis=0), (int(astray.sum()), logs.shape[1]))
    return Known(_as_features(logs), np.where(astray, NOISE, known.groups), known.later)


def overlapping_of_four(seed: int) -> Known:
    """Neighbours touch: their middles are three and a half standard deviations apart."""
    return _groups(seed, 4, apart=3.5, at_most=4.5)


def overlapping_unequal_of_five(seed: int) -> Known:
    """Neighbours touch, and the smallest group has 8 % of the customers."""
    return _groups(seed, 5, apart=4.2, shares=[0.40, 0.22, 0.18, 0.12, 0.08])


def idle_columns_of_five(seed: int) -> Known:
    """A constant column, and one that is there twice."""
    known = _groups(seed, 5, apart=5.0)
    return replace(known, inputs=known.inputs.assign(region_count=1.0, revenue_again=known.inputs["revenue_365d"]))


def spreads_of_seven(seed: int) -> Known:
    """Seven groups, some twice as wide as others."""
    return _groups(seed, 7, apart=6.0, widths=[1.3, 0.7, 1.0, 1.3, 0.7, 1.0, 0.8])


def ladder_of_four(seed: int) -> Known:
    """Four tiers on one line: whoever orders more often also buys for more, and was here more recently."""
    rng = np.random.default_rng(seed)
    middles = np.outer(np.arange(4) * 5.0, np.array([0.6, 0.5, 0.2, -0.4, 0.3, -0.3]))
    return _around(rng, middles, _drawn(rng, [0.4, 0.3, 0.2, 0.1]), lambda rng, shape: rng.normal(size=shape))


def irrelevant_columns_of_three(seed: int) -> Known:
    """Three groups that only three of the six columns know of."""
    rng = np.random.default_rng(seed)
    middles = _middles(rng, 3, 6.0, 9.0) * np.array([1, 1, 1, 0, 0, 0])
    middles[:, :3] *= 6.0 / _nearest(middles)
    return _around(rng, middles, _drawn(rng, [1 / 3] * 3), lambda rng, shape: rng.normal(size=shape))


def cloud(seed: int) -> Known:
    """No groups: one lognormal cloud with heavy tails, all features going together."""
    rng = np.random.default_rng(seed)
    spread = _correlated(rng.standard_t(3, (CUSTOMERS, len(NAMES))), 0.5)
    return _without_groups(rng, spread)


def cube(seed: int) -> Known:
    """No groups: every combination of features is as likely as any other."""
    rng = np.random.default_rng(seed)
    return _without_groups(rng, rng.uniform(-2.5, 2.5, (CUSTOMERS, len(NAMES))))


def cigar(seed: int) -> Known:
    """No groups: one gradient from small to large that KMeans cuts at the same place each time."""
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 3, (CUSTOMERS, 1))
    return _without_groups(rng, size * np.array([1, 0.8, 0.3, -0.6, 0.5, -0.7]) + rng.normal(size=(CUSTOMERS, 6)))


def one_kind(seed: int) -> Known:
    """No groups: one archetype of customer, with its counts and limits."""
    return _customers(seed, orders=[8], value=[400], patience=[1.0], shares=[1.0], spread=0.8)


def limits(seed: int) -> Known:
    """No groups: the same, so widely spread that counts end at one order and shares of months at one."""
    return _customers(seed, orders=[6], value=[400], patience=[1.0], shares=[1.0], spread=1.3)


STRUCTURED: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        archetypes_of_two,
        archetypes_of_three,
        archetypes_of_five,
        equal_groups_of_six,
        heavy_tails_of_four,
        giant_of_three,
        correlated_of_five,
        unequal_of_six,
        noise_of_six,
        overlapping_of_four,
        overlapping_unequal_of_five,
        idle_columns_of_five,
        spreads_of_seven,
        ladder_of_four,
        irrelevant_columns_of_three,
    )
}
STRUCTURELESS: dict[str, Maker] = {maker.__name__: maker for maker in (cloud, cube, cigar, one_kind, limits)}


def _groups(
    seed: int,
    k: int,
    *,
    apart: float,
    at_most: float | None = None,
    shares: list[float] | None = None,
    widths: list[float] | None = None,
    correlation: float = 0.0,
    draw: Callable[[Generator, tuple[int, int]], Floats] = lambda rng, shape: rng.normal(size=shape),
) -> Known:
    rng = np.random.default_rng(seed)
    middles = _middles(rng, k, apart, at_most or 1.5 * apart)
    groups = _drawn(rng, shares or [1 / k] * k)
    return _around(rng, middles, groups, lambda rng, shape: _correlated(draw(rng, shape), correlation), widths)


def _around(
    rng: Generator,
    middles: Floats,
    groups: Ints,
    draw: Callable[[Generator, tuple[int, int]], Floats],
    widths: list[float] | None = None,
) -> Known:
    width = np.asarray(widths or [1.0] * len(middles))[groups, None]
    logs = middles[groups] + width * draw(rng, (len(groups), middles.shape[1]))
    later = rng.normal(0, 2, len(middles))[groups] + 0.3 * logs[:, 0] + rng.normal(0, 1.5, len(groups))
    return Known(_as_features(logs), groups, later)


def _without_groups(rng: Generator, logs: Floats) -> Known:
    later = 0.5 * logs[:, 0] + rng.normal(0, 1.5, len(logs))
    return Known(_as_features(logs), np.zeros(len(logs), dtype=np.int64), later)


def _middles(rng: Generator, k: int, apart: float, at_most: float) -> Floats:
    """Return middles of which the two nearest are ``apart``, and every one has a neighbour within ``at_most``."""
    while True:
        middles = rng.normal(size=(k, len(NAMES)))
        middles *= apart / _nearest(middles)
        gaps = np.linalg.norm(middles[:, None] - middles[None], axis=2)
        np.fill_diagonal(gaps, np.inf)
        if gaps.min(axis=1).max() <= at_most:
            return middles


def _nearest(middles: Floats) -> float:
    gaps = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    return float(gaps[np.triu_indices(len(middles), 1)].min())


def _drawn(rng: Generator, shares: list[float]) -> Ints:
    """Return the groups of customers: exact shares, in random order."""
    counts = np.floor(np.cumsum(shares) * CUSTOMERS + 1e-9).astype(np.int64)
    return rng.permutation(np.searchsorted(counts, np.arange(CUSTOMERS), side="right").clip(max=len(shares) - 1))


def _correlated(draws: Floats, correlation: float) -> Floats:
    matrix = np.full((draws.shape[1],) * 2, correlation) + (1 - correlation) * np.eye(draws.shape[1])
    return np.asarray(draws @ np.linalg.cholesky(matrix).T)


def _as_features(logs: Floats) -> pd.DataFrame:
    """Return the exponential, well above 1, so that ``log1p`` brings the groups back as they were drawn."""
    return pd.DataFrame(np.exp(6.0 + 0.4 * logs), columns=list(NAMES))


def _customers(
    seed: int,
    *,
    orders: list[float],
    value: list[float],
    patience: list[float],
    shares: list[float],
    spread: float = 0.35,
) -> Known:
    """Return customers as a log of orders shows them.

    Parameters
    ----------
    orders : mean number of orders a year of each archetype
    value : median money of an order
    patience : how many of its own gaps a customer has been silent, on average
    shares : of the customers
    spread : standard deviation of the logarithm of a customer's rate and order value within an archetype
    """
    rng = np.random.default_rng(seed)
    groups = _drawn(rng, shares)
    rate = np.asarray(orders, dtype=float)[groups] * rng.lognormal(0, spread, CUSTOMERS)
    count = 1.0 + rng.poisson(rate)
    mean_value = np.asarray(value, dtype=float)[groups] * rng.lognormal(0, spread, CUSTOMERS)
    gap = 365 / rate * rng.lognormal(0, 0.15, CUSTOMERS)
    silence = gap * np.asarray(patience, dtype=float)[groups] * rng.gamma(4, 1 / 4, CUSTOMERS)
    months = 12 * (1 - np.exp(-rate / 12))
    features = {
        "revenue_365d": count * mean_value,
        "order_count_365d": count,
        "order_value_mean": mean_value,
        "recency_days": silence.clip(1, 900),
        "active_month_share": (months * rng.lognormal(0, 0.1, CUSTOMERS)).clip(1, 12).round() / 12,
        "gap_shrunk_days": gap,
    }
    left = np.asarray(patience)[groups] > 5
    later = np.log1p(np.where(left, 0.1, 1) * rate / 4 * mean_value) + rng.normal(0, 1.0, CUSTOMERS)
    return Known(pd.DataFrame(features)[list(NAMES)], groups, later)
