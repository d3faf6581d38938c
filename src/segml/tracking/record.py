"""What a run says: one value that is sent to the tracking store, now or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from segml.tracking.entities import short

DESCRIPTION_TAG = "mlflow.note.content"


@dataclass(frozen=True)
class DataSet:
    """The data a run looked at: its name, our digest over all rows (MLflow's covers 10,000), and what for."""

    name: str
    digest: str
    context: str = "training"


@dataclass(frozen=True)
class Child:
    """One of several alternatives that a run tried, shown as a run of its own under it; tags in full."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """Everything a run says; made of plain values, so that it can be kept as JSON.

    Attributes
    ----------
    name, experiment : where the run is found
    tags : in full, such as ``segml.as_of``
    params : values of over 500 characters are cut
    metrics : one value each
    series : per metric its values, as pairs of step and value
    description : Markdown, which the run's page shows
    files : files and folders in the output folder; artifacts stand at the same places
    model : the model's folder in the output folder; empty where there is none
    registered_model : the name under which the registry keeps the model; empty: it is not registered
    """

    name: str
    experiment: str
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    children: tuple[Child, ...] = ()
    data: DataSet | None = None
    description: str = ""
    files: tuple[str, ...] = ()
    model: str = ""
    registered_model: str = ""

    def all_tags(self) -> dict[str, str]:
        """Return the tags, the description among them."""
        return {**self.tags, **({DESCRIPTION_TAG: self.description} if self.description else {})}

    def to_dict(self) -> dict[str, Any]:
        """Return the record as what JSON can hold; parameters as they are logged."""
        values = asdict(self)
        for part in (values, *values["children"]):
            part["params"] = {key: short(value) for key, value in part["params"].items()}
            part["metrics"] = {key: float(value) for key, value in part["metrics"].items()}
        values["series"] = {
            key: [(int(step), float(value)) for step, value in points] for key, points in self.series.items()
        }
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Record:
        """Return the record that ``to_dict`` gave."""
        data = values["data"]
        return cls(
            **{
                **values,
                "series": {
                    key: tuple((step, value) for step, value in points) for key, points in values["series"].items()
                },
                "children": tuple(Child(**child) for child in values["children"]),
                "data": DataSet(**data) if data else None,
                "files": tuple(values["files"]),
            }
        )
