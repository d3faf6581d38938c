"""From the names in the configuration to tables: the demo world, a public data set, a file or a data base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ibis.expr.types import Table

from segml import schema
from segml.config import Config
from segml.data import catalog
from segml.data.database import redact
from segml.data.engine import to_table
from segml.data.read import read_table, with_survey
from segml.data.simulate import simulate

DEMO = "demo"


@dataclass(frozen=True)
class Tables:
    """The raw tables of one run under their canonical column names, on one backend."""

    transactions: Table
    extra: Mapping[str, Table] = field(default_factory=dict)
    """Those of customers, usage, contracts and touches that were given."""
    source: str = "a table"
    """What the transactions are called in messages, the report and the tracking store."""


def load_tables(config: Config, backend: Any, progress: Callable[[int, int], None] | None = None) -> Tables:
    """Return the tables that the configuration names.

    Parameters
    ----------
    backend : from ``segml.data.engine.connect``
    progress : called with bytes done and bytes in all while a public data set is downloaded

    Raises
    ------
    DataError : a source is missing, unreadable or lacks columns
    """
    source = config.data.transactions
    if source == DEMO:
        return _demo(config, backend)
    columns = config.data.columns.model_dump(exclude_none=True)
    if source in catalog.PUBLIC:
        path = catalog.load(source, catalog.data_home(), progress=progress)
        transactions = _read(path, "transactions", {**catalog.PUBLIC[source].columns, **columns}, config, backend)
    else:
        transactions = _read(source, "transactions", columns, config, backend)
    return Tables(transactions, _extra_tables(config, backend), redact(source))


def _demo(config: Config, backend: Any) -> Tables:
    world = simulate(config.demo)
    given = {"customers": world.customers, "usage": world.usage, "contracts": world.contracts, "touches": world.touches}
    extra = {name: to_table(frame, backend) for name, frame in given.items()} | _extra_tables(config, backend)
    return Tables(to_table(world.transactions, backend), extra, DEMO)


def _extra_tables(config: Config, backend: Any) -> dict[str, Table]:
    mappings = {
        "customers": config.data.customer_columns,
        "usage": config.data.usage_columns,
        "contracts": config.data.contract_columns,
        "touches": config.data.touch_columns,
    }
    sources = {name: getattr(config.data, name) for name in schema.TABLES if name != "transactions"}
    return {
        name: _read(source, name, mappings[name].model_dump(exclude_none=True), config, backend)
        for name, source in sources.items()
        if source is not None
    }


def _read(source: str | Path, name: str, columns: Mapping[str, str | None], config: Config, backend: Any) -> Table:
    table = with_survey(config.data.survey_columns) if name == "customers" else schema.TABLES[name]
    return read_table(str(source), table, columns, config.data.format, backend)
