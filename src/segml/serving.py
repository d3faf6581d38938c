"""The registered model as an artefact: what it declares, how it is stored, and how it is read back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import MLMODEL_FILE_NAME
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

import segml
from segml import store
from segml.actions import DECISIONS
from segml.config import DemoConfig
from segml.data.simulate import simulate
from segml.pipeline import Scorer
from segml.schema import TRANSACTIONS, Column, InputError, ModelError, first_line
from segml.serving_model import ARTIFACT, METADATA, PLACE, digest_of_code, read

MODEL_FOLDER = "model"
_MODELS = "models:/"
PACKAGE = Path(segml.__file__).parent
ENTRY = PACKAGE / "serving_entry.py"
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
    "rich",
)
EXAMPLE_CUSTOMERS = 4
EXAMPLE_LINES = (8, 30)
"""How many lines a customer of the example may have: enough to tell something, few enough to read."""

_DECISION_TYPES = {"str": "string", "float64": "double", "int64": "long", "datetime64[us]": "datetime"}


def signature() -> ModelSignature:
    """Return what the model takes and gives: canonical transactions, and decisions.

    Inputs are declared as of any type and optional, because MLflow would otherwise refuse numbers as ids, whole
    numbers as quantities, dates as text and columns of nulls; the model reads them as segml reads files, and tells in
    its own words what is missing. ``described`` tells what each column is.
    """
    anything = AnyType()  # type: ignore[no-untyped-call]
    inputs: list[ColSpec | TensorSpec] = [ColSpec(anything, name, required=False) for name in TRANSACTIONS.names]
    outputs: list[ColSpec | TensorSpec] = [ColSpec(_DECISION_TYPES[kind], name) for name, kind in DECISIONS.items()]
    return ModelSignature(Schema(inputs), Schema(outputs), ParamSchema([ParamSpec("as_of", "string", "")]))


def described() -> dict[str, str]:
    """Return what each input column is, in a line."""
    return {column.name: _described(column) for column in TRANSACTIONS.columns}


def example() -> tuple[pd.DataFrame, dict[str, str]]:
    """Return made-up transactions of a few customers, and parameters, as a request may hold them."""
    world = DemoConfig(customers=20, days=365)
    lines = simulate(world).transactions.dropna()  # MLflow would write NaN, which is no JSON
    counts = lines["customer_id"].value_counts().sort_index()
    chosen = counts[counts.between(*EXAMPLE_LINES)].index[:EXAMPLE_CUSTOMERS]
    return lines[lines["customer_id"].isin(chosen)].reset_index(drop=True), {"as_of": world.end.isoformat()}


def save(scorer: Scorer, folder: Path) -> None:
    """Write the model as a folder that MLflow reads."""
    with _parts(scorer) as parts:
        mlflow.pyfunc.save_model(path=str(folder), **parts)
    _forget_this_machine(folder)


def load(uri: str) -> Scorer:
    """Return the scorer of a stored model, for the segml that is installed; no code of the model is run.

    Parameters
    ----------
    uri : a folder, or any model URI of MLflow (``models:/segml@champion``, ``runs:/…/model``)

    Raises
    ------
    ModelError : nothing there, not a model of segml, changed after it was saved, or trained with newer packages
    """
    with _fetched(uri) as folder:
        return read(folder)


def pinned(uri: str) -> str:
    """Return the URI of the version that an alias stands for now, so that all that is read belongs to one model.

    Any other URI, and an alias that nobody knows, comes back as it is.
    """
    name, _, alias = uri.removeprefix(_MODELS).rpartition("@")
    if not uri.startswith(_MODELS) or not name:
        return uri
    with suppress(MlflowException):
        return f"{_MODELS}{name}/{mlflow.MlflowClient().get_model_version_by_alias(name, alias).version}"
    return uri


def identity(uri: str) -> str:
    """Return what tells the model that a URI stands for now from all others; an alias may stand for another later.

    Raises
    ------
    ModelError : nothing there
    """
    try:
        return str(mlflow.models.get_model_info(uri).model_uuid)
    except Exception as error:
        raise ModelError(f"model {uri!r} cannot be found ({_told(error)}){_known(uri)}") from error


@contextmanager
def _fetched(uri: str) -> Iterator[Path]:
    """Give the folder of a model; what was downloaded for it goes at the end."""
    if Path(uri).is_dir():
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory() as place:
        try:
            folder = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=place)
        except InputError:
            raise
        except Exception as error:
            raise ModelError(
                f"model {uri!r} cannot be loaded ({_told(error)}){_known(uri)}; give a folder that training "
                "left, runs:/RUN_ID/model or models:/segml/VERSION, and the tracking store they are in"
            ) from error
        yield Path(folder)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)}"


def _known(uri: str) -> str:
    """Return what the registry holds under the name of a registered model, for a message."""
    if not uri.startswith(_MODELS):
        return ""
    name = uri.removeprefix(_MODELS).partition("/")[0].partition("@")[0]
    try:
        client = mlflow.MlflowClient()
        versions = [found.version for found in client.search_model_versions(f"name='{name}'")]
        aliases = client.get_registered_model(name).aliases if versions else {}
    except Exception:  # the store does not answer: the first error says so
        return ""
    if not versions:
        return f"; no model {name!r} is registered there"
    named = [f"@{alias} ({version})" for alias, version in aliases.items()]
    return f"; registered are the versions {', '.join([*map(str, versions), *named])}"


def _forget_this_machine(folder: Path) -> None:
    """Take the paths of this machine out of what describes the model; MLflow reads names within its folder only."""
    model = Model.load(str(folder))
    flavor = model.flavors[mlflow.pyfunc.FLAVOR_NAME]
    flavor["model_code_path"] = ENTRY.name
    flavor["artifacts"][ARTIFACT]["uri"] = PLACE.as_posix()
    model.save(str(folder / MLMODEL_FILE_NAME))


def _described(column: Column) -> str:
    return f"{column.kind}{', required' if column.required else ''}: {column.meaning}"


@contextmanager
def _parts(scorer: Scorer) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / ARTIFACT
        stored.mkdir()
        checksums = {"manifest_sha256": store.save(scorer, stored), "code_sha256": digest_of_code(PACKAGE)}
        packages = (*REQUIRED, *scorer.config.churn.boosting.packages())
        yield {
            "python_model": str(ENTRY),
            "artifacts": {ARTIFACT: str(stored)},
            "signature": signature(),
            "input_example": example(),
            "code_paths": [str(PACKAGE)],
            "pip_requirements": [f"{name}=={metadata.version(name)}" for name in packages],
            "metadata": {METADATA: {**checksums, "columns": described(), "versions": store.versions(scorer.config)}},
        }
