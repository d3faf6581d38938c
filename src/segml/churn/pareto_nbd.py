"""Pareto/NBD: how likely is a silent customer to stay silent, from purchase counts alone.

Customers buy at a Poisson rate that is gamma(r, α) over the base and leave at an exponential rate that
is gamma(s, β) (Schmittlein, Morrison & Colombo 1987). Fader & Hardie (2005, "A note on deriving the
Pareto/NBD model and related expressions") write the likelihood of x repeat purchases, the last at tx,
seen over T as

    Γ(r+x)/Γ(r) α^r β^s { (α+T)^-(r+x) (β+T)^-s  +  s/(r+s+x) A0 }

where A0 is a difference of two Gauss hypergeometric functions. That difference is the integral of
s (α+u)^-(r+x) (β+u)^-(s+1) over the unseen moment u of leaving, from tx to T. Here the integral itself is
taken, by tanh-sinh quadrature in logarithms: every summand is positive, so nothing cancels or overflows,
and the gradient costs no further evaluations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from segml.schema import DataError

Vector = npt.NDArray[np.float64]

# Parameters are sought in logarithms, with time in units of the longest age, inside these bounds: wide enough for
# any real base, finite where the likelihood has no maximum (all customers bought once, all on the same day).
_SHAPE_BOUNDS = (1e-3, 1e3)
_SCALE_BOUNDS = (1e-5, 1e5)
_CHUNK_ROWS = 20_000


def _tanh_sinh(nodes: int = 65, reach: float = 3.2) -> tuple[Vector, Vector]:
    """Return nodes and weights on (0, 1) that cluster at both ends (Takahasi & Mori 1974)."""
    steps, spacing = np.linspace(-reach, reach, nodes, retstep=True)
    inner = np.pi / 2 * np.sinh(steps)
    weights = spacing * np.pi / 4 * np.cosh(steps) / np.cosh(inner) ** 2
    return 1 / (1 + np.exp(-2 * inner)), weights


_NODES, _WEIGHTS = _tanh_sinh()


@dataclass(frozen=True)
class _Parameters:
    """The four parameters, times in the unit of the data they are used with."""

    r: float
    alpha: float
    s: float
    beta: float

    @classmethod
    def from_logs(cls, logs: Vector) -> _Parameters:
        return cls(*(float(value) for value in np.exp(logs)))


@dataclass(frozen=True)
class _Mass:
    """Likelihood of each customer, split over alive at T (shape n) and left at each node (n × nodes)."""

    log_total: Vector
    alive: Vector
    left: npt.NDArray[np.float64]
    alpha_plus_u: npt.NDArray[np.float64]
    beta_plus_u: npt.NDArray[np.float64]

    def mean(self, alive: Vector, left: npt.NDArray[np.float64]) -> Vector:
        """Return each customer's mean over its mass, of values at T (n) and at the nodes (n × nodes)."""
        total: Vector = self.alive * alive + (self.left * left).sum(axis=1)
        return total


def _mass(p: _Parameters, x: Vector, tx: Vector, age: Vector) -> _Mass:
    """Return log{(α+T)^-(r+x) (β+T)^-s + ∫} and how its mass is split; ``alive`` and ``left`` sum to one."""
    smaller = min(p.alpha, p.beta)
    reach = np.log((smaller + age) / (smaller + tx))[:, None]
    grown = (smaller + tx)[:, None] * np.exp(reach * _NODES)
    alpha_plus_u, beta_plus_u = grown + (p.alpha - smaller), grown + (p.beta - smaller)
    log_alive = -(p.r + x) * np.log(p.alpha + age) - p.s * np.log(p.beta + age)
    log_left = -(p.r + x)[:, None] * np.log(alpha_plus_u) - (p.s + 1) * np.log(beta_plus_u) + np.log(grown)
    peak = np.maximum(log_alive, log_left.max(axis=1))
    alive = np.exp(log_alive - peak)
    left = np.exp(log_left - peak[:, None]) * (p.s * reach * _WEIGHTS)
    total = alive + left.sum(axis=1)
    return _Mass(peak + np.log(total), alive / total, left / total[:, None], alpha_plus_u, beta_plus_u)


def _log_likelihood(p: _Parameters, x: Vector, tx: Vector, age: Vector) -> tuple[Vector, npt.NDArray[np.float64]]:
    """Return each customer's log-likelihood (n) and its gradient by log r, log α, log s, log β (4 × n)."""
    mass = _mass(p, x, tx, age)
    value = gammaln(p.r + x) - gammaln(p.r) + p.r * np.log(p.alpha) + p.s * np.log(p.beta) + mass.log_total
    mean = mass.mean
    by_r = digamma(p.r + x) - digamma(p.r) + np.log(p.alpha) - mean(np.log(p.alpha + age), np.log(mass.alpha_plus_u))
    by_alpha = p.r / p.alpha - (p.r + x) * mean(1 / (p.alpha + age), 1 / mass.alpha_plus_u)
    by_s = np.log(p.beta) - mean(np.log(p.beta + age), np.log(mass.beta_plus_u) - 1 / p.s)
    by_beta = p.s / p.beta - mean(p.s / (p.beta + age), (p.s + 1) / mass.beta_plus_u)
    return value, np.stack([by_r * p.r, by_alpha * p.alpha, by_s * p.s, by_beta * p.beta])


