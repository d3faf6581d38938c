"""ABCDX: who needs us most and buys easiest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.cuts import told, typical
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.schemes.value import contribution
from segml.settings import NotNegative, Positive, PositiveFloat, Share

Flags = NDArray[np.bool_]


class Abcdx(Scheme):
    """Customers by how easily they buy and what they leave. The first of these that holds decides, B takes the rest:

    1. *X*: the potential is at least ``x_spend_multiple`` times what is spent, and at least ``x_a_multiple`` times the
       median revenue of those who would be A; today's product does not cover the need. It comes before D, for such a
       customer often does not pay for itself yet.
    2. *D*: serving costs more than the margin (unknown cost counts as 0).
    3. *C*: buys on discount, or hardly needs us: at most ``c_orders_at_most`` orders in a year.
    4. *A*: pays full price, decides fast, and leaves a large share of the price as margin: ``a_margin_share_from``, or
       where that is null, the median of those who are not D, and more.
    5. *B*: everyone else: a good fit, but slow to decide, bargaining, or with a smaller margin.

    An unknown potential makes nobody X, an unknown time to decide is not held against anybody. ``x_typical_revenue``
    stands for the median revenue of an A where it is given.
    """

    column = "abcdx"
    title = N_("ABCDX")
    question = N_("Who needs us most and buys easiest?")
    labels = ("A", "B", "C", "D", "X")
    learns = ("a_margin_share_from", "x_typical_revenue")

    a_discount_below: Share = 0.03
    a_decision_days_at_most: NotNegative = 30
    a_margin_share_from: float | None = None
    c_discount_from: Share = 0.10
    c_orders_at_most: Positive = 1
    x_spend_multiple: PositiveFloat = 10.0
    x_a_multiple: PositiveFloat = 3.0
    x_typical_revenue: float | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Abcdx:
        if self.a_discount_below > self.c_discount_from:
            raise ValueError(
                f"a_discount_below ({self.a_discount_below}) must be at most c_discount_from ({self.c_discount_from})"
            )
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue, orders, margin and discounts of a year."""
        return ("revenue_365d", "order_count_365d", "margin_365d", "discount_share_365d")

    @property
    def uses(self) -> tuple[str, ...]:
        """Margin as a share of revenue, cost, tenure, potential and the time to decide."""
        return ("margin_share_365d", "cost_to_serve", "tenure_days", "potential", "decision_days")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        is_d, is_c, is_a = self._by_themselves(known)
        return first_match({"X": self._is_far_above(known, is_a), "D": is_d, "C": is_c, "A": is_a}, otherwise="B")

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the median margin share of those who are not D, and the median revenue of those who would be A."""
        is_d, _is_c, is_a = self._by_themselves(known)
        return {
            "a_margin_share_from": typical(known["margin_share_365d"][~is_d]),
            "x_typical_revenue": typical(known["revenue_365d"][is_a]) or 0.0,
        }

    def _by_themselves(self, known: pd.DataFrame) -> tuple[Flags, Flags, Flags]:
        """Tell who would be D, C and A if there were no X."""
        is_d = (contribution(known) < 0).to_numpy()
        is_c = (
            (known["discount_share_365d"] >= self.c_discount_from)
            | (known["order_count_365d"] <= self.c_orders_at_most)
        ).to_numpy()
        return is_d, is_c, self._buys_easily(known, is_d) & ~is_c & ~is_d

    def _buys_easily(self, known: pd.DataFrame, is_d: Flags) -> Flags:
        is_slow = (known["decision_days"] > self.a_decision_days_at_most).to_numpy()
        pays_full_price = (known["discount_share_365d"] < self.a_discount_below).to_numpy()
        margin = known["margin_share_365d"]
        least = margin[~is_d].median() if self.a_margin_share_from is None else self.a_margin_share_from
        return pays_full_price & ~is_slow & (margin >= least).to_numpy()

    def _is_far_above(self, known: pd.DataFrame, is_a: Flags) -> Flags:
        """Tell whose potential is a multiple of the own spend, and of what an A brings, where there is one."""
        potential = known["potential"].to_numpy(dtype=float)
        revenue = known["revenue_365d"].to_numpy(dtype=float)
        beyond_spend = (potential > 0) & (potential >= self.x_spend_multiple * revenue)
        return np.asarray(beyond_spend & (potential >= self.x_a_multiple * self._typical_revenue(revenue[is_a])))

    def _typical_revenue(self, of_a: NDArray[np.float64]) -> float:
        if self.x_typical_revenue is not None:
            return self.x_typical_revenue
        return float(np.median(of_a)) if len(of_a) else 0.0

    def rules(self) -> Rules:
        """Return the classes in words."""
        classes = {
            "A": _("full price (discounts below {full:.0%}), decides within {days:g} days, margin {margin} and more"),
            "B": _("everyone else: a good fit, but slow to decide, bargaining, or with a smaller margin"),
            "C": _(
                "buys on discount ({discount:.0%} of the list price and more), or has a weak need (orders in 365 "
                "days: {orders} at most)"
            ),
            "D": _("costs more to serve than its margin; an unknown cost counts as 0"),
            "X": _(
                "potential {spend:g} times the own spend and more, and {multiple:g} times that of an A{typical}; "
                "before all others"
            ),
        }
        least = self.a_margin_share_from
        figures = {
            "full": self.a_discount_below,
            "days": self.a_decision_days_at_most,
            "margin": _("of the median share of those who are not D") if least is None else f"{least:.0%}",
            "discount": self.c_discount_from,
            "orders": self.c_orders_at_most,
            "spend": self.x_spend_multiple,
            "multiple": self.x_a_multiple,
            "typical": "" if self.x_typical_revenue is None else f" ({told(self.x_typical_revenue)})",
        }
        return {label: text.format(**figures) for label, text in classes.items()}
