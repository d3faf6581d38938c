"""Cleaning on Spark takes and keeps the same lines as on DuckDB, and accounts for them to the same cent."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from sail import sail
from segml.config import CleaningConfig, DemoConfig
from segml.data import Cleaned, clean, deduplicate, digest, to_table
from segml.data.simulate import World, simulate
from segml.schema import ConfigError

TODAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(DemoConfig(customers=100, days=500))


@pytest.fixture(scope="module")
def aliases(world: World) -> pd.DataFrame:
    return deduplicate(world.customers).aliases


@pytest.fixture(scope="module")
def on_duckdb(world: World, aliases: pd.DataFrame) -> Cleaned:
    return clean(world.transactions, CleaningConfig(), today=TODAY, aliases=aliases)


@pytest.fixture(scope="module")
def on_spark(world: World, aliases: pd.DataFrame) -> Cleaned:
    return clean(to_table(world.transactions, sail()), CleaningConfig(), today=TODAY, aliases=aliases)


def rows(table: Any, *without: str) -> pd.DataFrame:
    frame: pd.DataFrame = table.drop(*without).to_pyarrow().to_pandas()
    return frame.sort_values(list(frame.columns), ignore_index=True)


def same(one: Cleaned, other: Cleaned) -> None:
    pd.testing.assert_frame_equal(one.ledger.to_frame(), other.ledger.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(rows(one.lines), rows(other.lines), check_exact=True)
    pd.testing.assert_frame_equal(rows(one.taken, "line_number"), rows(other.taken, "line_number"), check_exact=True)
    assert one.notices == other.notices


def test_ledger_lines_and_taken_lines_equal_duckdbs(on_duckdb: Cleaned, on_spark: Cleaned) -> None:
    assert on_duckdb.ledger.taken.lines > 200
    same(on_duckdb, on_spark)


def test_a_line_is_named_by_its_content_in_whatever_order_lines_come(
    world: World, aliases: pd.DataFrame, on_spark: Cleaned
) -> None:
    reversed_ = to_table(world.transactions[::-1], sail())
    again = clean(reversed_, CleaningConfig(), today=TODAY, aliases=aliases)
    pd.testing.assert_frame_equal(rows(again.taken), rows(on_spark.taken))
    assert rows(again.taken)["line_number"].is_unique
    assert digest(again.lines) == digest(on_spark.lines)


def test_only_lines_and_taken_lines_are_left_behind(world: World) -> None:
    backend = sail()
    table = to_table(world.transactions, backend)
    before = set(backend.list_tables())
    cleaned = clean(table, CleaningConfig(), today=TODAY)
    assert set(backend.list_tables()) - before == {cleaned.lines.op().name, cleaned.taken.op().name}
    assert table.count().to_pyarrow().as_py() == len(world.transactions)


def test_a_pattern_that_spark_cannot_use(world: World) -> None:
    settings = CleaningConfig(non_product_patterns=("GOOD", "(?=BAD).*"))
    with pytest.raises(ConfigError, match=r"the pattern '\(\?=BAD\)\.\*' cannot be used"):
        clean(to_table(world.transactions, sail()), settings, today=TODAY)


def test_patterns_fold_letters_of_every_alphabet() -> None:
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "a"],
            "product_id": ["ДОСТАВКА", "гайка"],
            "ordered_at": pd.to_datetime(["2024-01-01", "2024-01-02"]).astype("datetime64[us]"),
            "amount": [1.0, 2.0],
        }
    )
    settings = CleaningConfig(non_product_patterns=("доставка",))
    cleaned = clean(to_table(lines, sail()), settings, today=TODAY)
    assert cleaned.ledger["non_product"].tally.lines == 1
