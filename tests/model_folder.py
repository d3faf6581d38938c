"""The registered model as MLflow's own programs see it: a folder, a server on the loopback, a command."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from segml import store
from segml.serving_model import ARTIFACT, CODE, METADATA, digest_of_code
from segml.tracking import default_store

MLFLOW = str(Path(sys.executable).with_name("mlflow"))
STARTS_WITHIN = 300
"""Seconds; it takes ten on a machine with nothing else to do."""

WITHOUT_PICKLES = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}


def scorer_of(folder: Path) -> Path:
    """The stored scorer of a model's folder."""
    return folder / "artifacts" / ARTIFACT


def changed(folder: Path, **changes: Any) -> str:
    """Write other values into the manifest of a stored scorer; return its SHA-256."""
    path = folder / store.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    return store._sha256(path.read_bytes())


def with_versions(folder: Path, **versions: str) -> str:
    """Have a stored scorer be trained with other versions; return the SHA-256 of the manifest."""
    manifest = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))
    named = {name.replace("_", "-"): version for name, version in versions.items()}
    return changed(folder, versions=manifest["versions"] | named)


def resealed(folder: Path) -> None:
    """Write the checksums of a model's folder anew, as one does who rewrites all of it."""
    from mlflow.models import Model

    model = Model.load(str(folder))
    assert model.metadata is not None
    model.metadata[METADATA] |= {
        "manifest_sha256": store._sha256((scorer_of(folder) / store.MANIFEST).read_bytes()),
        "code_sha256": digest_of_code(folder / CODE),
    }
    model.save(str(folder / "MLmodel"))


def copied(folder: Path, place: Path) -> Path:
    """A model's folder to change."""
    return Path(shutil.copytree(folder, place / "model", ignore=shutil.ignore_patterns("__pycache__")))


def registered(folder: Path, uri: str) -> str:
    """Log a model's folder to a tracking store and register it as ``segml``, champion; return its run."""
    import mlflow

    with default_store(uri):
        with mlflow.start_run() as run:
            mlflow.log_artifacts(str(folder), "model")
        version = mlflow.register_model(f"runs:/{run.info.run_id}/model", "segml").version
        mlflow.MlflowClient().set_registered_model_alias("segml", "champion", version)
    return str(run.info.run_id)


@contextmanager
def served(folder: Path, log: Path) -> Iterator[str]:
    """The address of ``mlflow models serve`` on a model's folder, on a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [MLFLOW, "models", "serve", "-m", str(folder), "-h", "127.0.0.1", "-p", str(port), "-w", "1"]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [*command, "--env-manager", "local"],
            stdout=file,
            stderr=file,
            start_new_session=True,
            env=_environment(WITHOUT_PICKLES),
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/ping", server, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)


def predicted(folder: Path, file: Path, kind: str) -> subprocess.CompletedProcess[str]:
    """What ``mlflow models predict`` says to a file."""
    command = [MLFLOW, "models", "predict", "-m", str(folder), "-i", str(file), "-t", kind, "--env-manager", "local"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_environment(WITHOUT_PICKLES))


def _environment(further: Mapping[str, str]) -> dict[str, str]:
    """The activated environment of a user: without what segml's own commands set."""
    ours = ("MLFLOW_DISABLE_SCHEMA_DETAILS", "MLFLOW_LOGGING_LEVEL", "PYTHONPATH")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # MLflow looks for uvicorn there
    return {name: value for name, value in os.environ.items() if name not in ours} | {"PATH": path, **further}


def _wait_for(page: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text(errors="replace")
        try:
            if requests.get(page, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    raise TimeoutError(log.read_text(errors="replace"))
