"""Fixtures that every test may use."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported: threads fight on small data
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlflow_server import MlflowServer, running_mlflow
from postgres_server import running_server
from segml import config, pipeline, tracking
from segml.data import connect, load_tables
from support import SMALL, TODAY

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets: SEGML_TEST_DATA, else shared/data beside the checkout."""
    folder = Path(os.environ.get("SEGML_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "online_retail_ii.parquet").is_file():
        pytest.skip("real data sets are not there; point SEGML_TEST_DATA at a folder with online_retail_ii.parquet")
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a real PostgreSQL server, started for the tests."""
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def mlflow_server(postgres_url: str) -> Iterator[MlflowServer]:
    """A real MLflow server on PostgreSQL with an artifact proxy, started for the tests."""
    with running_mlflow(postgres_url) as server:
        yield server


@pytest.fixture(scope="session")
def small_config() -> config.Config:
    """A configuration that trains in seconds on a small demo world."""
    return config.load(None, SMALL)


@pytest.fixture(scope="session")
def small_training(small_config: config.Config) -> pipeline.Training:
    """A whole training on a small demo world."""
    tables = load_tables(small_config, connect())
    return pipeline.train(pipeline.prepare(tables, small_config, today=TODAY), small_config)


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh SQLite tracking store; making one takes seconds, so tests copy this one."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with tracking.Run(config.TrackingConfig(uri=f"sqlite:///{path}", experiment="template"), name="template", tags={}):
        pass
    return path


@pytest.fixture
def store(migrated_store: Path, tmp_path: Path) -> config.TrackingConfig:
    """A tracking store of the test's own."""
    shutil.copy(migrated_store, tmp_path / "mlflow.db")
    return config.TrackingConfig(uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
