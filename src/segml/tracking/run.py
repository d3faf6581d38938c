"""One MLflow run: its parameters, metrics, artifacts and model, as a context manager."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock

from segml.config import TrackingConfig
from segml.schema import InputError, TrackingError
from segml.tracking.address import check_reachable, sqlite_path
from segml.tracking.entities import TAG_LENGTH, entities, log_batches
from segml.tracking.errors import as_tracking_errors, unreachable

MODEL_NAME = "segml"


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

        with as_tracking_errors(self.uri):
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
                raise TrackingError(unreachable(self.uri, failure)) from None

    def log(
        self, params: Mapping[str, Any] | None = None, metrics: Mapping[str, float] | None = None, **tags: str
    ) -> None:
        """Log parameters, metrics and tags in as few calls as the store allows."""
        from mlflow import MlflowClient

        client, logged = MlflowClient(self.uri), entities(params or {}, metrics or {}, tags)
        with as_tracking_errors(self.uri):
            log_batches(client, self.run_id, *logged)

    def log_child(self, name: str, params: Mapping[str, Any], metrics: Mapping[str, float], **tags: str) -> None:
        """Log one of several alternatives as a finished run nested under this one."""
        from mlflow import MlflowClient

        client, logged = MlflowClient(self.uri), entities(params, metrics, tags)
        with as_tracking_errors(self.uri):
            parent = {"mlflow.parentRunId": self.run_id, "mlflow.source.name": "segml"}
            child = client.create_run(self.experiment_id, run_name=f"{self.name}: {name}", tags=parent)
            log_batches(client, child.info.run_id, *logged)
            client.set_terminated(child.info.run_id, "FINISHED")

    def log_data(self, *, name: str, digest: str) -> None:
        """Record which data went in: its name and our digest over all rows (MLflow's own covers the first 10,000)."""
        import mlflow
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        with as_tracking_errors(self.uri):
            dataset = MetaDataset(  # type: ignore[abstract]  # `profile` is abstract for mypy only
                CodeDatasetSource(tags={"name": name}), name=name[:500], digest=digest
            )
            mlflow.log_input(dataset, context="training")

    def log_files(self, folder: Path, files: list[str]) -> None:
        """Upload files of the output folder under their own names."""
        import mlflow

        with as_tracking_errors(self.uri):
            for file in files:
                mlflow.log_artifact(str(folder / file))

    def log_model(self, log: Callable[[str | None], Any], *, register: bool) -> None:
        """Log the model with ``log(registered_model_name)``; keep the version that the registry gave it."""
        with as_tracking_errors(self.uri):
            info = log(MODEL_NAME if register else None)
        self.model_version = str(info.registered_model_version or "")

    def _experiment(self) -> str:
        if not self.uri.startswith("sqlite:"):
            return _experiment_id(self.config.experiment, None)
        path = sqlite_path(self.uri)
        with FileLock(f"{path}.lock"):  # two processes that create one store at once would break each other
            return _experiment_id(self.config.experiment, (path.parent / "mlartifacts").as_uri())

    def _quieten_retries(self) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(self.config.timeout_s))


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


def _reason(error: BaseException) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
