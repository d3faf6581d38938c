"""Order pattern: how large orders are, and how urgent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme
from segml.settings import Share


class OrderPattern(Scheme):
    """Order size against the base, and whether orders follow on each other's heels.

    An order value at the base's median or above is large; a customer of whose orders ``urgent_from`` and more are
    top-ups, placed less than a week after the one before, buys urgently.
    """

    column = "order_pattern"
    title = N_("Order pattern")
    question = N_("Are orders large or small, planned or urgent?")
    labels = ("large and planned", "large and urgent", "small and planned", "small and urgent")
    compares_customers = True
    is_grid = True

    urgent_from: Share = 0.5

    @property
    def requires(self) -> tuple[str, ...]:
        """Mean order value, and the share of top-ups."""
        return ("order_value_mean", "top_up_order_share")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the pattern of each customer."""
        value = known["order_value_mean"]
        size = np.where(value >= value.median(), "large", "small").astype(object)
        urgency = np.where(known["top_up_order_share"] >= self.urgent_from, "urgent", "planned").astype(object)
        return np.asarray(size + " and " + urgency, dtype=object)

    def rules(self) -> Rules:
        """Return the patterns in words."""
        sizes = {
            "large": _("mean order at the base's median or above"),
            "small": _("mean order below the base's median"),
        }
        urgencies = {
            "planned": _("fewer than {share:.0%} of orders less than a week after the one before"),
            "urgent": _("{share:.0%} and more of orders less than a week after the one before"),
        }
        return {
            f"{size} and {urgency}": f"{sizes[size]}, {urgencies[urgency].format(share=self.urgent_from)}"
            for size in sizes
            for urgency in urgencies
        }
