"""Parts of a record on their way to one run: each may be sent again, and is there once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from segml.tracking.connection import Connection
from segml.tracking.entities import Points, batches, metrics_of, params_of, tags_of
from segml.tracking.leftovers import ERROR_TAG
from segml.tracking.models import log_model, register
from segml.tracking.record import Child, DataSet, Record

PARENT_TAG = "mlflow.parentRunId"


class Target:
    """One run in the store, and the moment at which its results are logged (milliseconds)."""

    def __init__(self, connection: Connection, run_id: str, key: str, at: int) -> None:
        self.connection = connection
        self.run_id = run_id
        self.key = key
        self.at = at

    def send(self, record: Record, folder: Path) -> str:
        """Log a whole record and end the run; return the version that the registry gave the model, if any."""
        self.values(record.params, record.metrics, record.series, record.all_tags())
        if record.data:
            self.data(record.data)
        for number, child in enumerate(record.children):
            self.child(record.name, child, f"{self.key}-{number}")
        self.files(folder, record.files)
        version = self.model(record, folder / record.model) if record.model else ""
        self.finish()
        return version

    def values(
        self, params: Mapping[str, Any], metrics: Mapping[str, float], series: Points, tags: Mapping[str, str]
    ) -> None:
        """Log parameters, metrics and tags."""
        self._log(params_of(params), metrics_of(metrics, series, self.at), tags_of(tags))

    def data(self, data: DataSet) -> None:
        """Record which data went in."""
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset
        from mlflow.entities import DatasetInput, InputTag

        dataset = MetaDataset(  # type: ignore[abstract]  # `profile` is abstract for mypy only
            CodeDatasetSource(tags={"name": data.name}), name=data.name[:500], digest=data.digest
        )
        given = DatasetInput(dataset._to_mlflow_entity(), [InputTag("mlflow.data.context", data.context)])
        self.connection(lambda client: client.log_inputs(self.run_id, [given]))

    def child(self, name: str, child: Child, key: str) -> None:
        """Log one of several alternatives as a finished run nested under this one."""
        tags = {**child.tags, PARENT_TAG: self.run_id, "mlflow.source.name": "segml"}
        run = self.connection.create_run(key, f"{child.name}, {name}", tags, self.at)
        target = Target(self.connection, run.info.run_id, key, self.at)
        target.values(child.params, child.metrics, {}, {})
        target.finish()

    def files(self, folder: Path, files: tuple[str, ...]) -> None:
        """Upload files and folders of the output folder to the same places among the artifacts."""
        for file in files:
            self._file(folder / file, str(PurePosixPath(file).parent))

    def model(self, record: Record, folder: Path) -> str:
        """Log the very folder that the model was saved in, and register it; return its version, if any."""
        given = [(param.key, param.value) for param in params_of(record.params)]
        model_id = log_model(self.connection, folder, run_id=self.run_id, params=dict(given))
        self._log([], metrics_of(record.metrics, record.series, self.at, model_id), [])
        name = record.registered_model
        return register(self.connection, name, run_id=self.run_id, model_id=model_id) if name else ""

    def finish(self) -> None:
        """End the run; what an earlier attempt failed of is forgotten."""
        self.connection(self._forget_error)
        self.connection(lambda client: client.set_terminated(self.run_id, "FINISHED", end_time=self.at))

    def _log(self, params: list[Any], metrics: list[Any], tags: list[Any]) -> None:
        for batch in batches(params, metrics, tags):
            self._batch(batch)

    def _batch(self, batch: Mapping[str, list[Any]]) -> None:
        self.connection(lambda client: client.log_batch(self.run_id, **batch))

    def _file(self, path: Path, place: str) -> None:
        self.connection(lambda client: client.log_artifact(self.run_id, str(path), None if place == "." else place))

    def _forget_error(self, client: Any) -> None:
        if ERROR_TAG in client.get_run(self.run_id).data.tags:
            client.delete_tag(self.run_id, ERROR_TAG)
