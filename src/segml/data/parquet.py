"""Parquet files, left where they are: the data base reads of them what a query needs.

Of a column that stands both in the files and in the names of their folders, the files' own values count.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from ibis.expr.types import Table

from segml.config import FormatConfig
from segml.data import partitions
from segml.data.columns import require_same
from segml.data.paths import AnyPath, Files, on_disk, opening
from segml.data.remote import RemotePath
from segml.data.source import Pick, Source
from segml.data.window import SLACK
from segml.schema import DataError
from segml.windows import within


def open_parquet(files: Files, format: FormatConfig, backend: Any, added: Sequence[str] | None = None) -> Source:
    """Return Parquet files, on the disk or remote, as one source; ``key=value`` folders below the root are columns.

    Parameters
    ----------
    added : columns of the table that older files may lack; None: files must not differ in columns

    Raises
    ------
    DataError : a file is not readable Parquet, or files differ in columns or (on loading) in kinds of values
    """
    opened = _open(files, backend)
    if added is None:
        require_same({str(files.relative(path)): footer.names for path, footer in opened.footers.items()}, files.where)

    def load(picks: Sequence[Pick]) -> Table:
        for pick in picks:
            _require_same_kind(opened.footers, pick)
            if pick.name == "ordered_at" and format.partitions:
                _require_dates_of_folders(opened, pick, format)
        return _view(opened, picks, backend)

    names = dict.fromkeys([*opened.columns, *opened.folder_columns, *(added or ())])
    return Source(files.where, tuple(names), load, lazy=True)


class _Footer:
    """What the end of a file tells of it."""

    def __init__(self, metadata: pyarrow.parquet.FileMetaData) -> None:
        self.metadata = metadata
        self.schema: pa.Schema = metadata.schema.to_arrow_schema()
        self.names: list[str] = self.schema.names

    def extent(self, column: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Return the first and the last moment of a column; None where it holds no moments, or nothing tells."""
        if not pa.types.is_temporal(self.schema.field(column).type):
            return None
        paths = [self.metadata.schema.column(place).path for place in range(len(self.metadata.schema))]
        groups = (self.metadata.row_group(number) for number in range(self.metadata.num_row_groups))
        told = [group.column(paths.index(column)).statistics for group in groups]
        if not told or not all(found is not None and found.has_min_max for found in told):
            return None
        return _moment(min(found.min for found in told)), _moment(max(found.max for found in told))


@dataclass(frozen=True)
class _Opened:
    """Files whose footers are read; ``addresses`` are the data base's names for them."""

    files: Files
    footers: Mapping[AnyPath, _Footer]
    addresses: Sequence[str]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of the files themselves."""
        return tuple(dict.fromkeys(name for footer in self.footers.values() for name in footer.names))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Columns that the names of folders spell."""
        spelled = (partitions.values_of(self.files.relative(path)) for path in self.footers)
        return tuple(dict.fromkeys(key for values in spelled for key in values))

    @property
    def keys_above(self) -> tuple[str, ...]:
        """Columns that the names of folders above the root would spell: the data base looks at the whole path."""
        parts = self.files.root.parts if isinstance(self.files.root, Path) else ()
        return tuple(part.partition("=")[0] for part in parts if "=" in part)

    @property
    def folder_columns(self) -> tuple[str, ...]:
        """Columns that only the names of folders spell."""
        return tuple(key for key in self.keys if key not in self.columns)

    @property
    def is_uniform(self) -> bool:
        """Whether the first file tells the columns and types of all."""
        first, *others = self.footers.values()
        return all(other.schema.equals(first.schema) for other in others)


def _open(files: Files, backend: Any) -> _Opened:
    if isinstance(files.root, RemotePath):
        return _open_remote(files, [path for path in files.paths if isinstance(path, RemotePath)], backend)
    for path in files.paths:
        with opening(path), on_disk(path).open("rb"):
            pass  # the reader of footers does not say why it cannot
    footers = {path: _footer(path, str(path)) for path in files.paths}
    return _Opened(files, footers, [glob.escape(str(path)) for path in files.paths])


def _open_remote(files: Files, paths: Sequence[RemotePath], backend: Any) -> _Opened:
    from segml.data.ranges import Mount, ranged

    parts = ranged(paths)
    footers: dict[AnyPath, _Footer] = {part.place: _footer(part.place, part.open()) for part in parts}
    for part in parts:
        part.trim()
    mount = Mount({f"{number}/{files.relative(part.place)}": part for number, part in enumerate(parts)})
    backend.register_filesystem(mount)
    return _Opened(files, footers, list(mount.files))


def _footer(path: AnyPath, file: Any) -> _Footer:
    try:
        return _Footer(pyarrow.parquet.read_metadata(file))
    except (pa.ArrowException, OSError):
        raise DataError(f"{path} is not a readable Parquet file: it is damaged, cut off, or something else") from None


def _view(opened: _Opened, picks: Sequence[Pick], backend: Any) -> Table:
    """Return the picked columns; those that no file has, because none is of their time, are empty."""
    from_folders = [pick.source for pick in picks if pick.source in opened.folder_columns]
    twice = [key for key in (*opened.keys, *opened.keys_above) if key in opened.columns]
    where = opened.files.where
    if from_folders and twice:
        raise DataError(
            f"{where}: folders tell the columns {from_folders}, and also {twice}, which the files hold themselves; the "
            "two cannot be read together: rename those of the files, or of the folders"
        )
    try:
        table = backend.read_parquet(
            list(opened.addresses),
            union_by_name=not opened.is_uniform,
            hive_partitioning=bool(from_folders),
            **({"hive_types_autocast": False} if from_folders else {}),  # 007 stays 007
        )
    except duckdb.Error as error:
        raise DataError(f"the Parquet files of {where} cannot be read as one table: {error}") from None
    columns = {pick.name: table[pick.source] if pick.source in table.columns else ibis.null("string") for pick in picks}
    return table.select(**columns)


def _require_same_kind(footers: Mapping[AnyPath, _Footer], pick: Pick) -> None:
    kinds = {
        _kind(footer.schema.field(pick.source).type): path
        for path, footer in footers.items()
        if pick.source in footer.names
    }
    kinds.pop("nothing", None)
    if len(kinds) > 1:
        (one, first), (other, second), *_ = kinds.items()
        raise DataError(
            f"column {pick.label} holds {one} in {first} and {other} in {second}; write it alike everywhere"
        )


def _require_dates_of_folders(opened: _Opened, pick: Pick, format: FormatConfig) -> None:
    """Raise where lines are dated elsewhere than their folder: then others are perhaps in folders left out."""
    for path, footer in opened.footers.items():
        dates = partitions.span(opened.files.relative(path), format.partitions, opened.files.where)
        extent = footer.extent(pick.source) if pick.source in footer.names else None
        if dates is None or extent is None:
            continue
        start, end = (datetime.combine(day, time()) for day in dates)
        if not all(within(moment, start - SLACK, end + SLACK) for moment in extent):
            raise DataError(
                f"{path} lies in the folder of {dates[0]}, but its {pick.label} goes from {extent[0]} to {extent[1]}; "
                f"folders that do not tell the date of their lines must not stand in {partitions.KEY}"
            )


def _moment(value: Any) -> pd.Timestamp:
    return pd.Timestamp(value).tz_localize(None)


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
