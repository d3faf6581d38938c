"""When each company orders: gaps of its own regularity, faster and slower with season, growth and fate.

Orders are a renewal process in operational time (Cox & Isham, *Point Processes*, 1980, time change): gaps are
Gamma with mean 1 in units of the company's rhythm, and the clock runs at the company's current rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import YEAR, Clock, Floats, Ints
from segml.data.simulate.companies import Companies
from segml.data.simulate.draws import wandering
from segml.data.simulate.fates import Fates
from segml.data.simulate.season import multipliers, week_of_year

WEEK = 7
GROWTH_IN_RATE = 0.5  # the other half of growth is in the value of orders
MOOD_SPREAD, MOOD_MEMORY, MOOD_DAYS = 0.25, 0.85, 30
PROMOTION_PULL = 0.6
OPENS, CLOSES = 8.0, 19.0  # hours


@dataclass(frozen=True)
class Visits:
    """The moments of orders, by company and time: equally long arrays."""

    company: Ints
    day: Floats


def weeks(days: int) -> Floats:
    """Return the middle of each week of a log of ``days`` days."""
    return np.arange(0, days, WEEK, dtype=np.float64) + WEEK / 2


def moods(rng: Generator, companies: int, days: int) -> Floats:
    """Return companies × months: the log of a slow wandering of demand that no table explains."""
    return wandering(rng, companies, days // MOOD_DAYS + 2, MOOD_SPREAD, MOOD_MEMORY)


def rates(companies: Companies, fates: Fates, mood: Floats, promotion: Floats, clock: Clock) -> Floats:
    """Return companies × weeks: orders as a multiple of the company's own habit."""
    middle = weeks(clock.days)
    season = multipliers(companies.industry, companies.season)[:, week_of_year(clock.day_of_year(middle))]
    years = (middle - clock.days / 2) / YEAR
    growth = np.clip(GROWTH_IN_RATE * companies.growth[:, None] * years, -1.0, 1.0)
    wave = mood[:, (middle // MOOD_DAYS).astype(np.int64)]
    pull = 1 + PROMOTION_PULL * companies.price_sensitivity[:, None] * promotion
    return season * np.exp(growth + wave - MOOD_SPREAD**2 / 2) * pull * fates.of(np.s_[:, None]).rate(middle)


def visits(rng: Generator, companies: Companies, fates: Fates, rate: Floats, clock: Clock) -> Visits:
    """Return when the companies order, given the multiple of their habit in each week."""
    own_time = np.cumsum(rate * WEEK / companies.rhythm_days[:, None], axis=1)
    own_time = np.concatenate([np.zeros((len(own_time), 1)), own_time], axis=1)
    company, due = _renewals(rng, companies, fates, own_time)
    return _in_office_hours(rng, company, _calendar_day(company, due, own_time), fates, clock)


def _renewals(rng: Generator, companies: Companies, fates: Fates, own_time: Floats) -> tuple[Ints, Floats]:
    """Return company and operational time of each order up to the end of the log."""
    shape, total = companies.regularity, own_time[:, -1]
    begins = _at(own_time, np.maximum(fates.started, 0.0))
    left = np.maximum(total - begins, 0.0)
    count = np.ceil(left + 6 * np.sqrt(left / shape) + 6 / shape + 4).astype(np.int64)
    company = np.repeat(np.arange(len(count)), count)
    gap = rng.standard_gamma(shape[company]) / shape[company]
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    gap[first] = _first_gap(rng, shape, fates.started)
    due = np.cumsum(gap)
    due += np.repeat(begins - due[first] + gap[first], count)
    happens = due < total[company]
    return company[happens], due[happens]


def _first_gap(rng: Generator, shape: Floats, started: Floats) -> Floats:
    """Newcomers order at once; of the others the log shows the rest of a gap that began before it."""
    rest = rng.random(len(shape)) * rng.standard_gamma(shape + 1) / shape
    return np.where(started >= 0, 0.0, rest)


def _at(own_time: Floats, day: Floats) -> Floats:
    """Return the operational time of one day for each company."""
    week = np.minimum((day // WEEK).astype(np.int64), own_time.shape[1] - 2)
    rows = np.arange(len(own_time))
    below, above = own_time[rows, week], own_time[rows, week + 1]
    reached: Floats = below + (day / WEEK - week) * (above - below)
    return reached


def _calendar_day(company: Ints, due: Floats, own_time: Floats) -> Floats:
    """Return the day on which each operational time comes: all companies in one search."""
    span = own_time[:, -1].max() + 1
    edges = own_time + span * np.arange(len(own_time))[:, None]
    place = np.searchsorted(edges.ravel(), due + span * company, side="right") - 1
    week = np.clip(place - company * own_time.shape[1], 0, own_time.shape[1] - 2)
    below, above = own_time[company, week], own_time[company, week + 1]
    day: Floats = WEEK * (week + np.clip((due - below) / (above - below), 0.0, 1.0))
    return day


def _in_office_hours(rng: Generator, company: Ints, day: Floats, fates: Fates, clock: Clock) -> Visits:
    """Move weekends to the nearest working day, give each order an hour, keep what comes before the company leaves."""
    day = np.floor(day)
    weekday = clock.weekday(day)
    is_first = (np.diff(company, prepend=-1) != 0) & (fates.started[company] >= 0)
    moved = day + np.where(weekday == 5, -1.0, 0.0) + np.where(weekday == 6, 1.0, 0.0)
    day = np.where(is_first, fates.started[company], moved)
    last = np.minimum(fates.leaves[company], clock.days)
    keep = (day >= np.maximum(fates.started[company], 0.0)) & (day < last)
    hour = rng.triangular(OPENS, 11.0, CLOSES, len(day))
    company, moment = company[keep], (day + hour / 24)[keep]
    order = np.lexsort((moment, company))
    return Visits(company[order], moment[order])
