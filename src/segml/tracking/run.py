"""One MLflow run as a context manager: begins at once, says what it found in one record at its end."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from segml.config import TrackingConfig
from segml.schema import InputError, TrackingError
from segml.tracking.connection import Connection
from segml.tracking.entities import prefixed
from segml.tracking.leftovers import end_leftovers, fail
from segml.tracking.record import Child, Record
from segml.tracking.sending import PARENT_TAG, Target
from segml.tracking.unsent import UNSENT, Unsent, leave


class Run:
    """One MLflow run as a context manager; leaves it FINISHED, or FAILED with the reason as the tag ``segml.error``.

    It begins with its tags and parameters, so that it is seen in the UI while it works; runs that killed processes left
    there are set FAILED. ``parent`` is the id of the run that this one is shown under, if any; ``say`` is told in words
    what the user may want to know.
    """

    def __init__(
        self,
        config: TrackingConfig,
        *,
        name: str,
        tags: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        parent: str = "",
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        lineage = {PARENT_TAG: parent} if parent else {}
        self.begun = Record(name, config.experiment, {**tags, **lineage}, params or {})
        self.say = say
        self.connection = Connection(config, say)
        self.key = uuid.uuid4().hex
        self.run_id = ""
        self.model_version = ""
        self.started_at = 0
        self._is_over = False
        self._children = 0

    @property
    def uri(self) -> str:
        """The tracking store's address, passwords and all."""
        return self.connection.uri

    @property
    def experiment_id(self) -> str:
        """The id of the experiment in the store."""
        return self.connection.experiment_id

    def __enter__(self) -> Run:
        from mlflow.tracking.context.registry import resolve_tags

        self.connection.open()
        self._end_leftovers()
        self.started_at = _now()
        self.begun = replace(self.begun, tags=resolve_tags(dict(self.begun.tags)))
        begun = self.connection.create_run(self.key, self.begun.name, self.begun.tags, self.started_at)
        self.run_id = begun.info.run_id
        self.log(params=self.begun.params)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_over:
            return
        if error is None:
            self._target().finish()
            return
        with suppress(TrackingError):  # the store is gone: the first error tells more than this one
            fail(self.connection.impatient(), self.run_id, _reason(error))

    def log(
        self, params: Mapping[str, Any] | None = None, metrics: Mapping[str, float] | None = None, **tags: str
    ) -> None:
        """Log parameters, metrics and tags in as few calls as the store allows; tags get the prefix ``segml.``."""
        self._target().values(params or {}, metrics or {}, {}, prefixed(tags))

    def log_child(self, name: str, params: Mapping[str, Any], metrics: Mapping[str, float], **tags: str) -> None:
        """Log one of several alternatives as a finished run nested under this one."""
        child = Child(name, params, metrics, prefixed(tags))
        self._target().child(self.begun.name, child, f"{self.key}-logged-{self._children}")
        self._children += 1

    def log_files(self, folder: Path, files: list[str]) -> None:
        """Upload files of the output folder under their own names."""
        self._target().files(folder, tuple(files))

    def send(self, record: Record, folder: Path) -> None:
        """Log all that the run found, its files in ``folder``, and end it FINISHED.

        What cannot be sent is left in the folder as ``unsent.json``.

        Raises
        ------
        TrackingError : the store is away for too long; how to send it later
        """
        target = self._target()
        try:
            self.model_version = target.send(record, folder)
            self._is_over = True
        except BaseException as error:
            leave(Unsent(record, self.run_id, self.key, self.uri, self.started_at, target.at), folder)
            advice = (
                f"the outputs are complete in {folder}; send them when the store works again: "
                f"python -m segml.upload {folder}"
            )
            if not isinstance(error, TrackingError):
                self.say(advice)
                raise
            raise TrackingError(f"{error}\n{advice}") from error
        (folder / UNSENT).unlink(missing_ok=True)

    def _target(self) -> Target:
        return Target(self.connection, self.run_id, self.key, _now())

    def _end_leftovers(self) -> None:
        count = end_leftovers(self.connection)
        if count:
            self.say(f"runs that a killed process left RUNNING, now set FAILED: {count}")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _reason(error: BaseException) -> str:
    if isinstance(error, InputError):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
