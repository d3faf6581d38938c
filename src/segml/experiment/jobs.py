"""What a study has to run: a configuration at a time, grouped by the data they read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from segml import config
from segml.config import Config
from segml.experiment.study import Study

_READ_BY_DATA = ("data", "demo", "engine", "threads", "as_of")


@dataclass(frozen=True)
class Job:
    """One configuration of one variant."""

    variant: str
    name: str
    config: Config = field(hash=False)

    @property
    def digest(self) -> str:
        """By which what it gave is kept."""
        return config.digest(self.config)

    @property
    def reads(self) -> str:
        """What decides on the data it reads, and how they are cleaned: equal texts, equal data."""
        values = {name: self.config.model_dump(mode="json")[name] for name in _READ_BY_DATA}
        return repr((values, self.config.report.language))


def jobs(study: Study) -> list[Job]:
    """Return all configurations of a study, in its order."""
    return [
        Job(variant.name, variant.name if len(variant.configs) == 1 else f"{variant.name}, seed {made.seed}", made)
        for variant in study.variants
        for made in variant.configs
    ]


def by_data(todo: Iterable[Job]) -> list[list[Job]]:
    """Return the jobs in groups that read the same data; groups and jobs in the order in which they come."""
    groups: dict[str, list[Job]] = {}
    for job in todo:
        groups.setdefault(job.reads, []).append(job)
    return list(groups.values())
