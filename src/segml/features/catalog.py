"""Every feature there is, in the order of the columns."""

from __future__ import annotations

from segml.config import FeaturesConfig
from segml.features import (
    assortment,
    contracts,
    description,
    firmographics,
    periods,
    preferences,
    returns,
    rhythm,
    touches,
    trend,
    usage,
    value,
)
from segml.features.spec import Definition, Described, Feature

FAMILIES = (rhythm, value, trend, assortment, returns, description)
_DEFAULT = FeaturesConfig()


def definitions(config: FeaturesConfig = _DEFAULT) -> tuple[Definition, ...]:
    """Return features and ingredients in the order in which they are computed."""
    return tuple(definition for family in FAMILIES for definition in family.definitions(config))


def catalog(config: FeaturesConfig = _DEFAULT) -> tuple[Feature, ...]:
    """Return the features under a configuration; further windows make further features."""
    return tuple(definition for definition in definitions(config) if isinstance(definition, Feature))


CATALOG = catalog()


def model_inputs(config: FeaturesConfig = _DEFAULT) -> tuple[str, ...]:
    """Return the names of the features that models read.

    >>> model_inputs()[:3]
    ('recency_days', 'tenure_days', 'order_count')
    """
    return tuple(feature.name for feature in catalog(config) if feature.is_model_input)


def described() -> tuple[Described, ...]:
    """Return the columns that ``features.describe`` puts beside the features, in their order."""
    return (
        *preferences.PREFERENCES,
        *periods.STEADINESS,
        *firmographics.DESCRIBED,
        *usage.DESCRIBED,
        *contracts.DESCRIBED,
        *touches.DESCRIBED,
    )


def source_of(column: str) -> str:
    """Return what has to be given for a column beyond customers, dates and amounts; "" for nothing, or where unknown.

    >>> source_of("margin_365d")
    'data.columns.margin or data.columns.cost'
    """
    return _SOURCES.get(column, "")


_SOURCES = {feature.name: feature.source for feature in CATALOG} | {
    column.name: column.source for column in described()
}
