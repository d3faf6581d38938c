"""Features as of a past date from partitioned tables: what lies after the date need not be read, where one says so."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from segml.features.__main__ import main as features

AS_OF = "2024-03-01"
LINES = """
    select 'customer ' || n % 40 as customer_id, 'order ' || n / 3 as order_id, 'product ' || n % 7 as product_id,
        timestamp '2023-01-01' + n * interval '6 hours' as ordered_at, 1.0 + n % 11 as amount,
        year(ordered_at) as y, month(ordered_at) as m
    from range(2700) as t(n)
"""
OPENED = 12 + 3  # the months before, and that of the date: times in its first hours may be of another zone's February


@pytest.fixture(params=["parquet", "delta"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A table with a folder a month, from January 2023 to November 2024."""
    folder = tmp_path / "lake"
    if request.param == "parquet":
        duckdb.execute(f"copy ({LINES}) to '{folder}' (format parquet, partition_by (y, m))")
    else:
        deltalake = pytest.importorskip("deltalake")
        deltalake.write_deltalake(str(folder), duckdb.sql(LINES).to_arrow_table(), partition_by=["y", "m"])
    return folder


def built(lake: Path, *settings: str) -> pd.DataFrame | None:
    """Return the features, None where the command ends in an error of the input."""
    output = lake.parent / "features.parquet"
    overrides = [part for setting in (f"data.transactions={lake}", *settings) for part in ("--set", setting)]
    code = features(["--as-of", AS_OF, "--output", str(output), *overrides])
    assert code in (0, 2)
    return pd.read_parquet(output) if code == 0 else None


def test_lines_from_the_date_on_are_not_read_where_the_window_ends_there(lake: Path) -> None:
    everything = built(lake)
    files = sorted(lake.glob("y=*/m=*/*.parquet"))
    later = [path for path in files if months(path) > months(Path("y=2024/m=3/x"))]
    assert (len(files), len(files) - len(later)) == (23, OPENED)
    for path in later:
        path.write_bytes(b"no Parquet")
    window = ("data.format.partitions={y: year, m: month}", f"data.read_until={AS_OF}")
    found = built(lake, *window)
    assert everything is not None
    assert found is not None
    pd.testing.assert_frame_equal(found, everything)
    next(path for path in files if path not in later and months(path) == (2024, 3)).write_bytes(b"no Parquet")
    assert built(lake, *window) is None


def test_the_date_alone_leaves_nothing_out_because_the_ledger_accounts_for_all_lines(lake: Path) -> None:
    max(lake.glob("y=*/m=*/*.parquet"), key=months).write_bytes(b"no Parquet")
    assert built(lake, "data.format.partitions={y: year, m: month}") is None


def months(path: Path) -> tuple[int, ...]:
    return tuple(int(part.partition("=")[2]) for part in path.parts[-3:-1])
