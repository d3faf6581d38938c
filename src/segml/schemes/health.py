"""Health score: how well a customer does, 0 to 100, with its parts."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.detail import beside
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import NotNegative, Section

SOURCES = {
    "use": "function_share_90d",
    "seats": "seat_share_90d",
    "nps": "nps",
    "rhythm": "recency_to_gap",
    "trend": "revenue_90d_to_run_rate",
    "tickets": "ticket_count_90d",
}
"""The parts of the score, and the column that each rests on."""

# Scores are compared with round cuts: a weighted mean must not miss one by its last bit.
SCORE_DECIMALS = 9

Points = Annotated[float, Field(ge=0, le=100)]


class Weights(Section):
    """How much each part counts; 0 leaves it out."""

    use: NotNegative = 0.25
    seats: NotNegative = 0.15
    nps: NotNegative = 0.15
    rhythm: NotNegative = 0.20
    trend: NotNegative = 0.20
    tickets: NotNegative = 0.05


class Worst(Section):
    """The value of each part's column that is worth nothing."""

    use: float = 0.0
    seats: float = 0.0
    nps: float = 0.0
    rhythm: float = 3.0
    trend: float = 0.0
    tickets: float = 10.0


class Best(Section):
    """The value of each part's column that is worth 100 points."""

    use: float = 0.7
    seats: float = 0.9
    nps: float = 10.0
    rhythm: float = 1.0
    trend: float = 1.0
    tickets: float = 0.0


def points(values: pd.Series[float], worst: float, best: float) -> pd.Series[float]:
    """Return 0 points at ``worst`` and beyond, 100 at ``best`` and beyond, in proportion between; NaN stays NaN.

    >>> points(pd.Series([0.5, 2.0, 3.0]), worst=3, best=1).tolist()
    [100.0, 50.0, 0.0]
    """
    share = (values.astype("float64") - worst) / (best - worst)
    return 100 * share.clip(0, 1).abs()  # abs: no negative zero


class Health(Scheme):
    """Customers by the weighted mean of what is known of use, seats, recommendation, rhythm, trend and tickets.

    Parts that are unknown drop out, and the weights of the others grow in proportion; with fewer than ``min_parts``
    known the score is unknown. A score on a line belongs to the better band.
    """

    column = "health"
    title = N_("Health")
    question = N_("How well does the customer do with us?")
    labels = ("low", "medium", "high")

    weights: Weights = Weights()
    worst: Worst = Worst()
    best: Best = Best()
    min_parts: Annotated[int, Field(ge=1, le=len(SOURCES))] = 2
    medium_from: Points = 40.0
    high_from: Points = 70.0

    @model_validator(mode="after")
    def _can_be_reached(self) -> Health:
        if self.medium_from >= self.high_from:
            raise ValueError(f"medium_from ({self.medium_from:g}) must lie below high_from ({self.high_from:g})")
        flat = [name for name in SOURCES if getattr(self.worst, name) == getattr(self.best, name)]
        if flat:
            raise ValueError(f"worst and best must differ; they are equal for {flat}")
        weighty = [name for name, weight in self.weights if weight > 0]
        if len(weighty) < self.min_parts:
            raise ValueError(f"min_parts is {self.min_parts}, but only {weighty} have a weight above 0")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing by itself: the parts that are known tell."""
        return ()

    @property
    def uses(self) -> tuple[str, ...]:
        """What the parts rest on."""
        return tuple(SOURCES.values())

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the band of each customer."""
        score = self.score(self.parts(known))
        bands = {NOT_ENOUGH_DATA: np.isnan(score), "low": score < self.medium_from, "medium": score < self.high_from}
        return first_match(bands, otherwise="high")

    def parts(self, known: pd.DataFrame) -> pd.DataFrame:
        """Return the points of each part, 0 to 100; NaN where it is unknown."""
        ends = {name: (getattr(self.worst, name), getattr(self.best, name)) for name in SOURCES}
        return pd.DataFrame({name: points(known[source], *ends[name]) for name, source in SOURCES.items()})

    def score(self, parts: pd.DataFrame) -> NDArray[np.float64]:
        """Return the weighted mean of the known parts; NaN where they are too few."""
        known = parts.to_numpy(dtype=float)
        weights = np.array([getattr(self.weights, name) for name in parts.columns]) * ~np.isnan(known)
        total = weights.sum(axis=1)
        can_tell = (weights > 0).sum(axis=1) >= self.min_parts
        mean = (np.nan_to_num(known) * weights).sum(axis=1) / np.where(can_tell, total, 1.0)
        return np.where(can_tell, np.round(mean, SCORE_DECIMALS), np.nan)

    def details(self, features: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """Return ``health_score`` and the points of each part, such as ``health_use``."""
        known = self.known(features)
        parts = self.parts(known)
        values: dict[str, ArrayLike] = {"health_score": self.score(parts)}
        values |= {f"health_{name}": parts[name] for name in parts.columns}
        return {name: beside(features, known, numbers) for name, numbers in values.items()}

    def rules(self) -> Rules:
        """Return the bands in words, with the weights."""
        titles = {
            "use": _("functions in use"),
            "seats": _("seats in use"),
            "nps": _("recommendation"),
            "rhythm": _("silence against the own rhythm"),
            "trend": _("revenue against the own run rate"),
            "tickets": _("support requests"),
        }
        weighed = ", ".join(f"{titles[name]} {weight:g}" for name, weight in self.weights)
        told = {
            "low": _("score below {medium:g} of 100, the weighted mean of what is known of: {parts}"),
            "medium": _("score from {medium:g} to below {high:g}"),
            "high": _("score of {high:g} and more"),
        }
        figures = {"medium": self.medium_from, "high": self.high_from, "parts": weighed}
        return {label: text.format(**figures) for label, text in told.items()}
