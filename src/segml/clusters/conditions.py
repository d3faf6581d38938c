"""Conditions on features, and how they read: "revenue of 365 days from 12,300"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.language import N_, _, numerals

NOUNS = {
    "recency_days": N_("days since the last purchase"),
    "tenure_days": N_("days since the first purchase"),
    "order_count": N_("orders"),
    "purchase_day_count": N_("days with a purchase"),
    "gap_mean_days": N_("mean days between purchases"),
    "gap_shrunk_days": N_("usual days between purchases"),
    "gap_cv": N_("variation of the gaps"),
    "recency_to_gap": N_("silence over the usual gap"),
    "active_month_share": N_("share of months with a purchase"),
    "order_intensity": N_("orders a day"),
    "revenue": N_("revenue"),
    "revenue_total": N_("revenue so far"),
    "revenue_30d_to_run_rate": N_("revenue of 30 days over the run rate"),
    "revenue_90d_to_run_rate": N_("revenue of 90 days over the run rate"),
    "revenue_180d_to_run_rate": N_("revenue of 180 days over the run rate"),
    "run_rate_daily": N_("revenue a day"),
    "order_value_mean": N_("mean order value"),
    "order_value_cv": N_("variation of order value"),
    "margin": N_("margin"),
    "margin_share": N_("share of margin"),
    "discount_share": N_("share of discounts"),
    "product_count": N_("products"),
    "category_count": N_("categories"),
    "repeat_product_share": N_("share of products bought again"),
    "new_product_share": N_("share of new products"),
    "top_product_share": N_("share of the largest product"),
    "lines_per_order": N_("lines an order"),
    "return_share": N_("share of returns"),
    "region": N_("region"),
    "top_category": N_("main category"),
    "company_size": N_("company size"),
}
"""What features are called, with or without their window; others read as their names with blanks."""

_WINDOW = re.compile(r"(.+)_(\d+)d")


@dataclass(frozen=True)
class Condition:
    """What is asked of one feature: ``low <= x < high``; or that a text is ``value`` (low 1) or is not (high 1).

    Attributes
    ----------
    feature : name of the column
    value : the text asked for; None where the feature is a number
    low, high : bounds, the lower one included
    with_unknown : whether unknown numbers fulfil it too
    is_whole : whether the feature counts something, so that 1 to below 2 reads as 1
    has_unknown : whether some number was unknown when the bounds were learnt; if not, words need not mention it
    """

    feature: str
    value: Any = None
    low: float = -np.inf
    high: float = np.inf
    with_unknown: bool = True
    is_whole: bool = False
    has_unknown: bool = False

    @property
    def is_impossible(self) -> bool:
        """Whether no customer can fulfil it."""
        return self.low >= self.high and not self.with_unknown

    def holds(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return whether each customer (rows) fulfils it."""
        column = features[self.feature]
        if self.value is not None:
            is_value = column.eq(self.value).fillna(False).to_numpy(dtype=bool)
            return is_value if self.low == 1 else ~is_value
        numbers = column.to_numpy(dtype="float64", na_value=np.nan)
        inside = (numbers >= self.low) & (numbers < self.high)
        return np.asarray(inside | np.isnan(numbers) if self.with_unknown else inside)

    def told(self) -> str:
        """Return the condition in words, in the language spoken.

        >>> Condition("revenue_365d", low=1200, high=12300).told()
        'revenue of 365 days from 1,200 to below 12,300'
        >>> Condition("active_month_share", high=0.4).told()
        'share of months with a purchase below 40%'
        >>> Condition("region", "North", low=1).told()
        'region is North'
        """
        if self.value is not None:
            text = _("{feature} is {value}") if self.low == 1 else _("{feature} is not {value}")
            return text.format(feature=noun(self.feature), value=self.value)
        return self._pattern().format(
            feature=noun(self.feature), low=self._number(self.low), high=self._number(self.high)
        )

    def _pattern(self) -> str:
        if np.isposinf(self.low):
            return _("{feature} unknown")
        if np.isneginf(self.low) and np.isposinf(self.high):
            return _("{feature} known")
        is_or_unknown = self.with_unknown and self.has_unknown
        if np.isposinf(self.high):
            return _("{feature} from {low} or unknown") if is_or_unknown else _("{feature} from {low}")
        if np.isneginf(self.low):
            return _("{feature} below {high} or unknown") if is_or_unknown else _("{feature} below {high}")
        if self.is_whole and self.high - self.low == 1:
            return _("{feature} exactly {low} or unknown") if is_or_unknown else _("{feature} exactly {low}")
        between = _("{feature} from {low} to below {high}")
        return _("{feature} from {low} to below {high}, or unknown") if is_or_unknown else between

    def _number(self, bound: float) -> str:
        is_share = "share" in self.feature.split("_")
        return numerals(f"{100 * bound:,.12g}%" if is_share else f"{bound:,.12g}")


def noun(feature: str) -> str:
    """Return what a feature is called, in the language spoken.

    >>> noun("order_count_90d"), noun("margin_share_365d"), noun("page_views")
    ('orders of 90 days', 'share of margin of 365 days', 'page views')
    """
    if feature in NOUNS:
        return _(NOUNS[feature])
    windowed = _WINDOW.fullmatch(feature)
    if windowed and windowed[1] in NOUNS:
        return _("{noun} of {days} days").format(noun=_(NOUNS[windowed[1]]), days=windowed[2])
    return feature.replace("_", " ")
