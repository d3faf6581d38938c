from collections.abc import Callable

import pandas as pd

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Geography, IndustryGroup, SupplyRole


def test_industries_and_roles_are_the_values_of_the_card(table: Callable[..., pd.DataFrame]) -> None:
    companies = table(industry=["retail", "retail", "food", None], role=["dealer", None, "end user", "dealer"])
    assert IndustryGroup().assign(companies).tolist() == ["retail", "retail", "food", NOT_ENOUGH_DATA]
    assert SupplyRole().assign(companies).tolist() == ["dealer", NOT_ENOUGH_DATA, "end user", "dealer"]


def test_rare_industries_share_one_label(table: Callable[..., pd.DataFrame]) -> None:
    companies = table(industry=["a", "a", "b", "b", "c", "d"])
    scheme = IndustryGroup(at_most=2)
    assert scheme.assign(companies).tolist() == ["a", "a", "b", "b", "other", "other"]
    assert list(scheme.declared(companies)) == ["a", "b", "other"]


def test_geography_is_by_region_or_by_country(table: Callable[..., pd.DataFrame]) -> None:
    companies = table(region=["North", "South", None], country=["FI", "FI", "IT"])
    assert Geography().assign(companies).tolist() == ["North", "South", NOT_ENOUGH_DATA]
    by_country = Geography(by="country")
    assert by_country.requires == ("country",)
    assert by_country.assign(companies).tolist() == ["FI", "FI", "IT"]
    assert by_country.declared(companies) == {"FI": "country = FI", "IT": "country = IT"}
