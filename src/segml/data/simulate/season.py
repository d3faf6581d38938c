"""When in the year is bought: the calendar that all share, and the season of each industry."""

from __future__ import annotations

import numpy as np

from segml.data.simulate.clock import Floats, Ints
from segml.data.simulate.companies import INDUSTRIES

WEEKS = 52
_WEEK = (np.arange(WEEKS) + 0.5) / WEEKS  # middle of each week as a share of the year

# Industry: (peak as a share of the year, height), (the same for the second, half-yearly wave); heights are in logs.
_WAVES = {
    "construction": ((0.56, 0.60), (0.35, 0.10)),
    "furniture": ((0.80, 0.40), (0.30, 0.20)),
    "machine building": ((0.90, 0.20), (0.40, 0.20)),
    "food production": ((0.60, 0.35), (0.95, 0.15)),
    "agriculture": ((0.45, 0.50), (0.27, 0.60)),
    "retail chains": ((0.86, 0.50), (0.90, 0.25)),
    "facility services": ((0.75, 0.25), (0.25, 0.20)),
    "electronics": ((0.92, 0.45), (0.42, 0.10)),
}
_FIRST_WEEK, _SECOND_WEEK, _MAY_HOLIDAYS = 0.25, 0.55, 0.75  # share of a usual week


def _bump(centre: float, width: float, height: float) -> Floats:
    return height * np.exp(-0.5 * ((_WEEK - centre) / width) ** 2)


def _shared() -> Floats:
    """Log of the common calendar: a summer dip, a year-end peak, the January and May holidays."""
    curve = _bump(0.56, 0.06, -0.25) + _bump(0.93, 0.035, 0.40)
    curve[[0, 1, 17, 18]] += np.log([_FIRST_WEEK, _SECOND_WEEK, _MAY_HOLIDAYS, _MAY_HOLIDAYS])
    return curve


def _own(industry: str) -> Floats:
    """Log of an industry's season at strength 1."""
    (peak, height), (second_peak, second_height) = _WAVES[industry]
    yearly = height * np.cos(2 * np.pi * (_WEEK - peak))
    return yearly + second_height * np.cos(4 * np.pi * (_WEEK - second_peak))


def multipliers(industry: Ints, strength: Floats) -> Floats:
    """Return companies × 52 weeks: how often is ordered in each week of the year, with mean 1."""
    own = np.array([_own(name) for name in INDUSTRIES])[industry]
    curve = np.exp(_shared() + strength[:, None] * own)
    relative: Floats = curve / curve.mean(axis=1, keepdims=True)
    return relative


def week_of_year(day_of_year: Floats) -> Ints:
    """Return the column of ``multipliers`` for each day of the year; the odd last days belong to the last week."""
    return np.minimum(day_of_year // 7, WEEKS - 1).astype(np.int64)
