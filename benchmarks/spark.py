"""What Spark costs on one machine, against DuckDB: cleaning and features of the same dirty demo log.

python -m benchmarks.spark --customers 300 [--engine sail | local[2] | sc://host:15002 …]

Prints wall seconds, the first time and once more in the same session, and the ratio to DuckDB. ``sail`` starts a server
in the process; ``--persist`` leaves out the scratch folder, so that tables stay in the executors.
"""

from __future__ import annotations

import argparse
import atexit
import tempfile
import time
from datetime import date
from typing import Any

from segml import features
from segml.config import CleaningConfig, DemoConfig
from segml.data import clean, connect, spark, spark_tables, to_table
from segml.data.simulate import World, simulate


def open_engine(name: str, persist: bool) -> Any:
    """Return an Ibis backend."""
    if name == "duckdb":
        return connect(threads=2)
    backend = spark.connect(_sail() if name == "sail" else name, scratch=tempfile.gettempdir())
    if persist:
        spark_tables.session(backend).conf.unset(spark_tables.SCRATCH)
    return backend


def _sail() -> str:
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    atexit.register(server.stop)
    host, port = server.listening_address
    return f"sc://{host}:{port}"


def run(backend: Any, world: World) -> tuple[float, float]:
    """Return the seconds of cleaning and of features at two dates."""
    lines = to_table(world.transactions, backend)
    start = time.perf_counter()
    cleaned = clean(lines, CleaningConfig(), today=date(2026, 6, 1))
    middle = time.perf_counter()
    features.build(cleaned.lines, ["2026-01-01", "2025-10-01"])
    return middle - start, time.perf_counter() - middle


def main() -> None:
    """Run the engines one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=300)
    parser.add_argument("--engine", nargs="+", default=["sail", "local[2]"])
    parser.add_argument("--persist", action="store_true", help="keep tables in the executors")
    arguments = parser.parse_args()
    world = simulate(DemoConfig(customers=arguments.customers))
    print(f"{len(world.transactions):,} lines; seconds (times DuckDB)")
    own: tuple[float, float] | None = None
    for name in ("duckdb", *arguments.engine):
        start = time.perf_counter()
        backend = open_engine(name, arguments.persist)
        opened = time.perf_counter() - start
        first, again = run(backend, world), run(backend, world)
        own = own or again
        told = [
            f"{what} {cold:.1f}, then {warm:.1f} ({warm / base:.0f})"
            for what, cold, warm, base in zip(("cleaning", "features"), first, again, own, strict=True)
        ]
        print(f"{name:<10} opened in {opened:.1f}; {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
