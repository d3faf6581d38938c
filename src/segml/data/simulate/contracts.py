"""Frame contracts: who has one, and on which day of each year it comes up for renewal."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import NEVER, YEAR, Floats
from segml.data.simulate.companies import Companies

ODDS_AT_SIZE_ONE = 0.30
"""Share of companies of middling volume with a contract; larger ones have one more often."""


def anniversaries(rng: Generator, companies: Companies) -> Floats:
    """Return the day, within the first year of the log, on which each contract renews; never where there is none."""
    volume = np.log(companies.order_value / companies.rhythm_days)
    odds = ODDS_AT_SIZE_ONE + 0.12 * (volume - np.median(volume))
    has_contract = (rng.random(len(companies)) < np.clip(odds, 0.02, 0.9)) & ~companies.is_one_time
    return np.where(has_contract, rng.integers(0, 365, len(companies)).astype(np.float64), NEVER)


def renewal(anniversary: Floats, year: Floats) -> Floats:
    """Return the day of each contract's renewal, ``year`` years after its first anniversary in the log."""
    return np.floor(anniversary + year * YEAR)


def year_of_renewal(anniversary: Floats, day: Floats) -> Floats:
    """Return the year, as ``renewal`` counts, of each contract's first renewal on or after a day."""
    return np.ceil((np.floor(day) - anniversary) / YEAR)
