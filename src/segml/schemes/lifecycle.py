"""Lifecycle stages: new, active, stagnating, inactive."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, check_snapshot, first_match
from segml.settings import Positive, PositiveFloat, Share
from segml.windows import months_in_days

Threshold = Literal["fixed", "category", "rhythm"]
Stage = Literal["new", "active", "stagnating", "inactive"]


class Lifecycle(Scheme):
    """Where a customer stands between the first purchase and the last.

    Inactive wins over everything: a customer who came four months ago and has been silent for three and a half is
    inactive, not new. New wins over stagnating, for a new customer has no run rate yet to fall from.

    How long a silence makes inactive is told by ``threshold``. *fixed*: ``inactive_months`` for everybody. *category*:
    the months that ``inactive_months_by_category`` gives for what the customer buys most (consumables 2, equipment 6),
    ``inactive_months`` for any other. *rhythm*: ``rhythm_gaps`` times the customer's usual gap between purchases,
    which is drawn to that of the base when orders are few, but at least ``rhythm_min_months`` and at most
    ``rhythm_max_months``; ``inactive_months`` where no gap is known at all.
    """

    column = "lifecycle"
    title = N_("Lifecycle")
    question = N_("Who has just come, who buys as usual, who slows down, who has gone?")
    labels = ("new", "active", "stagnating", "inactive")

    new_months: Positive = 6
    threshold: Threshold = "fixed"
    inactive_months: Positive = 3
    inactive_months_by_category: dict[str, Positive] = Field(default_factory=dict)
    rhythm_gaps: PositiveFloat = 3.0
    rhythm_min_months: Positive = 1
    rhythm_max_months: Positive = 18
    stagnating_drop: Share = 0.5
    stagnating_window_days: Literal[30, 90, 180] = 90

    @model_validator(mode="after")
    def _categories_and_threshold_fit(self) -> Lifecycle:
        if (self.threshold == "category") != bool(self.inactive_months_by_category):
            given = "some" if self.inactive_months_by_category else "none"
            raise ValueError(
                f"threshold 'category' and inactive_months_by_category go together; found threshold "
                f"{self.threshold!r} and {given} months by category: give both or neither"
            )
        return self

    @model_validator(mode="after")
    def _bounds_of_the_rhythm_rise(self) -> Lifecycle:
        if self.rhythm_min_months > self.rhythm_max_months:
            raise ValueError(
                f"rhythm_min_months ({self.rhythm_min_months}) must be at most rhythm_max_months "
                f"({self.rhythm_max_months})"
            )
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Silence, tenure, and the recent window against the run rate."""
        return ("as_of", "recency_days", "tenure_days", self._recent, "run_rate_daily")

    @property
    def uses(self) -> tuple[str, ...]:
        """What the threshold of inactivity hangs on."""
        return {"fixed": (), "category": ("top_category",), "rhythm": ("gap_shrunk_days",)}[self.threshold]

    @property
    def _recent(self) -> str:
        return f"revenue_{self.stagnating_window_days}d"

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the stage of each customer."""
        as_of = known["as_of"].iloc[0]
        usual = known["run_rate_daily"] * self.stagnating_window_days
        return first_match(
            {
                "inactive": known["recency_days"] >= self.inactive_after_days(known),
                "new": known["tenure_days"] < months_in_days(as_of, self.new_months),
                "stagnating": known[self._recent] <= (1 - self.stagnating_drop) * usual,
            },
            otherwise="active",
        )

    def inactive_after_days(self, features: pd.DataFrame, *, later_months: int = 0) -> pd.Series[float]:
        """Return, per customer, the days of silence from which on it is inactive, on the index of ``features``.

        Parameters
        ----------
        features : ``as_of``, one for all, and ``top_category`` or ``gap_shrunk_days`` where the threshold hangs on them
        later_months : from which on it has been inactive for so many calendar months

        Raises
        ------
        DataError : columns missing, or more than one as-of date
        """
        check_snapshot(features, ["as_of", *self.uses], "inactive_after_days")
        usual = pd.Series(self.inactive_months + later_months, index=features.index)
        match self.threshold:
            case "fixed":
                return _in_days(usual, features)
            case "category":
                months = features["top_category"].astype("object").map(self.inactive_months_by_category)
                return _in_days((months + later_months).fillna(usual), features)
            case "rhythm":
                gap = features["gap_shrunk_days"]
                later = _in_days(pd.Series(later_months, index=features.index), features)
                silence = (self.rhythm_gaps * gap).clip(*self._bounds(features)) + later
                return silence.where(gap.notna(), _in_days(usual, features))

    def _bounds(self, features: pd.DataFrame) -> tuple[float, float]:
        """Return the shortest and the longest silence that a rhythm may allow, in days."""
        if features.empty:
            return 0.0, 0.0
        as_of = features["as_of"].iloc[0]
        return months_in_days(as_of, self.rhythm_min_months), months_in_days(as_of, self.rhythm_max_months)

    def rules(self) -> Rules:
        """Return the stages in words."""
        told = {
            "new": _("first purchase under {new} months ago, and not inactive"),
            "active": _("customer for {new} months and more, buying as usual"),
            "stagnating": _("still buying, but the last {days} days brought at most {share:.0%} of the own run rate"),
        }
        figures = {"new": self.new_months, "days": self.stagnating_window_days, "share": 1 - self.stagnating_drop}
        return {**{label: text.format(**figures) for label, text in told.items()}, "inactive": self._told()}

    def _told(self) -> str:
        """Return the threshold of inactivity in words."""
        match self.threshold:
            case "fixed":
                return _("no purchase for {inactive} months and more").format(inactive=self.inactive_months)
            case "category":
                text = _("no purchase for as long as the main category allows: {months} months; any other {inactive}")
                months = ", ".join(f"{name} {count}" for name, count in self.inactive_months_by_category.items())
                return text.format(months=months, inactive=self.inactive_months)
            case "rhythm":
                text = _(
                    "no purchase for {gaps:g} times the own usual gap and more, "
                    "but at least {least} and at most {most} months"
                )
                return text.format(gaps=self.rhythm_gaps, least=self.rhythm_min_months, most=self.rhythm_max_months)


def _in_days(months: pd.Series[Any], features: pd.DataFrame) -> pd.Series[float]:
    """Return calendar months before the as-of date in days."""
    if features.empty:
        return months.astype("float64")
    as_of = features["as_of"].iloc[0]
    return months.map({count: months_in_days(as_of, int(count)) for count in months.unique()}).astype("float64")
