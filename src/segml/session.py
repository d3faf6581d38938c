"""One tracked command on the configured data: reading and cleaning inside an MLflow run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from segml import cli, records, tracking
from segml.config import Config
from segml.data import digest
from segml.pipeline import Prepared


@dataclass(frozen=True)
class Session:
    """An MLflow run that has begun, the data it looks at, and their fingerprint."""

    run: tracking.Run
    prepared: Prepared
    data_digest: str


@contextmanager
def tracked(settings: Config, config_file: str | None, stages: cli.Stages, *, prefix: str = "") -> Iterator[Session]:
    """Begin a run, read and clean the data; the run ends FAILED when the block raises."""
    begun = records.begun(settings, config_file, prefix=prefix)
    _tell_of_unsent(Path(settings.output), stages)
    with (
        tracking.Run(settings.tracking, name=begun.name, tags=begun.tags, params=begun.params, say=stages.say) as run,
        cli.open_data(settings, stages) as prepared,
    ):
        yield Session(run, prepared, digest(prepared.lines))


def _tell_of_unsent(output: Path, stages: cli.Stages) -> None:
    if (output / tracking.UNSENT).exists():
        stages.say(f"{output} holds a run that was not sent to the tracking store; this one takes its place")
