"""Tiers: key, growing, standard and small accounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.config import TierConfig
from segml.schema import NOT_ENOUGH_DATA
from segml.segments.ranking import count_at_least, share_above
from segml.segments.scheme import Labels, Scheme, first_match

YEAR_DAYS = 365


class Tier(Scheme):
    """How much an account deserves to be cared for.

    *key*: the largest customers that together make ``key_revenue_share`` of the revenue, but no more than
    ``key_customer_share_at_most`` of the customers that brought any (always room for one); *small*: the tail that
    makes the last ``small_revenue_share``, and who brought nothing; *growing*: neither, and revenue a day up by
    ``growing_min_growth`` on the year before; *standard*: everyone else. Equals share a tier.

    Growth compares money per day of the last 365 days with that of the 365 before, counted from the first purchase: a
    customer who came a year and a quarter ago has not grown fourfold. It is unknown under ``growing_min_days`` days.
    """

    name = "tier"
    labels = ("key", "growing", "standard", "small")
    compares_customers = True

    def __init__(self, config: TierConfig | None = None) -> None:
        self.config = config or TierConfig()

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue of the window, of this year and the year before, and tenure."""
        return tuple(dict.fromkeys((self._revenue, "revenue_365d", "revenue_365d_previous", "tenure_days")))

    @property
    def _revenue(self) -> str:
        return f"revenue_{self.config.window_days}d"

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the tier of each customer."""
        before = share_above(known[self._revenue])
        return first_match(
            {
                NOT_ENOUGH_DATA: np.isnan(before),
                "key": self._is_key(known, before),
                "small": before >= 1 - self.config.small_revenue_share,
                "growing": self._is_growing(known),
            },
            otherwise="standard",
        )

    def _is_key(self, known: pd.DataFrame, before: NDArray[np.float64]) -> NDArray[np.bool_]:
        config, revenue = self.config, known[self._revenue].to_numpy(dtype=float)
        room = max(1, int(config.key_customer_share_at_most * (revenue > 0).sum()))
        return (
            (before < config.key_revenue_share)
            & (count_at_least(revenue) <= room)
            & (revenue >= (config.key_min_revenue or 0.0))
            & (known["tenure_days"].to_numpy() >= config.key_min_years * YEAR_DAYS)
        )

    def _is_growing(self, known: pd.DataFrame) -> pd.Series[bool]:
        config = self.config
        days_before = (known["tenure_days"] - YEAR_DAYS).clip(upper=YEAR_DAYS)
        needed = (1 + config.growing_min_growth) * known["revenue_365d_previous"] / days_before
        return (
            (days_before >= config.growing_min_days)
            & (known["revenue_365d_previous"] > 0)
            & (known["revenue_365d"] / YEAR_DAYS >= needed)
            & (known["revenue_365d"] >= (config.growing_min_revenue or 0.0))
        )

    def rules(self) -> dict[str, str]:
        """Return the tiers in words."""
        config = self.config
        least = f", from {config.key_min_revenue:,.0f}" if config.key_min_revenue else ""
        years = f", with us {config.key_min_years:g} years and more" if config.key_min_years else ""
        middle = f", from {config.growing_min_revenue:,.0f}" if config.growing_min_revenue else ""
        return {
            "key": f"largest customers, together {config.key_revenue_share:.0%} of the revenue of the last "
            f"{config.window_days} days, at most {config.key_customer_share_at_most:.0%} of buyers{least}{years}",
            "growing": f"neither key nor small, revenue up by {config.growing_min_growth:.0%} and more on the year "
            f"before{middle}",
            "standard": "everyone else",
            "small": f"the tail that makes the last {config.small_revenue_share:.0%} of the revenue, or none",
        }
