"""Studies as people run them, on a small demo world and a real SQLite store."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from segml.config import TrackingConfig
from segml.experiment.__main__ import main

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

TINY = """
question: Does the hazard model pay?
set:
  demo.customers: 200
  churn.boosting.max_iter: 20
  churn.bootstrap: 20
  churn.max_snapshots: 5
  backtest.dates: 1
variants:
  hazard:
  direct: {churn.model: direct}
metrics: [churn/roc_auc, data/customers]
"""
FILES = ("results.csv", "results.md", "results.png")


def written(folder: Path, text: str = TINY) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(text, encoding="utf-8")
    return folder / "tiny.yaml"


def words(path: Path, store: TrackingConfig, *more: str) -> list[str]:
    return [str(path), "--set", f"tracking.uri={store.uri}", *more]


def told(
    path: Path, store: TrackingConfig, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[dict[str, Any], str]:
    """Run a study; return what it says as JSON, and its progress."""
    assert main(words(path, store, "--json", *more)) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def runs_of(store: TrackingConfig) -> dict[str, Any]:
    """Return the latest run of each name."""
    from mlflow import MlflowClient

    client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name(store.experiment)
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
    return {run.info.run_name: run for run in found}


def contents(folder: Path) -> Mapping[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_study_leaves_a_table_a_page_a_picture_and_runs_and_goes_on_where_it_was(
    store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "studies")
    facts, _ = told(path, store, capsys)
    folder = tmp_path / "studies" / "tiny"
    assert facts["variants"] == {"hazard": "ran", "direct": "ran"}
    _holds_a_full_table(folder)
    _shows_parent_and_children(store, facts["run_id"])
    first = contents(folder)

    facts, progress = told(path, store, capsys)
    assert facts["variants"] == {"hazard": "skipped", "direct": "skipped"}
    assert "hazard: skipped, finished before" in progress
    assert contents(folder) == first
    assert {run.info.status for run in runs_of(store).values()} == {"FINISHED"}

    path.write_text(TINY.replace("churn.model: direct", "churn.model: direct, churn.logistic_c: 0.1"))
    facts, progress = told(path, store, capsys)
    assert facts["variants"] == {"hazard": "skipped", "direct": "ran"}
    assert "direct: skipped" not in progress

    facts, _ = told(path, store, capsys, "--fresh", "--only", "hazard")
    assert facts["variants"] == {"hazard": "ran", "direct": "skipped"}


def _holds_a_full_table(folder: Path) -> None:
    table = pd.read_csv(folder / "results.csv")
    assert list(table["variant"]) == ["hazard", "hazard", "direct", "direct"]
    hazard, direct = table[table["metric"] == "churn/roc_auc"].to_dict("records")
    assert hazard["low"] <= hazard["value"] <= hazard["high"]
    assert direct["difference"] == pytest.approx(direct["value"] - hazard["value"], abs=1e-5)
    assert direct["difference_low"] <= direct["difference"] <= direct["difference_high"]
    page = (folder / "results.md").read_text(encoding="utf-8")
    assert "| hazard (reference) |" in page
    assert "python -m segml.experiment studies/tiny.yaml" in page


def _shows_parent_and_children(store: TrackingConfig, parent: str) -> None:
    runs = runs_of(store)
    assert set(runs) == {"tiny", "hazard, tiny", "direct, tiny"}
    assert runs["tiny"].info.run_id == parent
    for name in ("hazard, tiny", "direct, tiny"):
        assert runs[name].data.tags["mlflow.parentRunId"] == parent
        assert runs[name].data.tags["segml.study"] == "tiny"
        assert runs[name].info.status == "FINISHED"
        assert "churn/roc_auc" in runs[name].data.metrics
    assert runs["tiny"].data.metrics["churn/roc_auc"] == runs["hazard, tiny"].data.metrics["churn/roc_auc"]
    assert runs["tiny"].data.tags["mlflow.note.content"].startswith("Does the hazard model pay?")
    assert runs["direct, tiny"].data.params["churn.model"] == "direct"
    assert set(os.listdir(runs["tiny"].info.artifact_uri.removeprefix("file://"))) == set(FILES)


def test_a_variant_that_fails_is_told_and_the_others_run(
    store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path / "studies",
        TINY.replace(
            "  direct: {churn.model: direct}", "  early: {backtest.as_of: [1999-01-01]}\n  late: {as_of: 2040-01-01}"
        ),
    )
    assert main(words(path, store)) == 2
    shown = capsys.readouterr()
    assert "segml: error: 2 variants failed; the others are in the results" in shown.err
    assert "  late: as-of date 2040-01-01 lies outside the data" in shown.err
    page = (tmp_path / "studies" / "tiny" / "results.md").read_text(encoding="utf-8")
    assert "| hazard (reference) |" in page
    assert "- **late** is not in the table: as-of date 2040-01-01 lies outside the data" in page
    runs = runs_of(store)
    assert {name: run.info.status for name, run in runs.items()} == {
        "tiny": "FINISHED",
        "hazard, tiny": "FINISHED",
        "early, tiny": "FAILED",
        "late, tiny": "FAILED",
    }
    assert "lies outside the data" in runs["late, tiny"].data.tags["segml.error"]
    assert "early" in runs["tiny"].data.tags["segml.failed"]


def test_a_study_that_is_not_valid_leaves_nothing(
    store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "studies", TINY.replace("churn.model", "churn.modle"))
    assert main(words(path, store)) == 2
    assert "variant 'direct': churn.modle: unknown key; did you mean 'model'?" in capsys.readouterr().err
    assert os.listdir(tmp_path / "studies") == ["tiny.yaml"]


def test_a_file_or_an_index_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "give a study's file, or --index and a folder of them" in capsys.readouterr().err


@pytest.mark.slow
def test_a_killed_study_goes_on_after_its_last_finished_variant(
    store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path / "studies")
    kept = tmp_path / "studies" / "tiny" / "variants"
    process = subprocess.Popen(
        [sys.executable, "-m", "segml.experiment", *words(path, store)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 500
    while not list(kept.glob("*.json")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert len(list(kept.glob("*.json"))) == 1

    facts, progress = told(path, store, capsys)
    assert facts["variants"] == {"hazard": "skipped", "direct": "ran"}
    assert "hazard: skipped, finished before" in progress
    _holds_a_full_table(tmp_path / "studies" / "tiny")


@pytest.mark.slow
def test_trainings_are_compared_too(store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
question: Three or four?
command: train
set:
  demo.customers: 200
  churn.boosting.max_iter: 20
  churn.bootstrap: 20
  churn.max_snapshots: 5
  backtest.dates: 1
  segments.clusters.bootstrap: 4
  segments.clusters.candidates: [kmeans]
  segments.interval_resamples: 20
grid: {segments.clusters.kmeans.k: [3, 4]}
"""
    facts, _ = told(written(tmp_path / "studies", text), store, capsys)
    table = pd.read_csv(tmp_path / "studies" / "tiny" / "results.csv").to_dict("records")
    rows = {(row["variant"], row["metric"]): row for row in table}
    assert rows["k=3", "segments/n_clusters"]["value"] == 3
    assert rows["k=4", "segments/n_clusters"]["difference"] == 1
    gain = rows["k=4", "segments/next_period_eta2"]
    assert gain["difference_low"] <= gain["difference"] <= gain["difference_high"]
    runs = runs_of(store)
    assert set(runs) == {"tiny", "k=3, tiny", "k=4, tiny"}
    assert "report.html" in os.listdir(runs["k=3, tiny"].info.artifact_uri.removeprefix("file://"))
    assert facts["metrics"]["k=3"]["segments/n_clusters"] == 3
