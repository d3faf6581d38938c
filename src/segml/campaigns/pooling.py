"""Strata that are too small to stand alone, joined with their like."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

BETWEEN = " · "
OTHER = "other"
UNKNOWN = "unknown"

Enough = Callable[["pd.Series[str]"], "pd.Series[bool]"]
"""Labels, a customer each -> whether the label's customers are enough."""


def pooled(levels: pd.DataFrame, is_enough: Enough) -> pd.Series[str]:
    """Return one label a customer: its values joined, or, where those are too few, fewer of its values and "other".

    Customers of too small strata are joined one level up, with each other only; what is too few even at the top is
    ``other`` whatever its size.

    >>> base = pd.DataFrame({"tier": ["key", "key", "key", "small"], "risk_band": ["low", "low", "high", "high"]})
    >>> pooled(base, at_least(2)).tolist()
    ['key · low', 'key · low', 'other', 'other']

    Parameters
    ----------
    levels : one row a customer, columns from coarse to fine; missing values are a value of their own
    """
    text = levels.astype("str").where(levels.notna(), UNKNOWN)
    label = _joined(text, text.shape[1])
    for depth in range(text.shape[1] - 1, -1, -1):
        label = label.where(is_enough(label), _joined(text, depth))
    return label


def at_least(customers: int) -> Enough:
    """Return the rule that a stratum holds so many customers."""
    return lambda label: label.groupby(label).transform("size") >= customers


def both_arms(is_treated: pd.Series[bool], customers: int) -> Enough:
    """Return the rule that a stratum holds so many treated customers, and as many of the control."""

    def is_enough(label: pd.Series[str]) -> pd.Series[bool]:
        treated = is_treated.groupby(label).transform("sum")
        control = (~is_treated).groupby(label).transform("sum")
        return (treated >= customers) & (control >= customers)

    return is_enough


def _joined(text: pd.DataFrame, depth: int) -> pd.Series[str]:
    """Return the first values of each row; where some are left out, with the word that stands for them."""
    parts = [text.iloc[:, place] for place in range(depth)]
    if depth < text.shape[1]:
        parts.append(pd.Series(OTHER, index=text.index))
    label = parts[0].astype("str")
    for part in parts[1:]:
        label = label + BETWEEN + part
    return label
