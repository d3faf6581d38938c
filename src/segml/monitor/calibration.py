"""The slope of calibration: whether high probabilities are too high and low ones too low, or the other way round.

Outcomes are regressed on the logits of their probabilities. A slope of 1 is right; below 1 the probabilities are too
extreme, above 1 too much alike. Source: D. R. Cox (1958), "Two further applications of a model for binary regression",
Biometrika 45(3/4), 562-565.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from segml.churn.metrics import Array

_NEAREST = 1e-9
_STEPS = 50
_CLOSE = 1e-7


def slopes(probability: npt.ArrayLike, outcome: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the slope of calibration under each of several weightings of the rows; NaN where it is not defined.

    Maximum likelihood by Newton's method, all weightings at once.

    Parameters
    ----------
    probability, outcome : (n,)
    weights : (b × n), not negative

    >>> p = np.repeat([0.2, 0.8], 10)
    >>> happened = np.tile([True, True, False, False, False, False, False, False, False, False], 2) ^ (p > 0.5)
    >>> slopes(p, happened, np.ones((1, 20))).round(6).tolist()
    [1.0]
    """
    x = logit(np.clip(np.asarray(probability, dtype=np.float64), _NEAREST, 1 - _NEAREST))
    found = np.zeros((len(weights), 2))  # from a slope of 0 Newton's steps are the safest
    has_converged = np.zeros(len(weights), dtype=bool)
    for _ in range(_STEPS):
        step = _step(found, x, outcome, weights)
        found = found + step
        has_converged = np.abs(step).max(axis=1) <= _CLOSE
        if (has_converged | np.isnan(step).any(axis=1)).all():
            break
    varies = (weights @ outcome > 0) & (weights @ ~outcome > 0)
    return np.where(has_converged & varies, found[:, 1], np.nan)


def _step(line: Array, x: Array, outcome: npt.NDArray[np.bool_], weights: Array) -> Array:
    """Return the Newton step of each line (b × 2: constant, slope); NaN where the rows do not determine it."""
    expected = expit(line[:, :1] + line[:, 1:] * x)
    error, spread = weights * (outcome - expected), weights * expected * (1 - expected)
    g0, g1 = error.sum(axis=1), error @ x
    h00, h01, h11 = spread.sum(axis=1), spread @ x, spread @ x**2
    determinant = h00 * h11 - h01**2
    is_known = determinant > 1e-12 * h00 * h11
    scale = np.divide(1.0, determinant, out=np.full_like(determinant, np.nan), where=is_known)
    return np.asarray(np.stack([(h11 * g0 - h01 * g1) * scale, (h00 * g1 - h01 * g0) * scale], axis=1))
