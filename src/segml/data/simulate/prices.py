"""The list price over time, promotions, and what each company gets off the list."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from segml.data.simulate.catalogue import PRICE_RISE
from segml.data.simulate.clock import Clock, Flags, Floats, Ints
from segml.data.simulate.companies import Companies

PROMOTIONS = ((60, 81), (250, 271), (315, 336))
"""First and last day (exclusive) of each promotion, as days of the year."""
PROMOTION_DISCOUNT = 0.05
FULL_PRICE = 0.30
"""Share of orders without a promotion that pay the list price whoever the company is."""
DEEPEST = 0.45


def list_factor(clock: Clock, day: Floats) -> Floats:
    """Return by how much the list has risen since the first year of the log."""
    rises = clock.years(day) - clock.years(np.zeros(1))
    return np.power(1 + PRICE_RISE, rises.astype(np.float64))


def promotion(clock: Clock, day: Floats) -> Floats:
    """Return 1 on the days of a promotion, else 0."""
    of_year = clock.day_of_year(day)
    runs = [(of_year >= first) & (of_year < last) for first, last in PROMOTIONS]
    is_on: Flags = np.any(runs, axis=0)
    return np.where(is_on, 1.0, 0.0)


def discounts(rng: Generator, companies: Companies, company: Ints, on_promotion: Floats) -> Floats:
    """Return the share of the list price given away on each order."""
    usual = companies.discount[company] * rng.uniform(0.5, 1.5, len(company))
    full_price = (rng.random(len(company)) < FULL_PRICE) & (on_promotion == 0)
    share: Floats = np.where(full_price, 0.0, usual) + PROMOTION_DISCOUNT * on_promotion
    capped: Floats = np.minimum(share, DEEPEST)
    return np.round(capped, 2)
