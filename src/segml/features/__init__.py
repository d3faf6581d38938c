"""Features: one row a customer and as-of date, from rows strictly before it."""

from segml.features.build import build
from segml.features.catalog import CATALOG, catalog, described, model_inputs, source_of
from segml.features.describe import describe
from segml.features.spec import Described, Feature

__all__ = [
    "CATALOG",
    "Described",
    "Feature",
    "build",
    "catalog",
    "describe",
    "described",
    "model_inputs",
    "source_of",
]
