"""Order pattern: how large orders are, and how urgent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from segml.language import N_, _
from segml.schemes.cuts import told
from segml.schemes.scheme import Labels, Rules, Scheme
from segml.settings import Share


class OrderPattern(Scheme):
    """Order size against the base, and whether orders follow on each other's heels.

    An order value at the base's median or above is large, or from ``large_from`` on where that is given; a customer of
    whose orders ``urgent_from`` and more are top-ups, placed less than a week after the one before, buys urgently.
    """

    column = "order_pattern"
    title = N_("Order pattern")
    question = N_("Are orders large or small, planned or urgent?")
    labels = ("large and planned", "large and urgent", "small and planned", "small and urgent")
    is_grid = True
    learns = ("large_from",)

    urgent_from: Share = 0.5
    large_from: float | None = None

    @property
    def requires(self) -> tuple[str, ...]:
        """Mean order value, and the share of top-ups."""
        return ("order_value_mean", "top_up_order_share")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the pattern of each customer."""
        value = known["order_value_mean"]
        least = value.median() if self.large_from is None else self.large_from
        size = np.where(value >= least, "large", "small").astype(object)
        urgency = np.where(known["top_up_order_share"] >= self.urgent_from, "urgent", "planned").astype(object)
        return np.asarray(size + " and " + urgency, dtype=object)

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the median order value."""
        return {"large_from": float(known["order_value_mean"].median())}

    def rules(self) -> Rules:
        """Return the patterns in words."""
        sizes = self._sizes()
        urgencies = {
            "planned": _("fewer than {share:.0%} of orders less than a week after the one before"),
            "urgent": _("{share:.0%} and more of orders less than a week after the one before"),
        }
        return {
            f"{size} and {urgency}": f"{sizes[size]}, {urgencies[urgency].format(share=self.urgent_from)}"
            for size in sizes
            for urgency in urgencies
        }

    def _sizes(self) -> Rules:
        if self.large_from is None:
            return {
                "large": _("mean order at the base's median or above"),
                "small": _("mean order below the base's median"),
            }
        return {
            "large": _("mean order of {value} and more").format(value=told(self.large_from)),
            "small": _("mean order below {value}").format(value=told(self.large_from)),
        }
