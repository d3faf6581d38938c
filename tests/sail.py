"""A Sail server in the process, once a test session: it speaks Spark Connect, and starts in a second or two."""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["apart", "sail"]


def sail() -> Any:
    """Return an Ibis backend on a Sail server, the same one for all tests; skip where its packages are not there."""
    pytest.importorskip("pysail", reason="Sail, an engine that speaks Spark Connect, is not installed (pysail)")
    pytest.importorskip("pyspark", reason="the Spark client is not installed (pyspark)")
    return _backend()


@functools.cache
def _backend() -> Any:
    from segml.data import spark

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Spark's client warns of newer pandas, and Sail's of its own age
        # Sail ignores a request to persist.
        return spark.connect(f"sc://{start()}", scratch=tempfile.gettempdir())


@contextmanager
def apart() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield the address of a server in a process of its own, and the process, which a test may kill."""
    pytest.importorskip("pysail", reason="Sail, an engine that speaks Spark Connect, is not installed (pysail)")
    pytest.importorskip("pyspark", reason="the Spark client is not installed (pyspark)")
    code = "import sail, signal; print(sail.start(), flush=True); signal.pause()"
    here = Path(__file__).parent
    with subprocess.Popen([sys.executable, "-c", code], cwd=here, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


@functools.cache
def start() -> str:
    """Return the address of the server, which runs until the process ends."""
    os.environ.setdefault("RUST_LOG", "error")  # it would tell of every session
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    atexit.register(server.stop)
    host, port = server.listening_address
    return f"{host}:{port}"
