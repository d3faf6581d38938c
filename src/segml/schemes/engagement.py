"""Engagement: who keeps in touch, by purchases and by answers to campaigns."""

from __future__ import annotations

import pandas as pd

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, Share


class Engagement(Scheme):
    """Customers by purchases and by answers to what was sent to them.

    *active*: bought in the last ``active_days``, and either often or answering; *passive*: neither bought in the last
    ``passive_days`` nor answered within a year; *periodic*: everyone else. Who was never touched is judged by purchases
    alone.
    """

    column = "engagement"
    title = N_("Engagement")
    question = N_("Who keeps in touch, and who has fallen silent?")
    labels = ("active", "periodic", "passive")

    active_days: Positive = 90
    active_orders: Positive = 4
    active_response_share: Share = 0.3
    passive_days: Positive = 180

    @property
    def requires(self) -> tuple[str, ...]:
        """Silence, orders and touches of a year: without touches, it would tell no more than the lifecycle."""
        return ("recency_days", "order_count_365d", "touch_count_365d")

    @property
    def uses(self) -> tuple[str, ...]:
        """Answers of a year."""
        return ("response_count_365d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        touches, responses = known["touch_count_365d"], known["response_count_365d"]
        answers_often = (touches > 0) & (responses >= self.active_response_share * touches) & (responses > 0)
        buys_often = known["order_count_365d"] >= self.active_orders
        classes = {
            "active": (known["recency_days"] < self.active_days) & (buys_often | answers_often),
            "periodic": (known["recency_days"] < self.passive_days) | (responses > 0),
        }
        return first_match(classes, otherwise="passive")

    def rules(self) -> Rules:
        """Return the classes in words."""
        told = {
            "active": _(
                "bought in the last {active} days, and has {orders} orders and more in the last 365 days or "
                "answers {share:.0%} and more of what it is sent"
            ),
            "periodic": _("bought in the last {passive} days, or answered within 365 days"),
            "passive": _("neither"),
        }
        figures = {
            "active": self.active_days,
            "orders": self.active_orders,
            "share": self.active_response_share,
            "passive": self.passive_days,
        }
        return {label: text.format(**figures) for label, text in told.items()}
