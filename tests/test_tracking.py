"""Against a real SQLite store."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy.exc

from segml import tracking
from segml.config import TrackingConfig
from segml.schema import DataError, TrackingError
from segml.tracking.entities import PARAM_LENGTH
from segml.tracking.errors import may_pass
from segml.tracking.retry import Retry

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def run_of(store: TrackingConfig, run_id: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(store.uri).get_run(run_id)


def test_parameters_metrics_tags_and_files_arrive(store: TrackingConfig, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("<p>")
    with tracking.Run(store, name="first", tags={"segml.version": "1"}) as run:
        params = {f"key_{number}": number for number in range(150)} | {"long": "x" * 2000, "none": None}
        run.log(params, {"churn/roc_auc": 0.75}, notices="few customers")
        run.log_files(tmp_path / "out", ["report.html"])
    logged = run_of(store, run.run_id)
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name == "first"
    assert len(logged.data.params) == 152
    assert logged.data.params["none"] == "null"
    assert len(logged.data.params["long"]) == PARAM_LENGTH
    assert logged.data.metrics == {"churn/roc_auc": 0.75}
    assert logged.data.tags["segml.notices"] == "few customers"
    assert logged.data.tags["segml.version"] == "1"
    assert (Path(logged.info.artifact_uri.removeprefix("file://")) / "report.html").read_text() == "<p>"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(DataError("no rows"), "no rows"), (KeyboardInterrupt(), "KeyboardInterrupt"), (SystemExit(1), "SystemExit: 1")],
)
def test_a_run_that_is_cut_short_is_failed_and_says_why(
    store: TrackingConfig, error: BaseException, reason: str
) -> None:
    run = tracking.Run(store, name="cut", tags={})
    with pytest.raises(type(error)), run:
        raise error
    logged = run_of(store, run.run_id)
    assert (logged.info.status, logged.data.tags["segml.error"]) == ("FAILED", reason)


def test_the_store_and_its_artifacts_stand_together_and_no_mlruns_folder_appears(
    store: TrackingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with tracking.Run(store, name="place", tags={}) as run:
        pass
    assert run_of(store, run.run_id).info.artifact_uri.startswith((tmp_path / "mlartifacts").as_uri())
    assert not (tmp_path / "mlruns").exists()


def test_an_unreachable_server_is_refused_before_any_work() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(TrackingError, match=rf"127\.0\.0\.1:{port} does not answer.*start the server, or set tracking"):
        tracking.check_reachable(TrackingConfig(uri=f"http://user:secret@127.0.0.1:{port}", timeout_s=1))


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(TrackingError) as caught:
        tracking.check_reachable(TrackingConfig(uri="http://user:secret@127.0.0.1:9", timeout_s=1))
    assert "secret" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown_when_the_server_goes_away_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow import MlflowClient, MlflowException

    uri = "http://user:secret@127.0.0.1:9"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowException, match="secret") as refused:
        MlflowClient(uri).search_experiments()

    def call() -> None:  # takes no time, so that it is made again however busy the machine is
        raise refused.value

    said: list[str] = []
    retry = Retry(uri, retry_s=2, timeout_s=1, say=said.append)
    with pytest.raises(TrackingError, match="does not answer as it should") as caught:
        retry(call)
    assert said == ["waiting for the tracking store http://user:…@127.0.0.1:9, up to 2 s"]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.ConnectionError(), True),
        (ConnectionResetError(), True),
        (OSError("no space left"), False),
        (sqlalchemy.exc.OperationalError("", {}, Exception("(sqlite3.OperationalError) database is locked")), True),
        (sqlalchemy.exc.OperationalError("", {}, Exception("(sqlite3.OperationalError) no such table")), False),
        (sqlalchemy.exc.OperationalError("", {}, Exception("(psycopg.OperationalError) server closed")), True),
        (ValueError("a bug"), False),
    ],
    ids=str,
)
def test_only_what_may_pass_is_waited_for(error: Exception, expected: bool) -> None:
    assert may_pass(error) == expected


def test_new_experiments_open_as_machine_learning_and_say_what_is_in_there(store: TrackingConfig) -> None:
    from mlflow import MlflowClient

    with tracking.Run(store, name="first", tags={}) as run:
        pass
    tags = MlflowClient(store.uri).get_experiment(run.experiment_id).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    assert tags["mlflow.note.content"].startswith("Runs of segml:")
    view = json.loads(tags["mlflow.sharedViewState.segml"])
    assert "metrics.`churn/roc_auc`" in json.loads(view["state"])["selectedColumns"]


def test_a_run_may_stand_below_another(store: TrackingConfig) -> None:
    with (
        tracking.Run(store, name="whole", tags={}) as whole,
        tracking.Run(store, name="part", tags={}, parent=whole.run_id) as part,
    ):
        pass
    assert run_of(store, part.run_id).data.tags["mlflow.parentRunId"] == whole.run_id


def test_a_file_that_is_no_store_is_explained(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a data base, and long enough to be read as one " * 100)
    run = tracking.Run(TrackingConfig(uri=f"sqlite:///{tmp_path / 'mlflow.db'}"), name="x", tags={})
    with pytest.raises(TrackingError, match="does not answer as it should"), run:
        pass


def test_the_address_comes_from_config_then_environment_then_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.store_uri(TrackingConfig()) == f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking.store_uri(TrackingConfig()) == "http://127.0.0.1:5000"
    assert tracking.store_uri(TrackingConfig(uri="http://127.0.0.1:1")) == "http://127.0.0.1:1"


def test_importing_segml_does_not_import_mlflow() -> None:
    code = "import sys, segml.tracking, segml.config; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_alternatives_are_finished_runs_nested_under_theirs(store: TrackingConfig) -> None:
    from mlflow import MlflowClient

    with tracking.Run(store, name="parent", tags={}) as run:
        for k in (2, 3):
            run.log_child(f"kmeans {k}", {"algorithm": "kmeans", "size": k}, {"segments/min_jaccard": k / 4}, kind="x")
        run.log(metrics={"segments/min_jaccard": 0.75})
    query = f"tags.mlflow.parentRunId = '{run.run_id}'"
    children = MlflowClient(store.uri).search_runs([run.experiment_id], query, order_by=["params.size"])
    assert [child.info.run_name for child in children] == ["kmeans 2, parent", "kmeans 3, parent"]
    assert [child.info.status for child in children] == ["FINISHED"] * 2
    assert [child.data.params for child in children] == [{"algorithm": "kmeans", "size": str(k)} for k in (2, 3)]
    assert [child.data.metrics for child in children] == [{"segments/min_jaccard": k / 4} for k in (2, 3)]
    assert {child.data.tags["segml.kind"] for child in children} == {"x"}
    assert run_of(store, run.run_id).info.status == "FINISHED"
