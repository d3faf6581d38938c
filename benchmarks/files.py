"""What a Delta table costs to read: as segml reads it, as a scan through Arrow, and the same lines as plain Parquet.

The lines are made once and stored; each reader sums them up by customer in a process of its own, on as many threads as
asked for, once all lines and once those of a month. CPU and wall time are of reading and summing, the peak memory is
the highest of the process over what it held before.

    python benchmarks/files.py --rows 10000000
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from rich.console import Console
from rich.table import Table

from segml import schema
from segml.config import FormatConfig
from segml.data import connect, read_table
from segml.data.window import Window

MONTH = Window(date(2023, 6, 1), date(2023, 7, 1))
CHUNK = 1_000_000
SUMS = "select customer_id, count(distinct product_id), sum(amount), max(ordered_at) from lines {} group by 1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    shown = Table("reader", "lines", "customers", "CPU s", "wall s", "peak memory MB")
    with TemporaryDirectory() as folder:
        _apart(_write, Path(folder), arguments.rows)
        for name, reader in READERS.items():
            for what, window in (("all", None), ("a month", MONTH)):
                customers, *found = _apart(_measured, reader, Path(folder), window, arguments.threads)
                shown.add_row(name, what, f"{customers:,}", *(f"{figure:,.1f}" for figure in found))
    Console().print(shown)


def _write(folder: Path, rows: int) -> None:
    random = np.random.default_rng(1)
    span = np.timedelta64(2 * 365 * 86_400_000_000 // rows, "us")
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        chunk = pa.table(
            {
                "customer_id": random.integers(0, 100_000, count).astype(str),
                "ordered_at": pa.array(np.datetime64("2023-01-01", "us") + np.arange(start, start + count) * span),
                "product_id": random.integers(0, 5_000, count).astype(str),
                "amount": random.random(count),
                "note": np.char.add("note ", random.integers(0, 10**9, count).astype(str)),
            }
        )
        write_deltalake(str(folder / "delta"), chunk, mode="append")
        (folder / "parquet").mkdir(exist_ok=True)
        pq.write_table(chunk, folder / "parquet" / f"{start}.parquet")


def _through_segml(folder: Path, window: Window | None, threads: int) -> int:
    backend = connect(threads)
    lines = read_table(str(folder), schema.TRANSACTIONS, {}, FormatConfig(), backend, window)
    sums = lines.group_by("customer_id").aggregate(
        products=lines.product_id.nunique(), revenue=lines.amount.sum(), last=lines.ordered_at.max()
    )
    return int(sums.to_pyarrow().num_rows)


def _delta(folder: Path, window: Window | None, threads: int) -> int:
    return _through_segml(folder / "delta", window, threads)


def _parquet(folder: Path, window: Window | None, threads: int) -> int:
    return _through_segml(folder / "parquet", window, threads)


def _arrow(folder: Path, window: Window | None, threads: int) -> int:
    pa.set_cpu_count(threads)
    connection = duckdb.connect(config={"threads": threads})
    connection.register("lines", DeltaTable(str(folder / "delta")).to_pyarrow_dataset())
    dates = f"where ordered_at >= '{window.start}' and ordered_at < '{window.end}'" if window is not None else ""
    return int(connection.execute(SUMS.format(dates)).to_arrow_table().num_rows)


READERS: dict[str, Callable[[Path, Window | None, int], int]] = {
    "Delta, segml": _delta,
    "Delta, Arrow's scan": _arrow,
    "plain Parquet, segml": _parquet,
}


def _measured(
    reader: Callable[[Path, Window | None, int], int], folder: Path, window: Window | None, threads: int
) -> tuple[int, float, float, float]:
    before = _peak()
    cpu, wall = time.process_time(), time.perf_counter()
    customers = reader(folder, window, threads)
    return customers, time.process_time() - cpu, time.perf_counter() - wall, _peak() - before


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(function: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


if __name__ == "__main__":
    main()
