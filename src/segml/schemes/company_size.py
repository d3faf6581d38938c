"""Company size: by head count."""

from __future__ import annotations

import pandas as pd
from pydantic import model_validator

from segml.language import N_, _
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive


class CompanySize(Scheme):
    """Customers by number of employees; a head count on a line belongs to the larger size."""

    column = "company_size"
    title = N_("Company size")
    question = N_("How large is the buying company?")
    labels = ("micro", "small", "medium", "large")

    small_from: Positive = 15
    medium_from: Positive = 100
    large_from: Positive = 250

    @model_validator(mode="after")
    def _ordered(self) -> CompanySize:
        if not self.small_from < self.medium_from < self.large_from:
            found = (self.small_from, self.medium_from, self.large_from)
            raise ValueError(f"small_from, medium_from and large_from must rise; found {found}")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Head count."""
        return ("employees",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the size of each company."""
        employees = known["employees"]
        sizes = {
            "micro": employees < self.small_from,
            "small": employees < self.medium_from,
            "medium": employees < self.large_from,
        }
        return first_match(sizes, otherwise="large")

    def rules(self) -> Rules:
        """Return the sizes in words."""
        told = {
            "micro": _("fewer than {small} employees"),
            "small": _("from {small} to fewer than {medium} employees"),
            "medium": _("from {medium} to fewer than {large} employees"),
            "large": _("{large} employees and more"),
        }
        figures = {"small": self.small_from, "medium": self.medium_from, "large": self.large_from}
        return {label: text.format(**figures) for label, text in told.items()}
