"""CPU of the feature table beside a plain scan of the needed columns and beside a few features in plain pandas.

Every measurement runs in a process of its own, on one thread, over the same simulated order lines in Parquet; what
the peers compute is compared with the feature table's columns, so that equal work is measured.

    python benchmarks/features.py --lines 1000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from segml import features
from segml.config import DemoConfig
from segml.data import connect
from segml.data.simulate import simulate
from segml.schema import ORDER_LINES

AS_OF = pd.Timestamp("2026-01-01")
TWELVE = [AS_OF - pd.Timedelta(days=30 * back) for back in range(12)]
SHARED = ["order_count_365d", "recency_days", "revenue_365d", "revenue_90d", "revenue_total", "tenure_days"]


def scan(path: Path) -> None:
    connect(threads=1).read_parquet(path).aggregate(**{name: _max(name) for name in ORDER_LINES.names}).to_pyarrow()


def _max(name: str) -> Callable[[object], object]:
    return lambda table: table[name].max()  # type: ignore[index, no-any-return]


def segml_one(path: Path) -> pd.DataFrame:
    return features.build(connect(threads=1).read_parquet(path), AS_OF)


def segml_twelve(path: Path) -> pd.DataFrame:
    return features.build(connect(threads=1).read_parquet(path), TWELVE)


def pandas_few(path: Path) -> pd.DataFrame:
    """Compute the shared features in plain pandas."""
    lines = pd.read_parquet(path, columns=["customer_id", "order_id", "ordered_at", "amount", "cancelled_at"])
    lines = lines[(lines["ordered_at"] < AS_OF) & ~(lines["cancelled_at"] < AS_OF)]
    age = (AS_OF - lines["ordered_at"]).dt.total_seconds() / 86_400
    bought = lines["amount"] > 0
    by_customer = lines["customer_id"]
    purchases = age[bought].groupby(by_customer[bought])
    within_year = lines[bought & (age <= 365)]
    table = pd.DataFrame({"recency_days": purchases.min(), "tenure_days": purchases.max()})
    table["order_count_365d"] = within_year.groupby("customer_id")["order_id"].nunique()
    for days, name in ((90, "revenue_90d"), (365, "revenue_365d"), (10**6, "revenue_total")):
        inside = age <= days
        table[name] = lines.loc[inside, "amount"].groupby(by_customer[inside]).sum()
    return table.reindex(columns=SHARED).fillna(0.0)


PEERS: dict[str, Callable[[Path], pd.DataFrame | None]] = {
    "scan of the columns": scan,
    "pandas, 6 features, 1 date": pandas_few,
    "segml, all features, 1 date": segml_one,
    "segml, all features, 12 dates": segml_twelve,
}


def measure(name: str, path: Path) -> tuple[float, float]:
    """Return CPU and wall seconds of one peer; imports are not counted."""
    began, cpu = time.perf_counter(), time.process_time()
    PEERS[name](path)
    return time.process_time() - cpu, time.perf_counter() - began


def check(path: Path) -> None:
    """Stop where pandas and segml disagree on the shared features."""
    ours = segml_one(path).set_index("customer_id")[SHARED]
    theirs = pandas_few(path).reindex(ours.index)
    if not np.allclose(ours, theirs, rtol=1e-9, atol=1e-6):
        raise SystemExit(f"segml and pandas disagree: {(ours - theirs).abs().max().to_dict()}")


def write_lines(path: Path, lines: int) -> int:
    """Write simulated order lines, at least as many as asked for; a customer makes some 85."""
    world = simulate(DemoConfig(customers=max(50, round(lines / 80))))
    table = world.truth_lines[list(ORDER_LINES.names)]
    table.to_parquet(path, index=False)
    return len(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines, about")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.parquet"
        count = write_lines(path, arguments.lines)
        check(path)
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            results = {name: pool.apply(measure, (name, path)) for name in PEERS}
    floor = results["scan of the columns"][0]
    table = Table(title=f"{count:,} order lines, one thread", title_justify="left", box=None)
    for column in ("", "CPU s", "× scan", "wall s"):
        table.add_column(column, justify="right" if column else "left")
    for name, (cpu, wall) in results.items():
        table.add_row(name, f"{cpu:.2f}", f"{cpu / floor:.1f}", f"{wall:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