class ParetoNBD(BaseEstimator):  # type: ignore[misc]
    """Pareto/NBD by maximum likelihood.

    Times may be in any unit, the same throughout; ``alpha_`` and ``beta_`` carry it.

    Parameters
    ----------
    max_rows : int
        Customers with equal history are fitted as one weighted row; of more rows than this an evenly
        spaced sample of the sorted rows is taken, so the result is reproducible.

    Attributes
    ----------
    r_, alpha_, s_, beta_ : float
    log_likelihood_ : float
        Of the fitted rows; comparable with published values when no sample was taken.
    """

    def __init__(self, max_rows: int = 20_000) -> None:
        self.max_rows = max_rows

    def fit(self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> ParetoNBD:
        """Learn the four parameters.

        Parameters
        ----------
        frequency : (n,) repeat purchases, the first one not counted
        recency : (n,) time from the first to the last purchase
        age : (n,) time from the first purchase to the moment of looking

        Raises
        ------
        DataError : no customers, values missing, negative or infinite, recency above age
        """
        rows = _checked(frequency, recency, age)
        if not len(rows):
            raise DataError("Pareto/NBD needs at least one customer; found none")
        rows, weights = _weighted_rows(rows, self.max_rows)
        unit = rows[:, 2].max() or 1.0
        x, tx, longest = rows[:, 0], rows[:, 1] / unit, rows[:, 2] / unit
        best = _maximise(x, tx, longest, weights)
        self.r_, self.alpha_ = best.r, best.alpha * unit
        self.s_, self.beta_ = best.s, best.beta * unit
        values, _ = _log_likelihood(best, x, tx, longest)
        self.log_likelihood_ = float((weights * (values - x * np.log(unit))).sum())
        return self

    def probability_of_no_purchase(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike, horizon: float
    ) -> Vector:
        """Return the probability (n,) that nothing is bought over the horizon after the age.

        It is L(x, tx, T + horizon) / L(x, tx, T): the same history, seen to be silent for longer.
        """
        if not (np.isfinite(horizon) and horizon >= 0):
            raise DataError(f"horizon must be a finite time of zero or more; found {horizon}")
        rows = _checked(frequency, recency, age)
        parameters = self._parameters()
        chunks = [
            _mass(parameters, x, tx, age + horizon).log_total - _mass(parameters, x, tx, age).log_total
            for x, tx, age in _in_chunks(rows)
        ]
        return np.clip(np.exp(np.concatenate(chunks)), 0.0, 1.0)

    def probability_alive(self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> Vector:
        """Return the probability (n,) that the customer has not left by the age."""
        rows = _checked(frequency, recency, age)
        parameters = self._parameters()
        return np.concatenate([_mass(parameters, x, tx, age).alive for x, tx, age in _in_chunks(rows)])

    def _parameters(self) -> _Parameters:
        check_is_fitted(self, "r_")
        return _Parameters(self.r_, self.alpha_, self.s_, self.beta_)


def _checked(frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the history as an (n, 3) array, or say what is wrong with it."""
    columns = [np.asarray(values, dtype=np.float64) for values in (frequency, recency, age)]
    shapes = [column.shape for column in columns]
    if any(column.ndim != 1 for column in columns) or len(set(shapes)) != 1:
        raise DataError(f"frequency, recency and age must be three lists of one length; found shapes {shapes}")
    for name, column in zip(("frequency", "recency", "age"), columns, strict=True):
        bad = ~(np.isfinite(column) & (column >= 0))
        if bad.any():
            raise DataError(
                f"{name} must hold finite numbers of zero or more; found {column[bad][0]} at position "
                f"{int(bad.argmax())} ({int(bad.sum())} such values)"
            )
    late = columns[1] > columns[2]
    if late.any():
        raise DataError(
            f"recency (first to last purchase) cannot exceed age; found {columns[1][late][0]:g} > "
            f"{columns[2][late][0]:g} at position {int(late.argmax())}"
        )
    return np.column_stack(columns)


def _weighted_rows(rows: npt.NDArray[np.float64], at_most: int) -> tuple[npt.NDArray[np.float64], Vector]:
    """Return the distinct rows, sorted, and how many customers share each."""
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    if len(distinct) > at_most:
        chosen = np.linspace(0, len(distinct) - 1, at_most).astype(np.intp)
        distinct, counts = distinct[chosen], counts[chosen]
    return distinct, counts.astype(np.float64)


def _maximise(x: Vector, tx: Vector, age: Vector, weights: Vector) -> _Parameters:
    """Return the parameters of largest likelihood within the bounds."""

    def loss(logs: Vector) -> tuple[float, Vector]:
        values, gradient = _log_likelihood(_Parameters.from_logs(logs), x, tx, age)
        return float(-(weights * values).sum() / weights.sum()), -(weights * gradient).sum(axis=1) / weights.sum()

    rate = max((weights * x).sum() / max((weights * age).sum(), 1e-9), 1e-3)
    bounds = np.log([_SHAPE_BOUNDS, _SCALE_BOUNDS, _SHAPE_BOUNDS, _SCALE_BOUNDS])
    start = np.clip(np.log([1.0, 1 / rate, 1.0, 1.0]), bounds[:, 0], bounds[:, 1])
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-8})
    return _Parameters.from_logs(found.x)


def _in_chunks(rows: npt.NDArray[np.float64]) -> Iterator[tuple[Vector, Vector, Vector]]:
    """Yield frequency, recency and age of a bounded number of customers at a time; at least one chunk, maybe empty."""
    for start in range(0, max(len(rows), 1), _CHUNK_ROWS):
        chunk = rows[start : start + _CHUNK_ROWS]
        yield chunk[:, 0], chunk[:, 1], chunk[:, 2]
