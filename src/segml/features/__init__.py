"""Features: one row a customer and as-of date, from rows strictly before it."""

from segml.features.activity import activity
from segml.features.catalog import CATALOG, catalog, described, model_inputs, source_of
from segml.features.describe import describe
from segml.features.on_spark import features_on_spark
from segml.features.spec import Described, Feature
from segml.features.table import build
from segml.features.write import Written, write

__all__ = [
    "CATALOG",
    "Described",
    "Feature",
    "Written",
    "activity",
    "build",
    "catalog",
    "describe",
    "described",
    "features_on_spark",
    "model_inputs",
    "source_of",
    "write",
]
