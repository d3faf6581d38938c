"""Renewal: whose contract comes up soon, by health."""

from __future__ import annotations

import pandas as pd

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive

BANDS = ("low", "medium", "high")
SOON = {band: f"renews soon: {band} health" for band in BANDS}
NOT_SOON = "no renewal soon"


class Renewal(Scheme):
    """Customers with a contract, by whether it renews within ``within_days`` days, the last included, and by health.

    A contract whose renewals have all passed does not renew soon; without a contract nothing can be told, nor where
    the health is unknown.
    """

    column = "renewal"
    title = N_("Renewal")
    question = N_("Whose contract comes up for renewal, and how do they do?")
    labels = (*SOON.values(), NOT_SOON)

    within_days: Positive = 60

    @property
    def requires(self) -> tuple[str, ...]:
        """A contract, and the band of health."""
        return ("has_contract", "health")

    @property
    def uses(self) -> tuple[str, ...]:
        """Days to the next renewal; unknown where none is ahead."""
        return ("days_to_renewal",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the group of each customer."""
        is_soon = (known["days_to_renewal"] <= self.within_days).to_numpy()
        health = known["health"].astype("str").to_numpy()
        return first_match({SOON[band]: is_soon & (health == band) for band in BANDS}, otherwise=NOT_SOON)

    def rules(self) -> Rules:
        """Return the groups in words."""
        soon = {
            "low": _("renews within {days} days, health is low"),
            "medium": _("renews within {days} days, health is medium"),
            "high": _("renews within {days} days, health is high"),
        }
        told = {SOON[band]: text.format(days=self.within_days) for band, text in soon.items()}
        return {**told, NOT_SOON: _("no renewal within {days} days").format(days=self.within_days)}
