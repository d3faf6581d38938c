"""Bad input at the command line: exit code 2, one helpful message, no traceback, nothing half-written."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from segml import train
from segml.config import TrackingConfig
from support import orders

SPARK = ("demo.customers=30", "engine.kind=spark")
Prepare = Callable[[Path], list[str]]


def csv(folder: Path, table: pd.DataFrame, name: str = "orders.csv") -> str:
    table.to_csv(folder / name, index=False)
    return f"data.transactions={folder / name}"


def written(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return f"data.transactions={folder / name}"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unwritable(folder: Path) -> str:
    (folder / "taken").write_text("a file where the folder should be")
    return f"output={folder / 'taken' / 'out'}"


CASES: dict[str, tuple[Prepare, str]] = {
    "missing file": (lambda f: [f"data.transactions={f / 'nowhere.csv'}"], "nowhere.csv"),
    "empty file": (lambda f: [written(f, "orders.csv", b"")], "empty"),
    "header only": (lambda f: [written(f, "orders.csv", b"customer_id,ordered_at,amount\n")], "no rows"),
    "missing column": (lambda f: [csv(f, orders(30, 60).drop(columns="ordered_at"))], "ordered_at"),
    "column mapped twice": (
        lambda f: [csv(f, orders(30, 60)), "data.columns.customer_id=amount", "data.columns.amount=amount"],
        "mapped twice",
    ),
    "mapped to nowhere": (lambda f: [csv(f, orders(30, 60)), "data.columns.customer_id=client"], "client"),
    "all customers null": (lambda f: [csv(f, orders(30, 60).assign(customer_id=None))], "customer_id"),
    "text in all amounts": (lambda f: [csv(f, orders(30, 60).assign(amount="much"))], "much"),
    "text in all dates": (lambda f: [csv(f, orders(30, 60).assign(ordered_at="some day"))], "some day"),
    "day or month first": (lambda f: [csv(f, orders(30, 60).assign(ordered_at="03.04.2024"))], "date_format"),
    "wrong encoding": (
        lambda f: [written(f, "o.csv", "customer_id,ordered_at,amount\nООО Клей,2024-01-01,1\n".encode("cp1251"))],
        "windows-1251",
    ),
    "unreadable Parquet": (lambda f: [written(f, "o.parquet", b"PAR1 but not really")], "Parquet"),
    "unknown kind of file": (lambda f: [written(f, "o.docx", b"PK")], ".docx"),
    "unknown key": (lambda f: ["horizont_days=60"], "did you mean 'horizon_days'"),
    "wrong type": (lambda f: ["horizon_days=long"], "horizon_days"),
    "as-of date before the data": (lambda f: [csv(f, orders(30, 60)), "as_of=2020-01-01"], "lies outside the data"),
    "as-of date after the data": (lambda f: [csv(f, orders(30, 60)), "as_of=2026-01-01"], "lies outside the data"),
    "unwritable output": (lambda f: [unwritable(f)], "taken"),
    "unreachable tracking server": (
        lambda f: [f"tracking.uri=http://127.0.0.1:{closed_port()}", "tracking.timeout_s=2"],
        "does not answer",
    ),
    "only zero amounts": (lambda f: [csv(f, orders(30, 60).assign(amount=0.0))], "amount"),
    "unknown cluster feature": (
        lambda f: [csv(f, orders(30, 400)), "segments.clusters.kmeans.features=[recency_day]"],
        "recency_day",
    ),
    "unknown engine": (lambda f: ["engine.kind=sparc"], "'duckdb', 'spark' or 'postgres'"),
    "memory limit that is no size": (lambda f: ["engine.memory_limit=lots"], "write it as 4GB or 512MB"),
    "scratch that is no folder": (
        lambda f: [unwritable(f).replace("output", "engine.scratch")],
        "cannot hold temporary files",
    ),
    "Spark at no address": (lambda f: [*SPARK, "engine.spark=spark://host:7077"], "must be sc://host:15002, local or"),
    "Spark that does not answer": (
        lambda f: [*SPARK, f"engine.spark=sc://127.0.0.1:{closed_port()}"],
        "no Spark Connect server answers at 127.0.0.1",
    ),
    "PostgreSQL without its address": (
        lambda f: [csv(f, orders(30, 60)), "engine.kind=postgres"],
        "data.transactions must be its address",
    ),
    "PostgreSQL that does not answer": (
        lambda f: [f"data.transactions=postgresql://anna:s3cret@127.0.0.1:{closed_port()}/x#t", "engine.kind=postgres"],
        "postgresql://anna@127.0.0.1",
    ),
}


@pytest.mark.parametrize(("prepare", "words"), CASES.values(), ids=CASES.keys())
def test_bad_input_is_explained_and_leaves_nothing(
    prepare: Prepare,
    words: str,
    store: TrackingConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = [f"tracking.uri={store.uri}", *prepare(tmp_path)]
    code = train.main([part for override in overrides for part in ("--set", override)])
    shown = capsys.readouterr()
    assert code == 2, shown.err
    assert words in " ".join(shown.err.split())
    assert "Traceback" not in shown.err
    assert "a bug in segml" not in shown.err
    assert "s3cret" not in shown.err
    assert shown.out == ""
    left = tmp_path / "outputs"
    assert not left.exists() or os.listdir(left) == []


@pytest.mark.parametrize(
    ("package", "overrides", "extra"),
    [
        ("pyspark.sql", SPARK, "spark"),
        ("psycopg", ("engine.kind=postgres", "data.transactions=postgresql://anna@127.0.0.1/x#t"), "postgres"),
    ],
)
def test_an_engine_without_its_package_says_what_to_install(
    package: str,
    overrides: tuple[str, ...],
    extra: str,
    store: TrackingConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    code = train.main([part for override in (*overrides, f"tracking.uri={store.uri}") for part in ("--set", override)])
    assert code == 2
    assert capsys.readouterr().err.endswith(f": pip install 'segml[{extra}]'\n")


def test_nan_infinite_and_future_lines_are_the_ledgers_business(
    store: TrackingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = orders(30, 200).astype({"amount": "object"})
    table.loc[0, "amount"], table.loc[1, "amount"] = "NaN", "inf"
    table.loc[2, "ordered_at"] = pd.Timestamp("2099-01-01")
    overrides = [csv(tmp_path, table), f"output={tmp_path / 'out'}", f"tracking.uri={store.uri}"]
    code = train.main(["--json", *(part for override in overrides for part in ("--set", override))])
    assert code == 0, capsys.readouterr().err
    quality = pd.read_json(tmp_path / "out" / "quality.json", typ="series")
    assert quality["reconciles"]
    taken = {row["rule"]: row["lines"] for row in quality["rules"] if row["kind"] == "taken" and row["lines"]}
    assert taken == {"bad_amount": 2, "future_date": 1}


def test_a_failed_run_says_why_in_the_tracking_store(
    store: TrackingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.chdir(tmp_path)
    train.main(["--set", f"tracking.uri={store.uri}", "--set", "data.transactions=nowhere.csv"])
    client = MlflowClient(str(store.uri))
    experiment = client.get_experiment_by_name("segml")
    assert experiment is not None
    run = client.search_runs([experiment.experiment_id])[0]
    assert run.info.status == "FAILED"
    assert "nowhere.csv" in run.data.tags["segml.error"]
