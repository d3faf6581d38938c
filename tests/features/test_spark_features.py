"""Everything from clean lines to labels on Spark equals what DuckDB computes, to 1e-9, nulls included."""

from collections.abc import Callable
from datetime import date
from typing import Any

import ibis
import pandas as pd
import pytest

from sail import sail
from segml import features, labels, pipeline
from segml.config import Config, load
from segml.data import connect, load_tables, spark_tables, to_table
from segml.features.periods import revenue_by_period
from segml.features.silent import silent_categories

Compute = Callable[[pipeline.Prepared], pd.DataFrame]


@pytest.fixture(scope="module")
def settings() -> Config:
    return load(None, ["demo.customers=120", "demo.days=500"])


@pytest.fixture(scope="module")
def on_duckdb(settings: Config) -> pipeline.Prepared:
    return pipeline.prepare(load_tables(settings, connect()), settings, today=date(2026, 6, 1))


@pytest.fixture(scope="module")
def on_spark(settings: Config) -> pipeline.Prepared:
    return pipeline.prepare(load_tables(settings, sail()), settings, today=date(2026, 6, 1))


@pytest.fixture(scope="module")
def base(on_duckdb: pipeline.Prepared) -> pd.DataFrame:
    """Features at the end of the log and a quarter before."""
    return features.build(on_duckdb.lines, [on_duckdb.as_of, earlier(on_duckdb)])


@pytest.fixture
def equal(on_duckdb: pipeline.Prepared, on_spark: pipeline.Prepared) -> Callable[[Compute], None]:
    """Return a check that both engines compute the same."""

    def check(compute: Compute) -> None:
        expected = compute(on_duckdb)
        assert len(expected)
        pd.testing.assert_frame_equal(compute(on_spark), expected, rtol=1e-9, atol=1e-9)

    return check


def earlier(prepared: pipeline.Prepared) -> pd.Timestamp:
    return prepared.as_of - pd.Timedelta(days=90)


def test_what_is_prepared(on_duckdb: pipeline.Prepared, on_spark: pipeline.Prepared) -> None:
    pd.testing.assert_frame_equal(on_spark.ledger.to_frame(), on_duckdb.ledger.to_frame(), check_exact=True)
    assert (on_spark.as_of, on_spark.log_start, on_spark.log_end) == (
        on_duckdb.as_of,
        on_duckdb.log_start,
        on_duckdb.log_end,
    )
    assert on_spark.notices == on_duckdb.notices
    assert list(on_spark.extra) == ["usage", "contracts", "touches"]


def test_features(equal: Callable[[Compute], None]) -> None:
    equal(lambda prepared: features.build(prepared.lines, [prepared.as_of, earlier(prepared)]))


def test_a_connection_of_ones_own(on_duckdb: pipeline.Prepared) -> None:
    session = spark_tables.session(sail())
    lines = to_table(on_duckdb.lines.to_pyarrow(), sail())
    expected = features.build(on_duckdb.lines, on_duckdb.as_of)
    for ours in (ibis.pyspark.connect(session).table(lines.op().name), session.table(lines.op().name)):
        pd.testing.assert_frame_equal(features.build(ours, on_duckdb.as_of), expected, rtol=1e-9, atol=1e-9)


def test_described_columns(equal: Callable[[Compute], None], base: pd.DataFrame) -> None:
    now = base[base["as_of"] == base["as_of"].max()]

    def describe(prepared: pipeline.Prepared) -> pd.DataFrame:
        assert prepared.customers is not None
        tables: dict[str, Any] = dict(prepared.extra)
        return features.describe(prepared.lines, now, customers=prepared.customers.customers, **tables)

    equal(describe)


def test_silent_categories(equal: Callable[[Compute], None]) -> None:
    equal(lambda prepared: silent_categories(prepared.lines, prepared.as_of))


def test_revenue_by_period(equal: Callable[[Compute], None]) -> None:
    equal(lambda prepared: revenue_by_period(prepared.lines, prepared.as_of, "month", 6))
    equal(lambda prepared: revenue_by_period(prepared.lines, prepared.as_of, "week", 4, by="product_id"))


def test_labels(equal: Callable[[Compute], None], base: pd.DataFrame) -> None:
    past = base[base["as_of"] == base["as_of"].min()]
    equal(lambda prepared: labels.build(prepared.lines, past, 90, known_until=prepared.as_of))


def test_silence(equal: Callable[[Compute], None], base: pd.DataFrame) -> None:
    equal(lambda prepared: labels.silence(prepared.lines, base, [30, 90], known_until=prepared.as_of))
