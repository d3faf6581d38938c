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

BASE = ("gap_sum", "gap_count")
"""Aggregates of which features need the sum over all customers at an as-of date; formulas see it as ``base_…``."""


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
    aggregated = collect(aggregates(lines, as_of, config))
    return finish(aggregated, base_of(aggregated), config).sort_values(["as_of", "customer_id"], ignore_index=True)


def aggregates(lines: Any, as_of: Moment | Iterable[Moment], config: FeaturesConfig) -> Table:
    """Return, not computed yet, what ``finish`` makes features of: one row a customer and as-of date."""
    return aggregate(grains(typed(to_table(lines)), calendar(windows.as_timestamps(as_of))), definitions(config))


def base_of(aggregated: pd.DataFrame) -> pd.DataFrame:
    """Return what features need to know about all customers together, indexed by ``as_of_s``.

    The figures are sums of whole numbers: those of parts of the customers add up, exactly, to those of all.
    """
    return aggregated.groupby("as_of_s")[list(BASE)].sum()


def finish(aggregated: pd.DataFrame, base: pd.DataFrame, config: FeaturesConfig) -> pd.DataFrame:
    """Return the features of some of the customers, in the order of their rows.

    Parameters
    ----------
    aggregated : rows of ``aggregates``
    base : ``base_of`` all customers
    """
    of_all = base.loc[aggregated["as_of_s"]].add_prefix("base_").set_axis(aggregated.index)
    frame = aggregated.join(of_all).assign(as_of=windows.from_epoch_seconds(aggregated["as_of_s"]))
    names = [feature.name for feature in catalog(config)]
    return _derive(frame, definitions(config))[["customer_id", "as_of", *names]]


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
