"""A tracking store that goes away: it is waited for, and what cannot be sent is kept and sent later, once."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from segml import tracking, upload
from segml.config import TrackingConfig
from segml.schema import TrackingError
from segml.tracking.connection import Connection
from segml.tracking.sending import Target

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An output folder as a small command may leave it."""
    made = tmp_path / "outputs"
    for name, text in {"report.html": "<p>", "charts/roc.csv": "x,y\n", "model/MLmodel": "flavors: {}\n"}.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    return made


RECORD = tracking.Record(
    name="first",
    experiment="segml",
    tags={"segml.as_of": "2026-01-01"},
    params={"seed": 0, "long": "x" * 2000, "none": None},
    metrics={"churn/roc_auc": 0.75, "churn/ece": float("nan")},
    series={"churn/roc_auc_by_date": ((1, 0.5), (2, 0.25))},
    children=(tracking.Child("kmeans 2", {"k": 2}, {"m": 0.5}), tracking.Child("kmeans 3", {"k": 3}, {"m": 0.1})),
    data=tracking.DataSet("demo", "0123abcd"),
    description="**Summary**",
    files=("report.html", "charts", "charts/roc.csv"),
    model="model",
    registered_model="segml",
)


@contextmanager
def locked(store: TrackingConfig) -> Iterator[sqlite3.Connection]:
    """Keep everybody else from writing to the store while the block runs."""
    holder = sqlite3.connect(str(store.uri).removeprefix("sqlite:///"), check_same_thread=False)
    holder.execute("begin exclusive")
    try:
        yield holder
    finally:
        holder.close()


def client_of(store: TrackingConfig) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(store.uri)


def assert_there_once(store: TrackingConfig, folder: Path, *, run_id: str) -> None:
    """Check that a store holds all of ``RECORD``, and nothing of it twice."""
    client = client_of(store)
    experiment = client.get_experiment_by_name("segml")
    runs = client.search_runs([experiment.experiment_id])
    [run] = [found for found in runs if tracking.sending.PARENT_TAG not in found.data.tags]
    children = {found.info.run_name: found for found in runs if found is not run}
    assert (run.info.run_id, run.info.status, run.info.run_name) == (run_id, "FINISHED", "first")
    assert run.data.params == {"seed": "0", "long": "x" * 499 + "…", "none": "null"}
    assert run.data.tags["segml.as_of"] == "2026-01-01"
    assert run.data.tags["mlflow.note.content"] == "**Summary**"
    assert "segml.error" not in run.data.tags
    for key, values in {"churn/roc_auc": [(0, 0.75)], "churn/roc_auc_by_date": [(1, 0.5), (2, 0.25)]}.items():
        assert [(point.step, point.value) for point in client.get_metric_history(run_id, key)] == values
    assert len(client.get_metric_history(run_id, "churn/ece")) == 1
    assert {name: child.data.metrics for name, child in children.items()} == {
        "kmeans 2, first": {"m": 0.5},
        "kmeans 3, first": {"m": 0.1},
    }
    assert {child.info.status for child in children.values()} == {"FINISHED"}
    assert [given.dataset.digest for given in run.inputs.dataset_inputs] == ["0123abcd"]
    for file in ("report.html", "charts/roc.csv"):
        place = Path(client.download_artifacts(run_id, file))
        assert place.read_bytes() == (folder / file).read_bytes()
    [output] = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    stored = Path(model.artifact_location.removeprefix("file://"))
    assert (stored / "MLmodel").read_bytes() == (folder / "model" / "MLmodel").read_bytes()
    assert str(model.status) == "READY"
    assert {metric.key for metric in model.metrics} >= {"churn/roc_auc", "churn/roc_auc_by_date"}
    [version] = client.search_model_versions("name = 'segml'")
    assert (version.version, version.run_id, version.source) == (1, run_id, f"models:/{model.model_id}")


def begin(store: TrackingConfig, **settings: Any) -> tracking.Run:
    config = store.model_copy(update={"timeout_s": 1, **settings})
    return tracking.Run(config, name=RECORD.name, tags=RECORD.tags, params=RECORD.params)


@contextmanager
def without_artifacts(store: TrackingConfig) -> Iterator[None]:
    """Keep everybody from storing artifacts while the block runs."""
    place = Path(str(store.uri).removeprefix("sqlite:///")).with_name("mlartifacts")
    place.write_text("a file, where a folder is needed")
    yield
    place.unlink()


def leave_unsent(store: TrackingConfig, folder: Path) -> str:
    """Begin a run whose artifacts cannot be stored; return its id."""
    run = begin(store)
    with without_artifacts(store), pytest.raises(TrackingError), run:
        run.send(RECORD, folder)
    return run.run_id


