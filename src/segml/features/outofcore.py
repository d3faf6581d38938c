"""Aggregates of more lines than fit into memory: customers are split into buckets, and one bucket is at work at a time.

Every feature is about one customer, so buckets by hash of the customer are exact; the few sums over all customers that
features need are whole numbers, which add up exactly. The lines are read once and written by bucket, because they may
come from a query, or from files that DuckDB has moved out of memory, which cost more to read once a bucket.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.artifacts import unfinished
from segml.config import FeaturesConfig
from segml.data.functions import row_hash
from segml.data.memory import bounded, for_database
from segml.features.build import aggregates, finish
from segml.features.runs import base_of_runs, merged, write_run
from segml.features.snapshots import LINE_TYPES, typed
from segml.features.workfolder import WorkFolder

Progress = Callable[[int, int], None]
"""Called with the buckets done, and all there are."""

QUERY_BYTES = 60_000_000
LINE_BYTES, LINE_DATE_BYTES = 230, 17
"""What a build takes at most: some for itself, for each line, and for each line and date but the first.

Measured as the peak of a process that runs ``build``, less what it had before, with 1 M lines of
``benchmarks/lines.py`` and 1.2 M of the demo, where orders are small: 147 and 204 bytes a line at one date, 107 and 198
at two, 128 and 255 at four, 276 and 402 at twelve; with 10 M of the former 133 at twelve. A query that needs a little
more than there is slows down, it does not fail: DuckDB keeps what does not fit in files.
"""

LINE_DISK_BYTES, LINE_DATE_DISK_BYTES = 20, 5
"""What temporary files take: 14 bytes a line, and 400 a customer and as-of date, that is 3 a line; with some room."""

UNREAD = ("quantity", "channel")
"""Columns of order lines that no feature reads; they need not be written."""

DICTIONARY_SIZE = 8_000
"""Up to how many different values a column is written as a dictionary, in some 120,000 lines of a bucket.

Most columns of text have fewer, and are then read and grouped at a tenth less; those of money are given up soon.
"""

_BUCKET = "bucket"


@dataclass(frozen=True)
class Plan:
    """How a table is computed: in how many buckets, the limit of memory, what the data base may take of it, and what
    temporary files will take of the disk, in bytes.
    """

    buckets: int
    limit: int
    memory_bytes: int
    disk_bytes: int


def plan_for(lines: Table, dates: int, limit: int) -> Plan:
    """Return how features of lines at so many as-of dates are computed within a limit of memory in bytes."""
    count = int(lines.count().to_pyarrow().as_py())
    memory = for_database(limit)
    disk = count * (LINE_DISK_BYTES + dates * LINE_DATE_DISK_BYTES)
    return Plan(bucket_count(count, dates, memory), limit, memory, disk)


def needed_bytes(lines: int, dates: int) -> int:
    """Return how much memory the features of so many lines at so many as-of dates take in one query, at most.

    >>> needed_bytes(10_000_000, 1) / 1e9
    2.36
    """
    return QUERY_BYTES + lines * (LINE_BYTES + (dates - 1) * LINE_DATE_BYTES)


def bucket_count(lines: int, dates: int, memory_bytes: int) -> int:
    """Return into how many buckets the customers must be split so that each takes no more memory than this."""
    room = max(memory_bytes - QUERY_BYTES, memory_bytes // 2)
    return max(1, math.ceil((needed_bytes(lines, dates) - QUERY_BYTES) / room))


def fingerprint(lines: Table) -> str:
    """Return 16 hexadecimal digits that change with the lines, at the cost of reading what features read.

    They are made of the number of lines and the sum of their hashes, so that the order of lines does not matter. Files
    have a size and a date of change, but lines may come from several, or from a query, and be cleaned.
    """
    lines = typed(lines)
    hashes = row_hash(lines, [name for name in LINE_TYPES if name not in UNREAD])
    sums = lines.aggregate(lines=lines.count(), hashes=hashes.sum().cast("string"))
    return hashlib.sha256(str(sums.to_pyarrow().to_pylist()).encode()).hexdigest()[:16]


def write_buckets(
    lines: Table,
    dates: Sequence[pd.Timestamp],
    config: FeaturesConfig,
    work: WorkFolder,
    plan: Plan,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the aggregates of each bucket that is not there yet, of order lines on DuckDB; return the sorted runs."""
    missing = work.missing()
    told = progress if progress is not None else _untold
    if missing:
        told(work.buckets - len(missing), work.buckets)
        with bounded(lines.get_backend(), plan.memory_bytes, work.spill):
            _write_missing(lines, dates, config, work, told)
    return [work.run(bucket) for bucket in range(work.buckets)]


def features_of(runs: Sequence[Path], config: FeaturesConfig) -> Iterator[pd.DataFrame]:
    """Yield the features of sorted runs of aggregates, in their common order; without rows one frame of none."""
    base = base_of_runs(runs)
    for chunk in merged(runs):
        yield finish(chunk.to_pandas(), base, config)


def _untold(done: int, of: int) -> None:
    """Tell nobody."""


def _write_missing(
    lines: Table, dates: Sequence[pd.Timestamp], config: FeaturesConfig, work: WorkFolder, told: Progress
) -> None:
    if work.buckets > 1 and not work.lines.exists():
        _split(lines, dates, work)
    for bucket in work.missing():
        with _lines_of(bucket, lines, work) as own, aggregates(own, dates, config) as aggregated:
            write_run(aggregated, work.run(bucket))
        shutil.rmtree(_folder(work.lines, bucket), ignore_errors=True)
        told(work.buckets - len(work.missing()), work.buckets)


def _split(lines: Table, dates: Sequence[pd.Timestamp], work: WorkFolder) -> None:
    """Write the lines that are known at the last as-of date by bucket."""
    lines = typed(lines)
    known = lines.filter(windows.before(lines.ordered_at, max(dates))).drop(*UNREAD)
    keyed = known.mutate(**{_BUCKET: row_hash(known, ["customer_id"]) % work.buckets})
    with unfinished(work.lines) as temporary:
        keyed.to_parquet(temporary, partition_by=_BUCKET, compression="lz4_raw", dictionary_size_limit=DICTIONARY_SIZE)


@contextmanager
def _lines_of(bucket: int, lines: Table, work: WorkFolder) -> Iterator[Table]:
    """Yield the lines of a bucket; hashing may leave one empty."""
    if work.buckets == 1:
        yield lines
        return
    files = sorted(_folder(work.lines, bucket).glob("*.parquet"))
    if not files:
        yield lines.limit(0)
        return
    backend: Any = lines.get_backend()
    table = backend.read_parquet([str(file) for file in files], hive_partitioning=False)
    try:
        yield table.mutate(**{name: ibis.null(LINE_TYPES[name]) for name in UNREAD})
    finally:
        backend.drop_view(table.op().name, force=True)


def _folder(lines: Path, bucket: int) -> Path:
    return lines / f"{_BUCKET}={bucket}"
