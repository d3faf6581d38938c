"""Lifecycle stages: new, active, stagnating, inactive."""

from __future__ import annotations

import pandas as pd

from segml.config import LifecycleConfig
from segml.segments.scheme import Labels, Scheme, first_match
from segml.windows import months_in_days


class Lifecycle(Scheme):
    """Where a customer stands between the first purchase and the last.

    Inactive wins over everything: a customer who came four months ago and has been silent for three and a half is
    inactive, not new. New wins over stagnating, for a new customer has no run rate yet to fall from.
    """

    name = "lifecycle"
    labels = ("new", "active", "stagnating", "inactive")

    def __init__(self, config: LifecycleConfig | None = None) -> None:
        self.config = config or LifecycleConfig()

    @property
    def requires(self) -> tuple[str, ...]:
        """Silence, tenure, and the recent window against the run rate."""
        return ("recency_days", "tenure_days", self._recent, "run_rate_daily")

    @property
    def _recent(self) -> str:
        return f"revenue_{self.config.stagnating_window_days}d"

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the stage of each customer."""
        as_of = known["as_of"].iloc[0]
        usual = known["run_rate_daily"] * self.config.stagnating_window_days
        return first_match(
            {
                "inactive": known["recency_days"] >= months_in_days(as_of, self.config.inactive_months),
                "new": known["tenure_days"] < months_in_days(as_of, self.config.new_months),
                "stagnating": known[self._recent] <= (1 - self.config.stagnating_drop) * usual,
            },
            otherwise="active",
        )

    def rules(self) -> dict[str, str]:
        """Return the stages in words."""
        config = self.config
        return {
            "new": f"first purchase under {config.new_months} months ago, and not inactive",
            "active": f"customer for {config.new_months} months and more, buying as usual",
            "stagnating": f"still buying, but revenue of the last {config.stagnating_window_days} days at most "
            f"{1 - config.stagnating_drop:.0%} of the own run rate",
            "inactive": f"no purchase for {config.inactive_months} months and more",
        }
