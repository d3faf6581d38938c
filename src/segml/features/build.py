"""Order lines in, one row of features a customer and as-of date out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.data.engine import to_table
from segml.features.catalog import catalog, definitions
from segml.features.snapshots import KEYS, calendar, collect, grains, typed
from segml.features.spec import Definition, Feature, Grain
from segml.windows import Moment


def build(lines: Any, as_of: Moment | Iterable[Moment], config: FeaturesConfig | None = None) -> pd.DataFrame:
    """Return what was known about each customer just before each as-of date.

    All dates are computed in one pass. The result is the same, bit for bit, for any order of lines, number of threads
    and set of dates computed together; lines at or after a date, and cancellations from then on, change nothing.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : one moment or several, whole seconds; a date means its midnight
    config : windows and shrinkage; default ``FeaturesConfig()``

    Returns
    -------
    One row a customer with a purchase before the as-of date, and as-of date, sorted by both: ``customer_id, as_of``
    and the columns of ``catalog(config)``. Numbers and counts are float64, NaN is unknown.

    Raises
    ------
    DataError : columns missing, or an as-of date that is none
    """
    config = config if config is not None else FeaturesConfig()
    dates = windows.as_timestamps(as_of)
    recipe = definitions(config)
    aggregated = _frame(aggregate(grains(typed(to_table(lines)), calendar(dates)), recipe))
    return _derive(aggregated, recipe)[["customer_id", "as_of", *(feature.name for feature in catalog(config))]]


def aggregate(tables: Mapping[Grain, Table], recipe: Sequence[Definition]) -> Table:
    """Return all aggregates of all grains, one row a customer that has an order, and as-of date."""
    result = _aggregate_grain(tables, "order", recipe)
    for grain in [grain for grain in tables if grain != "order"]:
        other = _aggregate_grain(tables, grain, recipe)
        result = result.left_join(other, KEYS, rname="{name}_right").drop(*(f"{key}_right" for key in KEYS))
    return result


def _aggregate_grain(tables: Mapping[Grain, Table], grain: Grain, recipe: Sequence[Definition]) -> Table:
    table = tables[grain]
    return table.group_by(KEYS).aggregate(
        **{definition.name: definition.formula(table) for definition in recipe if definition.grain == grain}
    )


def _frame(aggregated: Table) -> pd.DataFrame:
    frame = collect(aggregated)
    frame["as_of"] = windows.from_epoch_seconds(frame["as_of_s"])
    return frame.sort_values(["as_of", "customer_id"], ignore_index=True)


def _derive(frame: pd.DataFrame, recipe: Sequence[Definition]) -> pd.DataFrame:
    """Return the aggregates as float64 or text, with what follows from them, in the order of the recipe."""
    aggregates = [definition for definition in recipe if definition.grain != "customer"]
    frame = frame.astype({definition.name: "str" if _is_text(definition) else "float64" for definition in aggregates})
    for definition in recipe:
        if definition.grain == "customer":
            frame[definition.name] = definition.formula(frame).astype("float64")
    return frame


def _is_text(definition: Definition) -> bool:
    return isinstance(definition, Feature) and definition.unit == "text"
