"""A tracking store that answers: its client, the experiment, and the guard of its calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from typing import Any, TypeVar

from filelock import FileLock

from segml.config import TrackingConfig
from segml.schema import TrackingError
from segml.tracking.address import check_reachable, sqlite_path
from segml.tracking.entities import tags_of
from segml.tracking.process import process_tag, with_key
from segml.tracking.retry import Retry
from segml.tracking.saved_view import saved_view

Answer = TypeVar("Answer")

EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": (
        "Runs of segml: trainings (segments, scores, decisions, a report and a model each; the ways to cluster "
        "that they tried stand below them as child runs) and backtests (how good the scores would have been).\n\n"
        "Metrics are grouped by the part before the slash: `churn/`, `stagnation/`, `baseline/`, `segments/`, `data/`, "
        "`time/`; `_low` and `_high` are the ends of 95 % intervals. **Views**, above on the right, offers a table of "
        "scores and settings."
    ),
    **saved_view(),
}
"""Makes the UI open the experiment as one of machine learning, not of generative AI; and says what is in there."""


class Connection:
    """One tracking store and one experiment in it; call it with what is to be done by a client of MLflow.

    Calls that fail because the store is away are made again (``Retry``).
    """

    def __init__(self, config: TrackingConfig, say: Callable[[str], None], *, experiment: str | None = None) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        self.uri = check_reachable(config)
        self.experiment = experiment or config.experiment
        self.experiment_id = ""
        self.retry = Retry(self.uri, retry_s=config.retry_s, timeout_s=config.timeout_s, say=say)
        self._client: Any = None

    def open(self) -> None:
        """Make the store and the experiment, if need be."""
        self.experiment_id = self.retry(self._open)

    def __call__(self, call: Callable[[Any], Answer]) -> Answer:
        """Return what the call returns, given the client."""
        return self.retry(lambda: call(self._client))

    def impatient(self) -> Connection:
        """Return the same connection, which makes each call once."""
        other = copy(self)
        other.retry = Retry(self.uri, retry_s=0, timeout_s=self.retry.timeout_s, say=self.retry.say)
        return other

    def create_run(self, key: str, name: str, tags: Mapping[str, str], start_time: int) -> Any:
        """Return the run of this key, created as this process's if need be: also when an earlier answer got lost."""

        def create(client: Any) -> Any:
            found = self._with_key(client, key)
            if found:
                return found[0]
            own = {**tags, **process_tag(key)}
            return client.create_run(self.experiment_id, start_time=start_time, tags=own, run_name=name)

        return self(create)

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run, in one call."""
        self(lambda client: client.log_batch(run_id, tags=tags_of(tags)))

    def _with_key(self, client: Any, key: str) -> Any:
        return client.search_runs([self.experiment_id], with_key(key), max_results=1)

    def _open(self) -> str:
        from mlflow import MlflowClient

        with self._alone():
            self._client = MlflowClient(self.uri)
            return _experiment_id(self._client, self.experiment, self._artifacts())

    def _alone(self) -> AbstractContextManager[Any]:
        """Two processes that create one SQLite store at once would break each other."""
        return FileLock(f"{sqlite_path(self.uri)}.lock") if self._is_file else nullcontext()

    def _artifacts(self) -> str | None:
        return (sqlite_path(self.uri).parent / "mlartifacts").as_uri() if self._is_file else None

    @property
    def _is_file(self) -> bool:
        return self.uri.startswith("sqlite:")


def _experiment_id(client: Any, name: str, artifact_location: str | None) -> str:
    found = client.get_experiment_by_name(name) or _created(client, name, artifact_location)
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            f"experiment {name!r} was deleted in the tracking store; restore it with "
            f"`mlflow experiments restore --experiment-id {found.experiment_id}`, or set another tracking.experiment"
        )
    return str(found.experiment_id)


def _created(client: Any, name: str, artifact_location: str | None) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        client.create_experiment(name, artifact_location=artifact_location, tags=EXPERIMENT_TAGS)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":  # else another process was quicker
            raise
    return client.get_experiment_by_name(name)
