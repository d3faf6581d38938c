"""Features, labels and described columns computed in a real PostgreSQL server, beside DuckDB's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from postgres_server import as_user, execute, ingest, new_database, rows
from segml import features, labels
from segml.data import postgres

DATES = ["2024-02-29", "2024-10-27 01:30:00", "2025-01-01"]
UNTIL = pd.Timestamp("2025-06-01")
AWKWARD = ["north", "North", "Ärz", "aa", "a b", "B", "_x", "ß"]
"""Texts whose order differs between code points and a language's."""

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]


@pytest.fixture(scope="module")
def lines(random_lines: pd.DataFrame) -> pd.DataFrame:
    """The random lines, with texts that languages sort in another way and channels."""
    rng = np.random.default_rng(5)
    drawn = {name: rng.choice(AWKWARD, len(random_lines)) for name in ("region", "channel", "category")}
    texts = {name: pd.Series(values).where(rng.random(len(values)) > 0.2) for name, values in drawn.items()}
    spelled = random_lines["order_id"].where(rng.random(len(random_lines)) > 0.5, random_lines["order_id"].str.upper())
    return random_lines.assign(**texts, order_id=spelled)


@pytest.fixture(scope="module")
def server(postgres_url: str, lines: pd.DataFrame) -> str:
    url = new_database(postgres_url, "features")
    ingest(url, "order_lines", pa.Table.from_pandas(lines))
    return url


@pytest.fixture
def there(server: str) -> Any:
    return postgres.connect(server).table("order_lines")


def assert_equal(there: pd.DataFrame, here: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(there, here, rtol=1e-9, atol=0)


def test_features_are_those_of_duckdb(there: Any, lines: pd.DataFrame) -> None:
    assert_equal(features.build(there, DATES), features.build(lines, DATES))
    assert_equal(features.build(there, DATES[:1]), features.build(lines, DATES[:1]))


def test_labels_are_those_of_duckdb(there: Any, lines: pd.DataFrame) -> None:
    found = features.build(lines, DATES[:2])
    for horizon in (30, 90):
        ours, theirs = (labels.build(table, found, horizon, known_until=UNTIL) for table in (there, lines))
        assert_equal(ours, theirs)
    ours, theirs = (labels.silence(table, found, [7, 60, 400], known_until=UNTIL) for table in (there, lines))
    assert_equal(ours, theirs)


def test_described_columns_are_those_of_duckdb(there: Any, lines: pd.DataFrame) -> None:
    found = features.build(lines, DATES[2])
    assert_equal(features.describe(there, found), features.describe(lines, found))


def test_moments_before_1970_and_fractions_of_seconds_count_alike(server: str, line_maker: Maker) -> None:
    moments = [
        "1969-12-31 23:59:59.9",
        "1970-01-01",
        "1965-03-01 12:00:00.000001",
        "1964-02-29",
        "1971-06-01 00:00:00.5",
    ]
    bought = [
        {"customer_id": "a", "order_id": f"o{n}", "ordered_at": pd.Timestamp(moment), "amount": 0.1 * n + 1e-7}
        for n, moment in enumerate(moments)
    ]
    early = line_maker(bought)
    ingest(server, "early", pa.Table.from_pandas(early))
    table = postgres.connect(server).table("early")
    dates = ["1969-12-31 23:59:59", "1970-01-01", "1970-01-01 00:00:01", "1971-06-01", "1971-06-01 00:00:01"]
    assert_equal(features.build(table, dates), features.build(early, dates))


def test_numbers_for_customers_and_decimals_for_money_are_taken(server: str, line_maker: Maker) -> None:
    bought = [
        {"customer_id": "7", "order_id": "1", "ordered_at": pd.Timestamp("2024-01-01"), "amount": 10.25},
        {"customer_id": "12", "order_id": "2", "ordered_at": pd.Timestamp("2024-02-01"), "amount": 0.1},
    ]
    text = line_maker(bought)
    ingest(server, "numbered", pa.Table.from_pandas(text))
    execute(
        server,
        "alter table numbered alter customer_id type bigint using customer_id::bigint, "
        "alter order_id type integer using order_id::integer, alter amount type numeric using amount::numeric",
    )
    table = postgres.connect(server).table("numbered")
    assert_equal(features.build(table, "2024-03-01"), features.build(text, "2024-03-01"))


def test_a_user_who_may_only_read_leaves_nothing_behind(server: str, lines: pd.DataFrame) -> None:
    listing = "select relname from pg_class where relpersistence <> 't' order by 1"
    url = as_user(server, "feature_reader")
    execute(server, "revoke create on schema public from public", "grant select on order_lines to feature_reader")
    before = rows(server, listing)
    backend = postgres.connect(url)
    found = features.build(backend.table("order_lines"), DATES)
    assert len(found) == len(features.build(lines, DATES))
    assert rows(server, listing) == before
