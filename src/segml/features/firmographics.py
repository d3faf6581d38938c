"""What the customers table tells about a company, and the columns of a survey."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segml.features.spec import Described
from segml.schema import CUSTOMERS, DataError

FAMILY = "firmographics"


def _card(name: str, unit: str, meaning: str) -> Described:
    return Described(name, FAMILY, unit, meaning, f"data.customers with a column {name}")


DESCRIBED = (
    _card("industry", "text", "line of business"),
    _card("employees", "people", "head count; NaN where it is unknown or negative"),
    _card("role", "text", "end user, dealer or engineering company"),
    _card("country", "text", "country of the company"),
    _card("potential", "money a year", "what the customer could spend with us; NaN where unknown"),
    _card("cost_to_serve", "money a year", "what serving the customer costs; NaN where unknown"),
    _card("is_strategic", "flag", "1 for customers kept whatever they bring, else 0; NaN where unknown"),
    _card("funnel_stage", "text", "stage in the sales funnel"),
    Described(
        "decision_days",
        FAMILY,
        "days",
        "calendar days from the opening of the card to the first purchase; NaN where the card was opened later, or "
        "before the first purchase of all customers, for then the customer's own first one may not be on record",
        "data.customers with a column registered_on",
    ),
)
_TEXTS = tuple(column.name for column in DESCRIBED if column.unit == "text")
_NUMBERS = ("employees", "potential", "cost_to_serve", "is_strategic")


def firmographics(customers: pd.DataFrame | None, features: pd.DataFrame) -> pd.DataFrame:
    """Return the described columns, those of a survey, and ``region``, on the index of the features.

    Parameters
    ----------
    customers : one card a customer (``segml.data.Deduplicated.customers``); columns that ``schema.CUSTOMERS`` does not
        have are a survey's; or None
    features : one row a customer at one as-of date; its ``region`` wins over that of the card

    Raises
    ------
    DataError : ``customer_id`` is missing or repeated
    """
    cards = _on(features["customer_id"], customers).set_axis(features.index)
    texts = {name: _text(cards, name) for name in _TEXTS}
    numbers = {name: _number(cards, name) for name in _NUMBERS}
    numbers["employees"] = numbers["employees"].where(numbers["employees"] >= 0)
    own = {**texts, **numbers, "decision_days": _decision_days(cards, features)}
    survey = {name: _answer(cards[name]) for name in survey_columns(cards)}
    region = features["region"].astype("str").fillna(_text(cards, "region"))
    ordered = {column.name: own[column.name] for column in DESCRIBED}
    return pd.DataFrame({"region": region, **ordered, **survey}, index=features.index)


def survey_columns(customers: pd.DataFrame | None) -> tuple[str, ...]:
    """Return the columns of the customers table that are not segml's own, in their order."""
    columns = () if customers is None else tuple(map(str, customers.columns))
    return tuple(name for name in columns if name not in CUSTOMERS.names)


def _on(customer_id: pd.Series[Any], customers: pd.DataFrame | None) -> pd.DataFrame:
    """Return the card of each customer, all unknown where there is none."""
    if customers is None:
        return pd.DataFrame(index=customer_id)
    if "customer_id" not in customers.columns:
        raise DataError(f"customers lack the column 'customer_id'; found {list(customers.columns)}")
    by_id = customers.assign(customer_id=customers["customer_id"].astype("str")).set_index("customer_id")
    if not by_id.index.is_unique:
        twice = by_id.index[by_id.index.duplicated()].min()
        raise DataError(f"customers hold {twice!r} more than once; give one card a customer (segml.data.deduplicate)")
    return by_id.reindex(customer_id.astype("str"))


def _text(cards: pd.DataFrame, name: str) -> pd.Series[Any]:
    values = cards[name] if name in cards.columns else pd.Series(None, index=cards.index, dtype="str")
    return values.astype("str")


def _number(cards: pd.DataFrame, name: str) -> pd.Series[float]:
    if name not in cards.columns:
        return pd.Series(float("nan"), index=cards.index)
    try:
        return cards[name].astype("float64")
    except (TypeError, ValueError) as error:
        raise DataError(f"customers: the column {name!r} must hold numbers; {error}") from None


def _answer(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.astype("float64" if pd.api.types.is_numeric_dtype(values) else "str")


def _decision_days(cards: pd.DataFrame, features: pd.DataFrame) -> pd.Series[float]:
    if "registered_on" not in cards.columns:
        return pd.Series(float("nan"), index=cards.index)
    first = features["as_of"] - pd.to_timedelta(features["tenure_days"], unit="D")
    opened = pd.to_datetime(cards["registered_on"])
    days = (first.dt.normalize() - opened.dt.normalize()).dt.days.astype("float64")
    return days.where((days >= 0) & (opened >= first.min().normalize()))
