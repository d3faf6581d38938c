"""Which product families a company needs, how much of each, and which articles are its usual ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.archetypes import of_each
from segml.data.simulate.catalogue import FAMILIES, Catalogue
from segml.data.simulate.clock import Floats, Ints
from segml.data.simulate.companies import INDUSTRIES, Companies

INDUSTRY_CONTRAST = 1.1
"""How far industries differ in what they need, in logs; 0 would make them alike."""
EVENNESS = 1.2


@dataclass(frozen=True)
class Needs:
    """Arrays companies × families."""

    weight: Floats  # share of order lines, rows sum to 1, zero where not needed
    favourite: Ints  # place in the family of the company's most usual article


def make(rng: Generator, companies: Companies, catalogue: Catalogue) -> Needs:
    """Return what each company buys when nothing is wrong."""
    count, families = len(companies), len(FAMILIES)
    affinity = INDUSTRY_CONTRAST * rng.standard_normal((len(INDUSTRIES), families))
    liking = affinity[companies.industry] + rng.gumbel(size=(count, families))
    rank = np.argsort(np.argsort(-liking, axis=1), axis=1)
    needed = rank < _family_count(rng, companies)[:, None]
    weight = np.where(needed, rng.gamma(EVENNESS, size=(count, families)) + 0.05, 0.0)
    favourite = np.floor(rng.random((count, families)) ** 1.5 * catalogue.size).astype(np.int64)
    return Needs(weight / weight.sum(axis=1, keepdims=True), favourite)


def _family_count(rng: Generator, companies: Companies) -> Ints:
    mean = of_each("families", companies.archetype)
    return np.clip(1 + rng.poisson(mean - 1), 1, len(FAMILIES))
