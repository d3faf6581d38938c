"""What becomes of each company: when it starts, pauses, stagnates and leaves, and how gradually."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.random import Generator

from segml.data.simulate.archetypes import of_each
from segml.data.simulate.clock import NEVER, YEAR, Flags, Floats, Ints
from segml.data.simulate.companies import Companies
from segml.data.simulate.contracts import renewal, year_of_renewal
from segml.data.simulate.draws import pick
from segml.data.simulate.needs import Needs

STAGNATION_MODES = ("smaller orders", "rarer orders", "fewer families")
SMALLER, RARER, FEWER = range(3)
MODE_WEIGHTS = np.array([[0.5, 0.5, 0.0], [0.3, 0.3, 0.4]])  # too few families to lose some; enough
LEAST_LEFT, MOST_LEFT = 0.2, 0.6  # share of the volume
# Power of the remaining volume that shows in how often, and in how much, is ordered; by mode.
IN_RATE = np.array([0.15, 0.85, 0.0])
IN_SIZE = np.array([0.85, 0.15, 0.0])

TENURE_SCALE_DAYS = 1_400.0  # a company of the base has been with us about that long
TRIALS = 0.12  # share of newcomers who give up within some months
TRIAL_DAYS = 90.0
AFTER_STAGNATION = 2.0  # a stagnating company leaves this many times as fast
AT_RENEWAL = 0.35  # share of leavers with a contract who wait for its end
PAUSES_A_YEAR = 0.20
PAUSED_RATE = 0.04
FADED_RATE, FADED_SIZE = 0.30, 0.60


@dataclass(frozen=True)
class Fates:
    """One entry a company in every array; days since the start of the log, infinite where it never happens."""

    started: Floats  # negative: before the log begins
    stagnates: Floats
    stagnation_days: Floats  # from the first sign to the full effect
    stagnation_mode: Ints
    stagnation_factor: Floats  # share of the volume that remains
    leaves: Floats  # nothing is ordered on or after this day
    fade_days: Floats  # decline before leaving; zero: sudden
    paused_from: Floats
    paused_until: Floats
    lost_families: Floats  # companies × families: from when on a family is bought elsewhere

    def of(self, which: Any) -> Fates:
        """Return the fates of some companies, or with another shape, by indexing every array."""
        return Fates(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def rate(self, day: Floats) -> Floats:
        """Return how often the companies order, as a share of their habit."""
        paused = np.where((day >= self.paused_from) & (day < self.paused_until), PAUSED_RATE, 1.0)
        return self._stagnation(day, IN_RATE) * self._fading(day, FADED_RATE) * paused

    def size(self, day: Floats) -> Floats:
        """Return how much the companies order at a time, as a share of their habit."""
        return self._stagnation(day, IN_SIZE) * self._fading(day, FADED_SIZE)

    def _stagnation(self, day: Floats, power: Floats) -> Floats:
        left = ramp(day, self.stagnates, self.stagnation_days, self.stagnation_factor)
        return np.power(left, power[self.stagnation_mode])

    def _fading(self, day: Floats, lowest: float) -> Floats:
        return ramp(day, self.leaves - self.fade_days, np.maximum(self.fade_days, 1.0), lowest)


def ramp(day: Floats, since: Floats | float, length: Floats | float, lowest: Floats | float) -> Floats:
    """Return 1 before ``since``, falling straight to ``lowest`` over ``length`` days, and ``lowest`` from then on.

    >>> ramp(np.array([0.0, 10.0, 15.0, 20.0, 99.0]), 10.0, 10.0, 0.2).tolist()
    [1.0, 1.0, 0.6, 0.19999999999999996, 0.19999999999999996]
    """
    done: Floats = np.clip((day - since) / length, 0.0, 1.0)
    return 1 - (1 - lowest) * done


def make(rng: Generator, companies: Companies, needs: Needs, anniversary: Floats, days: int) -> Fates:
    """Return the fate of each company over a log of ``days`` days."""
    count = len(companies)
    started = _started(rng, companies, days)
    onset = np.maximum(started, 0.0)
    stagnates = onset + 90 + _waiting(rng, of_each("stagnates_a_year", companies.archetype))
    leaves = _leaves(rng, companies, started, stagnates, anniversary)
    fades = rng.random(count) < of_each("fades", companies.archetype)
    fade_days = np.where(fades, np.minimum(rng.uniform(30, 120, count), leaves - onset), 0.0)
    stagnation_days = rng.uniform(60, 120, count)
    losses = _losses(rng, needs)
    mode = pick(rng, MODE_WEIGHTS, losses.is_enough.astype(np.int64))
    paused_from, paused_until = _pauses(rng, companies, onset)
    return Fates(
        started=started,
        stagnates=np.where(stagnates < leaves, stagnates, NEVER),
        stagnation_days=stagnation_days,
        stagnation_mode=mode,
        stagnation_factor=np.where(mode == FEWER, losses.kept, rng.uniform(LEAST_LEFT, MOST_LEFT, count)),
        leaves=leaves,
        fade_days=fade_days,
        paused_from=paused_from,
        paused_until=paused_until,
        lost_families=np.where((mode == FEWER)[:, None], losses.moments(stagnates, stagnation_days), NEVER),
    )


def _waiting(rng: Generator, a_year: Floats) -> Floats:
    """Exponential waiting times in whole days; never where the hazard is zero."""
    draws = rng.standard_exponential(len(a_year)) * YEAR
    waiting: Floats = np.divide(draws, a_year, out=np.full(len(draws), NEVER), where=a_year > 0)
    return np.floor(waiting)


def _started(rng: Generator, companies: Companies, days: int) -> Floats:
    count = len(companies)
    is_new = companies.is_one_time | (rng.random(count) < days / (days + TENURE_SCALE_DAYS))
    before = -1 - rng.standard_exponential(count) * TENURE_SCALE_DAYS / 2
    return np.floor(np.where(is_new, rng.random(count) * days, before))


def _leaves(rng: Generator, companies: Companies, started: Floats, stagnates: Floats, anniversary: Floats) -> Floats:
    hazard = of_each("leaves_a_year", companies.archetype)
    leaves = np.maximum(started, 0.0) + 1 + _waiting(rng, hazard)
    hurried = stagnates + 30 + _waiting(rng, AFTER_STAGNATION * hazard)
    leaves = np.where(leaves > stagnates, hurried, leaves)
    gives_up = (started >= 0) & (rng.random(len(started)) < TRIALS)
    trial = started + 1 + np.floor(TRIAL_DAYS * rng.standard_exponential(len(started)))
    leaves = np.where(gives_up, np.minimum(trial, leaves), leaves)
    waits = np.isfinite(anniversary) & np.isfinite(leaves) & (rng.random(len(started)) < AT_RENEWAL)
    leaves[waits] = renewal(anniversary[waits], year_of_renewal(anniversary[waits], leaves[waits]))
    return np.where(companies.is_one_time, started + 1, leaves)


def _pauses(rng: Generator, companies: Companies, onset: Floats) -> tuple[Floats, Floats]:
    since = np.floor(onset + YEAR * rng.standard_exponential(len(onset)) / PAUSES_A_YEAR)
    since = np.where(companies.is_one_time, NEVER, since)
    return since, since + np.floor(rng.uniform(45, 150, len(onset)))


@dataclass(frozen=True)
class Losses:
    """Which families each company would lose by stagnating, and what share of its lines it would keep."""

    place: Ints  # companies × families: the turn of each family, from 0
    count: Ints  # how many are lost
    kept: Floats

    @property
    def is_enough(self) -> Flags:
        """Whose needs can be lost in part: neither nearly all nor hardly any."""
        return (self.kept >= LEAST_LEFT) & (self.kept <= MOST_LEFT)

    def moments(self, stagnates: Floats, stagnation_days: Floats) -> Floats:
        """Return companies × families: from when on each family is lost, one after the other; never for those kept."""
        pace = (stagnation_days / self.count)[:, None]
        moment = np.floor(stagnates[:, None] + (self.place + 1) * pace)
        return np.where(self.place < self.count[:, None], moment, NEVER)


def _losses(rng: Generator, needs: Needs) -> Losses:
    shape = needs.weight.shape
    goal = rng.uniform(LEAST_LEFT, MOST_LEFT, len(needs.weight))
    order = np.argsort(np.where(needs.weight > 0, rng.random(shape), 2.0), axis=1)
    left: Floats = 1 - np.cumsum(np.take_along_axis(needs.weight, order, axis=1), axis=1)
    last = np.argmin(np.abs(left - goal[:, None]), axis=1)
    return Losses(np.argsort(order, axis=1), last + 1, left[np.arange(len(left)), last])
