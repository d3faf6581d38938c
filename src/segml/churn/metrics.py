"""Metrics under row weights, many weightings at once: the bootstrap resamples customers by weighting rows.

``weights`` is (b × n), a weighting a row; each metric returns (b,) values, NaN where it is not defined (one class
only). Ties are treated as a random order would on average, so no metric depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BLOCK_CELLS = 4_000_000


@dataclass(frozen=True)
class Ranking:
    """Rows by falling score, equal scores in one group.

    ``order`` (n) puts the rows in that order, ``starts`` (g) are the places in it where the groups begin.
    """

    order: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]

    @classmethod
    def by(cls, score: npt.ArrayLike) -> Ranking:
        """Rank rows by a score (n), highest first; an unknown score (NaN) ranks last."""
        values = np.nan_to_num(np.asarray(score, dtype=np.float64), nan=-np.inf)
        order = np.argsort(-values, kind="stable")
        ranked = values[order]
        is_new = np.concatenate([[True], ranked[1:] != ranked[:-1]])
        return cls(order, np.flatnonzero(is_new))

    def sums(self, values: Array) -> Array:
        """Return the sums (b × g) of values (b × n) over each group."""
        return np.add.reduceat(values[:, self.order], self.starts, axis=1)


def roc_auc(ranking: Ranking, outcome: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the chance that a positive outranks a negative, a tie counting half."""
    positive, negative = ranking.sums(weights * outcome), ranking.sums(weights * ~outcome)
    above = positive.cumsum(axis=1) - positive / 2
    return _ratio((above * negative).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def average_precision(ranking: Ranking, outcome: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the mean precision over the positives, each read at its own score."""
    positive, total = ranking.sums(weights * outcome), ranking.sums(weights)
    precision = _ratio(positive.cumsum(axis=1), total.cumsum(axis=1))
    return _ratio((np.nan_to_num(precision) * positive).sum(axis=1), positive.sum(axis=1))


def weighted_mean(value: npt.NDArray[Any], weights: Array) -> Array:
    """Return the mean of a value (n)."""
    return _ratio((weights * value).sum(axis=1), weights.sum(axis=1))


def captured_at(ranking: Ranking, value: Array, weights: Array, share: float | Array) -> Array:
    """Return the share of a non-negative value (n) that the given top share of the rows, or shares (b × 1), hold."""
    total, held = ranking.sums(weights), ranking.sums(weights * value)
    above = total.cumsum(axis=1) - total
    room = share * total.sum(axis=1, keepdims=True) - above
    taken = np.clip(np.nan_to_num(_ratio(room, total)), 0.0, 1.0)
    return _ratio((taken * held).sum(axis=1), held.sum(axis=1))


def brier(probability: Array, outcome: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the mean squared distance between probability and outcome."""
    return _ratio((weights * (probability - outcome) ** 2).sum(axis=1), weights.sum(axis=1))


def expected_calibration_error(
    probability: Array, outcome: npt.NDArray[np.bool_], weights: Array, bins: int = 10
) -> Array:
    """Return the mean distance between predicted and observed rate over bins of equal count."""
    order, starts = _bin_layout(equal_count_bins(probability, bins))
    gap = np.add.reduceat((weights * (probability - outcome))[:, order], starts, axis=1)
    return _ratio(np.abs(gap).sum(axis=1), weights.sum(axis=1))


def equal_count_bins(probability: Array, bins: int = 10) -> npt.NDArray[np.intp]:
    """Return the bin (n), 0 the lowest, of each row; equal probabilities share a bin.

    >>> equal_count_bins(np.array([0.1, 0.4, 0.2, 0.9]), bins=2).tolist()
    [0, 1, 0, 1]
    """
    values, inverse, counts = np.unique(probability, return_inverse=True, return_counts=True)
    middle = counts.cumsum() - counts / 2
    bin_of_value = np.minimum((middle * bins / len(probability)).astype(np.intp), bins - 1)
    return np.asarray(bin_of_value[inverse], dtype=np.intp) if len(values) else np.empty(0, dtype=np.intp)


def bootstrap_weights(customers: npt.ArrayLike, resamples: int, seed: int) -> Iterator[Array]:
    """Yield weightings (b × n) that redraw the customers, with all their rows, from among themselves.

    The blocks hold ``resamples`` weightings in all, in pieces that fit into memory; they depend on the set of
    customers, not on the order of the rows.
    """
    names, customer_of_row = np.unique(np.asarray(customers), return_inverse=True)
    generator = np.random.default_rng(seed)
    at_once = max(1, _BLOCK_CELLS // max(len(customer_of_row), 1))
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        draws = (np.bincount(generator.integers(0, len(names), len(names)), minlength=len(names)) for _ in range(rows))
        yield np.stack(list(draws))[:, customer_of_row].astype(np.float64)


Statistics = Callable[[Array], Mapping[str, Array]]


def with_intervals(
    statistics: Statistics, customers: npt.ArrayLike, *, resamples: int, seed: int, level: float = 0.95
) -> dict[str, float]:
    """Return each statistic with ``_low`` and ``_high``: the percentile interval over redrawn customers.

    A statistic that is not defined on the data is left out; a resample on which it is not defined does not count.

    Parameters
    ----------
    statistics : weights (b × n) to named values (b,)
    customers : (n,) whose row it is
    """
    rows = len(np.asarray(customers))
    point = {name: float(value[0]) for name, value in statistics(np.ones((1, rows))).items()}
    blocks = [statistics(weights) for weights in bootstrap_weights(customers, resamples, seed)]
    found: dict[str, float] = {}
    for name in (name for name, value in point.items() if np.isfinite(value)):
        found[name] = point[name]
        drawn = np.concatenate([block[name] for block in blocks]) if blocks else np.empty(0)
        if np.isfinite(drawn).any():
            tail = (1 - level) / 2
            low, high = np.nanquantile(drawn, [tail, 1 - tail])
            found |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return found


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Return the quotient, NaN where the denominator is zero."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    quotient: Array = np.divide(numerator, denominator, out=np.full(shape, np.nan), where=denominator != 0)
    return quotient


def _bin_layout(bins: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    order = np.argsort(bins, kind="stable")
    return order, np.flatnonzero(np.diff(bins[order], prepend=-1) != 0)
