"""What cross-sell of products costs on a large log: seconds of CPU and peak memory of each step, in one thread.

    python benchmarks/lines.py --lines 10000000 --output lines.parquet
    python benchmarks/cross_sell.py lines.parquet [--memory 1GB] [--window-days 365] [--basket customer]

The memory is DuckDB's limit; the peak is that of the whole process so far. A plain self-join of the baskets would make
as many rows as "pairs of a join" says.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from segml.actions import cross_sell
from segml.config import CrossSellConfig, size_in_bytes
from segml.data.engine import connect
from segml.features.baskets import Baskets, gather

END = "2026-01-01"
"""The as-of date: ``lines.py`` ends there."""

T = TypeVar("T")


def measured(name: str, step: Callable[[], T]) -> T:
    """Run a step and print what it cost."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = step()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{name:<24} {cpu:8.1f} s CPU {wall:8.1f} s {peak:6.2f} GiB peak", flush=True)
    return result


def describe(baskets: Baskets) -> None:
    """Print the size of what pairs are counted of."""
    breadth = np.diff(baskets.bought.indptr).astype(np.int64)
    print(f"customers {len(baskets.customers):,}, items {len(baskets.items):,}, baskets {len(breadth):,}")
    print(f"items in baskets {breadth.sum():,}, in one at most {breadth.max():,}; left out: {baskets.left_out}")
    print(f"pairs of a join {(breadth * (breadth - 1) // 2).sum():,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=Path)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--window-days", type=int, default=365)
    parser.add_argument("--basket", choices=("customer", "order"), default="customer")
    arguments = parser.parse_args()
    config = CrossSellConfig(by="product_id", basket=arguments.basket, window_days=arguments.window_days)
    with tempfile.TemporaryDirectory() as spill:
        backend = connect(1, memory_bytes=size_in_bytes(arguments.memory), spill=Path(spill))
        lines = backend.read_parquet(arguments.lines)
        baskets = measured("baskets", lambda: gather(lines, END, config))
    describe(baskets)
    found = measured("rules and offers", lambda: cross_sell(baskets, config))
    print(f"{len(found.rules):,} rules, {len(found.offers):,} offers", *found.notices, sep="\n")


if __name__ == "__main__":
    main()
