"""What is sold: product families, their articles, list prices and costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import Floats, Ints


@dataclass(frozen=True)
class Family:
    """A product family."""

    name: str
    code: str
    articles: int
    price: float  # median list price in the first year, money
    margin: float  # mean share of the list price left after the cost of goods


FAMILIES = (
    Family("fasteners", "FST", 64, 240, 0.36),
    Family("fittings", "FIT", 58, 620, 0.33),
    Family("edge banding", "EDG", 40, 900, 0.30),
    Family("adhesives", "ADH", 36, 1_100, 0.34),
    Family("abrasives", "ABR", 40, 450, 0.38),
    Family("hand tools", "HTL", 48, 2_300, 0.27),
    Family("power tools", "PTL", 30, 9_500, 0.17),
    Family("electrical", "ELC", 60, 1_400, 0.22),
    Family("workwear", "WRK", 34, 2_800, 0.31),
    Family("packaging", "PCK", 30, 350, 0.25),
    Family("lubricants", "LUB", 24, 1_900, 0.28),
)

PRICE_SPREAD = 0.7
MARGIN_SPREAD = 0.04
PRICE_RISE = 0.06
"""The list rises by this share on each 1 January."""


@dataclass(frozen=True)
class Catalogue:
    """Articles as arrays, ordered by family; within a family the most popular first."""

    family: Ints
    product_id: list[str]
    price: Floats  # list price in the first year
    cost: Floats  # cost of goods in the first year
    first: Ints  # index of each family's first article
    size: Ints  # articles of each family


def make(rng: Generator) -> Catalogue:
    """Return the catalogue of the world."""
    size = np.array([family.articles for family in FAMILIES], dtype=np.int64)
    family = np.repeat(np.arange(len(FAMILIES)), size)
    median = np.array([kind.price for kind in FAMILIES])[family]
    price = np.round(median * np.exp(PRICE_SPREAD * rng.standard_normal(len(family))), 2)
    mean_margin = np.array([kind.margin for kind in FAMILIES])[family]
    margin = np.clip(mean_margin + MARGIN_SPREAD * rng.standard_normal(len(family)), 0.05, 0.6)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    codes = [f"{kind.code}-{number:04d}" for kind in FAMILIES for number in range(1, kind.articles + 1)]
    return Catalogue(family, codes, price, price * (1 - margin), first, size)
