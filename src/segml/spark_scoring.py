"""Scores of a features table on Spark by a registered model, part by part, without collecting a row a customer."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import pandas as pd
from ibis.expr.types import Table

from segml import serving
from segml.actions import MARGINS, check_margin, margin_over
from segml.config import ActionsConfig
from segml.data import spark_tables
from segml.features.on_spark import KEYS
from segml.pipeline import ROW_SCORES, Scorer, columns_read, row_scores
from segml.schema import DataError, ModelError, check_columns

TRACKING = "MLFLOW_TRACKING_URI"
MODELS_KEPT = 2
"""How many models a worker process keeps: a job that begins while another ends finds both."""

_SPARK_TYPES = {"str": "string", "float64": "double", "int64": "bigint", "datetime64[us]": "timestamp_ntz"}
_LOADING = Lock()
"""Some engines run the parts as threads of one process."""


def score_features(features: Any, model_uri: str) -> Any:
    """Return the scores of customers as a Spark DataFrame, one row a row of the features, in no particular order.

    Columns are those of ``pipeline.ROW_SCORES``: ``customer_id, as_of, p_churn, p_stagnation, cluster, cluster_name,
    run_rate, revenue_at_risk``, with the values of ``pipeline.score`` for any partitioning; probabilities are null for
    customers whom a rule labels already. These are the decisions that depend on a customer's own row. Schemes that
    compare customers (ABC, RFM's fifths, tiers), the call list and so the actions need the whole base:
    ``pipeline.score``.

    Nothing is computed yet but, where ``actions.value`` is ``margin``, the margin of the base. Each worker process
    loads the model once, from the same address as this process, and so needs segml, MLflow and access to it.

    Parameters
    ----------
    features : from ``features.features_on_spark`` or ``features.write``, as a Spark DataFrame or an Ibis table on
        Spark; one row a customer and as-of date, and the columns of a survey or of cards where clusters read them
    model_uri : any model URI of MLflow, or a folder that the workers see. ``$MLFLOW_TRACKING_URI`` of this process
        holds for the workers that have none

    Raises
    ------
    DataError : columns missing, or the features are not on Spark
    ModelError : nothing there, or not a model of segml. A worker raises it where the URI has come to stand for
        another model
    ConfigError : margins are asked for, and none is known
    """
    frame = _on_spark(features)
    scorer, identity = serving.load(model_uri), serving.identity(model_uri)
    names = columns_read(scorer)
    check_columns(frame.columns, names, "features lack")
    rows = _typed(frame, names)
    work = partial(
        _scores,
        uri=model_uri,
        identity=identity,
        tracking=os.environ.get(TRACKING),
        margins=_margins(rows, scorer.config.actions),
    )
    return rows.mapInPandas(work, ", ".join(f"{name} {_SPARK_TYPES[kind]}" for name, kind in ROW_SCORES.items()))


def _on_spark(features: Any) -> Any:
    if isinstance(features, Table):
        backend: Any = features.get_backend()
        if spark_tables.is_spark(backend):
            return spark_tables.to_frame(features, backend)
    elif spark_tables.is_frame(features):
        return features
    raise DataError(
        f"a features table on Spark is needed, a Spark DataFrame or an Ibis table; found {type(features).__name__}: "
        "pipeline.score serves other engines"
    )


def _typed(frame: Any, names: list[str]) -> Any:
    """Return the columns with keys, text and numbers as the model knows them."""
    text = {name for name, kind in frame.dtypes if kind == "string"}
    kinds = {name: KEYS.get(name, "string" if name in text else "double") for name in names}
    return frame.selectExpr(*(f"cast(`{name}` as {kind}) as `{name}`" for name, kind in kinds.items()))


def _margins(rows: Any, config: ActionsConfig) -> dict[str, float]:
    """Return ``actions.base_margin`` by as-of date, computed there; nothing where revenue is what counts."""
    if config.value != "margin":
        return {}
    margin, share = MARGINS
    is_told = f"{share} is not null and not isnan({share}) and {share} != 0"
    sums = (f"sum(case when {is_told} then {value} end)" for value in (margin, f"{margin} / {share}"))
    found_there = rows.groupBy("as_of").agg(*map(_expression, sums)).collect()
    found = {str(as_of): margin_over(earned or 0.0, revenue or 0.0, config) for as_of, earned, revenue in found_there}
    for base in found.values():
        check_margin(base, config)
    return found


def _expression(text: str) -> Any:
    from pyspark.sql.functions import expr

    return expr(text)


def _scores(
    batches: Iterator[pd.DataFrame], *, uri: str, identity: str, tracking: str | None, margins: Mapping[str, float]
) -> Iterator[pd.DataFrame]:
    """Yield the scores of batches of features; runs on the workers."""
    scorer = _scorer(uri, identity, tracking)
    for batch in batches:
        for as_of, rows in batch.groupby("as_of", dropna=False):
            yield row_scores(rows, scorer, margins.get(str(as_of), math.nan))


def _scorer(uri: str, identity: str, tracking: str | None) -> Scorer:
    if tracking is not None:
        os.environ.setdefault(TRACKING, tracking)
    with _LOADING:
        return _loaded(uri, identity)


@lru_cache(maxsize=MODELS_KEPT)
def _loaded(uri: str, identity: str) -> Scorer:
    """Return the model, once a process; reading it runs nothing but the code that is installed there."""
    if serving.identity(uri) != identity:
        raise ModelError(f"model {uri!r} stands for another model now than when scoring began; begin anew")
    return serving.load(uri)