def test_a_record_is_what_its_dictionary_says() -> None:
    read = tracking.Record.from_dict(json.loads(json.dumps(RECORD.to_dict())))
    assert read.to_dict()["params"] == {"seed": "0", "long": "x" * 499 + "…", "none": "null"}
    assert replace(read, params={}, metrics={}) == replace(
        RECORD,
        params={},
        metrics={},
        children=tuple(replace(child, params={"k": str(child.params["k"])}) for child in RECORD.children),
    )


def test_a_record_is_sent_whole(store: TrackingConfig, folder: Path) -> None:
    with begin(store) as run:
        assert client_of(store).get_run(run.run_id).info.status == "RUNNING"
        run.send(RECORD, folder)
    assert run.model_version == "1"
    assert_there_once(store, folder, run_id=run.run_id)
    assert not (folder / "unsent.json").exists()


@pytest.mark.slow
def test_a_store_that_comes_back_is_waited_for(store: TrackingConfig, folder: Path) -> None:
    said: list[str] = []
    with begin(store, retry_s=60) as run, locked(store) as holder:

        def listen(text: str) -> None:
            said.append(text)
            holder.rollback()

        run.say = run.connection.retry.say = listen
        run.send(RECORD, folder)
    assert said == [f"waiting for the tracking store {store.uri}, up to 60 s", "the tracking store answers again"]
    assert_there_once(store, folder, run_id=run.run_id)


def test_what_cannot_be_sent_is_kept_and_told(store: TrackingConfig, folder: Path) -> None:
    run = begin(store)
    advice = rf"mlartifacts.*\n.*outputs are complete in {folder}; .* python -m segml\.upload {folder}"
    with without_artifacts(store), pytest.raises(TrackingError, match=advice), run:
        run.send(RECORD, folder)
    kept = json.loads((folder / "unsent.json").read_text())
    assert (kept["version"], kept["run_id"], kept["record"]["name"]) == (1, run.run_id, "first")
    assert client_of(store).get_run(run.run_id).info.status == "FAILED"


@pytest.mark.slow
def test_an_interrupted_sending_is_kept_too(store: TrackingConfig, folder: Path) -> None:
    said: list[str] = []

    def interrupt(text: str) -> None:
        said.append(text)
        if text.startswith("waiting"):
            raise KeyboardInterrupt

    run = begin(store)
    run.say = run.connection.retry.say = interrupt
    with pytest.raises(KeyboardInterrupt), run, locked(store):
        run.send(RECORD, folder)
    assert (folder / "unsent.json").is_file()
    assert f"python -m segml.upload {folder}" in said[-1]


