"""One tracked command on the configured data: reading and cleaning inside an MLflow run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from segml import cli, summary, tracking
from segml.config import Config
from segml.data import digest
from segml.pipeline import Prepared


@dataclass(frozen=True)
class Session:
    """An MLflow run that has begun, the data it looks at, and their fingerprint."""

    run: tracking.Run
    prepared: Prepared
    data_digest: str

    def finish(self, metrics: dict[str, float], notices: tuple[str, ...], stages: cli.Stages, **tags: str) -> None:
        """Log what the command found, how long its stages took, and further tags."""
        self.run.log(
            metrics={**metrics, **summary.durations(stages.seconds)},
            notices="\n".join(notices),
            data_digest=self.data_digest,
            as_of=str(self.prepared.as_of.date()),
            **tags,  # type: ignore[arg-type]  # mypy takes them for params and metrics too
        )


@contextmanager
def tracked(settings: Config, config_file: str | None, stages: cli.Stages, *, prefix: str = "") -> Iterator[Session]:
    """Begin a run, read and clean the data; the run ends FAILED when the block raises."""
    name, tags = summary.identity(settings, config_file)
    with tracking.Run(settings.tracking, name=f"{prefix}{name}", tags=tags) as run:
        run.log(params=settings.flat())
        with cli.open_data(settings, stages) as prepared:
            fingerprint = digest(prepared.lines)
            run.log_data(name=prepared.source, digest=fingerprint)
            yield Session(run, prepared, fingerprint)
