"""Value: what a customer leaves after it has been served."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.cuts import lowest, told
from segml.schemes.detail import beside
from segml.schemes.ranking import share_above
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Share
from segml.windows import YEAR_DAYS


def contribution(known: pd.DataFrame) -> pd.Series[float]:
    """Return margin of the last 365 days less the cost to serve over the same days; an unknown cost counts as 0.

    A customer who came a quarter ago has cost a quarter of a year's service.

    >>> customers = {"margin_365d": [90.0, 90.0], "cost_to_serve": [100.0, 100.0], "tenure_days": [400, 73]}
    >>> contribution(pd.DataFrame(customers)).tolist()
    [-10.0, 70.0]
    """
    years = (known["tenure_days"].astype("float64") / YEAR_DAYS).clip(upper=1).fillna(1.0)
    left: pd.Series[float] = known["margin_365d"] - known["cost_to_serve"].astype("float64").fillna(0.0) * years
    return left


class Value(Scheme):
    """Customers by contribution: margin less cost to serve, not revenue.

    By falling contribution, the first make ``high_share`` of all that is positive, the next up to ``medium_share``; who
    crosses a line belongs to the better class, equals share a class, and a loss takes nothing off the total. Where
    ``high_from`` and ``medium_from`` are given, the contribution itself decides: the classes begin there.
    """

    column = "value"
    title = N_("Value")
    question = N_("What is left of a customer's margin after serving it?")
    labels = ("high value", "medium value", "low value", "loss-making")
    learns = ("high_from", "medium_from")

    high_share: Share = 0.80
    medium_share: Share = 0.95
    high_from: float | None = None
    medium_from: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Value:
        if self.high_share >= self.medium_share:
            raise ValueError(f"high_share ({self.high_share}) must lie below medium_share ({self.medium_share})")
        return self

    @model_validator(mode="after")
    def _cut_points_go_together(self) -> Value:
        if (self.high_from is None) != (self.medium_from is None):
            raise ValueError("high_from and medium_from go together; give both, or neither for shares")
        if self.high_from is not None and self.medium_from is not None and self.high_from < self.medium_from:
            raise ValueError(f"medium_from ({self.medium_from:g}) must be at most high_from ({self.high_from:g})")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Margin of a year."""
        return ("margin_365d",)

    @property
    def uses(self) -> tuple[str, ...]:
        """Cost of a year, and for how much of it the customer was there."""
        return ("cost_to_serve", "tenure_days")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        left = contribution(known)
        high_from, medium_from = self._cuts(left)
        classes = {"loss-making": left < 0, "high value": left >= high_from, "medium value": left >= medium_from}
        return first_match(classes, otherwise="low value")

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the contribution from which on customers are of high and of medium value."""
        left = contribution(known)
        return dict(zip(self.learns, self._cuts(left), strict=True)) if (left > 0).any() else {}

    def _cuts(self, left: pd.Series[float]) -> tuple[float, float]:
        if self.high_from is not None and self.medium_from is not None:
            return self.high_from, self.medium_from
        before = share_above(left)
        return lowest(left, before < self.high_share), lowest(left, before < self.medium_share)

    def details(self, features: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """Return ``contribution``, money of a year; NaN where the margin is unknown."""
        known = self.known(features)
        return {"contribution": beside(features, known, contribution(known))}

    def rules(self) -> Rules:
        """Return the classes in words."""
        if self.high_from is not None and self.medium_from is not None:
            return self._cut_rules(told(self.high_from), told(self.medium_from))
        classes = {
            "high value": _(
                "largest contributions, together {high:.0%} of all that is positive; contribution is the "
                "margin of the last 365 days less the cost to serve, an unknown cost counts as 0"
            ),
            "medium value": _("the next, up to {medium:.0%}"),
            "low value": _("the rest that costs no more than it brings"),
            "loss-making": _("serving costs more than the margin"),
        }
        return {label: text.format(high=self.high_share, medium=self.medium_share) for label, text in classes.items()}

    def _cut_rules(self, high: str, medium: str) -> Rules:
        classes = {
            "high value": _(
                "contribution of {high} and more: margin of the last 365 days less the cost to serve, an unknown cost "
                "counts as 0"
            ),
            "medium value": _("from {medium} to below {high}"),
            "low value": _("below {medium}"),
            "loss-making": _("serving costs more than the margin"),
        }
        return {label: text.format(high=high, medium=medium) for label, text in classes.items()}
