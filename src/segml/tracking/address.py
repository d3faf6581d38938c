"""Where runs are tracked: the store's address, its pages, and whether anything answers there."""

from __future__ import annotations

import os
from pathlib import Path

import requests

from segml.config import TrackingConfig
from segml.schema import TrackingError
from segml.tracking.errors import DEFAULT_URI, unreachable

LOCAL_UI = "http://127.0.0.1:5000"


def store_uri(config: TrackingConfig) -> str:
    """Return the tracking URI: the config's, else MLFLOW_TRACKING_URI, else a SQLite file in this folder."""
    uri = config.uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri.startswith("sqlite:"):
        return f"sqlite:///{sqlite_path(uri)}"
    return uri


def ui_command(uri: str) -> str:
    """Return the shell command that serves the MLflow UI on this store; empty where a server does so already."""
    return "" if uri.startswith("http") else f"mlflow ui --backend-store-uri {uri}"


def check_reachable(config: TrackingConfig) -> str:
    """Return the tracking URI, or raise ``TrackingError`` when nothing answers there or nothing can be written."""
    uri = store_uri(config)
    if uri.startswith(("http://", "https://")):
        _check_server(uri, config.timeout_s)
    elif uri.startswith("sqlite:"):
        _check_folder(sqlite_path(uri).parent)
    return uri


def ui_page(uri: str, experiment_id: str, run_id: str) -> str:
    """Return the address of a run's page: on its server, or where ``ui_command`` serves a local store."""
    server = uri.rstrip("/") if uri.startswith("http") else LOCAL_UI
    return f"{server}/#/experiments/{experiment_id}/runs/{run_id}"


def sqlite_path(uri: str) -> Path:
    """Return the file of a SQLite store."""
    return Path(uri.removeprefix("sqlite:///")).expanduser().absolute()


def _check_server(uri: str, timeout_s: int) -> None:
    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=timeout_s)
    except requests.RequestException as error:
        raise TrackingError(unreachable(uri, error)) from None
    if answer.status_code >= 500:
        raise TrackingError(unreachable(uri, RuntimeError(f"HTTP {answer.status_code}")))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrackingError(f"the folder {folder} of the tracking store cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise TrackingError(
            f"the folder {folder} of the tracking store is not writable; run from another folder, or set tracking.uri"
        )
