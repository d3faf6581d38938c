"""Needs: what a customer buys for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.language import N_, _
from segml.schemes.scheme import FromData, Labels, Rules
from segml.settings import PositiveFloat

MIXED = "mixed"


class Need(FromData):
    """The category that stands out in a customer's purchases, or a need that the customer declared.

    Purchases tell the need where the category's share of the customer's spend is ``min_lift`` times its share of the
    base's spend and more; else the need is mixed. Where ``from_column`` names a column of the customers table, such
    as an answer of a survey, that column tells the need instead.
    """

    column = "need"
    title = N_("Needs")
    question = N_("What do customers buy for?")

    at_most: int = 6  # with "other" and "mixed" no more segments than people can serve
    from_column: str | None = None
    min_lift: PositiveFloat = 1.2

    @property
    def source(self) -> str:  # type: ignore[override]
        """The column that tells the need."""
        return self.from_column if self.from_column is not None else "affinity_category"

    @property
    def requires(self) -> tuple[str, ...]:
        """The category and its lift, or the declared column."""
        return (self.source,) if self.from_column is not None else (self.source, "affinity_lift")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the need of each customer."""
        is_clear = self._is_clear(known)
        labels = np.full(len(known), MIXED, dtype=object)
        labels[is_clear] = super().label(known[is_clear])
        return labels

    def rules(self) -> Rules:
        """Return what is known before the data are seen."""
        return {**super().rules(), **self._mixed()}

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the frequent needs, the most frequent first, and "mixed" last where purchases tell the need."""
        return {**super().declared(known[self._is_clear(known)]), **self._mixed()}

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the most frequent of the needs that are clear."""
        return super().learn(known[self._is_clear(known)])

    def _mixed(self) -> Rules:
        if self.from_column is not None:
            return {}
        return {MIXED: _("no category has {lift:g} times its share of the base's spend").format(lift=self.min_lift)}

    def _is_clear(self, known: pd.DataFrame) -> NDArray[np.bool_]:
        if self.from_column is not None:
            return np.ones(len(known), dtype=bool)
        return (known["affinity_lift"] >= self.min_lift).to_numpy()
