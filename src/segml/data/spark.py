"""Spark as an engine: a session that runs, a Spark Connect server, or Spark in this process."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from segml.data import spark_failures, spark_tables
from segml.data.spark_tables import SCRATCH
from segml.schema import DataError, first_line

LOCAL = re.compile(r"local(?:\[(\d+|\*)\])?")
ENVIRONMENT = "SPARK_REMOTE"
CONNECT_MODE = "SPARK_CONNECT_MODE_ENABLED"  # Spark's client sets it with the first session at a server
CONNECT_PORT = 15002
ANSWER_S = 10.0
"""How long a server may take to accept a connection."""

SESSION_S = 120.0
"""How long it may take to open a session: a cluster may have to start first."""

CLEAR_S = 60.0
"""How long the end of the process may wait for a cluster to remove what was kept there."""

FORKS = "GRPC_ENABLE_FORK_SUPPORT"
"""Read by gRPC, which Spark Connect speaks, when it is loaded: what it does at a fork aborts or hangs about one of
twenty processes that are started while it is at work, such as the Java of Spark in this process."""

OLDEST_JAVA = 17
_JAVA_VERSION = re.compile(r'version "(\d+)')
_KEY = "engine.spark"
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


def connect(address: Any = None, *, scratch: str | None = None, threads: int | None = None) -> Any:
    """Return an Ibis backend on Spark, with UTC as the session's time zone.

    Parameters
    ----------
    address : a SparkSession; ``sc://host:15002`` of a Spark Connect server; ``local`` or ``local[4]`` for Spark in this
        process, reachable from this machine only. None is the session that is active, as under ``spark-submit``; else
        the address in ``$SPARK_REMOTE``; else ``local``
    scratch : a folder that the whole cluster sees, for what is read many times; a folder of the session's own is made
        in it, and removed when the process ends. None keeps such tables in the executors; Spark in this process takes
        a temporary folder. A session keeps the first
    threads : of Spark in this process; None is all processors

    Raises
    ------
    DataError : Spark's client or Java is not there, the address is none, or no server answers at it
    """
    session = _session(address, threads)
    from segml.data import spark_backend

    session.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
    folder = _scratch_folder(session, scratch)
    if folder is not None:
        session.conf.set(SCRATCH, folder)
        atexit.register(_clear, session, folder)
    return spark_backend.wrap(session)


def _session(address: Any, threads: int | None) -> Any:
    spark = _client()
    if address is not None and not isinstance(address, str):
        return address
    running = spark.getActiveSession() if address is None else None
    if running is not None:
        return running
    if address is None and "PYSPARK_GATEWAY_PORT" in os.environ:  # spark-submit has settled everything
        return spark.builder.getOrCreate()
    wanted = address or os.environ.get(ENVIRONMENT) or "local"
    if wanted.startswith("sc://"):
        return _remote(spark, wanted)
    local = LOCAL.fullmatch(wanted)
    if not local:
        raise DataError(f"{_KEY} must be sc://host:{CONNECT_PORT}, local or local[4]; found {wanted!r}")
    return _local(spark, local[1] or str(threads or "*"))


def _client() -> Any:
    os.environ.setdefault(FORKS, "0")
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise DataError("Spark needs its client: pip install 'segml[spark]'") from None
    return SparkSession


def _local(spark: Any, threads: str) -> Any:
    """Return Spark in this process; a session that runs already is taken as it is."""
    _require_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers would run the first python3 of the path
    settings = {**_LOOPBACK, **_QUIET}
    if threads != "*":
        settings["spark.sql.shuffle.partitions"] = threads  # 200 tasks by default, whatever the size
    builder = spark.builder.master(f"local[{threads}]").appName("segml")
    for key, value in settings.items():
        builder = builder.config(key, value)
    with _without(ENVIRONMENT, CONNECT_MODE):
        return builder.getOrCreate()


@contextlib.contextmanager
def _without(*variables: str) -> Iterator[None]:
    """Hide environment variables: Spark would prefer a server's address, or ask for one after another session's."""
    found = {name: value for name in variables if (value := os.environ.pop(name, None)) is not None}
    try:
        yield
    finally:
        os.environ.update(found)


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    needed = f"Spark in this process needs Java {OLDEST_JAVA} or later"
    remedy = f"install it and set JAVA_HOME, or name a Spark Connect server in {_KEY}"
    if java is None or not Path(java).is_file():
        raise DataError(f"{needed}; found none{f' in JAVA_HOME {home}' if home else ''}: {remedy}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = _JAVA_VERSION.search(told.stderr + told.stdout)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise DataError(f"{needed}; found {version[1] if version else 'one that does not tell its version'}: {remedy}")


def _remote(spark: Any, address: str) -> Any:
    where = _require_answer(address)
    try:
        session = _within(SESSION_S, lambda: _opened(spark, address), where)
    except ImportError as error:
        raise DataError(f"Spark Connect needs its client ({error}): pip install 'segml[spark]'") from None
    atexit.register(_stop, session)  # else the server keeps it, and what it holds, until it is tired of waiting
    return session


def _require_answer(address: str) -> str:
    """Return host and port of a server that accepts connections: Spark's client would try for many minutes."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or CONNECT_PORT
    except ValueError:
        host, port = None, CONNECT_PORT
    if host is None:
        raise DataError(f"{_KEY} must be sc://host:{CONNECT_PORT}; found {address.partition(';')[0]!r}")
    try:
        socket.create_connection((host, port), timeout=ANSWER_S).close()
    except OSError as error:
        raise DataError(
            f"no Spark Connect server answers at {host}:{port} ({error.strerror or error}); check {_KEY}, and that the "
            "server runs (sbin/start-connect-server.sh)"
        ) from None
    return f"{host}:{port}"


def _opened(spark: Any, address: str) -> Any:
    session = spark.builder.remote(address).create()
    spark_failures.wait_less(session)
    session.sql("select 1").collect()
    return session


def _within(seconds: float, work: Callable[[], Any], where: str) -> Any:
    """Return what the work returns; it may hang for ever, so it has a thread that need not end."""
    outcome: list[Any] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            failure.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if outcome:
        return outcome[0]
    if failure and isinstance(failure[0], ImportError):
        raise failure[0]
    reason = first_line(failure[0]) if failure else f"no session within {seconds:.0f} s"
    raise DataError(f"the Spark Connect server at {where} opens no session: {reason}")


def _stop(session: Any) -> None:
    with contextlib.suppress(Exception):  # the server may be gone
        session.stop()


def _scratch_folder(session: Any, scratch: str | None) -> str | None:
    """Return a new folder for a session that has none yet, where there is to be one."""
    if session.conf.get(SCRATCH, None) is not None:
        return None
    if scratch is not None:
        return f"{scratch.rstrip('/')}/segml-{uuid.uuid4().hex}"
    is_in_process = "connect" not in type(session).__module__ and session.conf.get("spark.master").startswith("local")
    return tempfile.mkdtemp(prefix="segml-spark-") if is_in_process else None


def _clear(session: Any, folder: str) -> None:
    """Remove the scratch folder; where only the cluster sees it, leave an empty table in its place."""
    if Path(folder).is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(Exception):
        _within(CLEAR_S, lambda: spark_tables.empty(session, folder), folder)
