"""A real MLflow server for the tests, on loopback: runs in PostgreSQL, artifacts through its proxy.

The fixture is ``mlflow_server``. It may be killed and started again, at the same address.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

from postgres_server import free_port, new_database
from segml.config import TrackingConfig

START_S = 300


class MlflowServer:
    """One server, which may be killed and started again, or made to hang for a while."""

    def __init__(self, database: str, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._database = database.replace("postgresql://", "postgresql+psycopg://")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def config(self, **settings: object) -> TrackingConfig:
        return TrackingConfig.model_validate({"uri": self.uri, **settings})

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1", "--serve-artifacts"]
        words += ["--artifacts-destination", str(self.folder / "artifacts")]
        settings = {
            "MLFLOW_BACKEND_STORE_URI": self._database,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words],
                cwd=self.folder,
                env={**os.environ, **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_S
        while not self._answers():
            is_hopeless = self._process.poll() is not None or time.monotonic() > until
            assert not is_hopeless, (self.folder / "log").read_text()
            time.sleep(0.2)

    def kill(self) -> None:
        """End it and its workers at once, as in a power cut; does nothing when it is down."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let it hang: what is sent to it waits, and arrives when it goes on."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


@contextmanager
def running_mlflow(postgres_url: str) -> Iterator[MlflowServer]:
    """Yield a fresh server on an empty data base of its own."""
    pytest.importorskip("psycopg", reason="a driver of PostgreSQL is not installed (psycopg)")
    with tempfile.TemporaryDirectory(prefix="segml-mlflow-") as folder:
        server = MlflowServer(new_database(postgres_url, f"mlflow_{os.getpid()}"), Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.kill()
