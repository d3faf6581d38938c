"""From the names in the configuration to tables: the demo world, a public data set, a file or a data base."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ibis.expr.types import Table

from segml import schema
from segml.config import Config, EngineConfig
from segml.data import catalog, postgres, spark, spark_failures, spark_tables
from segml.data.address import is_database, redact
from segml.data.engine import to_table
from segml.data.failures import explained
from segml.data.memory import connect_within, limit_in_bytes
from segml.data.read import read_table, with_survey
from segml.data.simulate import simulate
from segml.data.window import Window, window_of

DEMO = "demo"


@dataclass(frozen=True)
class Tables:
    """The raw tables of one run under their canonical column names, on one backend."""

    transactions: Table
    extra: Mapping[str, Table] = field(default_factory=dict)
    """Those of customers, usage, contracts and touches that were given."""
    source: str = "a table"
    """What the transactions are called in messages, the report and the tracking store."""
    window: Window | None = None
    """Which transactions were read; None: all."""


def connect_engine(engine: EngineConfig, threads: int | None = None, source: str = DEMO) -> Any:
    """Return an Ibis backend on the engine that the configuration names.

    Parameters
    ----------
    source : where the transactions are; ``postgres`` computes at that server

    Raises
    ------
    DataError : the engine's packages or server are not there, or the source is at no such server
    """
    match engine.kind:
        case "duckdb":
            return connect_within(engine.memory_limit, engine.scratch, threads)
        case "spark":
            return spark.connect(engine.spark, scratch=engine.scratch, threads=threads)
        case "postgres":
            return postgres.connect(source)


@contextmanager
def opened_engine(settings: EngineConfig, threads: int | None = None, source: str = DEMO) -> Iterator[Any]:
    """Give an Ibis backend on the engine that the configuration names, for as long as the block runs.

    Temporary tables and files go with it. A Spark session may serve others too: it ends with the process.

    Parameters
    ----------
    source : where the transactions are

    Raises
    ------
    DataError : as ``connect_engine``; or, in the block, too little memory, or a server that goes away
    OutputError : in the block, a full disk
    """
    with explaining(settings):
        backend = connect_engine(settings, threads, source)
        try:
            yield backend
        finally:
            if not spark_tables.is_spark(backend):
                backend.disconnect()


@contextmanager
def explaining(settings: EngineConfig) -> Iterator[None]:
    """Turn what the engine says of too little memory, a full disk or a server that has gone into errors of the user's.

    Raises
    ------
    DataError : too little memory, or a server that goes away
    OutputError : a full disk
    """
    scratch = Path(settings.scratch) if settings.scratch is not None else None
    limit = limit_in_bytes(settings.memory_limit) if settings.memory_limit is not None else None
    with explained(scratch, limit), spark_failures.explained(settings.spark):
        yield


def load_tables(
    config: Config,
    backend: Any,
    progress: Callable[[int, int], None] | None = None,
    given: Mapping[str, Any] | None = None,
) -> Tables:
    """Return the tables that the configuration names.

    Parameters
    ----------
    backend : from ``connect_engine``; one on PostgreSQL takes the tables that lie there, and DuckDB in this process the
        others but the transactions
    progress : called with bytes done and bytes in all while a public data set is downloaded
    given : tables in memory (pandas, polars, pyarrow, Ibis) by name, ``transactions`` or one of the others; they are
        taken instead of what the configuration names

    Raises
    ------
    DataError : a source is missing, unreadable or lacks columns
    """
    frames = given if given is not None else {}
    source, columns = config.data.transactions, config.data.columns.model_dump(exclude_none=True)
    if "transactions" in frames:
        transactions = _read(frames["transactions"], "transactions", columns, config, backend)
    elif source == DEMO:
        return _demo(config, backend, frames)
    elif source in catalog.PUBLIC:
        path = catalog.load(source, catalog.data_home(), progress=progress)
        transactions = _read(path, "transactions", {**catalog.PUBLIC[source].columns, **columns}, config, backend)
    else:
        transactions = _read(source, "transactions", columns, config, backend)
    return Tables(transactions, _extra_tables(config, backend, frames), redact(source), window_of(config.data))


def _demo(config: Config, backend: Any, frames: Mapping[str, Any]) -> Tables:
    world = simulate(config.demo)
    made = {"customers": world.customers, "usage": world.usage, "contracts": world.contracts, "touches": world.touches}
    extra = {name: to_table(frame, backend) for name, frame in made.items()} | _extra_tables(config, backend, frames)
    transactions, window = to_table(world.transactions, backend), window_of(config.data)
    return Tables(window.keep(transactions, "ordered_at") if window else transactions, extra, DEMO, window)


def _extra_tables(config: Config, backend: Any, frames: Mapping[str, Any]) -> dict[str, Table]:
    mappings = {
        "customers": config.data.customer_columns,
        "usage": config.data.usage_columns,
        "contracts": config.data.contract_columns,
        "touches": config.data.touch_columns,
    }
    named = {name: getattr(config.data, name) for name in schema.TABLES if name != "transactions"}
    sources = named | {name: frame for name, frame in frames.items() if name != "transactions"}
    beside = _beside(config, backend)
    return {
        name: _read(
            source,
            name,
            mappings[name].model_dump(exclude_none=True),
            config,
            backend if isinstance(source, str) and is_database(source) else beside,
        )
        for name, source in sources.items()
        if source is not None
    }


def _beside(config: Config, backend: Any) -> Any:
    """Return the backend of tables that are not in a data base: PostgreSQL takes only what it holds itself."""
    if postgres.is_postgres(backend):
        return connect_within(config.engine.memory_limit, config.engine.scratch, config.threads)
    return backend


def _read(source: Any, name: str, columns: Mapping[str, str | None], config: Config, backend: Any) -> Table:
    table = with_survey(config.data.survey_columns) if name == "customers" else schema.TABLES[name]
    window = window_of(config.data) if name == "transactions" else None
    return read_table(source, table, columns, config.data.format, backend, window)
