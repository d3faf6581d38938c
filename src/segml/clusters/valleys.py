"""Do segments stand apart, or is one cloud of customers cut in pieces? The valley of density between two segments.

A division can come back in every sample and still cut a continuum where nobody stands apart; tightness against a
uniform box (the gap) takes a curved continuum for groups. What sets groups apart is that few customers lie between.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from segml.clusters.criteria import SAMPLE_SIZE, labelled_sample

FEWEST = 5
"""A segment of fewer customers (in the sample) is not known to stand apart: its valleys count 0."""

_GRID = 256
_RIDGE = 0.05  # of the mean variance: keeps the discriminant defined where features repeat each other

Floats = NDArray[np.float64]


def valleys(scaled: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> dict[int, float]:
    """Return, by label, the shallowest valley between a segment and any other: 1 is empty space, 0 is none.

    Two segments' customers are projected on Fisher's discriminant; the depth is one minus the least density between
    the two modes over the lower mode. The density is Gaussian-kernel, with Silverman's bandwidth of the smaller
    segment. After the ridgeline ratio of C. Hennig (2010), Methods for merging Gaussian mixture components, Advances
    in Data Analysis and Classification 4. Groups whose middles are closer than some three standard deviations leave no
    valley and count as one cloud. Empty where there is but one segment.

    Parameters
    ----------
    scaled : (customers, features), scaled; without NaN
    labels : segment of each of these customers; −1 is left out
    seed : of the sample, above ``SAMPLE_SIZE`` customers

    Examples
    --------
    >>> line = np.r_[np.linspace(0, 1, 50), np.linspace(9, 10, 50)][:, None]
    >>> {label: round(depth, 2) for label, depth in valleys(line, line[:, 0] > 5).items()}
    {0: 1.0, 1: 1.0}
    """
    customers, kept = labelled_sample(scaled, labels, SAMPLE_SIZE, seed)
    segments = {int(label): customers[kept == label] for label in np.unique(kept)}
    shallowest: dict[int, float] = {}
    with threadpool_limits(1):
        for pair in combinations(segments, 2):
            found = _depth(segments[pair[0]], segments[pair[1]])
            shallowest |= {label: min(found, shallowest.get(label, 1.0)) for label in pair}
    return shallowest


def _depth(one: Floats, other: Floats) -> float:
    if min(len(one), len(other)) < FEWEST:
        return 0.0
    axis = _discriminant(one, other)
    left, right = one @ axis, other @ axis
    density = _density(left, right)
    walls = np.minimum(np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1])
    return float((1 - density / walls).max())


def _discriminant(one: Floats, other: Floats) -> Floats:
    """Return Fisher's direction from one segment to the other, of length 1."""
    within = (_scatter(one) + _scatter(other)) / (len(one) + len(other))
    features = len(within)
    ridge = _RIDGE * np.trace(within) / features + np.finfo(float).eps
    axis = np.linalg.solve(within + ridge * np.eye(features), other.mean(axis=0) - one.mean(axis=0))
    return np.asarray(axis / max(np.linalg.norm(axis), np.finfo(float).tiny))


def _scatter(segment: Floats) -> Floats:
    centred = segment - segment.mean(axis=0)
    return np.asarray(centred.T @ centred)


def _density(left: Floats, right: Floats) -> Floats:
    """Return the density of both segments together, from two deviations before one middle to two after the other."""
    both = np.concatenate([left, right])
    spread = np.sqrt((left.var() * len(left) + right.var() * len(right)) / len(both))
    low, high = sorted((left.mean(), right.mean()))
    grid = np.linspace(low - 2 * spread, high + 2 * spread, _GRID)
    bandwidth = max(1.06 * spread * min(len(left), len(right)) ** -0.2, grid[1] - grid[0], np.finfo(float).tiny)
    return np.asarray(np.exp(-0.5 * ((grid[:, None] - both) / bandwidth) ** 2).sum(axis=1))
