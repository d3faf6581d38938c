"""Features: one row a customer and as-of date, from rows strictly before it."""

from segml.features.build import build
from segml.features.catalog import CATALOG, catalog, model_inputs
from segml.features.spec import Feature

__all__ = ["CATALOG", "Feature", "build", "catalog", "model_inputs"]
