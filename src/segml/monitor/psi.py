"""The population stability index, and how large chance alone makes it.

With n customers then and m now, B bins and no change, the index is distributed about as (1/n + 1/m) · χ² with B − 1
degrees of freedom: B. Yurdakul, J. Naranjo (2020), "Statistical properties of the population stability index", Journal
of Risk Model Validation 14(4), 89-100. Half a customer is lent to each bin, so that an empty one has a logarithm.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

LEAST_IN_BIN = 10
"""Customers of the reference that a bin of equal count holds at least; with fewer there are fewer bins."""

LEAST_EXPECTED = 5
"""Customers that a category is expected to have in the smaller table; rarer ones are taken together."""

LENT = 0.5
"""Customers lent to each bin."""

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Binned(NamedTuple):
    """How many customers fell into each bin then and now; bins that were empty both times are not there."""

    then: Counts
    now: Counts


def number_bins(then: Floats, now: Floats, bins: int) -> Binned:
    """Return counts by quantile bins of the reference; unknown values (NaN) are a bin of their own.

    A bin holds the values up to and including its upper edge. Equal values are never parted: where many customers have
    the same value, such as zero, there are fewer bins.

    >>> number_bins(np.array([0, 0, 0, 1, 2, np.nan]), np.array([0, 3, np.nan, np.nan, 1, 1]), 2)
    Binned(then=array([3, 2, 1]), now=array([1, 3, 2]))
    """
    known = then[~np.isnan(then)]
    edges = _edges(known, bins)
    places = len(edges) + 2
    counts = [_counts(np.where(np.isnan(one), places - 1, np.searchsorted(edges, one)), places) for one in (then, now)]
    return _without_empty(*counts)


def category_bins(then: pd.Series[Any], now: pd.Series[Any]) -> Binned:
    """Return counts by category, unknown being one of its own; rare categories are taken together.

    >>> category_bins(pd.Series(list("aaaaaabbbbbc")), pd.Series([*"aaaaaabbbbb", None]))
    Binned(then=array([6, 5, 1]), now=array([6, 5, 1]))
    """
    places, names = pd.factorize(pd.concat([then, now], ignore_index=True), sort=True)
    places = np.where(places < 0, len(names), places)
    parts = [_counts(part, len(names) + 1) for part in np.split(places, [len(then)])]
    both = np.sum(parts, axis=0)
    is_rare = both * min(len(then), len(now)) < LEAST_EXPECTED * (len(then) + len(now))
    return _without_empty(*(np.append(part[~is_rare], part[is_rare].sum()) for part in parts))


def index(binned: Binned) -> float:
    """Return the population stability index: 0 the same shares in all bins; the customary bounds are 0.1 and 0.25.

    >>> round(index(Binned(np.array([50, 50]), np.array([80, 20]))), 3)
    0.406
    """
    if len(binned.then) < 2:
        return 0.0
    before, after = (_lent_shares(counts) for counts in binned)
    return float(((after - before) * np.log(after / before)).sum())


def chance(binned: Binned, level: float = 0.95) -> float:
    """Return what the index stays below with this probability where nothing has changed.

    >>> round(chance(Binned(np.array([250, 250]), np.array([250, 250]))), 4)
    0.0154
    """
    spread = 1 / binned.then.sum() + 1 / binned.now.sum()
    return float(spread * chi2.ppf(level, len(binned.then) - 1)) if len(binned.then) > 1 else 0.0


def _edges(known: Floats, bins: int) -> Floats:
    """Return the inner edges of bins of about equal count, each once."""
    count = min(bins, len(known) // LEAST_IN_BIN)
    steps = np.arange(1, max(count, 2)) / max(count, 2)
    return np.unique(np.quantile(known, steps, method="inverted_cdf")) if len(known) else np.empty(0)


def _counts(places: npt.NDArray[Any], bins: int) -> Counts:
    return np.bincount(places.astype(np.int64), minlength=bins)


def _without_empty(then: Counts, now: Counts) -> Binned:
    is_filled = (then + now) > 0
    return Binned(then[is_filled], now[is_filled])


def _lent_shares(counts: Counts) -> Floats:
    return np.asarray((counts + LENT) / (counts.sum() + LENT * len(counts)))
