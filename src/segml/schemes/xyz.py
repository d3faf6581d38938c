"""XYZ: how steadily the money comes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, PositiveFloat

Period = Literal["week", "month", "quarter"]


class Xyz(Scheme):
    """Customers by the coefficient of variation of their revenue over the last ``periods`` (see ``variation``).

    Nothing can be told about customers with fewer than ``min_periods`` periods or without revenue in all of them. The
    same thresholds serve products.
    """

    column = "xyz"
    title = N_("XYZ")
    question = N_("How steady is a customer's revenue?")
    labels = ("X", "Y", "Z")

    x_below: PositiveFloat = 0.5
    y_below: PositiveFloat = 1.0
    period: Period = "month"
    periods: Positive = 12
    min_periods: Positive = 3

    @model_validator(mode="after")
    def _ordered(self) -> Xyz:
        if self.x_below >= self.y_below:
            raise ValueError(f"x_below ({self.x_below}) must lie below y_below ({self.y_below})")
        if self.min_periods > self.periods:
            raise ValueError(f"min_periods ({self.min_periods}) must be at most periods ({self.periods})")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """The variation of revenue, as ``variation`` computes it."""
        return ("revenue_cv",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        cv = known["revenue_cv"]
        return first_match({"X": cv < self.x_below, "Y": cv < self.y_below}, otherwise="Z")

    def rules(self) -> Rules:
        """Return the classes in words."""
        told = {
            "X": _("steady: coefficient of variation of revenue, {span}, below {x:g}"),
            "Y": _("varying: from {x:g} to below {y:g}"),
            "Z": _("erratic: {y:g} and more"),
        }
        span = _(_SPANS[self.period]).format(count=self.periods)
        figures = {"span": span, "x": self.x_below, "y": self.y_below}
        return {label: text.format(**figures) for label, text in told.items()}


_SPANS = {
    "week": N_("week by week over the last {count} weeks"),
    "month": N_("month by month over the last {count} months"),
    "quarter": N_("quarter by quarter over the last {count} quarters"),
}


def variation(revenue: ArrayLike, min_periods: int) -> NDArray[np.float64]:
    """Return the coefficient of variation of each row: standard deviation (population) over mean.

    NaN where fewer than ``min_periods`` periods are known, or their sum is not positive.

    Parameters
    ----------
    revenue : customers (or products) × periods of equal length: 0 where nothing was sold, NaN before the first sale
    min_periods : fewest periods that tell anything

    Examples
    --------
    >>> variation([[5, 5, 5], [0, 0, 9], [float("nan"), 2, 2]], min_periods=3).round(3).tolist()
    [0.0, 1.414, nan]
    """
    values = np.asarray(revenue, dtype=float)
    count, total = (~np.isnan(values)).sum(axis=1), np.nansum(values, axis=1)
    can_tell = (count >= min_periods) & (total > 0)
    mean = np.where(can_tell, total, 1.0) / np.where(can_tell, count, 1)
    deviation = np.sqrt(np.nansum((values - mean[:, None]) ** 2, axis=1) / np.maximum(count, 1))
    return np.where(can_tell, deviation / mean, np.nan)
