"""Opening Spark: what is taken for an address, and what is said where nothing answers."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sail import sail, start
from segml.config import EngineConfig
from segml.data import connect_engine, spark, spark_tables
from segml.schema import DataError


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_configuration_opens_a_session_in_utc(tmp_path: Path) -> None:
    sail()
    settings = EngineConfig(kind="spark", spark=f"sc://{start()}", scratch=str(tmp_path))
    backend = connect_engine(settings)
    session = spark_tables.session(backend)
    assert spark_tables.is_spark(backend)
    assert session.conf.get("spark.sql.session.timeZone") == "UTC"
    assert session.conf.get(spark_tables.SCRATCH).startswith(f"{tmp_path}/segml-")
    assert spark_tables.session(spark.connect(session)) is session
    backend.disconnect()


def test_an_address_must_be_one() -> None:
    pytest.importorskip("pyspark")
    with pytest.raises(DataError, match=r"must be sc://host:15002, local or local\[4\]; found 'yarn'"):
        spark.connect("yarn")


def test_a_port_where_nothing_listens() -> None:
    pytest.importorskip("pyspark")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(
        DataError, match=rf"no Spark Connect server answers at 127\.0\.0\.1:{port} .*check engine\.spark"
    ):
        spark.connect(f"sc://127.0.0.1:{port}")


def test_a_server_that_never_answers(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sail()  # which has imported the client: that takes long the first time
    monkeypatch.setattr(spark, "SESSION_S", 1.0)
    with pytest.raises(DataError, match=rf"at 127\.0\.0\.1:{silent_port} opens no session: no session within 1 s"):
        spark.connect(f"sc://127.0.0.1:{silent_port}")


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"needs Java 17 or later; found none in JAVA_HOME .*: install it"):
        spark.connect("local")


def test_an_old_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(DataError, match="needs Java 17 or later; found 11: install it"):
        spark.connect("local")


def test_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(DataError, match=r"Spark needs its client: pip install 'segml\[spark\]'"):
        spark.connect("local")


BUSY = """
    import subprocess, sys, threading

    import sail

    session = sail.sail()
    done = threading.Event()

    def talk():
        while not done.is_set():
            session.raw_sql("SELECT 1").collect()

    talking = threading.Thread(target=talk)
    talking.start()
    # Spark starts its Java with a function to run in between, and so by a fork.
    codes = [subprocess.run([sys.executable, "-c", ""], preexec_fn=int).returncode for _ in range(100)]
    done.set()
    talking.join()
    print(sorted(set(codes)))
"""
"""Starts processes while a server is talked to."""


@pytest.mark.slow
def test_processes_start_while_a_server_is_talked_to() -> None:
    pytest.importorskip("pysail")
    free = {name: value for name, value in os.environ.items() if name != spark.FORKS}
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BUSY)],
        env={**free, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.stdout.split("\n")[0] == "[0]", done.stdout + done.stderr
