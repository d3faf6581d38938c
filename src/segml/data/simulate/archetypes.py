"""The hidden types of company: what cleaning, features and models never see, and what tests may look up.

The figures are invented so that the base rates, the concentration of revenue and the difficulty of
foreseeing who leaves come out as they do for real wholesalers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segml.data.simulate.clock import Floats, Ints

ROLES = ("end user", "dealer", "engineering")


@dataclass(frozen=True)
class Archetype:
    """A hidden type: medians and means around which its companies scatter."""

    name: str
    share: float  # of all companies
    rhythm_days: float  # median over companies of the mean gap between orders
    regularity: float  # median shape of the Gamma gaps: 1 is pure chance, 10 is clockwork
    order_value: float  # median money of an order
    value_noise: float  # spread (log) of the orders of one company
    lines: float  # mean lines of an order
    families: float  # mean number of product families needed
    exploration: float  # share of lines that try an article outside the usual ones
    growth: float  # mean growth a year (log)
    season: float  # strength of the industry's season
    discount: float  # mean share of the list price given away
    price_sensitivity: float  # how much a promotion attracts
    stagnates_a_year: float  # hazard
    leaves_a_year: float  # hazard
    fades: float  # share of leavers who decline before they go
    roles: tuple[float, float, float]  # weights of ROLES


ONE_TIME = "one-time buyer"

# Two lines each: what it is and how it buys; what becomes of it.
ARCHETYPES = (
    Archetype("steady replenisher", 0.22, 26, 3.5, 27e3, 0.45, 3.1, 3.5, 0.10, 0.02, 0.35, 0.03, 0.2,
              0.15, 0.20, 0.6, (8, 1, 1)),
    Archetype("key account", 0.04, 8, 3.0, 105e3, 0.55, 4.8, 6.0, 0.12, 0.05, 0.30, 0.08, 0.3,
              0.12, 0.10, 0.8, (6, 3, 1)),
    Archetype("growing dealer", 0.12, 12, 2.5, 60e3, 0.55, 4.6, 7.5, 0.20, 0.15, 0.45, 0.10, 0.5,
              0.13, 0.14, 0.6, (0, 1, 0)),
    Archetype("project buyer", 0.14, 48, 0.6, 105e3, 0.85, 2.8, 2.2, 0.45, 0.00, 0.40, 0.06, 0.2,
              0.14, 0.30, 0.3, (2, 0, 8)),
    Archetype("seasonal buyer", 0.10, 32, 1.8, 48e3, 0.50, 2.8, 3.0, 0.15, 0.02, 1.50, 0.04, 0.3,
              0.13, 0.20, 0.5, (8, 2, 1)),
    Archetype("price seeker", 0.13, 44, 1.0, 33e3, 0.65, 2.4, 3.0, 0.35, -0.02, 0.35, 0.14, 1.0,
              0.18, 0.45, 0.4, (6, 3, 1)),
    Archetype("rare buyer", 0.14, 80, 1.4, 34e3, 0.65, 2.1, 2.0, 0.30, 0.00, 0.30, 0.03, 0.2,
              0.10, 0.26, 0.3, (7, 1, 2)),
    Archetype("fading", 0.06, 27, 2.2, 34e3, 0.50, 2.8, 4.0, 0.12, -0.15, 0.35, 0.05, 0.4,
              0.70, 0.60, 0.9, (7, 2, 1)),
    Archetype(ONE_TIME, 0.05, 400, 1.0, 18e3, 0.80, 1.8, 1.3, 0.50, 0.00, 0.20, 0.02, 0.3,
              0.00, 0.00, 0.0, (7, 1, 2)),
)  # fmt: skip

NAMES = tuple(archetype.name for archetype in ARCHETYPES)


def of_each(field: str, archetype: Ints) -> Floats:
    """Return a numeric field of each company's archetype."""
    values: Floats = np.array([getattr(kind, field) for kind in ARCHETYPES], dtype=np.float64)[archetype]
    return values
