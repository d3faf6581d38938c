"""Tiers: key, growing, standard and small accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.ranking import count_at_least, share_above
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import NotNegative, Positive, Share
from segml.windows import YEAR_DAYS


class Tier(Scheme):
    """How much an account deserves to be cared for.

    *key*: the largest customers that together make ``key_revenue_share`` of the revenue, but no more than
    ``key_customer_share_at_most`` of the customers that brought any (always room for one); *small*: the tail that
    makes the last ``small_revenue_share``, and who brought nothing; *growing*: neither, and revenue a day up by
    ``growing_min_growth`` on the year before; *standard*: everyone else. Equals share a tier.

    Growth compares money per day of the last 365 days with that of the 365 before, counted from the first purchase: a
    customer who came a year and a quarter ago has not grown fourfold. It is unknown under ``growing_min_days`` days.
    """

    column = "tier"
    title = N_("Tiers")
    question = N_("How much revenue hangs on an account?")
    labels = ("key", "growing", "standard", "small")
    compares_customers = True

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
        before = share_above(known[self._revenue])
        return first_match(
            {
                NOT_ENOUGH_DATA: np.isnan(before),
                "key": self._is_key(known, before),
                "small": before >= 1 - self.small_revenue_share,
                "growing": self._is_growing(known),
            },
            otherwise="standard",
        )

    def _is_key(self, known: pd.DataFrame, before: NDArray[np.float64]) -> NDArray[np.bool_]:
        revenue = known[self._revenue].to_numpy(dtype=float)
        room = max(1, int(self.key_customer_share_at_most * (revenue > 0).sum()))
        return (
            (before < self.key_revenue_share)
            & (count_at_least(revenue) <= room)
            & (revenue >= (self.key_min_revenue or 0.0))
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
        key = _("largest customers, together {share:.0%} of the revenue of {days} days, at most {most:.0%} of buyers")
        conditions = [
            _("from {money:,.0f}").format(money=self.key_min_revenue) if self.key_min_revenue else "",
            _("with us {years:g} years and more").format(years=self.key_min_years) if self.key_min_years else "",
            _("churn less than {p:.0%} likely").format(p=self.key_max_p_churn) if self.key_max_p_churn else "",
        ]
        figures = {"share": self.key_revenue_share, "days": self.window_days, "most": self.key_customer_share_at_most}
        growing = _("neither key nor small, revenue up by {growth:.0%} and more on the year before")
        middle = _("from {money:,.0f}").format(money=self.growing_min_revenue) if self.growing_min_revenue else ""
        small = _("the tail that makes the last {share:.0%} of the revenue, or none")
        return {
            "key": ", ".join(filter(None, [key.format(**figures), *conditions])),
            "growing": ", ".join(filter(None, [growing.format(growth=self.growing_min_growth), middle])),
            "standard": _("everyone else"),
            "small": small.format(share=self.small_revenue_share),
        }
