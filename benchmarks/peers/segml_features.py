"""segml's features through its public functions: as a DataFrame, or straight to Parquet."""

from __future__ import annotations

import measured
import pandas as pd

from segml import features
from segml.data import connect


def build(run: measured.Run) -> pd.DataFrame:
    return features.build(connect(threads=run.threads).read_parquet(run.lines), list(run.dates))


def write(run: measured.Run) -> None:
    lines = connect(threads=run.threads).read_parquet(run.lines)
    features.write(lines, list(run.dates), run.result, memory_limit=run.memory_limit)


if __name__ == "__main__":
    measured.main({"build": build, "write": write}, ("segml", "ibis-framework", "duckdb", "pandas", "pyarrow", "numpy"))
