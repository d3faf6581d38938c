"""How much is ordered each time: heavy tails, slow waves, growth, and what fate leaves of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import YEAR, Clock, Floats, Ints
from segml.data.simulate.companies import CHANNELS, Companies
from segml.data.simulate.fates import Fates
from segml.data.simulate.prices import discounts, list_factor, promotion
from segml.data.simulate.rhythm import MOOD_DAYS, Visits

GROWTH_IN_VALUE = 0.5
BIG_ORDERS, BIG_ORDER_LOG = 0.02, (0.7, 2.2)
BASKET_ELASTICITY = 0.5  # lines of an order rise with its value relative to the company's median
OTHER_CHANNEL = 0.15
HEAVY_TAIL_DF = 5.0


@dataclass(frozen=True)
class Orders:
    """One entry an order in every array, by company and time."""

    company: Ints
    day: Floats
    value: Floats  # money aimed at, before it is cut into whole units
    lines: Ints
    exploration: Floats  # share of lines outside the usual articles
    discount: Floats  # share of the list price
    channel: Ints


def make(rng: Generator, visits: Visits, companies: Companies, fates: Fates, mood: Floats, clock: Clock) -> Orders:
    """Return value, length, discount and channel of the orders placed at these moments."""
    company, day = visits.company, visits.day
    size = fates.of(company).size(day)
    relative = _relative_value(rng, companies, company, day, mood, clock) * size
    mean_lines = (companies.lines[company] - 1) * relative**BASKET_ELASTICITY
    return Orders(
        company=company,
        day=day,
        value=companies.order_value[company] * relative * list_factor(clock, day),
        lines=1 + rng.poisson(np.minimum(mean_lines, 25.0)),
        exploration=companies.exploration[company] * size,
        discount=discounts(rng, companies, company, promotion(clock, day)),
        channel=_channel(rng, companies, company),
    )


def _relative_value(
    rng: Generator, companies: Companies, company: Ints, day: Floats, mood: Floats, clock: Clock
) -> Floats:
    """Return the value of each order as a multiple of the company's median one."""
    growth = np.clip(GROWTH_IN_VALUE * companies.growth[company] * (day - clock.days / 2) / YEAR, -1.0, 1.0)
    wave = mood[company, (day // MOOD_DAYS).astype(np.int64)]
    noise = (
        companies.value_noise[company] * rng.standard_t(HEAVY_TAIL_DF, len(company)) * np.sqrt(1 - 2 / HEAVY_TAIL_DF)
    )
    big = np.where(rng.random(len(company)) < BIG_ORDERS, rng.uniform(*BIG_ORDER_LOG, len(company)), 0.0)
    relative: Floats = np.exp(growth + wave + np.clip(noise, -3.0, 3.0) + big)
    return relative


def _channel(rng: Generator, companies: Companies, company: Ints) -> Ints:
    other = rng.integers(len(CHANNELS), size=len(company))
    return np.where(rng.random(len(company)) < OTHER_CHANNEL, other, companies.channel[company])
