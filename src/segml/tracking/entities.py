"""Parameters, metrics and tags as MLflow takes them, in as few calls as the store allows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

PARAM_LENGTH = 500
PARAMS_PER_BATCH = 100
TAG_LENGTH = 5000


def entities(
    params: Mapping[str, Any], metrics: Mapping[str, float], tags: Mapping[str, str]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return parameters, metrics and tags as entities of MLflow; tags get the prefix ``segml.``."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    return (
        [Param(key, _short(value)) for key, value in params.items()],
        [Metric(key, float(value), now, 0) for key, value in metrics.items()],
        [RunTag(f"segml.{key}", value[:TAG_LENGTH]) for key, value in tags.items()],
    )


def log_batches(client: Any, run_id: str, params: list[Any], metrics: list[Any], tags: list[Any]) -> None:
    """Log entities in one call, and the parameters beyond the first hundred in further ones."""
    client.log_batch(run_id, metrics=metrics, params=params[:PARAMS_PER_BATCH], tags=tags)
    for start in range(PARAMS_PER_BATCH, len(params), PARAMS_PER_BATCH):
        client.log_batch(run_id, params=params[start : start + PARAMS_PER_BATCH])


def _short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= PARAM_LENGTH else f"{text[: PARAM_LENGTH - 1]}…"
