"""The only importer of MLflow: one run with its parameters, metrics, artifacts and model.

``import mlflow`` takes seconds, so it happens inside the functions, when a run is really begun.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from filelock import FileLock

from segml.config import TrackingConfig, without_secrets
from segml.schema import InputError, TrackingError

DEFAULT_URI = "sqlite:///mlflow.db"
LOCAL_UI = "http://127.0.0.1:5000"
MODEL_NAME = "segml"
PARAM_LENGTH = 500
PARAMS_PER_BATCH = 100
TAG_LENGTH = 5000


def store_uri(config: TrackingConfig) -> str:
    """Return the tracking URI: the config's, else MLFLOW_TRACKING_URI, else a SQLite file in this folder."""
    uri = config.uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    if uri.startswith("sqlite:"):
        return f"sqlite:///{_sqlite_path(uri)}"
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
        _check_folder(_sqlite_path(uri).parent)
    return uri


def ui_page(uri: str, experiment_id: str, run_id: str) -> str:
    """Return the address of a run's page: on its server, or where ``ui_command`` serves a local store."""
    server = uri.rstrip("/") if uri.startswith("http") else LOCAL_UI
    return f"{server}/#/experiments/{experiment_id}/runs/{run_id}"


class Run:
    """One MLflow run as a context manager; leaves it FINISHED, or FAILED with the reason as the tag ``segml.error``."""

    def __init__(self, config: TrackingConfig, *, name: str, tags: Mapping[str, str]) -> None:
        self.config = config
        self.name = name
        self.tags = dict(tags)
        self.uri = check_reachable(config)
        self.run_id = ""
        self.experiment_id = ""
        self.model_version = ""

    def __enter__(self) -> Run:
        self._quieten_retries()
        import mlflow

        with _as_tracking_errors(self.uri):
            mlflow.set_tracking_uri(self.uri)
            self.experiment_id = self._experiment()
            run = mlflow.start_run(experiment_id=self.experiment_id, run_name=self.name, tags=self.tags)
        self.run_id = run.info.run_id
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import mlflow

        try:
            if error is not None:
                mlflow.set_tag("segml.error", _reason(error)[:TAG_LENGTH])
            mlflow.end_run("FINISHED" if error is None else "FAILED")
        except Exception as failure:  # the store is gone: the first error tells more than this one
            if error is None:
                raise TrackingError(_unreachable(self.uri, failure)) from None

    def log(
        self, params: Mapping[str, Any] | None = None, metrics: Mapping[str, float] | None = None, **tags: str
    ) -> None:
        """Log parameters, metrics and tags in as few calls as the store allows."""
        from mlflow import MlflowClient

        client, entities = MlflowClient(self.uri), _entities(params or {}, metrics or {}, tags)
        with _as_tracking_errors(self.uri):
            _log_batches(client, self.run_id, *entities)

    def log_child(self, name: str, params: Mapping[str, Any], metrics: Mapping[str, float], **tags: str) -> None:
        """Log one of several alternatives as a finished run nested under this one."""
        from mlflow import MlflowClient

        client, entities = MlflowClient(self.uri), _entities(params, metrics, tags)
        with _as_tracking_errors(self.uri):
            parent = {"mlflow.parentRunId": self.run_id, "mlflow.source.name": "segml"}
            child = client.create_run(self.experiment_id, run_name=f"{self.name}: {name}", tags=parent)
            _log_batches(client, child.info.run_id, *entities)
            client.set_terminated(child.info.run_id, "FINISHED")

    def log_data(self, *, name: str, digest: str) -> None:
        """Record which data went in: its name and our digest over all rows (MLflow's own covers the first 10,000)."""
        import mlflow
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        with _as_tracking_errors(self.uri):
            dataset = MetaDataset(  # type: ignore[abstract]  # `profile` is abstract for mypy only
                CodeDatasetSource(tags={"name": name}), name=name[:500], digest=digest
            )
            mlflow.log_input(dataset, context="training")

    def log_files(self, folder: Path, files: list[str]) -> None:
        """Upload files of the output folder under their own names."""
        import mlflow

        with _as_tracking_errors(self.uri):
            for file in files:
                mlflow.log_artifact(str(folder / file))

    def log_model(self, log: Callable[[str | None], Any], *, register: bool) -> None:
        """Log the model with ``log(registered_model_name)``; keep the version that the registry gave it."""
        with _as_tracking_errors(self.uri):
            info = log(MODEL_NAME if register else None)
        self.model_version = str(info.registered_model_version or "")

    def _experiment(self) -> str:
        if not self.uri.startswith("sqlite:"):
            return _experiment_id(self.config.experiment, None)
        path = _sqlite_path(self.uri)
        with FileLock(f"{path}.lock"):  # two processes that create one store at once would break each other
            return _experiment_id(self.config.experiment, (path.parent / "mlartifacts").as_uri())

    def _quieten_retries(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(self.config.timeout_s))


def _entities(
    params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> tuple[list[Any], list[Any], list[Any]]:
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    return (
        [Param(key, _short(value)) for key, value in params.items()],
        [Metric(key, float(value), now, 0) for key, value in metrics.items()],
        [RunTag(f"segml.{key}", value[:TAG_LENGTH]) for key, value in tags.items()],
    )


def _log_batches(client: Any, run_id: str, params: list[Any], metrics: list[Any], tags: list[Any]) -> None:
    client.log_batch(run_id, metrics=metrics, params=params[:PARAMS_PER_BATCH], tags=tags)
    for start in range(PARAMS_PER_BATCH, len(params), PARAMS_PER_BATCH):
        client.log_batch(run_id, params=params[start : start + PARAMS_PER_BATCH])


def _experiment_id(name: str, artifact_location: str | None) -> str:
    from mlflow import MlflowClient

    client = MlflowClient()
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, artifact_location=artifact_location))
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"experiment {name!r} was deleted in the tracking store; restore it with "
            f"`mlflow experiments restore --experiment-id {found.experiment_id}`, or set another tracking.experiment"
        )
    return str(found.experiment_id)


def _sqlite_path(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///")).expanduser().absolute()


def _check_server(uri: str, timeout_s: int) -> None:
    try:
        answer = requests.get(f"{uri.rstrip('/')}/health", timeout=timeout_s)
    except requests.RequestException as error:
        raise TrackingError(_unreachable(uri, error)) from None
    if answer.status_code >= 500:
        raise TrackingError(_unreachable(uri, RuntimeError(f"HTTP {answer.status_code}")))


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrackingError(f"the folder {folder} of the tracking store cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise TrackingError(
            f"the folder {folder} of the tracking store is not writable; run from another folder, or set tracking.uri"
        )


@contextmanager
def _as_tracking_errors(uri: str) -> Iterator[None]:
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, requests.RequestException, OSError) as error:
        raise TrackingError(_unreachable(uri, error)) from error


def _unreachable(uri: str, error: BaseException) -> str:
    first_line = str(error).strip().split("\n")[0]
    return (
        f"the MLflow tracking store {without_secrets(uri)} does not answer as it should "
        f"({type(error).__name__}: {first_line}); "
        "start the server, or set tracking.uri (or MLFLOW_TRACKING_URI) to a store that works, "
        f"for instance --set tracking.uri={DEFAULT_URI}"
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= PARAM_LENGTH else f"{text[: PARAM_LENGTH - 1]}…"
