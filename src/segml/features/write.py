"""Feature tables of any size, straight to a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from segml import __version__, windows
from segml.artifacts import unfinished
from segml.config import FeaturesConfig
from segml.data.engine import connect, hold_batches, to_table
from segml.data.failures import explained, writable
from segml.data.memory import for_database, limit_in_bytes
from segml.data.remote import is_remote
from segml.features import workfolder
from segml.features.build import aggregates
from segml.features.catalog import catalog
from segml.features.on_spark import KEYS, write_on_spark
from segml.features.outofcore import Progress, features_of, fingerprint, plan_for, write_buckets
from segml.features.runs import CHUNK_ROWS, write_run
from segml.features.workfolder import WorkFolder
from segml.windows import Moment


@dataclass(frozen=True)
class Written:
    """What was written: its size, in how many buckets it was computed, and the limit of memory in bytes."""

    rows: int
    columns: int
    buckets: int
    memory_limit: int


def write(
    lines: Any,
    as_of: Moment | Iterable[Moment],
    path: Path | str,
    config: FeaturesConfig | None = None,
    *,
    memory_limit: str | None = None,
    scratch: Path | str | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write what ``build`` returns to a Parquet file, the same rows and bits, without ever holding all of it in memory.

    Where the lines take more memory than they may, customers are split into buckets, which are computed one at a time
    (see ``features.outofcore``). A build that was stopped goes on at its finished buckets when it is started again:
    they wait in ``.NAME.parquet.building``. The file appears under its name when it is whole.

    Spark writes lines that it holds to an address (``s3a://…``, ``hdfs://…``, ``file://…``) itself, as a new folder of
    Parquet files, in no particular order; see ``features.on_spark``.

    Parameters
    ----------
    lines, as_of, config : as for ``build``
    path : the file; a file of that name is replaced. Or, for lines on Spark, an address that the cluster sees
    memory_limit : ``1GB``; by default 60 % of the memory that is free
    scratch : the folder for temporary files; by default the file's own
    progress : called with the number of buckets done and of all

    Raises
    ------
    DataError : as for ``build``; or the memory is too little even with buckets
    OutputError : the disk is full, the file cannot be written, or another process is writing it
    """
    config = config if config is not None else FeaturesConfig()
    if isinstance(path, str) and is_remote(path):
        return _write_there(lines, as_of, path, config, limit_in_bytes(memory_limit))
    dates, table, target = windows.as_timestamps(as_of), to_table(lines), Path(path)
    limit = limit_in_bytes(memory_limit)
    with writable(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    if table.get_backend().name != "duckdb":
        return _write_from_elsewhere(table, dates, target, config, limit)
    place = workfolder.beside(target, Path(scratch) if scratch is not None else None)
    plan = plan_for(table, len(dates), limit)
    identity = _identity(table, dates, config, memory_limit) if plan.buckets > 1 else None
    explain = explained(place, limit, plan.disk_bytes)
    with explain, workfolder.opened(place, identity, plan.buckets) as work:
        runs = write_buckets(table, dates, config, work, plan, progress)
        return _write_parquet(runs, config, target, work, limit)


def _write_there(
    lines: Any, as_of: Moment | Iterable[Moment], address: str, config: FeaturesConfig, limit: int
) -> Written:
    return Written(write_on_spark(lines, as_of, address, config), len(KEYS) + len(catalog(config)), 1, limit)


def _write_from_elsewhere(
    table: Table, dates: list[pd.Timestamp], target: Path, config: FeaturesConfig, limit: int
) -> Written:
    """Write features of lines that live on a server: it aggregates, and the rows, one a customer, are sorted here."""
    place = workfolder.beside(target)
    with explained(place, limit), workfolder.opened(place, None, 1) as work:
        backend = connect(memory_bytes=for_database(limit), spill=work.spill)
        with aggregates(table, dates, config) as aggregated:
            rows = aggregated.to_pyarrow_batches(chunk_size=CHUNK_ROWS)
            write_run(hold_batches(rows, rows.schema, backend, "aggregated"), work.run(0))
        backend.disconnect()
        return _write_parquet([work.run(0)], config, target, work, limit)


def _write_parquet(runs: Sequence[Path], config: FeaturesConfig, target: Path, work: WorkFolder, limit: int) -> Written:
    """Write the features of sorted runs; the first chunk tells the types of all."""
    chunks = (pa.Table.from_pandas(frame, preserve_index=False) for frame in features_of(runs, config))
    first = next(chunks)
    rows = 0
    with (
        writable(target),
        unfinished(target, work.name_for(target)) as temporary,
        pq.ParquetWriter(temporary, first.schema) as writer,
    ):
        for chunk in chain([first], chunks):
            writer.write_table(chunk.cast(first.schema))
            rows += len(chunk)
    return Written(rows, first.num_columns, work.buckets, limit)


def _identity(
    table: Table, dates: Sequence[pd.Timestamp], config: FeaturesConfig, memory_limit: str | None
) -> dict[str, Any]:
    """Return what tells a build from others; the memory limit, too, because buckets may have been too large for it."""
    return {
        "lines": fingerprint(table),
        "as_of": [str(moment) for moment in dates],
        "features": config.model_dump(mode="json"),
        "memory_limit": memory_limit,
        "versions": {"segml": __version__, "duckdb": duckdb.__version__},
    }
