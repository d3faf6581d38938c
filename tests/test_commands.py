"""The commands as people run them: in a process of their own, on the real thing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.artifacts import STAGING_PREFIX
from segml.config import TrackingConfig
from support import SMALL, orders

PROMISED = {
    "config.yaml",
    "quality.json",
    "features.parquet",
    "decisions.parquet",
    "profiles.csv",
    "backtest.parquet",
    "report.html",
    "model",
}


def command(name: str, *arguments: str, overrides: tuple[str, ...] = ()) -> list[str]:
    return [
        sys.executable,
        "-m",
        f"segml.{name}",
        *arguments,
        *(part for value in overrides for part in ("--set", value)),
    ]


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.slow
def test_train_without_arguments_leaves_everything_it_promises(tmp_path: Path) -> None:
    done = run(tmp_path, *command("train"))
    assert done.returncode == 0, done.stderr
    assert set(os.listdir(tmp_path / "outputs")) >= PROMISED
    assert set(os.listdir(tmp_path)) == {"outputs", "mlflow.db", "mlflow.db.lock", "mlartifacts"}
    for word in ("report.html", "mlflow ui --backend-store-uri", "Pareto/NBD", "Call first"):
        assert word in done.stdout
    decisions = pd.read_parquet(tmp_path / "outputs" / "decisions.parquet")
    assert len(decisions) > 1500
    assert "evaluation out of time" in done.stderr


@pytest.mark.slow
def test_the_same_config_and_seed_give_identical_files_on_one_thread_and_on_two(tmp_path: Path) -> None:
    for threads in ("1", "2"):
        overrides = (*SMALL, f"threads={threads}", f"output=out{threads}")
        done = run(tmp_path, *command("train", overrides=overrides), OMP_NUM_THREADS=threads)
        assert done.returncode == 0, done.stderr
    for name in ("decisions", "features", "backtest"):
        one, two = (pd.read_parquet(tmp_path / f"out{threads}" / f"{name}.parquet") for threads in "12")
        assert_frame_equal(one, two, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGINT, 130)])
def test_a_stop_signal_leaves_a_failed_run_and_no_file(
    number: signal.Signals, code: int, store: TrackingConfig, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    overrides = (f"tracking.uri={store.uri}", f"output={tmp_path / 'out'}")
    words = command("train", overrides=overrides)
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        while "cleaning" not in process.stderr.readline():
            pass
        time.sleep(1.0)
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == code, rest
    assert "Traceback" not in rest
    assert [name for name in os.listdir(tmp_path / "out") if not name.startswith(STAGING_PREFIX)] == []
    client = MlflowClient(str(store.uri))
    experiment = client.get_experiment_by_name("segml")
    assert experiment is not None
    assert [found.info.status for found in client.search_runs([experiment.experiment_id])] == ["FAILED"]


@pytest.mark.slow
@pytest.mark.parametrize("customers", [1, 19])
def test_thin_input_is_no_error(customers: int, store: TrackingConfig, tmp_path: Path) -> None:
    orders(customers, 400).to_csv(tmp_path / "orders.csv", index=False)
    overrides = ("data.transactions=orders.csv", f"tracking.uri={store.uri}")
    done = run(tmp_path, *command("train", overrides=overrides))
    assert done.returncode == 0, done.stderr
    assert f"no scores: {customers} customer" in done.stdout
    assert set(os.listdir(tmp_path / "outputs")) >= PROMISED


@pytest.mark.slow
def test_online_retail_ii_reaches_what_was_measured_before(
    shared_data: Path, store: TrackingConfig, tmp_path: Path
) -> None:
    overrides = (f"tracking.uri={store.uri}", f"output={tmp_path}")
    config = Path(__file__).resolve().parents[1] / "configs" / "online_retail_ii.yaml"
    dates = ("2011-03-13", "2011-06-12", "2011-09-11")
    words = command("backtest", "--json", "--config", str(config), "--as-of", *dates, overrides=overrides)
    done = run(tmp_path, *words, SEGML_DATA_HOME=str(shared_data))
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["churn/roc_auc"] >= 0.77
    assert metrics["churn/roc_auc"] > metrics["baseline/pareto_nbd_churn_roc_auc"]
    assert metrics["stagnation/roc_auc"] >= 0.68
    table = pd.read_parquet(tmp_path / "backtest.parquet")
    promised = "customer_id as_of churned stagnated p_churn p_stagnation run_rate lost_revenue recency_days"
    assert {*promised.split(), "recency_to_gap", "pareto_nbd_p_churn"} <= set(table.columns)
    assert table["as_of"].dt.date.astype(str).unique().tolist() == list(dates)


@pytest.mark.slow
def test_features_are_written_for_several_dates(tmp_path: Path) -> None:
    dates = ("2025-01-01", "2025-06-01")
    words = command("features", "--as-of", *dates, "--output", "features.parquet", overrides=SMALL)
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    table = pd.read_parquet(tmp_path / "features.parquet")
    assert table["as_of"].dt.date.astype(str).unique().tolist() == list(dates)


@pytest.mark.slow
def test_features_keep_to_a_limit_of_memory_and_say_so(tmp_path: Path) -> None:
    flags = ("--memory-limit", "1GB", "--scratch", "temporary", "--engine", "duckdb", "--json")
    words = command("features", "--as-of", "2025-06-01", "--output", "features.parquet", *flags, overrides=SMALL)
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["rows"] == len(pd.read_parquet(tmp_path / "features.parquet"))
    assert (facts["as_of"], facts["buckets"], facts["memory_limit"]) == (1, 1, "1.00 GB")
    assert sorted(os.listdir(tmp_path)) == ["features.parquet", "temporary"]
    assert os.listdir(tmp_path / "temporary") == []


@pytest.mark.slow
def test_a_limit_of_memory_that_is_none_is_told(tmp_path: Path) -> None:
    words = command("features", "--as-of", "2025-06-01", "--output", "features.parquet", "--memory-limit", "1MB")
    done = run(tmp_path, *words)
    assert done.returncode == 2
    assert "'1MB' is too little memory; give at least 100MB" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_the_data_commands_check_and_simulate(tmp_path: Path) -> None:
    simulated = run(tmp_path, *command("data", "simulate", "--output", "world", overrides=SMALL))
    assert simulated.returncode == 0, simulated.stderr
    source = f"data.transactions={tmp_path / 'world' / 'transactions.parquet'}"
    checked = run(tmp_path, *command("data", "check", "--json", "--taken", "taken.parquet", overrides=(source,)))
    assert checked.returncode == 0, checked.stderr
    ledger = json.loads(checked.stdout)
    assert ledger["reconciles"]
    assert len(pd.read_parquet(tmp_path / "taken.parquet")) == ledger["totals"]["taken"]["lines"]


@pytest.mark.slow
def test_fetch_uses_what_is_there_already(shared_data: Path, tmp_path: Path) -> None:
    done = run(tmp_path, *command("data", "fetch", "online_retail_ii", "--json"), SEGML_DATA_HOME=str(shared_data))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == str(shared_data / "online_retail_ii.parquet")


@pytest.mark.slow
def test_each_way_to_cluster_is_a_run_below_the_training_with_the_same_metrics(
    store: TrackingConfig, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    overrides = (*SMALL, "segments.clusters.candidates=[kmeans,hdbscan]", f"tracking.uri={store.uri}")
    done = run(tmp_path, *command("train", overrides=overrides))
    assert done.returncode == 0, done.stderr
    client = MlflowClient(str(store.uri))
    experiment = client.get_experiment_by_name("segml")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    children = [found for found in runs if "mlflow.parentRunId" in found.data.tags]
    (parent,) = [found for found in runs if found not in children]
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    table = pd.read_csv(tmp_path / "outputs" / "clusters.csv", encoding="utf-8-sig").query("algorithm != 'rule'")
    logged = {(child.data.params["algorithm"], float(child.data.params["size"])): child.data for child in children}
    assert set(logged) == set(zip(table["algorithm"], table["size"], strict=True))
    for _, row in table.iterrows():
        figures = logged[row["algorithm"], row["size"]].metrics
        assert figures["segments/min_jaccard"] == pytest.approx(row["min_jaccard"])
        assert figures["segments/next_period_eta2"] == pytest.approx(row["tested_eta2"])
        assert set(figures) <= set(parent.data.metrics)
    (chosen,) = [data for data in logged.values() if data.params["is_chosen"] == "True"]
    assert chosen.metrics.items() <= parent.data.metrics.items()
