"""Sorted runs of aggregates in files, and their merge: tables that never are in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.types import Table

from segml.artifacts import unfinished
from segml.features.build import BASE, base_of

ORDER = ("as_of_s", "customer_id")
CHUNK_ROWS = 20_000
"""Rows of a merged chunk, about: some 20 MB of aggregates, several times that while features are made of them."""

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


def write_run(aggregated: Table, path: Path) -> None:
    """Write what an expression on DuckDB yields, sorted by as-of date and customer, as it comes out."""
    schema = aggregated.schema().to_pyarrow()
    with unfinished(path) as temporary, pa.ipc.new_stream(temporary, schema, options=_COMPRESSED) as sink:
        for batch in _sorted(aggregated, CHUNK_ROWS // 8):
            # DuckDB adds up whole numbers to wider ones than Ibis says.
            sink.write_table(pa.Table.from_batches([batch]).cast(schema))


def base_of_runs(paths: Sequence[Path]) -> pd.DataFrame:
    """Return ``base_of`` all runs together."""
    parts = [base_of(batch.to_pandas()) for path in paths for batch in _batches(path, ("as_of_s", *BASE))]
    return pd.concat([base_of(_schema(paths[0]).empty_table().to_pandas()), *parts]).groupby(level=0).sum()


def merged(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of sorted runs in their common order, in chunks of some 20,000; without rows one chunk of none."""
    no_rows = True
    for chunk in _gathered(_ready(paths), CHUNK_ROWS):
        no_rows = False
        yield chunk.combine_chunks().sort_by([(name, "ascending") for name in ORDER])
    if no_rows:
        yield _schema(paths[0]).empty_table()


def _ready(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield pieces of sorted runs, unsorted, of which each comes after those before it.

    Of each run some rows are at hand, its head. Up to the lowest of their last rows every row there is is at hand.
    """
    runs = [_pieces(path, max(256, CHUNK_ROWS // len(paths))) for path in paths]
    heads = [(head, run) for run in runs if (head := next(run, None)) is not None]
    while heads:
        bound = min(_last_key(head) for head, _ in heads)
        cuts = [_rows_until(head, bound) for head, _ in heads]
        yield pa.concat_tables([head.slice(0, cut) for (head, _), cut in zip(heads, cuts, strict=True)])
        heads = [
            (rest, run)
            for (head, run), cut in zip(heads, cuts, strict=True)
            if (rest := head.slice(cut) if cut < len(head) else next(run, None)) is not None
        ]


def _gathered(pieces: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield pieces together, so many that they have this number of rows: what is done to each chunk costs some time."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _sorted(table: Table, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an expression on DuckDB; a view holds it, with the tables in memory that it refers to."""
    backend: Any = table.get_backend()
    name = ibis.util.gen_name("run")
    backend.create_view(name, table)
    try:
        yield from backend.raw_sql(f"SELECT * FROM {name} ORDER BY {', '.join(ORDER)}").to_arrow_reader(rows)
    finally:
        backend.drop_view(name, force=True)


def _batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    schema = _schema(path)
    fields = [schema.get_field_index(name) for name in columns] if columns is not None else None
    with path.open("rb") as file:
        yield from pa.ipc.open_stream(file, options=pa.ipc.IpcReadOptions(included_fields=fields))


def _schema(path: Path) -> pa.Schema:
    with path.open("rb") as file:
        return pa.ipc.open_stream(file).schema


def _pieces(path: Path, rows: int) -> Iterator[pa.Table]:
    for batch in _batches(path):
        for start in range(0, len(batch), rows):
            yield pa.Table.from_batches([batch.slice(start, rows)])


def _last_key(head: pa.Table) -> tuple[int, str]:
    """Return the key of the last row; Python compares text by code point, as UTF-8 is sorted by its bytes."""
    as_of, customer = (head[name][-1].as_py() for name in ORDER)
    return as_of, customer


def _rows_until(head: pa.Table, bound: tuple[int, str]) -> int:
    as_of, customer = head["as_of_s"], head["customer_id"]
    is_until = pc.or_(pc.less(as_of, bound[0]), pc.and_(pc.equal(as_of, bound[0]), pc.less_equal(customer, bound[1])))
    return int(pc.sum(is_until).as_py())
