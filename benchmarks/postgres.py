"""What reading from PostgreSQL and computing in it cost beside DuckDB over the same order lines in Parquet.

Needs a data base on this machine in which tables may be made; one, ``segml_benchmark``, is made and dropped. Every step
runs in a process of its own, and on one core, in the server too: CPU time is comparable even where other programs run.
What is computed in the data base and in DuckDB is compared.

    python benchmarks/postgres.py postgresql://user@localhost/scratch --lines 1000000
    python benchmarks/postgres.py postgresql://user@localhost/scratch --lines 4000000 --memory-limit 300MB --only read
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi
from lines import END, write
from rich.console import Console
from rich.table import Table

from segml import features, schema
from segml.config import FormatConfig, size_in_bytes
from segml.data import connect, postgres
from segml.data.read import read_table

NAME = "segml_benchmark"
AS_OF = pd.Timestamp(END)
TWELVE = [AS_OF - pd.Timedelta(days=30 * back) for back in range(12)]

Step = Callable[[str, Path, int | None], tuple[pd.DataFrame | None, float]]
"""Takes the server, the Parquet file and DuckDB's memory limit; gives the table and the server's CPU seconds."""


def parquet(dates: Any) -> Step:
    return lambda url, path, memory: (features.build(_duckdb(path, memory).read_parquet(path), dates), 0.0)


def read(url: str, path: Path, memory: int | None) -> tuple[None, float]:
    lines = read_table(f"{url}#{NAME}", schema.TRANSACTIONS, {}, FormatConfig(), _duckdb(path, memory))
    lines.amount.sum().to_pyarrow()
    return None, math.nan  # its connections are gone


def inside(dates: Any) -> Step:
    def build(url: str, path: Path, memory: int | None) -> tuple[pd.DataFrame, float]:
        backend = postgres.connect(url)
        backend.raw_sql("set max_parallel_workers_per_gather = 0")
        table = features.build(backend.table(NAME), dates)
        return table, _cpu_seconds(backend.con.info.backend_pid)

    return build


STEPS: dict[str, Step] = {
    "features, 1 date, DuckDB over Parquet": parquet(AS_OF),
    "features, 12 dates, DuckDB over Parquet": parquet(TWELVE),
    "read into DuckDB": read,
    "features, 1 date, in PostgreSQL": inside(AS_OF),
    "features, 12 dates, in PostgreSQL": inside(TWELVE),
}


def measure(name: str, url: str, path: Path, memory: int | None) -> tuple[list[float], pd.DataFrame | None]:
    """Return wall seconds, CPU seconds of server and client, peak MB of the client, and what was computed."""
    began, cpu = time.perf_counter(), time.process_time()
    result, server = STEPS[name](url, path, memory)
    return [time.perf_counter() - began, server, time.process_time() - cpu, _peak_mb()], result


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _duckdb(path: Path, memory: int | None) -> Any:
    return connect(threads=1, memory_bytes=memory, spill=path.parent / "spill" if memory else None)


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [peak] = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1000


def load(url: str, path: Path) -> None:
    """Write the lines to the server, as a data base that is in use has them: with its statistics."""
    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        with pq.ParquetFile(path) as file:
            for number, batch in enumerate(file.iter_batches()):
                cursor.adbc_ingest(NAME, batch, mode="append" if number else "replace")
        cursor.execute(f"analyze {NAME}")


def drop(url: str) -> None:
    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {NAME}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="postgresql://user@host/database")
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines, about")
    parser.add_argument("--memory-limit", help="DuckDB's, as 300MB; default: most of the memory")
    parser.add_argument("--only", default="", help="the steps whose names begin so")
    arguments = parser.parse_args()
    memory = size_in_bytes(arguments.memory_limit) if arguments.memory_limit else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        count = write(path, arguments.lines)
        load(arguments.url, path)
        try:
            with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                names = [name for name in STEPS if name.startswith(arguments.only)]
                results = {name: pool.apply(measure, (name, arguments.url, path, memory)) for name in names}
        finally:
            drop(arguments.url)
    for dates in ("1 date", "12 dates"):
        tables = [table for name, (_, table) in results.items() if f" {dates}," in name]
        for table in tables[1:]:
            pd.testing.assert_frame_equal(tables[0], table, rtol=1e-9)
    shown = Table(title=f"{count:,} order lines", title_justify="left", box=None)
    for column in ("", "wall s", "server CPU s", "client CPU s", "client peak MB"):
        shown.add_column(column, justify="right" if column else "left")
    for name, (figures, _) in results.items():
        shown.add_row(name, *(f"{figure:,.1f}" for figure in figures))
    Console().print(shown)


if __name__ == "__main__":
    main()
