"""Are the arms what was assigned: the sample ratio."""

from __future__ import annotations

import math

import pandas as pd
from scipy import stats

SUSPICIOUS = 0.001
"""A sample ratio less likely than this is no accident (Fabijan et al. 2019)."""


def sample_ratio(is_treated: pd.Series[bool], share: float) -> float:
    """Return the p-value of a chi-square test that a share of the customers is treated.

    >>> round(sample_ratio(pd.Series([True] * 60 + [False] * 40), 0.5), 4)
    0.0455
    """
    treated = int(is_treated.sum())
    expected = [share * len(is_treated), (1 - share) * len(is_treated)]
    return float(stats.chisquare([treated, len(is_treated) - treated], expected).pvalue)


def even_ratio(is_treated: pd.Series[bool], segment: pd.Series[str]) -> float:
    """Return the p-value of a chi-square test that all segments have the same share of treated; NaN for one segment."""
    table = pd.crosstab(segment, is_treated)
    return float(stats.chi2_contingency(table).pvalue) if min(table.shape) > 1 else math.nan
