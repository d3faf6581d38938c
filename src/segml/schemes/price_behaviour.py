"""Price behaviour: who buys at a discount, who at the full price."""

from __future__ import annotations

import pandas as pd
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Share


class PriceBehaviour(Scheme):
    """Customers by the share of list price that discounts took off in the last 365 days."""

    column = "price_behaviour"
    title = N_("Price behaviour")
    question = N_("Who buys at a discount, and who pays the full price?")
    labels = ("price seeker", "mixed", "full price")

    seeker_from: Share = 0.10
    full_price_below: Share = 0.03

    @model_validator(mode="after")
    def _ordered(self) -> PriceBehaviour:
        if self.full_price_below > self.seeker_from:
            raise ValueError(
                f"full_price_below ({self.full_price_below}) must be at most seeker_from ({self.seeker_from})"
            )
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Discounts over list prices."""
        return ("discount_share_365d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the behaviour of each customer."""
        discount = known["discount_share_365d"]
        return first_match(
            {"price seeker": discount >= self.seeker_from, "full price": discount < self.full_price_below},
            otherwise="mixed",
        )

    def rules(self) -> Rules:
        """Return the behaviours in words."""
        told = {
            "price seeker": _("discounts took {seeker:.0%} and more off list prices in the last 365 days"),
            "mixed": _("from {full:.0%} to below {seeker:.0%}"),
            "full price": _("below {full:.0%}"),
        }
        figures = {"seeker": self.seeker_from, "full": self.full_price_below}
        return {label: text.format(**figures) for label, text in told.items()}