def test_an_upload_ends_the_run_that_was_begun(
    store: TrackingConfig, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = leave_unsent(store, folder)
    began = client_of(store).get_run(run_id).info.start_time
    kept = (folder / "unsent.json").read_bytes()
    assert upload.main([str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["run_id"], facts["model_version"], facts["tracking_uri"]) == (run_id, "1", store.uri)
    assert_there_once(store, folder, run_id=run_id)
    assert client_of(store).get_run(run_id).info.start_time == began
    assert not (folder / "unsent.json").exists()

    (folder / "unsent.json").write_bytes(kept)  # as if the upload had been killed at its very end
    assert upload.main([str(folder)]) == 0
    assert_there_once(store, folder, run_id=run_id)

    assert upload.main([str(folder)]) == 2
    assert "holds no unsent.json: there is nothing to send" in capsys.readouterr().err


def test_an_upload_to_another_store_makes_one_run_there(
    store: TrackingConfig, migrated_store: Path, folder: Path, tmp_path: Path
) -> None:
    run_id = leave_unsent(store, folder)
    kept = (folder / "unsent.json").read_bytes()
    (tmp_path / "other").mkdir()
    other = TrackingConfig(uri=f"sqlite:///{tmp_path / 'other' / 'mlflow.db'}")
    (tmp_path / "other" / "mlflow.db").write_bytes(migrated_store.read_bytes())
    for _ in range(2):
        (folder / "unsent.json").write_bytes(kept)
        assert upload.main([str(folder), "--set", f"tracking.uri={other.uri}"]) == 0
    client = client_of(other)
    found = client.search_runs([client.get_experiment_by_name("segml").experiment_id], "tags.`segml.as_of` != ''")
    assert len(found) == 1
    assert found[0].info.run_id != run_id
    assert found[0].info.start_time == json.loads(kept)["started_at"]
    assert_there_once(other, folder, run_id=found[0].info.run_id)


def test_an_attempt_that_broke_off_is_taken_up(store: TrackingConfig, folder: Path) -> None:
    connection = Connection(store, print)
    connection.open()
    run_id = connection.create_run("key", "first", {}, 1).info.run_id
    target = Target(connection, run_id, "key", 2)
    (folder / "charts" / "roc.csv").rename(folder / "gone.csv")
    with pytest.raises(TrackingError, match=r"roc\.csv"):
        target.send(RECORD, folder)
    (folder / "gone.csv").rename(folder / "charts" / "roc.csv")
    (folder / "model" / "MLmodel").rename(folder / "MLmodel")
    (folder / "model" / "MLmodel").symlink_to(folder / "nowhere")
    with pytest.raises(TrackingError, match="MLmodel"):
        target.send(RECORD, folder)
    (folder / "MLmodel").replace(folder / "model" / "MLmodel")
    for _ in range(2):
        assert target.send(RECORD, folder) == "1"
    assert_there_once(store, folder, run_id=run_id)


def changed(folder: Path, **values: Any) -> None:
    path = folder / "unsent.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def cut_short(folder: Path) -> None:
    path = folder / "unsent.json"
    path.write_text(path.read_text()[:-20])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: changed(folder, run_id="1" * 32), "its checksum does not fit"),
        (lambda folder: changed(folder, version=2), "has version 2, this segml reads version 1"),
        (cut_short, "cannot be read"),
        (lambda folder: (folder / "unsent.json").write_text("[1]"), "was not written by segml"),
        (lambda folder: (folder / "report.html").write_text("new"), "not as the run wrote them, report.html among"),
        (lambda folder: (folder / "charts" / "roc.csv").write_text(""), "run wrote them, charts/roc.csv among"),
        (lambda folder: (folder / "model" / "MLmodel").unlink(), "not as the run wrote them, model/MLmodel among"),
        (lambda folder: (folder / "unsent.json").unlink(), "holds no unsent.json"),
    ],
    ids=["tampered", "newer", "cut", "foreign", "file changed", "chart changed", "model gone", "none"],
)
def test_what_is_not_as_it_was_left_is_refused(
    change: Any, told: str, store: TrackingConfig, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from segml.tracking.unsent import leave

    leave(tracking.Unsent(RECORD, "0" * 32, "key", str(store.uri), 1, 2), folder)
    change(folder)
    assert upload.main([str(folder)]) == 2
    assert told in capsys.readouterr().err


def test_a_run_deleted_in_the_store_is_told(
    store: TrackingConfig, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = leave_unsent(store, folder)
    client_of(store).delete_run(run_id)
    assert upload.main([str(folder)]) == 2
    assert f"mlflow runs restore --run-id {run_id}" in capsys.readouterr().err
    assert (folder / "unsent.json").is_file()


def test_a_password_is_not_kept_and_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from segml.tracking.unsent import leave

    leave(tracking.Unsent(RECORD, "0" * 32, "key", "http://anna:s3cret@host", 1, 2), folder)
    assert "s3cret" not in (folder / "unsent.json").read_text()
    assert upload.main([str(folder)]) == 2
    assert "had a password, which is not kept" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_upload_is_taken_up(store: TrackingConfig, folder: Path, tmp_path: Path) -> None:
    run_id = leave_unsent(store, folder)
    words = [sys.executable, "-m", "segml.upload", str(folder)]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not list((tmp_path / "mlartifacts").rglob("roc.csv")) and process.poll() is None:
            time.sleep(0.005)
        process.kill()
    assert upload.main([str(folder)]) in (0, 2)  # 2: it was quicker than the kill
    assert_there_once(store, folder, run_id=run_id)


@pytest.mark.slow
def test_two_uploads_of_one_folder_at_once_send_it_once(store: TrackingConfig, folder: Path, tmp_path: Path) -> None:
    run_id = leave_unsent(store, folder)
    words = [sys.executable, "-m", "segml.upload", str(folder), "--set", "tracking.timeout_s=1"]
    with (
        locked(store) as holder,
        subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as first,
    ):
        assert first.stderr is not None
        assert any("waiting for the tracking store" in line for line in first.stderr)
        second = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        told = f"segml: error: another upload of {folder} is at work; nothing was sent by this one\n"
        assert (second.returncode, second.stdout, second.stderr) == (2, "", told)
        holder.rollback()
        out, errors = first.communicate(timeout=300)
    assert first.returncode == 0, errors
    assert run_id in out
    assert_there_once(store, folder, run_id=run_id)
    assert sorted(path.name for path in folder.iterdir()) == ["charts", "model", "report.html"]
