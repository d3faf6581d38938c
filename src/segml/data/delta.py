"""Delta tables: which files hold the rows of a version; they are then read as any Parquet files are.

The log is read by the package deltalake, that of a remote table from a copy of its log. The files are read by the data
base, which takes half the memory of a scan through Arrow.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from segml.config import FormatConfig
from segml.data import remote
from segml.data.parquet import open_parquet
from segml.data.partitions import prune, values_of
from segml.data.paths import Files, kind_of
from segml.data.remote import RemotePath, reaching
from segml.data.source import Source
from segml.data.window import Window
from segml.schema import DataError

LOG = "_delta_log"
VERSIONED = re.compile(r"(.+?)/?@v(\d+)")
KNOWN_FEATURES = {"timestampNtz", "deletionVectors", "columnMapping", "vacuumProtocolCheck"}
"""What a table may demand of its readers; of deletion vectors and column mapping that they are not in use."""


def is_delta(source: str) -> bool:
    """Tell whether a source, without its version, is a folder with a Delta log."""
    table = _without_version(source)[0]
    if not remote.is_remote(table):
        return (Path(table).expanduser() / LOG).is_dir()
    place = remote.locate(table)
    is_file = kind_of(place) is not None or remote.is_pattern(place)
    return not is_file and remote.exists(place.below(f"{LOG}/"))


def open_delta(source: str, format: FormatConfig, window: Window | None, backend: Any) -> Source:
    """Return a version of a Delta table, the latest if none is named, as a source.

    Raises
    ------
    DataError : no deltalake, no such version, or the table needs what cannot be read
    """
    address, version = _without_version(source)
    root = remote.locate(address) if remote.is_remote(address) else Path(address).expanduser()
    with _log(root) as log, _faults(root, version):
        table = _delta_table(log, root, version)
        _require_readable(table, root)
        files, columns = _files(table, root, source), [field.name for field in table.schema().fields]
    return open_parquet(prune(files, format.partitions, window), format, backend, added=columns)


def _without_version(source: str) -> tuple[str, int | None]:
    found = VERSIONED.fullmatch(source)
    return (found[1], int(found[2])) if found and not Path(source).exists() else (source, None)


@contextmanager
def _log(root: Path | RemotePath) -> Iterator[Path]:
    """Yield a folder on the disk that holds the table's log."""
    if isinstance(root, Path):
        yield root
        return
    with tempfile.TemporaryDirectory(prefix="segml-delta-") as folder:
        log = root.below(LOG)
        with reaching(log):
            paths = [path for path in log.system.find(log.path) if not path.endswith("/")]
            targets = [Path(folder, LOG, path.partition(f"/{LOG}/")[2]) for path in paths]
            log.system.get(paths, [str(target) for target in targets])
        yield Path(folder)


@contextmanager
def _faults(root: Path | RemotePath, version: int | None) -> Iterator[None]:
    try:
        import deltalake  # noqa: F401
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise DataError(f"{root} is a Delta table; reading it needs deltalake: pip install 'segml[delta]'") from None
    try:
        yield
    except (DeltaError, OSError) as error:
        asked = "" if version is None else f" at version {version}"
        raise DataError(f"the Delta table {root} cannot be read{asked}: {' '.join(str(error).split())}") from None


def _delta_table(log: Path, root: Path | RemotePath, version: int | None) -> Any:
    from deltalake import DeltaTable

    table = DeltaTable(str(log))
    if version is None:
        return table
    if version > table.version():
        raise DataError(f"the Delta table {root} has no version {version}; the latest is {table.version()}")
    table.load_as_version(version)
    return table


def _require_readable(table: Any, root: Path | RemotePath) -> None:
    unknown = sorted(set(table.protocol().reader_features or ()) - KNOWN_FEATURES)
    mapping = table.metadata().configuration.get("delta.columnMapping.mode", "none")
    needs = [*unknown, *(["columnMapping"] if mapping != "none" else []), *_deletion_vectors(table)]
    if needs:
        raise DataError(
            f"the Delta table {root} uses {', '.join(needs)}, which cannot be read; rewrite it without (deletion "
            "vectors go with REORG TABLE … APPLY (PURGE)), or write it out as plain Parquet"
        )


def _deletion_vectors(table: Any) -> list[str]:
    from deltalake.exceptions import DeltaError

    if "deletionVectors" not in (table.protocol().reader_features or ()):
        return []
    try:
        found = any(pa.record_batch(batch).num_rows for batch in table.deletion_vectors())
    except DeltaError:  # there are some, in files that are not where the log is
        found = True
    return ["deletionVectors"] if found else []


def _files(table: Any, root: Path | RemotePath, source: str) -> Files:
    where = remote.redact_url(source)
    actions = pa.table(table.get_add_actions(flatten=False))
    held = zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True)
    sizes = {unquote(path): size for path, size in sorted(held)}
    if not sizes:
        raise DataError(f"the Delta table {where} has no rows")
    _require_own_folders(list(sizes), table.metadata().partition_columns, where)
    paths = [root / name if isinstance(root, Path) else root.below(name, size) for name, size in sizes.items()]
    return Files(where, "parquet", tuple(paths), root)


def _require_own_folders(names: list[str], columns: list[str], where: str) -> None:
    for name in names:
        if "://" in name or name.startswith("/"):
            raise DataError(
                f"the Delta table {where} is a shallow clone: it has files elsewhere, as {name}; copy it whole"
            )
        if not set(columns) <= set(values_of(Path(name))):
            raise DataError(
                f"the Delta table {where} is divided by {columns}, but {name} lies in no folders named by them, as "
                f"{columns[0]}=…; rewrite it without delta.randomizeFilePrefixes"
            )
