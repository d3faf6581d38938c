"""The effect within one group of customers: a difference of means within strata, adjusted by the period before."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]

SMALL_ARM = 1 / 3
"""Arms that hold less of their stratum than this get the wider variance."""
LEVERAGE = 0.99
"""A customer who alone decides the slope to this degree forbids one."""


@dataclass(frozen=True)
class Estimate:
    """An effect and how well it is known.

    Attributes
    ----------
    difference : treated − control, a customer
    variance : of the difference; 0 where outcomes do not vary, and nothing can be told
    freedom : degrees of freedom of the variance
    control_mean : what a customer brings untreated
    """

    difference: float
    variance: float
    freedom: float
    control_mean: float

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the 1 − alpha interval; NaN where outcomes do not vary."""
        if not self.variance > 0:
            return math.nan, math.nan
        half = stats.t.ppf(1 - alpha / 2, self.freedom) * math.sqrt(self.variance)
        return self.difference - half, self.difference + half

    @property
    def p_value(self) -> float:
        """Chance of a difference as large where there is no effect; NaN where outcomes do not vary."""
        if not self.variance > 0:
            return math.nan
        return float(2 * stats.t.sf(abs(self.difference) / math.sqrt(self.variance), self.freedom))


def adjusted_difference(
    outcome: npt.ArrayLike, before: npt.ArrayLike, is_treated: npt.ArrayLike, stratum: npt.ArrayLike
) -> Estimate:
    """Return treated − control, stratified and adjusted by the same measure of the period before.

    The difference of means within strata is weighted by the strata's customers; ``outcome − slope × before`` stands
    for the outcome, with the one slope that makes the variance of the difference smallest ("tyranny of the minority",
    Lin 2013, remark after corollary 2; Lu & Liu 2024). So an adjustment cannot hurt, however the effects differ, and
    takes one parameter whatever the number of strata. The variance is the heteroscedasticity-robust HC2, and HC3
    (MacKinnon & White 1985) in arms that hold under a third of their stratum, where HC2 is too small for skewed
    outcomes; degrees of freedom are Welch and Satterthwaite's.

    Parameters
    ----------
    outcome, before : (n,) in the window, and in the period before it
    is_treated : (n,) of bool
    stratum : (n,) labels; every stratum has at least two customers of either arm
    """
    cells = _Cells(np.asarray(is_treated, dtype=bool), np.asarray(stratum))
    after, earlier = np.asarray(outcome, dtype=np.float64), np.asarray(before, dtype=np.float64)
    slope, leverage = _slope(cells, after, earlier)
    adjusted = after - slope * (earlier - earlier.mean())
    means = cells.means(adjusted)
    gaps = adjusted - means[cells.of]
    inflated = gaps**2 / (1 - leverage) ** cells.power[cells.of]
    variances = (cells.weight / cells.count) ** 2 * cells.sums(inflated)
    variance = float(variances.sum())
    squares = float((variances**2 / (cells.count - 1)).sum())
    freedom = max(variance**2 / squares - (slope != 0), 1.0) if squares > 0 else math.nan
    difference = float((cells.weight * cells.sign * means).sum())
    control = float((cells.weight * means)[cells.sign < 0].sum())
    return Estimate(difference, variance, freedom, control)


def together(parts: Iterable[tuple[float, Estimate]]) -> Estimate:
    """Return the mean of independent effects by weights that add up to 1."""
    weighed = list(parts)
    pieces = [weight**2 * part.variance for weight, part in weighed]
    variance = math.fsum(pieces)
    known = [(piece, part.freedom) for piece, (_, part) in zip(pieces, weighed, strict=True) if piece > 0]
    squares = math.fsum(piece**2 / freedom for piece, freedom in known)
    return Estimate(
        difference=math.fsum(weight * part.difference for weight, part in weighed),
        variance=variance,
        freedom=variance**2 / squares if squares > 0 else math.nan,
        control_mean=math.fsum(weight * part.control_mean for weight, part in weighed),
    )


class _Cells:
    """Strata × arms: of each its customers, its stratum's share of all, its sign, and the power of its leverage."""

    def __init__(self, is_treated: npt.NDArray[np.bool_], stratum: npt.NDArray[np.generic]) -> None:
        _, place = np.unique(stratum, return_inverse=True)
        self.of = 2 * place + is_treated
        self.count = np.bincount(self.of, minlength=2 * (place.max() + 1)).astype(np.float64)
        of_stratum = np.repeat(self.count.reshape(-1, 2).sum(axis=1), 2)
        self.weight = of_stratum / len(place)
        self.sign = np.tile([-1.0, 1.0], len(self.count) // 2)
        self.power = np.where(self.count < SMALL_ARM * of_stratum, 2, 1)

    def sums(self, values: Array) -> Array:
        total: Array = np.bincount(self.of, weights=values, minlength=len(self.count)).astype(np.float64)
        return total

    def means(self, values: Array) -> Array:
        return self.sums(values) / self.count


def _slope(cells: _Cells, after: Array, earlier: Array) -> tuple[float, Array]:
    """Return the slope that makes the variance smallest, and the leverage of each customer."""
    plain = (1 / cells.count)[cells.of]
    matters = (cells.weight**2 / (cells.count * (cells.count - 1)))[cells.of]
    gap = earlier - cells.means(earlier)[cells.of]
    spread = float((matters * gap**2).sum())
    if spread <= 0:
        return 0.0, plain
    leverage = plain + matters * gap**2 / spread
    if leverage.max() >= LEVERAGE:
        return 0.0, plain
    return float((matters * gap * (after - cells.means(after)[cells.of])).sum()) / spread, leverage
