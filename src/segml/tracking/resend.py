"""Sending what was left unsent: to the run that was begun, where the store knows it, else to a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segml.config import TrackingConfig
from segml.schema import TrackingError
from segml.tracking.connection import Connection
from segml.tracking.process import process_tag
from segml.tracking.sending import Target
from segml.tracking.unsent import UNSENT, Unsent


@dataclass(frozen=True)
class Sent:
    """The run that now holds the record, and the version that the registry gave its model, if any."""

    uri: str
    experiment_id: str
    run_id: str
    model_version: str


def resend(unsent: Unsent, folder: Path, config: TrackingConfig, say: Callable[[str], None]) -> Sent:
    """Send a record and its files. Sent twice, it is there once.

    Raises
    ------
    TrackingError : the store does not answer, or holds the run as deleted
    """
    connection = Connection(config, say, experiment=unsent.record.experiment)
    connection.open()
    run_id = _known(connection, unsent) or _created(connection, unsent)
    _take_over(connection, run_id, unsent.key)
    version = Target(connection, run_id, unsent.key, unsent.ended_at).send(unsent.record, folder)
    return Sent(connection.uri, connection.experiment_id, run_id, version)


def _known(connection: Connection, unsent: Unsent) -> str:
    """Return the id of the run that was begun, if this store knows it."""
    found = connection(lambda client: _run(client, unsent.run_id))
    if found is None:
        return ""
    if found.info.lifecycle_stage == "deleted":
        raise TrackingError(
            f"the run {unsent.run_id} was deleted in the tracking store; bring it back with "
            f"`mlflow runs restore --run-id {unsent.run_id}`, or remove {UNSENT}"
        )
    return unsent.run_id


def _run(client: Any, run_id: str) -> Any | None:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _created(connection: Connection, unsent: Unsent) -> str:
    record = unsent.record
    return str(connection.create_run(unsent.key, record.name, record.tags, unsent.started_at).info.run_id)


def _take_over(connection: Connection, run_id: str, key: str) -> None:
    """Make the run this process's, so that no other one takes it for a leftover while it is sent."""
    connection.set_tags(run_id, process_tag(key))
    connection(lambda client: client.update_run(run_id, status="RUNNING"))
