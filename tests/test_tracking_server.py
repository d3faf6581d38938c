"""The commands against a real MLflow server on PostgreSQL with an artifact proxy, which goes away and comes back.

Its address bears a password, which must show nowhere.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mlflow_server import MlflowServer
from segml import outputs
from segml.tracking.models import default_store
from support import TINY

pytestmark = pytest.mark.slow

PASSWORD = "s3cretpass"


def command(name: str, *arguments: str, overrides: tuple[str, ...] = ()) -> list[str]:
    settings = (part for value in overrides for part in ("--set", value))
    return [sys.executable, "-m", f"segml.{name}", *arguments, *settings]


def begin(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_line(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process tells up to a line with these words."""
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        if words in line:
            return told
    raise AssertionError(told)


def run(folder: Path, words: list[str]) -> str:
    """Run a command that must succeed; return all it printed."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def address(server: MlflowServer) -> str:
    return server.uri.replace("://", f"://anna:{PASSWORD}@")


def client_of(server: MlflowServer) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(server.uri)


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_no_password(told: str, folder: Path, run: Any) -> None:
    assert PASSWORD not in told
    assert not [name for name, content in files_below(folder).items() if PASSWORD.encode() in content]
    assert PASSWORD not in str(run.to_dictionary())


@pytest.fixture
def settings(mlflow_server: MlflowServer, tmp_path: Path) -> tuple[str, ...]:
    """Overrides for a small run in an experiment, and a registered model, of the test's own."""
    return (*TINY, f"tracking.uri={address(mlflow_server)}", f"tracking.experiment={tmp_path.name}")


def test_a_training_survives_that_the_server_is_killed_and_started_again(
    mlflow_server: MlflowServer, settings: tuple[str, ...], tmp_path: Path
) -> None:
    overrides = (*settings, "tracking.retry_s=300", "tracking.model_name=killed")
    with begin(tmp_path, command("train", "--json", overrides=overrides)) as process:
        told = await_line(process, "starting ")
        mlflow_server.kill()
        told += await_line(process, "waiting for the tracking store")
        mlflow_server.start()
        out, rest = process.communicate(timeout=300)
    told += out + rest
    assert process.returncode == 0, told
    assert "the tracking store answers again" in told
    facts, client = json.loads(out), client_of(mlflow_server)
    found = client.get_run(facts["run_id"])
    assert (found.info.status, facts["model_version"]) == ("FINISHED", "1")
    assert_no_password(told, tmp_path / "outputs", found)

    assert found.info.artifact_uri.startswith("mlflow-artifacts:")
    left = files_below(tmp_path / "outputs")
    (tmp_path / "fetched").mkdir()
    fetched = files_below(Path(client.download_artifacts(facts["run_id"], "", str(tmp_path / "fetched"))))
    assert fetched.items() <= left.items()
    assert {name for name in left if name not in fetched} == {name for name in left if name.startswith("model/")}
    from mlflow import artifacts

    with default_store(mlflow_server.uri):
        model = Path(artifacts.download_artifacts("models:/killed/1", dst_path=str(tmp_path / "model")))
    assert files_below(model).items() >= files_below(tmp_path / "outputs" / "model").items()
    words = command("score", "--model", "models:/killed/1", "--output", "scored.parquet", overrides=settings)
    assert PASSWORD not in run(tmp_path, words)
    scored, decided = (pd.read_parquet(tmp_path / name) for name in ("scored.parquet", "outputs/decisions.parquet"))
    assert_frame_equal(scored, decided)


def test_a_backtest_that_cannot_be_sent_is_uploaded_when_the_server_goes_on(
    mlflow_server: MlflowServer, settings: tuple[str, ...], tmp_path: Path
) -> None:
    overrides = (*settings, "tracking.retry_s=1", "tracking.timeout_s=2")
    with begin(tmp_path, command("backtest", overrides=overrides)) as process:
        told = await_line(process, "starting ")
        mlflow_server.pause()
        out, rest = process.communicate(timeout=300)
    told += out + rest
    mlflow_server.go_on()
    assert process.returncode == 2, told
    assert "the outputs are complete in outputs" in told
    assert "python -m segml.upload outputs" in told
    kept = tmp_path / "outputs"
    assert set(os.listdir(kept)) == {*outputs.BACKTEST_FILES, "unsent.json"}

    assert run(tmp_path, command("upload", "outputs", "--set", f"tracking.uri={address(mlflow_server)}"))
    client = client_of(mlflow_server)
    [found] = client.search_runs([client.get_experiment_by_name(tmp_path.name).experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics["data/customers"] > 0
    assert {len(client.get_metric_history(found.info.run_id, name)) for name in ("data/customers", "churn/ece")} == {1}
    assert_no_password(told, kept, found)
    assert set(os.listdir(kept)) == set(outputs.BACKTEST_FILES)
