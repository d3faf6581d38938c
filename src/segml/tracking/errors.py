"""What goes wrong with a tracking store, as one message that says how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from segml.config import without_secrets
from segml.schema import TrackingError

DEFAULT_URI = "sqlite:///mlflow.db"


@contextmanager
def as_tracking_errors(uri: str) -> Iterator[None]:
    """Raise ``TrackingError`` for whatever MLflow and the store behind it raise in the block."""
    import sqlalchemy.exc
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, requests.RequestException, OSError) as error:
        raise TrackingError(unreachable(uri, error)) from error


def unreachable(uri: str, error: BaseException) -> str:
    """Return the message for a store that fails; passwords in its address are left out."""
    first_line = str(error).strip().split("\n")[0]
    return (
        f"the MLflow tracking store {without_secrets(uri)} does not answer as it should "
        f"({type(error).__name__}: {first_line}); "
        "start the server, or set tracking.uri (or MLFLOW_TRACKING_URI) to a store that works, "
        f"for instance --set tracking.uri={DEFAULT_URI}"
    )
