"""The model of a run: the folder that was saved, logged as it is and registered; a second time changes nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from segml.tracking.connection import Connection

URI_VARIABLE = "MLFLOW_TRACKING_URI"
MODEL = "model"
"""The name of the logged model; ``runs:/RUN_ID/model`` finds it."""
VERSIONS_TAG = "mlflow.modelVersions"
"""What the UI's page of a logged model shows as its versions."""


def log_model(connection: Connection, folder: Path, *, run_id: str, params: Mapping[str, str]) -> str:
    """Log the folder of a saved model as the model of a run, byte for byte; return the logged model's id."""
    for cache in folder.rglob("__pycache__"):  # left by whoever loaded the model from there
        shutil.rmtree(cache, ignore_errors=True)
    model_id = connection(lambda client: _logged_model(client, connection.experiment_id, run_id, params))
    connection(lambda client: _link(client, run_id, model_id))
    connection(lambda client: client.log_model_artifacts(model_id, str(folder)))
    connection(lambda client: client.finalize_logged_model(model_id, "READY"))
    return model_id


def register(connection: Connection, name: str, *, run_id: str, model_id: str) -> str:
    """Return the version of the logged model in the registry, created if need be."""
    connection(lambda client: _registered_model(client, name))
    version = connection(lambda client: _version(client, name, run_id, model_id, connection.uri))
    shown = json.dumps([{"name": name, "version": version}])
    connection(lambda client: client.set_logged_model_tags(model_id, {VERSIONS_TAG: shown}))
    return version


def _logged_model(client: Any, experiment_id: str, run_id: str, params: Mapping[str, str]) -> str:
    query = f"source_run_id = '{run_id}' and name = '{MODEL}'"
    found = client.search_logged_models([experiment_id], query)
    if found:
        return str(found[0].model_id)
    made = client.create_logged_model(experiment_id, MODEL, source_run_id=run_id, params=dict(params))
    return str(made.model_id)


def _link(client: Any, run_id: str, model_id: str) -> None:
    """Show the model on the run's page; the store would take the same link twice."""
    from mlflow.entities import LoggedModelOutput

    outputs = client.get_run(run_id).outputs
    linked = {output.model_id for output in outputs.model_outputs} if outputs else set()
    if model_id not in linked:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _registered_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _version(client: Any, name: str, run_id: str, model_id: str, uri: str) -> str:
    source = f"models:/{model_id}"
    for version in client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'"):
        if version.source == source:
            return str(version.version)
    with default_store(uri):
        return str(client.create_model_version(name, source, run_id=run_id, model_id=model_id).version)


@contextmanager
def default_store(uri: str) -> Iterator[None]:
    """Make this the store that MLflow turns to where none is named: a registry in a data base does, for a model's id.

    What the user set, by ``mlflow.set_tracking_uri`` or the environment, is as it was afterwards.
    """
    import mlflow

    environment = os.environ.pop(URI_VARIABLE, None)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None  # type: ignore[no-untyped-call]
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None is what it is at first
        if environment is not None:
            os.environ[URI_VARIABLE] = environment
