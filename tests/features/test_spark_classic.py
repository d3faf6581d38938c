"""Classic Spark, with Java, in this process: slow to start, and in details another engine than Sail."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from segml import features, labels, pipeline, serving
from segml.config import Config, load
from segml.data import clean, connect, load_tables, spark, spark_tables, to_table
from segml.spark_scoring import score_features

pytestmark = [
    pytest.mark.slow,
    # Spark's client leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def backend() -> Iterator[Any]:
    """Spark with two threads; its Java process ends with the session."""
    pyspark = pytest.importorskip("pyspark", reason="the Spark client is not installed (pyspark)")
    backend = spark.connect("local[2]")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(spark.CONNECT_MODE, raising=False)  # of tests on a server before; pyspark's functions look at it
        yield backend
    gateway = pyspark.SparkContext._gateway
    backend.disconnect()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(timeout=30)
    pyspark.SparkContext._gateway = pyspark.SparkContext._jvm = None


@pytest.fixture(scope="module")
def settings() -> Config:
    return load(None, ["demo.customers=40", "demo.days=400"])


def test_lines_features_and_labels_equal_duckdbs(backend: Any, settings: Config) -> None:
    on_spark = pipeline.prepare(load_tables(settings, backend), settings, today=TODAY)
    on_duckdb = pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY)
    assert spark_tables.is_spark(on_spark.lines.get_backend())
    pd.testing.assert_frame_equal(on_spark.ledger.to_frame(), on_duckdb.ledger.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(rows(on_spark.lines), rows(on_duckdb.lines), check_exact=True)
    taken, wanted = (rows(prepared.cleaned.taken.drop("line_number")) for prepared in (on_spark, on_duckdb))
    pd.testing.assert_frame_equal(taken, wanted, check_exact=True)
    early = on_duckdb.as_of - pd.Timedelta(days=90)
    dates = [early, on_duckdb.as_of]
    expected = features.build(on_duckdb.lines, dates)
    pd.testing.assert_frame_equal(features.build(on_spark.lines, dates), expected, rtol=1e-9, atol=1e-9)
    past = expected[expected["as_of"] == early]
    outcomes, truth = (
        labels.build(prepared.lines, past, 90, known_until=on_duckdb.as_of) for prepared in (on_spark, on_duckdb)
    )
    pd.testing.assert_frame_equal(outcomes, truth, rtol=1e-9, atol=1e-9)


def test_features_and_scores_are_made_by_workers(
    backend: Any, settings: Config, small_training: pipeline.Training, tmp_path: Path
) -> None:
    prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY)
    serving.save(small_training.scorer, tmp_path / "model")
    lines = spark_tables.put(prepared.lines.to_pyarrow(), backend)
    table = features.features_on_spark(lines, prepared.as_of)
    scores = score_features(table.repartition(3), str(tmp_path / "model"))
    found = [frame.toPandas().sort_values("customer_id", ignore_index=True) for frame in (table, scores)]
    expected = features.build(prepared.lines, prepared.as_of)
    pd.testing.assert_frame_equal(found[0], expected, check_dtype=False, rtol=1e-9, atol=1e-9)
    truth = pipeline.row_scores(found[0], small_training.scorer)
    pd.testing.assert_frame_equal(found[1], truth, check_dtype=False, rtol=1e-9, atol=1e-9)


def test_without_a_scratch_folder_tables_are_persisted(backend: Any) -> None:
    session = spark_tables.session(backend)
    folder = session.conf.get(spark_tables.SCRATCH)
    session.conf.unset(spark_tables.SCRATCH)
    lines = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": [1.0, 1.0, 2.0]}).assign(
        ordered_at=pd.Timestamp("2024-01-01").as_unit("us")
    )
    cleaned = clean(to_table(lines, backend), load().data.cleaning, today=TODAY)
    assert cleaned.ledger["exact_repeats"].tally.lines == 1
    assert session.catalog.isCached(cleaned.lines.op().name)
    session.conf.set(spark_tables.SCRATCH, folder)


def rows(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame.sort_values(list(frame.columns), ignore_index=True)
