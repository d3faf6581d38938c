"""Features of lines on Spark that stay there: as a Spark DataFrame, or written by the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml.config import FeaturesConfig
from segml.data import spark_tables
from segml.data.engine import hold, release, to_table
from segml.data.remote import redact_url
from segml.data.spark_failures import is_lost
from segml.features.build import BASE, aggregates, finish
from segml.features.catalog import catalog
from segml.schema import DataError, OutputError, first_line
from segml.windows import Moment

KEYS = {"customer_id": "string", "as_of": "timestamp_ntz"}
"""The columns before the features, in Spark's types."""

_ROWS = "rows"


def features_on_spark(lines: Any, as_of: Moment | Iterable[Moment], config: FeaturesConfig | None = None) -> Any:
    """Return what ``build`` returns as a Spark DataFrame, in no particular order; one row a date comes here.

    What features are made of is computed at once and held until the session ends, one row a customer and date; the
    features follow from it, part by part, by Python on the workers, which must have segml. Unknown is null.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``), an Ibis table on Spark or a Spark DataFrame
    as_of, config : as for ``build``

    Raises
    ------
    DataError : as for ``build``; or the lines are not on Spark
    """
    config = config if config is not None else FeaturesConfig()
    return _finished(*_hold_aggregates(lines, as_of, config), config)


def write_on_spark(lines: Any, as_of: Moment | Iterable[Moment], address: str, config: FeaturesConfig) -> int:
    """Let Spark write the features as a new folder of Parquet files that the cluster sees; return the number of rows.

    Raises
    ------
    DataError : as for ``features_on_spark``
    OutputError : there is something at the address already, or Spark cannot write there
    """
    held, base = _hold_aggregates(lines, as_of, config)
    try:
        _write(_finished(held, base, config), address)
        return int(base[_ROWS].sum())
    finally:
        release(held, held.get_backend())


def _hold_aggregates(
    lines: Any, as_of: Moment | Iterable[Moment], config: FeaturesConfig
) -> tuple[Table, pd.DataFrame]:
    """Return what features are made of, computed once, and the sums over all customers."""
    table = to_table(lines)
    backend: Any = table.get_backend()
    if not spark_tables.is_spark(backend):
        raise DataError(
            f"the lines must be on Spark; found them on {backend.name}: use features.build, or write a file"
        )
    with aggregates(table, as_of, config) as aggregated:
        held = hold(aggregated, backend, "aggregates")
        return held, _base(held)  # where tables are persisted, this computes them, before their sources are let go


def _base(held: Table) -> pd.DataFrame:
    """Return ``build.base_of`` all customers, computed there, with the number of rows."""
    sums = {name: held[name].sum().fill_null(0).cast("int64") for name in BASE}
    found: pd.DataFrame = held.group_by("as_of_s").aggregate(**sums, **{_ROWS: held.count()}).to_pyarrow().to_pandas()
    return found.set_index("as_of_s")


def _finished(held: Table, base: pd.DataFrame, config: FeaturesConfig) -> Any:
    """Return a Spark DataFrame whose parts are finished on the workers, which get plain numbers and text."""
    plain = {name: dict(zip(base.index.tolist(), base[name].tolist(), strict=True)) for name in BASE}
    work = partial(_finish, base=plain, config=config.model_dump_json())
    frame = spark_tables.session(held.get_backend()).table(held.op().name)
    return frame.mapInPandas(work, _schema(config))


def _finish(chunks: Iterator[pd.DataFrame], *, base: dict[str, dict[int, int]], config: str) -> Iterator[pd.DataFrame]:
    """Yield the features of chunks of aggregates; runs on the workers."""
    settings, of_all = FeaturesConfig.model_validate_json(config), pd.DataFrame(base)
    for chunk in chunks:
        if not chunk.empty:
            yield finish(chunk, of_all, settings)


def _schema(config: FeaturesConfig) -> str:
    kinds = {feature.name: "string" if feature.unit == "text" else "double" for feature in catalog(config)}
    return ", ".join(f"`{name}` {kind}" for name, kind in {**KEYS, **kinds}.items())


def _write(frame: Any, address: str) -> None:
    try:
        frame.write.parquet(address)
    except Exception as error:  # each kind of session has errors of its own
        if is_lost(error):
            raise
        raise OutputError(
            f"Spark cannot write the features to {redact_url(address)}: {first_line(error)}; name a new folder, one "
            "that the cluster may write"
        ) from None
