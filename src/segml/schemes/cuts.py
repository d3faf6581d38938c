"""Cut points: what is learnt when customers are compared, as numbers that can be kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segml.language import numerals
from segml.schemes.ranking import quantile_scores


def lowest(values: ArrayLike, belongs: ArrayLike) -> float:
    """Return the smallest value that belongs to a class; where none does, one unit above the largest.

    >>> lowest([5, 20, 70], [False, True, True]), lowest([5, 20, 70], [False, False, False])
    (20.0, 71.0)
    """
    numbers, inside = np.asarray(values, dtype=float), np.asarray(belongs, dtype=bool)
    if inside.any():
        return float(numbers[inside].min())
    largest = numbers.max()
    return float(max(largest + 1, np.nextafter(largest, np.inf)))  # beyond 2**53 one unit is nothing


def score_cuts(values: ArrayLike, bins: int) -> tuple[float, ...]:
    """Return the ``bins - 1`` cut points by which ``cut_scores`` gives these values their quantile scores.

    A score that nobody has takes the cut point of the next one that somebody has, so that cut points may be equal.

    >>> score_cuts([10, 20, 30, 40, 50], 5)
    (20.0, 30.0, 40.0, 50.0)
    >>> score_cuts([1, 1, 1, 1, 7], 5)
    (1.0, 1.0, 7.0, 7.0)
    """
    scores = quantile_scores(values, bins)
    return tuple(lowest(values, scores >= score) for score in range(2, bins + 1))


def typical(values: pd.Series[float]) -> float | None:
    """Return the median of what is known; None where nothing is."""
    median = float(values.median())
    return None if np.isnan(median) else median


def told(cut: float) -> str:
    """Return a cut point as people read it: large ones whole, others by three digits.

    >>> told(12345.67), told(28.5493), told(0.25)
    ('12,346', '28.5', '0.25')
    """
    return numerals(f"{cut:,.0f}" if abs(cut) >= 100 else f"{cut:.3g}")
