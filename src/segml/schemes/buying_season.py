"""Buying season: who buys all year, and who in one season."""

from __future__ import annotations

import pandas as pd

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, Share

ALL_YEAR = "all year"


class BuyingSeason(Scheme):
    """The season of the largest purchases where it holds ``peak_from`` and more of the year's, else all year.

    Seasons are those of the northern hemisphere, three calendar months each, winter from December on. Nothing can be
    told of customers who came less than a year ago, for their peak season is unknown, nor of those with fewer than
    ``min_orders`` orders in the year: two orders always make a peak.
    """

    column = "buying_season"
    title = N_("Buying season")
    question = N_("When in the year do customers buy?")
    labels = ("winter", "spring", "summer", "autumn", ALL_YEAR)

    peak_from: Share = 0.4
    min_orders: Positive = 4

    @property
    def requires(self) -> tuple[str, ...]:
        """The season of the largest purchases, its share, and the orders of the year."""
        return ("peak_season", "peak_season_share", "order_count_365d")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the season of each customer."""
        has_peak = known["peak_season_share"] >= self.peak_from
        in_season = {season: has_peak & (known["peak_season"] == season) for season in self.labels[:-1]}
        too_few = known["order_count_365d"] < self.min_orders
        return first_match({NOT_ENOUGH_DATA: too_few, **in_season}, otherwise=ALL_YEAR)

    def rules(self) -> Rules:
        """Return the seasons in words."""
        told = {
            "winter": _("{share:.0%} and more of the year's purchases from December to February"),
            "spring": _("{share:.0%} and more of the year's purchases from March to May"),
            "summer": _("{share:.0%} and more of the year's purchases from June to August"),
            "autumn": _("{share:.0%} and more of the year's purchases from September to November"),
            ALL_YEAR: _("no season holds {share:.0%} of the purchases of a year with {orders} orders and more"),
        }
        return {label: text.format(share=self.peak_from, orders=self.min_orders) for label, text in told.items()}
