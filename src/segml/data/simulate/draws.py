"""Small random draws that several parts of the world share."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import Floats, Ints


def pick(rng: Generator, weights: Floats, rows: Ints) -> Ints:
    """Return a column for each entry of ``rows``: drawn by that row of ``weights`` (rows × columns, summing to 1)."""
    edges = np.cumsum(weights, axis=1)
    edges[:, -1] = 1.0  # rounding must not leave a gap at the top
    column: Ints = np.sum(rng.random((len(rows), 1)) >= edges[rows], axis=1, dtype=np.int64)
    return column


def lognormal(rng: Generator, median: Floats, spread: float, low: float, high: float) -> Floats:
    """Return one draw around each median, spread in logs, kept within ``[low, high]``."""
    return np.clip(median * np.exp(spread * rng.standard_normal(len(median))), low, high)


def wandering(rng: Generator, rows: int, columns: int, spread: float, memory: float) -> Floats:
    """Return ``rows`` stationary first-order autoregressive paths with this standard deviation and step memory."""
    path = rng.standard_normal((rows, columns))
    for column in range(1, columns):
        path[:, column] = memory * path[:, column - 1] + np.sqrt(1 - memory**2) * path[:, column]
    return spread * path


def sample(rng: Generator, candidates: Ints, rate: float) -> Ints:
    """Return a sorted random share of the candidates, without repeats."""
    count = min(len(candidates), round(rate * len(candidates)))
    return np.sort(rng.choice(candidates, size=count, replace=False))
