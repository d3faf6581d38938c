"""The companies: firmographics, hidden type, and the habits they would keep if nothing ever changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.archetypes import ARCHETYPES, NAMES, ONE_TIME, of_each
from segml.data.simulate.clock import Flags, Floats, Ints
from segml.data.simulate.draws import lognormal, pick

INDUSTRIES = (
    "construction",
    "furniture",
    "machine building",
    "food production",
    "agriculture",
    "retail chains",
    "facility services",
    "electronics",
)
INDUSTRY_WEIGHTS = (0.20, 0.18, 0.15, 0.12, 0.09, 0.10, 0.09, 0.07)

COUNTRIES = ("Russia", "Kazakhstan", "Belarus", "Armenia", "Germany")
COUNTRY_WEIGHTS = (0.86, 0.06, 0.05, 0.02, 0.01)
HOME = 0

REGIONS = ("Centre", "Moscow", "North-West", "Volga", "Ural", "South", "Siberia", "Far East", "abroad")
REGION_WEIGHTS = (0.17, 0.20, 0.14, 0.18, 0.11, 0.10, 0.07, 0.03)
ABROAD = len(REGIONS) - 1

CHANNELS = ("web", "EDI", "manager", "phone")
CHANNEL_WEIGHTS = ((0.42, 0.08, 0.25, 0.25), (0.30, 0.40, 0.25, 0.05))  # small companies, large companies
LARGE = 1.0  # size, in standard deviations

# A company's size is one number: the standard normal behind its head count, its orders and its rhythm.
EMPLOYEES_MEDIAN, EMPLOYEES_SPREAD = 28.0, 1.35
VALUE_BY_SIZE, VALUE_SPREAD = 0.42, 0.60
RHYTHM_BY_SIZE, RHYTHM_SPREAD = -0.12, 0.42
FASTEST_DAYS, SLOWEST_DAYS = 4.0, 400.0
REGULARITY_SPREAD = 0.45
GROWTH_SPREAD = 0.18


@dataclass(frozen=True)
class Companies:
    """One entry a company in every array; texts are indices into the tuples above."""

    archetype: Ints
    industry: Ints
    country: Ints
    region: Ints
    role: Ints
    channel: Ints  # the usual one
    employees: Floats
    rhythm_days: Floats  # mean gap between orders
    regularity: Floats  # shape of the Gamma gaps
    order_value: Floats  # median order, money of the first year
    value_noise: Floats
    lines: Floats
    exploration: Floats
    growth: Floats  # a year, log
    season: Floats  # strength of the industry's season
    discount: Floats
    price_sensitivity: Floats

    def __len__(self) -> int:
        return len(self.archetype)

    @property
    def is_one_time(self) -> Flags:
        """Who buys once and never again."""
        is_one_time: Flags = self.archetype == NAMES.index(ONE_TIME)
        return is_one_time


def make(rng: Generator, count: int) -> Companies:
    """Return ``count`` companies."""
    archetype = _choose(rng, np.array([kind.share for kind in ARCHETYPES]), count)
    size = rng.standard_normal(count)
    country = _choose(rng, np.array(COUNTRY_WEIGHTS), count)
    return Companies(
        archetype=archetype,
        industry=_choose(rng, np.array(INDUSTRY_WEIGHTS), count),
        country=country,
        region=np.where(country == HOME, _choose(rng, np.array(REGION_WEIGHTS), count), ABROAD),
        role=_role(rng, archetype),
        channel=pick(rng, np.array(CHANNEL_WEIGHTS), (size > LARGE).astype(np.int64)),
        employees=np.ceil(EMPLOYEES_MEDIAN * np.exp(EMPLOYEES_SPREAD * size + 0.5 * rng.standard_normal(count))),
        rhythm_days=_rhythm(rng, archetype, size),
        regularity=lognormal(rng, of_each("regularity", archetype), REGULARITY_SPREAD, 0.4, 30.0),
        order_value=_order_value(rng, archetype, size),
        value_noise=of_each("value_noise", archetype) * rng.uniform(0.7, 1.3, count),
        lines=lognormal(rng, of_each("lines", archetype), 0.3, 1.0, 15.0),
        exploration=np.clip(of_each("exploration", archetype) * rng.uniform(0.4, 1.6, count), 0.0, 0.9),
        growth=of_each("growth", archetype) + GROWTH_SPREAD * rng.standard_normal(count),
        season=of_each("season", archetype) * rng.uniform(0.5, 1.5, count),
        discount=of_each("discount", archetype) * rng.uniform(0.4, 1.6, count),
        price_sensitivity=of_each("price_sensitivity", archetype) * rng.uniform(0.5, 1.5, count),
    )


def _choose(rng: Generator, weights: Floats, count: int) -> Ints:
    return rng.choice(len(weights), size=count, p=weights / weights.sum()).astype(np.int64)


def _role(rng: Generator, archetype: Ints) -> Ints:
    weights = np.array([kind.roles for kind in ARCHETYPES], dtype=np.float64)
    return pick(rng, weights / weights.sum(axis=1, keepdims=True), archetype)


def _rhythm(rng: Generator, archetype: Ints, size: Floats) -> Floats:
    median = of_each("rhythm_days", archetype) * np.exp(RHYTHM_BY_SIZE * size)
    return lognormal(rng, median, RHYTHM_SPREAD, FASTEST_DAYS, SLOWEST_DAYS)


def _order_value(rng: Generator, archetype: Ints, size: Floats) -> Floats:
    median = of_each("order_value", archetype) * np.exp(VALUE_BY_SIZE * size)
    return lognormal(rng, median, VALUE_SPREAD, 500.0, 5e6)
