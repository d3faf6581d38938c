"""Product use: how much of what was sold is in use."""

from __future__ import annotations

import pandas as pd
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Share


class ProductUse(Scheme):
    """Customers by the share of the product's functions in use; a share on a line belongs to the higher class."""

    column = "product_use"
    title = N_("Product use")
    question = N_("Who needs help with the product, who has outgrown it?")
    labels = ("needs onboarding", "steady", "ready for a higher plan")

    steady_from: Share = 0.3
    ready_from: Share = 0.7

    @model_validator(mode="after")
    def _ordered(self) -> ProductUse:
        if self.steady_from >= self.ready_from:
            raise ValueError(f"steady_from ({self.steady_from}) must lie below ready_from ({self.ready_from})")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Share of functions in use."""
        return ("function_share_90d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        share = known["function_share_90d"]
        classes = {"needs onboarding": share < self.steady_from, "steady": share < self.ready_from}
        return first_match(classes, otherwise="ready for a higher plan")

    def rules(self) -> Rules:
        """Return the classes in words."""
        told = {
            "needs onboarding": _("uses less than {steady:.0%} of the functions"),
            "steady": _("uses from {steady:.0%} to below {ready:.0%} of the functions"),
            "ready for a higher plan": _("uses {ready:.0%} of the functions and more"),
        }
        return {label: text.format(steady=self.steady_from, ready=self.ready_from) for label, text in told.items()}
