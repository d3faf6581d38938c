"""Made-up tests of campaigns whose true effect is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ORDERS = 2.0
"""Orders of the mean customer in a period."""
MOOD = 0.25


@dataclass(frozen=True)
class Worlds:
    """Many tests: each attribute is tests × customers, but for ``stratum`` (customers)."""

    is_treated: npt.NDArray[np.bool_]
    stratum: npt.NDArray[np.int64]
    orders: Floats
    orders_before: Floats
    revenue: Floats
    revenue_before: Floats
    orders_effect: Floats  # (tests,) true effect a customer
    revenue_effect: Floats


def worlds(
    number: int, customers: int, strata: int, *, share: float, uplift: float, spread: float, seed: int
) -> Worlds:
    """Return tests on customers of log-normal size, in strata by size, whose orders are Gamma-Poisson.

    Parameters
    ----------
    share : of the treated in each stratum, up to rounding
    uplift : true rise of the rate of orders
    spread : standard deviation of the logarithm of an order's value between customers; 1.8: a tenth bring 80 %
    """
    rng = np.random.default_rng(seed)
    shape = (number, customers)
    value = np.sort(rng.lognormal(0.0, spread, shape), axis=1)
    stratum = np.arange(customers) * strata // customers
    rate = rng.gamma(2.0, ORDERS / 2, shape)
    later = rate * rng.lognormal(-(MOOD**2) / 2, MOOD, shape)
    is_treated = _assigned(rng, number, stratum, share)
    orders_before, revenue_before = _bought(rng, rate, value)
    orders, revenue = _bought(rng, later * np.where(is_treated, 1 + uplift, 1.0), value)
    return Worlds(
        is_treated,
        stratum,
        orders,
        orders_before,
        revenue,
        revenue_before,
        orders_effect=uplift * later.mean(axis=1),
        revenue_effect=uplift * (later * value).mean(axis=1),
    )


def _bought(rng: np.random.Generator, rate: Floats, value: Floats) -> tuple[Floats, Floats]:
    orders = rng.poisson(rate).astype(np.float64)
    return orders, np.where(orders > 0, value * rng.gamma(np.maximum(3 * orders, 1.0), 1 / 3), 0.0)


def _assigned(
    rng: np.random.Generator, number: int, stratum: npt.NDArray[np.int64], share: float
) -> npt.NDArray[np.bool_]:
    treated = np.zeros((number, len(stratum)), dtype=bool)
    for one in np.unique(stratum):
        own = np.flatnonzero(stratum == one)
        quota = np.floor(share * len(own) + rng.random((number, 1)))
        treated[:, own] = rng.random((number, len(own))).argsort(axis=1).argsort(axis=1) < quota
    return treated
