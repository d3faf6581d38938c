"""The commands on every engine: the same data, the same results, from wherever they lie."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from postgres_server import ingest, new_database
from sail import start
from segml import config, score, train
from segml.data import simulate
from segml.features.__main__ import main as features
from support import SMALL

AS_OF = ("2025-06-01", "2025-10-01")
EXTRA = ("customers", "usage", "contracts", "touches")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of the small demo world."""
    folder = tmp_path_factory.mktemp("world")
    simulate.write(simulate.simulate(config.load(None, SMALL).demo), folder)
    return folder


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Overrides that compute on Sail."""
    pytest.importorskip("pysail")
    scratch = tmp_path_factory.mktemp("cluster")
    return ("engine.kind=spark", f"engine.spark=sc://{start()}", f"engine.scratch={scratch}")


@pytest.fixture(scope="module")
def postgres(postgres_url: str, world: Path) -> tuple[str, ...]:
    """Overrides that compute at a PostgreSQL server, which holds the transactions, usage and customers."""
    url = new_database(postgres_url, "commands")
    for name in ("transactions", "usage", "customers"):
        ingest(url, name, pa.parquet.read_table(world / f"{name}.parquet"))
    held = (f"data.{name}={url}#{name}" for name in ("transactions", "usage", "customers"))
    return ("engine.kind=postgres", *held)


def sources(world: Path) -> tuple[str, ...]:
    return tuple(f"data.{name}={world / name}.parquet" for name in ("transactions", *EXTRA))


def words(*overrides: str) -> list[str]:
    return [part for override in overrides for part in ("--set", override)]


def told(command: list[str]) -> dict[str, object]:
    shown = io.StringIO()
    with redirect_stdout(shown):
        assert features(command) == 0
    found: dict[str, object] = json.loads(shown.getvalue())
    return found


def assert_same_decisions(one: pd.DataFrame, other: pd.DataFrame) -> None:
    rules = ["customer_id", "lifecycle", "abc", "xyz", "tier"]
    assert_frame_equal(one[rules], other[rules])
    # A last bit of a feature may move a row over the edge of a bin of the boosted trees.
    scores = ["p_churn", "p_stagnation"]
    assert_frame_equal(one[scores], other[scores], rtol=0, atol=1e-3)


@pytest.mark.parametrize("engine", ["spark", "postgres"])
def test_features_are_those_of_duckdb(engine: str, world: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tables = {}
    for kind, overrides in (("duckdb", ()), (engine, request.getfixturevalue(engine))):
        file = tmp_path / f"{kind}.parquet"
        given = words(*sources(world), "data.read_from=2025-01-01", *overrides)
        command = ["--json", "--as-of", *AS_OF, "--output", str(file), *given]
        assert told(command)["as_of"] == len(AS_OF)
        tables[kind] = pd.read_parquet(file)
    assert len(tables["duckdb"]) > 100
    assert_frame_equal(tables[engine], tables["duckdb"], rtol=1e-9, atol=1e-9)


def test_spark_itself_writes_to_an_address(world: Path, spark: tuple[str, ...], tmp_path: Path) -> None:
    overrides = words(f"data.transactions={world}/transactions.parquet", *spark)
    there, here = tmp_path / "there", tmp_path / "here.parquet"
    for output in (f"file://{there}", str(here)):
        facts = told(["--json", "--as-of", AS_OF[0], "--output", output, *overrides])
    written = pd.read_parquet(there).sort_values("customer_id", ignore_index=True)
    assert len(written) == facts["rows"]
    assert_frame_equal(written, pd.read_parquet(here), rtol=1e-9, atol=1e-9, check_dtype=False)


def test_other_engines_write_to_files_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert features(["--as-of", AS_OF[0], "--output", "s3a://key:s3cret@bucket/features"]) == 2
    found = (
        "segml: error: output s3a://bucket/features: only Spark writes to an address; name a file, or --engine spark"
    )
    assert capsys.readouterr().err == f"{found}\n"


@pytest.fixture(scope="module")
def shared(world: Path, migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Overrides of all runs: the tables, and a tracking store."""
    path = shutil.copy(migrated_store, tmp_path_factory.mktemp("store") / "mlflow.db")
    return (*SMALL, *sources(world), f"tracking.uri=sqlite:///{path}")


@pytest.fixture(scope="module")
def trained(shared: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training on DuckDB leaves."""
    folder = tmp_path_factory.mktemp("trained") / "outputs"
    assert train.main(["--output", str(folder), *words(*shared)]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "postgres"])
def test_scores_are_those_of_duckdb(
    engine: str, shared: tuple[str, ...], trained: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tables = []
    for number, overrides in enumerate(((), request.getfixturevalue(engine))):
        file = tmp_path / f"{number}.parquet"
        assert score.main(["--model", str(trained / "model"), "--output", str(file), *words(*shared, *overrides)]) == 0
        tables.append(pd.read_parquet(file))
    assert_same_decisions(*tables)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "postgres"])
def test_training_is_that_of_duckdb(
    engine: str, shared: tuple[str, ...], trained: Path, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    assert train.main(["--output", str(tmp_path), *words(*shared, *request.getfixturevalue(engine))]) == 0
    for name in ("features.parquet", "products.csv", "cohorts.csv", "silent_categories.csv"):
        read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
        assert_frame_equal(read(tmp_path / name), read(trained / name), rtol=1e-9, atol=1e-9)
    assert_same_decisions(*(pd.read_parquet(folder / "decisions.parquet") for folder in (tmp_path, trained)))
