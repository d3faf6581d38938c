"""What kind of company it is: industry, place, role in the supply chain."""

from __future__ import annotations

from typing import Literal

from segml.language import N_
from segml.schemes.scheme import FromData


class IndustryGroup(FromData):
    """Customers by line of business, as the customers table spells it."""

    column = "industry_group"
    title = N_("Industry")
    question = N_("What line of business are customers in?")
    source = "industry"


class Geography(FromData):
    """Customers by region or by country."""

    column = "geography"
    title = N_("Geography")
    question = N_("Where are the customers?")

    by: Literal["region", "country"] = "region"

    @property
    def source(self) -> str:  # type: ignore[override]
        """The part of the country, or the country."""
        return self.by


class SupplyRole(FromData):
    """Customers by their role in the supply chain: end user, dealer, engineering company."""

    column = "supply_role"
    title = N_("Role in the supply chain")
    question = N_("Who uses the goods, who sells or builds them on?")
    source = "role"
