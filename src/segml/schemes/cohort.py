"""Cohorts: customers by when they first bought."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme
from segml.windows import DAY_SECONDS

CohortPeriod = Literal["month", "quarter", "year"]

_FORMATS = {"month": ("M", "%Y-%m"), "quarter": ("Q", "%Y-Q%q"), "year": ("Y", "%Y")}
_EXAMPLES = {"month": "2024-07", "quarter": "2024-Q3", "year": "2024"}
_PATTERNS = {"month": r"\d{4}-(0[1-9]|1[0-2])", "quarter": r"\d{4}-Q[1-4]", "year": r"\d{4}"}


class Cohort(Scheme):
    """The calendar month, quarter or year of the first purchase.

    Where there are more than ``at_most`` cohorts, the latest go by name and the older ones share one label, so that
    old accounts do not make a segment each. Where ``named_from`` is given, the cohorts from this one on go by name.
    """

    column = "cohort"
    title = N_("Cohorts")
    question = N_("When did customers first buy?")

    learns = ("named_from",)

    period: CohortPeriod = "quarter"
    at_most: Annotated[int, Field(ge=2)] = 8
    named_from: str | None = None

    @model_validator(mode="after")
    def _named_from_is_a_cohort(self) -> Cohort:
        if self.named_from is not None and not re.fullmatch(_PATTERNS[self.period], self.named_from):
            raise ValueError(
                f"named_from must be a {self.period} as in {_EXAMPLES[self.period]!r}; found {self.named_from!r}"
            )
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """The as-of date and the time since the first purchase."""
        return ("as_of", "tenure_days")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the cohort of each customer."""
        names = self._names(known)
        first = self._first_named(names)
        return np.where(names < first, f"before {first}", names).astype(object)

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the first cohort that goes by name."""
        return {"named_from": self._first_named(self._names(known))}

    def rules(self) -> Rules:
        """Return what is known before the data are seen: no cohort yet."""
        return {}

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the cohorts in the order of time, the older ones together first."""
        names = self._names(known)
        first = self._first_named(names)
        older = {f"before {first}": _("first purchase before {cohort}").format(cohort=first)}
        named = sorted(names[names >= first].unique())
        text = _("first purchase in {cohort}")
        return {**(older if (names < first).any() else {}), **{name: text.format(cohort=name) for name in named}}

    def _names(self, known: pd.DataFrame) -> pd.Series[str]:
        since = pd.to_timedelta((known["tenure_days"] * DAY_SECONDS).round(), unit="s")
        return cohort_names(known["as_of"] - since, self.period)

    def _first_named(self, names: pd.Series[str]) -> str:
        if self.named_from is not None:
            return self.named_from
        cohorts: list[str] = sorted(names.unique())
        return cohorts[0] if len(cohorts) <= self.at_most else cohorts[-(self.at_most - 1)]


def cohort_names(moments: pd.Series[Any], period: CohortPeriod) -> pd.Series[str]:
    """Return the calendar period that each moment lies in, by a name that sorts in the order of time.

    >>> cohort_names(pd.Series(pd.to_datetime(["2024-07-01", "2024-12-31"])), "quarter").tolist()
    ['2024-Q3', '2024-Q4']
    """
    frequency, pattern = _FORMATS[period]
    ordinals, places = np.unique(pd.PeriodIndex(moments, freq=frequency).asi8, return_inverse=True)
    names = [pd.Period(ordinal=int(ordinal), freq=frequency).strftime(pattern) for ordinal in ordinals]
    return pd.Series(np.array(names, dtype=object)[places], index=moments.index, dtype="str")
