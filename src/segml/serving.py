"""The registered model: transactions in, decisions out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

import segml
from segml import config, store
from segml.actions import DECISIONS
from segml.data import Tables, to_table
from segml.pipeline import Scorer, prepare, score
from segml.schema import TRANSACTIONS, InputError, Kind, ModelError

ARTIFACT = "scorer"
MODEL_FOLDER = "model"
ENTRY = Path(__file__).with_name("serving_entry.py")
REQUIRED = (
    "scikit-learn",
    "hdbscan",
    "joblib",
    "Babel",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "skops",
    "ibis-framework",
    "duckdb",
    "sqlglot",
    "pydantic",
    "PyYAML",
    "threadpoolctl",
    "mlflow",
    "requests",
    "filelock",
    "platformdirs",
)
_MLFLOW_TYPES: dict[Kind, str] = {"text": "string", "number": "double", "time": "datetime", "flag": "boolean"}
_DECISION_TYPES = {"str": "string", "float64": "double", "int64": "long", "datetime64[us]": "datetime"}


class DecisionModel(PythonModel):
    """Scores a raw transactions table under canonical column names.

    The parameter ``as_of`` (``YYYY-MM-DD``) sets the moment to look back from; by default midnight after the last line.
    """

    scorer: Scorer

    def load_context(self, context: PythonModelContext) -> None:
        """Read the stored scorer; nothing of it is pickled."""
        self.scorer = store.load(Path(context.artifacts[ARTIFACT]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return one row of decisions a customer."""
        as_of = (params or {}).get("as_of") or None
        settings = config.looking_back_from(self.scorer.config, as_of)
        prepared = prepare(Tables(to_table(model_input)), settings, today=date.today())
        return score(prepared, self.scorer, is_strict=False).decisions


def signature() -> ModelSignature:
    """Return what the model takes and gives: canonical transactions, and decisions."""
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(_MLFLOW_TYPES[column.kind], column.name, required=column.required) for column in TRANSACTIONS.columns
    ]
    outputs: list[ColSpec | TensorSpec] = [ColSpec(_DECISION_TYPES[kind], name) for name, kind in DECISIONS.items()]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema([ParamSpec("as_of", "string", "")]))


def save(scorer: Scorer, folder: Path) -> None:
    """Write the model as a folder that MLflow reads."""
    with _parts(scorer) as parts:
        mlflow.pyfunc.save_model(path=str(folder), **parts)


def logger(scorer: Scorer) -> Callable[[str | None], Any]:
    """Return a function that logs the model to the active run and registers it under the given name, if any."""

    def log(registered_model_name: str | None) -> Any:
        with _parts(scorer) as parts:
            return mlflow.pyfunc.log_model(name=MODEL_FOLDER, registered_model_name=registered_model_name, **parts)

    return log


def load(uri: str) -> Scorer:
    """Return the scorer of a stored model.

    Parameters
    ----------
    uri : a folder, or any model URI of MLflow (``models:/segml@champion``, ``runs:/…/model``)

    Raises
    ------
    ModelError : nothing there, or not a model of segml
    """
    try:
        loaded = mlflow.pyfunc.load_model(uri).unwrap_python_model()
    except InputError:
        raise
    except Exception as error:
        first_line = str(error).strip().split("\n")[0]
        raise ModelError(
            f"model {uri!r} cannot be loaded ({type(error).__name__}: {first_line}); give a folder that training left, "
            "runs:/RUN_ID/model or models:/segml/VERSION, and the tracking store they are in"
        ) from error
    scorer = getattr(loaded, "scorer", None)
    if not isinstance(scorer, Scorer):
        raise ModelError(f"model {uri!r} is not one that segml trained")
    return scorer


def identity(uri: str) -> str:
    """Return what tells the model that a URI stands for now from all others; an alias may stand for another later.

    Raises
    ------
    ModelError : nothing there
    """
    try:
        return str(mlflow.models.get_model_info(uri).model_uuid)
    except Exception as error:
        first_line = str(error).strip().split("\n")[0]
        raise ModelError(f"model {uri!r} cannot be found ({type(error).__name__}: {first_line})") from error


@contextmanager
def _parts(scorer: Scorer) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / ARTIFACT
        stored.mkdir()
        store.save(scorer, stored)
        packages = (*REQUIRED, *scorer.config.churn.boosting.packages())
        yield {
            "python_model": str(ENTRY),
            "artifacts": {ARTIFACT: str(stored)},
            "signature": signature(),
            "code_paths": [str(Path(segml.__file__).parent)],
            "pip_requirements": [f"{name}=={metadata.version(name)}" for name in packages],
        }
