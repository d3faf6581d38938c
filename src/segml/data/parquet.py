"""Parquet files, left where they are: the data base reads of them what a query needs."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
from ibis.expr.types import Table

from segml.data.columns import require_same
from segml.data.paths import Files, opening
from segml.data.source import Pick, Source
from segml.schema import DataError


def open_parquet(files: Files, backend: Any) -> Source:
    """Return Parquet files as one source; ``key=value`` folders below the root are columns.

    Raises
    ------
    DataError : a file is not readable Parquet, or files differ in columns or (on loading) in kinds of values
    """
    schemas = {path: _schema(path) for path in files.paths}
    require_same({_relative(path, files): found.names for path, found in schemas.items()}, files.where)
    table = _view(files, backend)

    def load(picks: Sequence[Pick]) -> Table:
        for pick in picks:
            _require_same_kind(schemas, pick)
        return table.select(**{pick.name: table[pick.source] for pick in picks})

    return Source(files.where, tuple(table.columns), load, lazy=True)


def _schema(path: Path) -> pa.Schema:
    with opening(path), path.open("rb"):
        pass
    try:
        return pyarrow.parquet.read_schema(path)
    except (pa.ArrowException, OSError):
        raise DataError(f"{path} is not a readable Parquet file: it is damaged, cut off, or something else") from None


def _relative(path: Path, files: Files) -> str:
    return str(path.relative_to(files.root))


def _view(files: Files, backend: Any) -> Table:
    is_partitioned = any("=" in part for path in files.paths for part in path.relative_to(files.root).parts[:-1])
    try:
        return backend.read_parquet(
            [glob.escape(str(path)) for path in files.paths],
            union_by_name=len(files.paths) > 1,
            hive_partitioning=is_partitioned,
        )
    except duckdb.Error as error:
        raise DataError(f"the Parquet files of {files.where} cannot be read as one table: {error}") from None


def _require_same_kind(schemas: dict[Path, pa.Schema], pick: Pick) -> None:
    kinds = {
        _kind(found.field(pick.source).type): path for path, found in schemas.items() if pick.source in found.names
    }
    kinds.pop("nothing", None)
    if len(kinds) > 1:
        (one, first), (other, second), *_ = kinds.items()
        raise DataError(
            f"column {pick.label} holds {one} in {first} and {other} in {second}; write it alike everywhere"
        )


def _kind(found: pa.DataType) -> str:
    """Return what a type holds, as far as joining files goes; zones matter, sizes do not."""
    if pa.types.is_dictionary(found):
        return _kind(found.value_type)
    if pa.types.is_timestamp(found):
        return "moments without a time zone" if found.tz is None else "moments with a time zone"
    if pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found):
        return "numbers"
    if pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found):
        return "text"
    return "nothing" if pa.types.is_null(found) else str(found)
