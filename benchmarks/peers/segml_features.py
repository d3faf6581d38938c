"""segml's features through its public functions: as a DataFrame, or straight to Parquet."""

from __future__ import annotations

from collections.abc import Callable

import measured
import pandas as pd

from segml import features
from segml.data import connect

CUSTOMERS = 5_000
EARLIER = ("2025-10-01", "2025-11-01")


def build(run: measured.Run) -> pd.DataFrame:
    return features.build(connect(threads=run.threads).read_parquet(run.lines), list(run.dates))


def write(run: measured.Run) -> None:
    lines = connect(threads=run.threads).read_parquet(run.lines)
    features.write(lines, list(run.dates), run.result, memory_limit=run.memory_limit)


def build_again(run: measured.Run) -> Callable[[], pd.DataFrame]:
    """Return the call of somebody who goes through dates in a notebook: a few thousand customers, on all cores."""
    every = connect().read_parquet(run.lines)
    customers = every.select("customer_id").distinct().order_by("customer_id").limit(CUSTOMERS)
    lines = every.semi_join(customers, "customer_id").cache()
    for date in EARLIER:
        features.build(lines, date)
    return lambda: features.build(lines, list(run.dates))


if __name__ == "__main__":
    measured.main(
        {"build": build, "write": write, "build_again": build_again},
        ("segml", "ibis-framework", "duckdb", "pandas", "pyarrow", "numpy"),
    )
