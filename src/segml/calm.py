"""Libraries that say less: their telemetry, notes and warnings are not for the people who use segml."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_SCHEMA_DETAILS": "true",  # schema errors would print rows of data
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
LOGGERS = ("mlflow", "alembic", "urllib3")


def calm_process(*, debug: bool = False) -> None:
    """Calm the libraries for as long as the process runs; with ``debug`` they may warn and log."""
    _set_environment(debug=debug)
    if not debug:
        warnings.simplefilter("ignore")
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def calmed() -> Iterator[None]:
    """Calm the libraries inside the block; the caller's own filters and levels come back after it."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    with warnings.catch_warnings():
        calm_process()
        try:
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


def _set_environment(*, debug: bool) -> None:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if not debug:
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
