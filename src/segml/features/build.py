"""What features are made of, by customer and as-of date, and the features made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import FeaturesConfig
from segml.data.engine import to_table
from segml.features import recipe as recipes
from segml.features.arithmetic import counted, number
from segml.features.catalog import catalog, definitions
from segml.features.dates import ANY_ONE, AsOfDates, Keep
from segml.features.grains import grains
from segml.features.recipe import Recipe
from segml.features.snapshots import typed
from segml.features.spec import Definition, Feature, Grain
from segml.windows import Moment

BASE = ("gap_sum", "gap_count")
"""Aggregates of which features need the sum over all customers at an as-of date; formulas see it as ``base_…``."""

REMEMBERED = 16
"""How many recipes are remembered: those of a notebook's dates and settings."""


@contextmanager
def aggregates(lines: Any, as_of: Moment | Iterable[Moment], config: FeaturesConfig) -> Iterator[Table]:
    """Give, not computed yet, what ``finish`` makes features of: one row a customer and as-of date.

    What is needed more than once on the way there is held by the engine until the block ends.
    """
    dates, table = AsOfDates.of(as_of), typed(to_table(lines))
    recipe = _recipe(ANY_ONE if dates.is_one and recipes.is_spelled(table) else dates, config)
    with recipes.follow(recipe, table, dates) as aggregated:
        yield aggregated


@lru_cache(maxsize=REMEMBERED)
def _recipe(dates: AsOfDates, config: FeaturesConfig) -> Recipe:
    recipe = definitions(config)
    return recipes.write(
        lambda lines, keep: aggregate(grains(lines, dates, config.longest_days, keep), recipe, dates, keep)
    )


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


def aggregate(
    tables: Iterable[tuple[Grain, Table]], recipe: Sequence[Definition], dates: AsOfDates, keep: Keep
) -> Table:
    """Return all aggregates of all grains, one row a customer that has an order, and as-of date.

    Those of several dates are computed grain by grain: together they take more memory than all else.
    """
    parts = {}
    for grain, table in tables:
        part = _aggregate_grain(table, grain, recipe, dates)
        parts[grain] = part if dates.is_one or grain == "total" else keep(part, grain)
    result = parts.pop("total")
    for other in parts.values():
        result = result.left_join(other, dates.keys, rname="{name}_right").drop(*(f"{key}_right" for key in dates.keys))
    return dates.at_each(result) if dates.is_one else result


def _aggregate_grain(table: Table, grain: Grain, recipe: Sequence[Definition], dates: AsOfDates) -> Table:
    columns = {definition.name: _plain(definition, table) for definition in recipe if definition.grain == grain}
    if grain == "total":
        return table.select(*dates.keys, **columns)
    return table.group_by(dates.keys).aggregate(**columns)


def _plain(definition: Definition, table: Table) -> Any:
    """Return a column in the type in which it is read: engines add up whole numbers to wider ones of their own."""
    aggregated = definition.formula(table)
    if definition.name in BASE:
        return counted(aggregated)
    return aggregated if _is_text(definition) else number(aggregated)


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
