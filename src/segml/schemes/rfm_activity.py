"""The B2B reading of RFM in three words: active, neutral, sleeping."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from pydantic import Field

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import PositiveFloat

Level = Annotated[int, Field(ge=1, le=5)]


class RfmActivity(Scheme):
    """Who buys often and for much the same money, who has long been silent, and who is neither.

    Recency and frequency are the levels 1 to 5 of the RFM scheme (``_rfm_levels``), so its window, cut points and bins
    hold here too. Sleeping wins over active: a frequent buyer of old who fell silent sleeps. A cheque is steady where
    the variation of order value is known and small; after a single order nobody can tell.
    """

    column = "rfm_activity"
    title = N_("RFM in three words")
    question = N_("Who buys often and steadily, who rarely, who has fallen asleep?")
    labels = ("active", "neutral", "sleeping")

    active_frequency_from: Level = 4
    sleeping_recency_to: Level = 2
    steady_cv: PositiveFloat = 1.0

    @property
    def requires(self) -> tuple[str, ...]:
        """The levels that RFM puts beside its label."""
        return ("rfm_segment", "_rfm_levels")

    @property
    def uses(self) -> tuple[str, ...]:
        """How much order value varies."""
        return ("order_value_cv",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the reading of each customer."""
        recency, frequency = (known["_rfm_levels"].str[place].astype("int64") for place in (0, 1))
        is_steady = known["order_value_cv"] <= self.steady_cv
        return first_match(
            {
                "sleeping": recency <= self.sleeping_recency_to,
                "active": (frequency >= self.active_frequency_from) & is_steady,
            },
            otherwise="neutral",
        )

    def rules(self) -> Rules:
        """Return the readings in words."""
        told = {
            "active": _(
                "frequency level {frequency} of 5 and more, not sleeping, "
                "order value varies by at most {cv:g} times its mean"
            ),
            "neutral": _("buys more rarely, or for varying money"),
            "sleeping": _("silent for long: recency level {recency} of 5 and less"),
        }
        figures = {
            "frequency": self.active_frequency_from,
            "recency": self.sleeping_recency_to,
            "cv": self.steady_cv,
        }
        return {label: text.format(**figures) for label, text in told.items()}
