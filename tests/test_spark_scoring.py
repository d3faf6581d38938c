"""Scoring on Spark by the registered model: the decisions of DuckDB, and scores that stay there."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import sail
from model_folder import registered
from segml import config, features, pipeline, score, serving
from segml.config import Config
from segml.data import load_tables, spark_tables
from segml.data.simulate import simulate
from segml.schema import ConfigError, DataError, ModelError, OutputError
from segml.spark_scoring import score_features
from support import SMALL, TODAY

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning")

EXTRA = ("customers", "usage", "contracts", "touches")


@pytest.fixture(scope="module")
def backend() -> Any:
    return sail.sail()


@pytest.fixture(scope="module")
def on_spark(backend: Any, small_config: Config) -> pipeline.Prepared:
    return pipeline.prepare(load_tables(small_config, backend), small_config, today=TODAY)


@pytest.fixture(scope="module")
def model(
    small_training: pipeline.Training, migrated_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a registered model, in a tracking store that the environment names."""
    path = Path(shutil.copy(migrated_store, tmp_path_factory.mktemp("tracking") / "mlflow.db"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
        serving.save(small_training.scorer, path.with_name("model"))
        registered(path.with_name("model"), f"sqlite:///{path}")
        yield "models:/segml/1"


@pytest.fixture(scope="module")
def dates(small_training: pipeline.Training) -> list[pd.Timestamp]:
    now = small_training.prepared.as_of
    return [now - pd.Timedelta(days=90), now]


@pytest.fixture(scope="module")
def table(on_spark: pipeline.Prepared, dates: list[pd.Timestamp], small_config: Config) -> Any:
    """Features at two dates, on Spark."""
    return features.features_on_spark(on_spark.lines, dates, small_config.features)


def counted_in_margin(scorer: pipeline.Scorer) -> pipeline.Scorer:
    actions = scorer.config.actions.model_copy(update={"value": "margin"})
    return replace(scorer, config=scorer.config.model_copy(update={"actions": actions}))


def collected(frame: Any) -> pd.DataFrame:
    """A Spark DataFrame's rows by date and customer, in the types of frames."""
    rows: pd.DataFrame = frame.toArrow().to_pandas()
    return rows.sort_values(["as_of", "customer_id"], ignore_index=True)


def test_decisions_equal_those_of_duckdb(
    on_spark: pipeline.Prepared, small_training: pipeline.Training, model: str
) -> None:
    decided = pipeline.score(on_spark, serving.load(model))
    assert_frame_equal(decided.decisions, small_training.decided.decisions, rtol=1e-9, atol=1e-9)


def test_of_lines_only_what_is_known_of_customers_comes_here(
    on_spark: pipeline.Prepared, small_training: pipeline.Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, sizes = type(on_spark.lines.get_backend()), []
    fetch = kind.to_pyarrow

    def watched(self: Any, expr: Any, /, **kwargs: Any) -> Any:
        found = fetch(self, expr, **kwargs)
        sizes.append(len(found) if isinstance(found, pa.Table) else 1)
        return found

    monkeypatch.setattr(kind, "to_pyarrow", watched)
    customers = len(pipeline.score(on_spark, small_training.scorer).decisions)
    assert sorted(set(sizes))[-2] == customers
    periods = small_training.scorer.config.segments.xyz.periods
    assert max(sizes) <= customers * periods, "revenue by period, for XYZ"


def test_features_stay_on_spark_and_are_those_of_build(
    table: Any, small_training: pipeline.Training, dates: list[pd.Timestamp]
) -> None:
    expected = features.build(small_training.prepared.lines, dates, small_training.scorer.config.features)
    assert_frame_equal(collected(table), expected, rtol=1e-9, atol=1e-9)


def test_features_written_by_spark_are_those_of_build(
    on_spark: pipeline.Prepared, small_training: pipeline.Training, tmp_path: Path
) -> None:
    prepared, settings = small_training.prepared, small_training.scorer.config.features
    address = (tmp_path / "features").as_uri()
    written = features.write(on_spark.lines, prepared.as_of, address, settings)
    table = pq.read_table(tmp_path / "features").to_pandas().sort_values("customer_id", ignore_index=True)
    assert (written.rows, written.columns) == table.shape
    expected = features.build(prepared.lines, prepared.as_of, settings)
    assert_frame_equal(table, expected, check_dtype=False, rtol=1e-9, atol=1e-9)
    with pytest.raises(OutputError, match=r"cannot write the features to file:.*name a new folder"):
        features.write(on_spark.lines, prepared.as_of, address, settings)


def test_features_of_lines_elsewhere_are_refused(small_training: pipeline.Training) -> None:
    with pytest.raises(DataError, match=r"must be on Spark; found them on duckdb"):
        features.features_on_spark(small_training.prepared.lines, "2025-12-01")


@pytest.mark.parametrize("partitions", [1, 7])
def test_scores_are_those_of_the_decisions_however_rows_are_split(
    table: Any, model: str, small_training: pipeline.Training, dates: list[pd.Timestamp], partitions: int
) -> None:
    decisions = small_training.decided.decisions
    scores = collected(score_features(table.repartition(partitions), model))
    assert list(scores.columns) == list(pipeline.ROW_SCORES)
    now = scores[scores["as_of"] == dates[1]].reset_index(drop=True)
    assert_frame_equal(now, decisions[list(pipeline.ROW_SCORES)], rtol=1e-9, atol=1e-9)
    assert now["p_churn"].isna().any()
    rows = collected(table)
    expected = pipeline.row_scores(rows[rows["as_of"] == dates[0]], small_training.scorer)
    assert_frame_equal(scores[scores["as_of"] == dates[0]], expected, rtol=1e-9, atol=1e-9)


def test_an_ibis_table_serves_as_well(table: Any, model: str, backend: Any) -> None:
    scores = score_features(spark_tables.refer(table, backend), model)
    assert scores.count() == table.count()


def test_money_in_margin_takes_the_margin_of_the_whole_base_where_a_customers_is_unknown(
    small_training: pipeline.Training, backend: Any, tmp_path: Path
) -> None:
    prepared, scorer = small_training.prepared, counted_in_margin(small_training.scorer)
    serving.save(scorer, tmp_path / "model")
    now = features.build(prepared.lines, prepared.as_of, scorer.config.features)
    now["margin_share_365d"] = now["margin_share_365d"].mask(now.index % 3 == 0)
    there = spark_tables.sent(pa.Table.from_pandas(now), spark_tables.session(backend))
    scores = collected(score_features(there.repartition(3), str(tmp_path / "model")))
    expected = pipeline.decide(now, prepared, scorer).decisions
    assert_frame_equal(scores, expected[list(pipeline.ROW_SCORES)], rtol=1e-9, atol=1e-9)
    with pytest.raises(ConfigError, match=r"actions.value is 'margin', but the data tell no margin"):
        score_features(there.where("margin_share_365d is null"), str(tmp_path / "model"))


def test_what_cannot_be_scored_is_explained(table: Any, model: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"features lack columns \['run_rate_daily'"):
        score_features(table.drop("run_rate_daily"), model)
    with pytest.raises(DataError, match=r"a features table on Spark is needed.*found DataFrame"):
        score_features(pd.DataFrame(), model)
    with pytest.raises(ModelError, match=r"holds no segml model: its MLmodel tells no checksum"):
        score_features(table, str(tmp_path))


def test_a_model_that_was_exchanged_meanwhile_is_refused(
    table: Any, small_training: pipeline.Training, tmp_path: Path
) -> None:
    serving.save(small_training.scorer, tmp_path / "model")
    scores = score_features(table, str(tmp_path / "model"))
    shutil.rmtree(tmp_path / "model")
    serving.save(small_training.scorer, tmp_path / "model")
    with pytest.raises(Exception, match=r"stands for another model now than when scoring began"):
        scores.collect()


def test_the_score_command_on_spark_writes_the_decisions_of_the_training_run(
    small_training: pipeline.Training, model: str, backend: Any, tmp_path: Path
) -> None:
    world = simulate(config.load(None, SMALL).demo)
    world.transactions.to_parquet(tmp_path / "transactions.parquet")
    for name in EXTRA:
        getattr(world, name).to_parquet(tmp_path / f"{name}.parquet")
    overrides = [
        f"tracking.uri={os.environ['MLFLOW_TRACKING_URI']}",
        "engine.kind=spark",
        f"engine.spark=sc://{sail.start()}",
        f"engine.scratch={tmp_path}",
        *(f"data.{name}={tmp_path / f'{name}.parquet'}" for name in ("transactions", *EXTRA)),
    ]
    arguments = ["--model", model, "--output", str(tmp_path / "decisions.parquet")]
    assert score.main([*arguments, *(part for value in overrides for part in ("--set", value))]) == 0
    written = pd.read_parquet(tmp_path / "decisions.parquet")
    assert_frame_equal(written, small_training.decided.decisions, check_dtype=False, rtol=1e-9, atol=1e-9)


def test_the_examples_of_the_page_run(
    on_spark: pipeline.Prepared, small_training: pipeline.Training, model: str, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[1] / "docs" / "spark.md").read_text(encoding="utf-8")
    section = page.partition("## Features and scores that stay there")[2].partition("\n## ")[0]
    names: dict[str, Any] = {"lines": on_spark.lines, "folder": tmp_path.as_uri(), "model": model}
    for example in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(example, names)
    decisions = small_training.decided.decisions
    named = names["named"].toPandas().sort_values("customer_id", ignore_index=True)
    assert_frame_equal(named[["customer_id", "p_churn"]], decisions[["customer_id", "p_churn"]], rtol=1e-9)
    assert pq.read_table(tmp_path / "scores").num_rows == pq.read_table(tmp_path / "features").num_rows == len(named)
