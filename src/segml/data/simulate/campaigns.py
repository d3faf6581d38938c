"""Marketing campaigns with a randomised control arm: whom they touch, and the orders they truly bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import Clock, Flags, Floats, Ints
from segml.data.simulate.fates import Fates


@dataclass(frozen=True)
class Campaign:
    """A campaign, run once a year at this share of the year."""

    name: str
    at: float
    reach: float  # share of the customers it picks
    uplift: float  # true rise of the rate of orders while it works
    works_days: float
    response: float  # share of the treated who answer


CAMPAIGNS = (
    Campaign("new price list", 0.10, 0.30, 0.00, 30, 0.10),
    Campaign("spring assortment", 0.27, 0.25, 0.10, 45, 0.16),
    Campaign("account review", 0.45, 0.15, 0.25, 60, 0.35),
    Campaign("autumn offer", 0.70, 0.30, 0.20, 45, 0.18),
    Campaign("year-end bonus", 0.88, 0.20, 0.15, 30, 0.22),
)
TREATED = 0.7
SPONTANEOUS = 0.03
"""Share of the control arm who get in touch unasked."""
STILL_ON_THE_LIST_DAYS = 120  # a company that left is written to for so long


@dataclass(frozen=True)
class Run:
    """One run of a campaign: whom it touched on which day."""

    campaign: Campaign
    year: int
    day: int
    company: Ints
    is_treated: Flags
    responded: Flags

    @property
    def name(self) -> str:
        """Name and year, as the touches table has it."""
        return f"{self.campaign.name} {self.year}"


def make(rng: Generator, fates: Fates, clock: Clock) -> list[Run]:
    """Return the runs within the log; each touches a random part of those who buy, and treats a random part of them."""
    first, last = clock.years(np.array([0.0, clock.days - 1.0]))
    runs = [_run(rng, campaign, year, fates, clock) for year in range(first, last + 1) for campaign in CAMPAIGNS]
    return [run for run in runs if 0 <= run.day < clock.days]


def _run(rng: Generator, campaign: Campaign, year: int, fates: Fates, clock: Clock) -> Run:
    day = clock.day_number(date(year, 1, 1)) + round(365 * campaign.at)
    draws = rng.random((3, len(fates.started)))
    buys = (fates.started < day) & (day < fates.leaves + STILL_ON_THE_LIST_DAYS)
    company = np.flatnonzero(buys & (draws[0] < campaign.reach))
    is_treated = draws[1, company] < TREATED
    responded = draws[2, company] < np.where(is_treated, campaign.response, SPONTANEOUS)
    return Run(campaign, year, day, company, is_treated, responded & (day < fates.leaves[company]))


def uplift(runs: list[Run], companies: int, middle_of_week: Floats) -> Floats:
    """Return companies × weeks: the factor by which the campaigns at work raise the rate of orders."""
    factor = np.ones((companies, len(middle_of_week)))
    for run in runs:
        at_work = (middle_of_week >= run.day) & (middle_of_week < run.day + run.campaign.works_days)
        factor[np.ix_(run.company[run.is_treated], at_work)] *= 1 + run.campaign.uplift
    return factor
