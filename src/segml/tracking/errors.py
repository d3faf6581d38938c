"""What goes wrong with a tracking store: whether it may pass, and one message that says how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from segml.config import without_secrets
from segml.schema import TrackingError, first_line

DEFAULT_URI = "sqlite:///mlflow.db"
PASSING_CODES = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "ABORTED", "DEADLINE_EXCEEDED")
PASSING_STATUS = (408, 425, 429)
CLOUDS = ("boto3", "botocore", "s3transfer", "azure", "google")
"""Packages whose errors come from stores of artifacts."""


@contextmanager
def as_tracking_errors(uri: str) -> Iterator[None]:
    """Raise ``TrackingError`` for whatever MLflow and the store behind it raise in the block."""
    try:
        yield
    except Exception as error:
        if not is_of_the_store(error):
            raise
        raise TrackingError(unreachable(uri, error)) from error


def is_of_the_store(error: BaseException) -> bool:
    """Return whether an error comes from MLflow, the store behind it, or the way there."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    known = (MlflowException, sqlalchemy.exc.SQLAlchemyError, requests.RequestException, OSError)
    return isinstance(error, known) or _is_of_a_cloud(error)


def may_pass(error: BaseException) -> bool:
    """Return whether the same call may succeed later: nobody answers, or not now; a refusal will stay one."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    if "sqlite3." in str(error):
        return "is locked" in str(error)
    if isinstance(error, MlflowException):
        return error.error_code in PASSING_CODES
    if isinstance(error, requests.RequestException):
        status = error.response.status_code if error.response is not None else 500
        return status >= 500 or status in PASSING_STATUS
    return isinstance(error, (sqlalchemy.exc.OperationalError, ConnectionError, TimeoutError)) or _is_of_a_cloud(error)


def unreachable(uri: str, error: BaseException) -> str:
    """Return the message for a store that fails; passwords are left out."""
    return (
        f"the MLflow tracking store {without_secrets(uri)} does not answer as it should "
        f"({type(error).__name__}: {without_secrets(first_line(error))}); "
        "start the server, or set tracking.uri (or MLFLOW_TRACKING_URI) to a store that works, "
        f"for instance --set tracking.uri={DEFAULT_URI}"
    )


def _is_of_a_cloud(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in CLOUDS
