"""Tiers: key, growing, standard and small accounts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.cuts import lowest, told
from segml.schemes.ranking import count_at_least, share_above
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import NotNegative, Positive, PositiveFloat, Share
from segml.windows import YEAR_DAYS

Floats = NDArray[np.float64]


class Tier(Scheme):
    """How much an account deserves to be cared for.

    *key*: the largest customers that together make ``key_revenue_share`` of the revenue, but no more than
    ``key_customer_share_at_most`` of the customers that brought any (always room for one); *small*: the tail that
    makes the last ``small_revenue_share``, and who brought nothing; *growing*: neither, and revenue a day up by
    ``growing_min_growth`` on the year before; *standard*: everyone else. Equals share a tier.

    Growth compares money per day of the last 365 days with that of the 365 before, counted from the first purchase: a
    customer who came a year and a quarter ago has not grown fourfold. It is unknown under ``growing_min_days`` days.

    ``key_from`` and ``small_below`` are revenues of the window: given, they take the place of the shares of revenue and
    of customers. ``key_min_revenue`` is asked of key accounts beside either.
    """

    column = "tier"
    title = N_("Tiers")
    question = N_("How much revenue hangs on an account?")
    labels = ("key", "growing", "standard", "small")
    learns = ("key_from", "small_below")

    window_days: Positive = 365
    key_revenue_share: Share = 0.60
    key_customer_share_at_most: Share = 0.20
    key_min_revenue: NotNegative | None = None
    key_min_years: NotNegative = 0.0
    key_max_p_churn: Share | None = None
    growing_min_growth: NotNegative = 0.30
    growing_min_revenue: NotNegative | None = None
    growing_min_days: Positive = 90
    small_revenue_share: Share = 0.05
    key_from: PositiveFloat | None = None
    small_below: PositiveFloat | None = None

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue of the window, of this year and the year before, and tenure."""
        return tuple(dict.fromkeys((self._revenue, "revenue_365d", "revenue_365d_previous", "tenure_days")))

    @property
    def uses(self) -> tuple[str, ...]:
        """The risk of leaving, where a low one is asked of key accounts."""
        return ("p_churn",)

    @property
    def _revenue(self) -> str:
        return f"revenue_{self.window_days}d"

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the tier of each customer."""
        revenue = known[self._revenue].to_numpy(dtype=float)
        before = share_above(revenue)
        return first_match(
            {
                NOT_ENOUGH_DATA: np.isnan(before) & self.compares_customers,
                "key": self._is_key(known, self._is_large(revenue, before)),
                "small": self._is_small(revenue, before),
                "growing": self._is_growing(known),
            },
            otherwise="standard",
        )

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the revenue from which on customers are large enough to be key, and below which they are small."""
        revenue = known[self._revenue].to_numpy(dtype=float)
        before = share_above(revenue)
        if np.isnan(before).any():
            return {}
        return {
            "key_from": lowest(revenue, self._is_large(revenue, before)),
            "small_below": lowest(revenue, ~self._is_small(revenue, before)),
        }

    def _is_large(self, revenue: Floats, before: Floats) -> NDArray[np.bool_]:
        if self.key_from is not None:
            return revenue >= self.key_from
        room = max(1, int(self.key_customer_share_at_most * (revenue > 0).sum()))
        return (before < self.key_revenue_share) & (count_at_least(revenue) <= room)

    def _is_small(self, revenue: Floats, before: Floats) -> NDArray[np.bool_]:
        return before >= 1 - self.small_revenue_share if self.small_below is None else revenue < self.small_below

    def _is_key(self, known: pd.DataFrame, is_large: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return (
            is_large
            & (known[self._revenue].to_numpy() >= (self.key_min_revenue or 0.0))
            & (known["tenure_days"].to_numpy() >= self.key_min_years * YEAR_DAYS)
            & self._is_safe(known)
        )

    def _is_safe(self, known: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell whose risk of leaving is low enough; nobody without a score is."""
        if self.key_max_p_churn is None:
            return np.ones(len(known), dtype=bool)
        return (known["p_churn"] < self.key_max_p_churn).to_numpy()

    def _is_growing(self, known: pd.DataFrame) -> pd.Series[bool]:
        days_before = (known["tenure_days"] - YEAR_DAYS).clip(upper=YEAR_DAYS)
        needed = (1 + self.growing_min_growth) * known["revenue_365d_previous"] / days_before
        return (
            (days_before >= self.growing_min_days)
            & (known["revenue_365d_previous"] > 0)
            & (known["revenue_365d"] / YEAR_DAYS >= needed)
            & (known["revenue_365d"] >= (self.growing_min_revenue or 0.0))
        )

    def rules(self) -> Rules:
        """Return the tiers in words."""
        conditions = [
            _("from {money:,.0f}").format(money=self.key_min_revenue) if self.key_min_revenue else "",
            _("with us {years:g} years and more").format(years=self.key_min_years) if self.key_min_years else "",
            _("churn less than {p:.0%} likely").format(p=self.key_max_p_churn) if self.key_max_p_churn else "",
        ]
        growing = _("neither key nor small, revenue up by {growth:.0%} and more on the year before")
        middle = _("from {money:,.0f}").format(money=self.growing_min_revenue) if self.growing_min_revenue else ""
        return {
            "key": ", ".join(filter(None, [self._told_large(), *conditions])),
            "growing": ", ".join(filter(None, [growing.format(growth=self.growing_min_growth), middle])),
            "standard": _("everyone else"),
            "small": self._told_small(),
        }

    def _told_large(self) -> str:
        if self.key_from is not None:
            text = _("revenue of {days} days of {money} and more")
            return text.format(days=self.window_days, money=told(self.key_from))
        text = _("largest customers, together {share:.0%} of the revenue of {days} days, at most {most:.0%} of buyers")
        figures = {"share": self.key_revenue_share, "days": self.window_days, "most": self.key_customer_share_at_most}
        return text.format(**figures)

    def _told_small(self) -> str:
        if self.small_below is not None:
            text = _("revenue of {days} days below {money}")
            return text.format(days=self.window_days, money=told(self.small_below))
        text = _("the tail that makes the last {share:.0%} of the revenue, or none")
        return text.format(share=self.small_revenue_share)
