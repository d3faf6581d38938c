"""Shares of customers with their 95 % intervals, and how two of them differ."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.stats import binomtest


class Proportion(NamedTuple):
    """Of how many ``cases`` it is true in ``hits``."""

    hits: int
    cases: int


class Estimate(NamedTuple):
    """A figure with its 95 % interval; NaN where it is not known."""

    value: float
    low: float
    high: float

    def named(self, name: str) -> dict[str, float]:
        """Return the figure as columns: ``name``, ``name_low``, ``name_high``."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def share(part: Proportion) -> Estimate:
    """Return a share, with the interval of Wilson's score.

    >>> {name: round(end, 3) for name, end in share(Proportion(8, 10)).named("kept").items()}
    {'kept': 0.8, 'kept_low': 0.49, 'kept_high': 0.943}
    """
    if not part.cases:
        return UNKNOWN
    ends = binomtest(part.hits, part.cases).proportion_ci(0.95, method="wilson")
    return Estimate(part.hits / part.cases, float(ends.low), float(ends.high))


def difference(one: Proportion, other: Proportion) -> Estimate:
    """Return by how much one share exceeds another.

    The interval is that of R. G. Newcombe (1998), "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 17(8), 873-890, method 10. Where the same customers stand in both, it is too
    wide rather than too narrow.

    >>> [round(end, 4) for end in difference(Proportion(56, 70), Proportion(48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    first, second = share(one), share(other)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    apart = first.value - second.value
    return Estimate(apart, apart - below, apart + above)
