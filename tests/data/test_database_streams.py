"""Tables of a real PostgreSQL server that pass through in batches: their order, their window, and where they break."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from ibis.expr.types import Table

from postgres_server import ENCODED, PASSWORD, execute, new_database
from segml import schema
from segml.config import FormatConfig
from segml.data.database import open_database
from segml.data.engine import connect
from segml.data.read import read_table
from segml.data.source import Pick
from segml.data.window import Window
from segml.schema import DataError

LINES = 600_000
MEMORY = 100_000_000  # the least that is accepted; the table below takes more
WIDE = f"""
    select 'customer ' || md5(n::text) as customer_id, 'order ' || md5((n / 3)::text) as order_id,
           timestamp '2020-01-01' + n * interval '1 minute' as ordered_at, n::float8 as amount,
           'product ' || md5((n % 5000)::text) || repeat('x', 50) as product_id
    from generate_series(1, {LINES}) as n
"""


@pytest.fixture(scope="module")
def server(postgres_url: str) -> str:
    url = new_database(postgres_url, "streams")
    execute(
        url,
        "create table dated (customer_id text, ordered_at timestamptz, amount float8)",
        "insert into dated select n::text, timestamptz '2024-01-01 00:00+00' + n * interval '1 hour', n "
        "from generate_series(0, 239) as n",
        "create table days as "
        "select customer_id, (ordered_at at time zone 'UTC')::date as ordered_at, amount from dated",
    )
    return url


def read(source: str, backend: Any | None = None, window: Window | None = None) -> Table:
    return read_table(source, schema.TRANSACTIONS, {}, FormatConfig(timezone="Asia/Tokyo"), backend, window)


def test_a_table_larger_than_the_memory_limit_is_read_whole_and_in_order(server: str, tmp_path: Path) -> None:
    backend = connect(threads=2, memory_bytes=MEMORY, spill=tmp_path / "spill")
    lines = read(f"{server}#{WIDE}", backend)
    found = lines.aggregate(
        lines=lines.count(), total=lines.amount.sum(), customers=lines.customer_id.max(), last=lines.ordered_at.max()
    )
    [row] = found.to_pyarrow().to_pylist()
    assert (row["lines"], row["total"]) == (LINES, LINES * (LINES + 1) / 2)
    assert row["last"] == datetime(2021, 2, 20, 16)
    numbers = lines.limit(3 * 8192).amount.to_pyarrow().to_pylist()
    assert numbers == [float(n) for n in range(1, 3 * 8192 + 1)]


def test_what_breaks_in_the_middle_is_told_in_the_words_of_the_server(server: str) -> None:
    rows = "generate_series(1, 300000) as n"
    query = f"select n::text as customer_id, now() as ordered_at, 1 / (200000 - n) as amount from {rows}"
    with pytest.raises(DataError, match=r"#select n::text .*division by zero") as caught:
        read(f"{server}#{query}")
    assert not any(secret in str(caught.value) for secret in (PASSWORD, ENCODED))


@pytest.mark.parametrize("table", ["dated", "days", "select * from dated where ordered_at > '2024-01-01' -- late"])
def test_the_server_leaves_out_what_lies_outside_the_window(server: str, table: str) -> None:
    window = Window(date(2024, 1, 3), date(2024, 1, 5))
    lines = read(f"{server}#{table}", window=window)
    everything = read(f"{server}#{table}").to_pyarrow().to_pylist()
    expected = [row for row in everything if date(2024, 1, 3) <= row["ordered_at"].date() < date(2024, 1, 5)]
    assert lines.to_pyarrow().to_pylist() == expected
    assert len(expected) == 48


@pytest.mark.parametrize(("table", "hours"), [("days", 48), ("dated", 48 + 2 * 24)])
def test_only_lines_of_the_window_and_a_day_around_it_leave_the_server(server: str, table: str, hours: int) -> None:
    source = open_database(f"{server}#{table}", connect(), Window(date(2024, 1, 3), date(2024, 1, 5)))
    picks = [Pick("customer_id", "customer_id", "text"), Pick("ordered_at", "ordered_at", "time")]
    assert source.load(picks).count().to_pyarrow().as_py() == hours


def test_a_window_without_lines_says_so(server: str) -> None:
    with pytest.raises(DataError, match=r"has no rows before 1999-01-01; check data.read_from and data.read_until"):
        read(f"{server}#dated", window=Window(None, date(1999, 1, 1)))
