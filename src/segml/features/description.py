"""What describes a customer in words; no model reads it."""

from __future__ import annotations

from segml.config import FeaturesConfig
from segml.features.spec import Definition, Feature

FAMILY = "description"


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (
        Feature(
            "top_category",
            FAMILY,
            "text",
            "category with the largest purchases so far, before returns; the first by name among equals",
            "description",
            source="data.columns.category",
            is_model_input=False,
            grain="category",
            formula=lambda categories: categories.largest.min(),
        ),
        Feature(
            "region",
            FAMILY,
            "text",
            "region on the latest line that tells it; the first by name among equals",
            "description",
            source="data.columns.region",
            is_model_input=False,
            grain="total",
            formula=lambda customers: customers.region,
        ),
    )
