"""Parameters, metrics and tags as MLflow takes them, in as few calls as the store allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

PARAM_LENGTH = 500
TAG_LENGTH = 5000
PARAMS_PER_BATCH = TAGS_PER_BATCH = 100
METRICS_PER_BATCH = 800
"""A call takes at most a thousand entities of all kinds."""

Points = Mapping[str, Sequence[tuple[int, float]]]


def params_of(params: Mapping[str, Any]) -> list[Any]:
    """Return parameters as entities; long values are cut."""
    from mlflow.entities import Param

    return [Param(key, short(value)) for key, value in params.items()]


def metrics_of(metrics: Mapping[str, float], series: Points, at: int, model_id: str | None = None) -> list[Any]:
    """Return metrics of the moment ``at`` (milliseconds) as entities; with a model's id they are the model's too."""
    from mlflow.entities import Metric

    points = [(key, 0, value) for key, value in metrics.items()]
    points += [(key, step, value) for key, values in series.items() for step, value in values]
    return [Metric(key, float(value), at, step, model_id=model_id) for key, step, value in points]


def tags_of(tags: Mapping[str, str]) -> list[Any]:
    """Return tags as entities; long ones are cut."""
    from mlflow.entities import RunTag

    return [RunTag(key, cut(value, TAG_LENGTH)) for key, value in tags.items()]


def batches(params: list[Any], metrics: list[Any], tags: list[Any]) -> Iterable[dict[str, list[Any]]]:
    """Return entities as the arguments of as few calls of ``log_batch`` as the store allows."""
    parts = zip_longest(
        _chunks(params, PARAMS_PER_BATCH), _chunks(metrics, METRICS_PER_BATCH), _chunks(tags, TAGS_PER_BATCH)
    )
    return [{"params": some or [], "metrics": figures or [], "tags": words or []} for some, figures, words in parts]


def prefixed(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags of ours under the names that they have in MLflow.

    >>> prefixed({"as_of": "2026-01-01"})
    {'segml.as_of': '2026-01-01'}
    """
    return {f"segml.{key}": value for key, value in tags.items()}


def short(value: Any) -> str:
    """Return a parameter's value as it is logged."""
    return cut("null" if value is None else str(value), PARAM_LENGTH)


def cut(text: str, length: int) -> str:
    """Return a text of at most so many characters, with an ellipsis where some are left out."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _chunks(entities: list[Any], size: int) -> list[list[Any]]:
    return [entities[start : start + size] for start in range(0, len(entities), size)]
