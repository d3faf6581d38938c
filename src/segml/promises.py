"""What the training of a stored model measured: found beside its folder, or with the run that registered it."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException

from segml import outputs, serving
from segml.pipeline import Promise
from segml.tracking.versions import TRAINING_RUN_TAG


def promise_of(uri: str) -> Promise:
    """Return who a stored model is, and what its training measured, as far as that is still known.

    Parameters
    ----------
    uri : the folder that training left, or any model URI of MLflow

    Raises
    ------
    ModelError : nothing there
    """
    model = serving.identity(uri)
    if Path(uri).is_dir():
        return _read(Path(uri).resolve().parent, model, "")
    run_id = _trained_by(_run_of(uri))
    with tempfile.TemporaryDirectory() as place:
        for name in (outputs.BACKTEST, outputs.IMPORTANCE):
            with suppress(MlflowException, OSError):
                mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=place)
        return _read(Path(place), model, run_id)


def _read(folder: Path, model: str, run_id: str) -> Promise:
    backtest, importance = folder / outputs.BACKTEST, folder / outputs.IMPORTANCE
    table = pd.read_parquet(backtest) if backtest.is_file() else None
    return Promise(
        model=model,
        backtest=table if table is not None and len(table) else None,
        importance=_csv(importance) if importance.is_file() else None,
        run_id=run_id,
    )


def _csv(path: Path) -> pd.DataFrame | None:
    try:
        table = pd.read_csv(path, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        return None
    return table if len(table) else None


def _trained_by(run_id: str) -> str:
    """Return the run that trained the model of a run: that of a refresh was recalibrated, no more."""
    if not run_id:
        return ""
    with suppress(MlflowException):
        return str(mlflow.MlflowClient().get_run(run_id).data.tags.get(TRAINING_RUN_TAG, run_id))
    return run_id


def _run_of(uri: str) -> str:
    """Return the run that left the model; empty where the store does not tell."""
    kind, _, name = uri.partition(":/")
    client = mlflow.MlflowClient()
    with suppress(MlflowException):
        if kind == "runs":
            return name.partition("/")[0]
        if "@" in name:
            model, _, alias = name.rpartition("@")
            return str(client.get_model_version_by_alias(model, alias).run_id or "")
        if "/" in name:
            model, _, version = name.rpartition("/")
            return str(client.get_model_version(model, version).run_id or "")
        return str(client.get_logged_model(name).source_run_id or "")
    return ""
