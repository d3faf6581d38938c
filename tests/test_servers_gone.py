"""Servers that go away in the middle of a command: one message, exit code 2, nothing half-written."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from postgres_server import execute, rows, running_server, stop
from sail import apart
from segml.data import spark_failures
from segml.features.__main__ import main as features

LINES = 100_000
COLUMNS = """
    'customer ' || n % 5000 as customer_id, 'order ' || n / 3 as order_id, 'product ' || n % 997 as product_id,
    timestamp '2023-01-01' + n * interval '10 minutes' as ordered_at, (n % 200 - 5)::float8 as amount, 1.0 as quantity
"""
CLEANING, FEATURES = "cleaning", "features"


@contextmanager
def watched(has_come: Callable[[], bool], act: Callable[[], None]) -> Iterator[None]:
    """Act once something has come while the block runs."""
    failures: list[Exception] = []
    is_over = threading.Event()

    def watch() -> None:
        try:
            while not has_come():
                assert not is_over.is_set(), "the block ended before"
                time.sleep(0.02)
            act()
        except Exception as error:
            failures.append(error)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
    assert not failures, failures


def assert_told(told: str, folder: Path, *words: str) -> None:
    message = told.splitlines()[-1]
    assert message.startswith("segml: error: ")
    assert all(word in message for word in words), message
    assert "Traceback" not in told
    assert list(folder.iterdir()) == []


@pytest.fixture
def postgres() -> Iterator[str]:
    """A server of the test's own, with a table of lines, and a view that takes its time."""
    made = f"as select {COLUMNS} from generate_series(1, {LINES}"
    with running_server() as url:
        execute(url, f"create table lines {made}) as n", "analyze lines", f"create view slow {made} * 10) as n")
        yield url


ACTIVE = "select count(*) > 0 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query"


@pytest.mark.parametrize(
    ("engine", "table", "query"),
    [
        ("duckdb", "slow", "ilike 'copy %'"),
        ("postgres", "lines", "ilike 'insert into \"ibis_cleaning%'"),
        ("postgres", "lines", "~* '^insert into \"ibis_(?!cleaning)'"),
    ],
    ids=["reading", CLEANING, FEATURES],
)
def test_postgresql_goes_away(
    engine: str, table: str, query: str, postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--engine", engine, "--as-of", "2024-06-01", "--output", str(tmp_path / "out.parquet")]
    with watched(lambda: bool(rows(postgres, f"{ACTIVE} {query}")[0][0]), lambda: stop(postgres)):
        code = features([*command, "--set", f"data.transactions={postgres}#{table}"])
    assert code == 2
    words = "the connection broke: see that the server runs, and start the same again"
    assert_told(capsys.readouterr().err, tmp_path, "server closed the connection", words)


@pytest.mark.parametrize("stage", [CLEANING, FEATURES])
def test_spark_goes_away(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spark_failures, "RETRIES", 3)
    scratch, source, folder = (tmp_path / name for name in ("scratch", "lines.parquet", "out"))
    for made in (scratch, folder):
        made.mkdir()
    duckdb.execute(f"copy (select {COLUMNS} from range(1, {LINES}) as t(n)) to '{source}'")

    def has_come() -> bool:
        held = [path.name.split("_")[1] for path in scratch.glob("segml-*/*")]
        return any((name == CLEANING) == (stage == CLEANING) for name in held)

    command = ["--engine", "spark", "--as-of", "2024-06-01", "--output", str(folder / "out.parquet")]
    with apart() as (address, server), watched(has_come, server.kill):
        settings = (f"data.transactions={source}", f"engine.spark=sc://{address}", f"engine.scratch={scratch}")
        code = features([*command, *(part for setting in settings for part in ("--set", setting))])
    assert code == 2
    words = f"the Spark Connect server at sc://{address} went away while it computed"
    assert_told(capsys.readouterr().err, folder, words, "start the same again")
