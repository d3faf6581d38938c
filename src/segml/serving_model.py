"""What runs where the registered model is loaded: transactions in, decisions out, or a message."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_SCHEMA_DETAILS", "true")  # MLflow's own messages would quote rows

import pandas as pd
from click import ClickException
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INTERNAL_ERROR
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from segml import config, store
from segml.config import Config, FormatConfig
from segml.data import Tables, connect, read_table
from segml.pipeline import Scorer, prepare, score
from segml.schema import TRANSACTIONS, InputError, ModelError, check_columns

ARTIFACT = "scorer"
PLACE = Path("artifacts") / ARTIFACT
CODE = Path("code") / "segml"
METADATA = "segml"
"""The key of the model's metadata under which the checksums of the manifest and of the code stand."""

_SERVER_PROCESS = "__pyfunc_model_path__"
"""What MLflow sets in the environment of a process of ``mlflow models serve``."""
_WRITES_JSON = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""What it sets there, and in ``mlflow models predict``."""

_log = logging.getLogger("segml")


class PredictionError(MlflowException, ClickException):
    """A message that stays as it is: MLflow's server would put the rows of the request before it.

    ``mlflow models predict`` shows it as one line, as commands written with click do with exceptions of theirs.
    """

    exit_code = 2

    def __init__(self, message: str, *, error_code: int) -> None:
        ClickException.__init__(self, message)
        MlflowException.__init__(self, message, error_code=error_code)

    @property  # type: ignore[misc]  # click means it to be final; MLflow's server sets it again
    def message(self) -> str:
        """The first message that was set."""
        return self._message

    @message.setter
    def message(self, text: str) -> None:
        self._message = getattr(self, "_message", text)


class RequestError(PredictionError, InputError):
    """The transactions or parameters cannot be used; over HTTP an answer with status 400."""

    def __init__(self, message: str) -> None:
        super().__init__(message, error_code=BAD_REQUEST)


class DecisionModel(PythonModel):
    """Scores a raw transactions table under canonical column names.

    The parameter ``as_of`` (``YYYY-MM-DD``) sets the moment to look back from; by default midnight after the last line.
    """

    scorer: Scorer

    def load_context(self, context: PythonModelContext) -> None:
        """Read the stored scorer; nothing of it is pickled."""
        folder = Path(context.artifacts[ARTIFACT]).parents[1]
        _check_code(folder)
        self.scorer = read(folder)
        if _SERVER_PROCESS in os.environ:
            pd.set_option("display.max_rows", 0, "display.large_repr", "info")  # frames in messages: columns, no rows

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return one row of decisions a customer; ``RequestError`` where the input cannot be used."""
        with _as_messages():
            settings = config.looking_back_from(self.scorer.config, _date((params or {}).get("as_of")))
            decisions = _decide(model_input, settings, self.scorer)
        return _with_nulls(decisions) if os.environ.get(_WRITES_JSON) == "true" else decisions


def read(folder: Path) -> Scorer:
    """Return the scorer of a model's folder, by the code that is installed; nothing in the folder is run.

    Raises
    ------
    ModelError : no model of segml, or changed after it was saved
    """
    return store.load(folder / PLACE, manifest_sha256=_recorded(folder, "manifest_sha256"))


def digest_of_code(folder: Path) -> str:
    """Return the SHA-256 over names and contents of a package's files, but what Python compiles."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    whole = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{content} {path.relative_to(folder).as_posix()}\n".encode())
    return whole.hexdigest()


def _recorded(folder: Path, name: str) -> str:
    """Return a checksum that was written into the model's metadata."""
    try:
        found = (Model.load(str(folder)).metadata or {})[METADATA][name]
    except Exception as error:
        raise ModelError(
            f"{folder} holds no segml model: its MLmodel tells no checksum ({type(error).__name__}); it was not saved "
            "by this version of segml, or was changed: fetch the model again or train anew"
        ) from None
    return str(found)


def _check_code(folder: Path) -> None:
    if digest_of_code(folder / CODE) != _recorded(folder, "code_sha256"):
        raise ModelError(
            f"the code in {folder / CODE} is not what was saved with the model; fetch the model again or train anew"
        )


def _decide(transactions: pd.DataFrame, settings: Config, scorer: Scorer) -> pd.DataFrame:
    check_columns(transactions.columns, TRANSACTIONS.required, "transactions lack")
    spelling = FormatConfig(timezone=settings.data.format.timezone)  # not that of the files it was trained on
    backend = connect(settings.threads)
    try:
        table = read_table(_without_empty(transactions), TRANSACTIONS, {}, spelling, backend)
        prepared = prepare(Tables(table), settings, today=date.today())
        return score(prepared, scorer, is_strict=False).decisions
    finally:
        backend.disconnect()


def _without_empty(transactions: pd.DataFrame) -> pd.DataFrame:
    """Leave out optional columns of nothing but nulls: who sends all columns means that they are not known."""
    is_told = transactions.notna().any() | transactions.columns.isin(TRANSACTIONS.required)
    return transactions.loc[:, is_told] if len(transactions) else transactions


def _date(given: Any) -> date | None:
    if given is None or given == "":
        return None
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise RequestError(f"the parameter as_of is {given!r}; it must be a date of the form YYYY-MM-DD") from None


@contextmanager
def _as_messages() -> Iterator[None]:
    """Raise what a server answers in words; a bug of ours is told without values, which may be data."""
    try:
        yield
    except PredictionError:
        raise
    except InputError as error:
        raise RequestError(str(error)) from error
    except Exception as error:
        _log.exception("the model failed")
        raise PredictionError(
            f"this is a bug in segml, not in your data: {type(error).__name__}; the log of the process tells more",
            error_code=INTERNAL_ERROR,
        ) from error


def _with_nulls(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions as JSON can hold them: None, not NaN, where nothing is known."""
    return decisions.astype(object).where(decisions.notna(), None)
