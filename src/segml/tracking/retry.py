"""Calls that are tried again while the tracking store is away."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from segml.config import without_secrets
from segml.tracking.errors import as_tracking_errors, may_pass

Answer = TypeVar("Answer")

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0


class Retry:
    """Makes calls to one store; one that fails for a reason that may pass is made again, up to ``retry_s`` seconds.

    Waits double from half a second to ten, less up to a half by chance, so that many processes do not come back all
    at once (exponential back-off with jitter). ``say`` is told once that it waits, and once that it goes on.
    """

    def __init__(self, uri: str, *, retry_s: float, timeout_s: int, say: Callable[[str], None]) -> None:
        self.uri = uri
        self.retry_s = retry_s
        self.timeout_s = timeout_s
        self.say = say

    def __call__(self, call: Callable[[], Answer]) -> Answer:
        """Return what the call returns.

        Raises
        ------
        TrackingError : the store refuses it, or does not answer for too long
        """
        with as_tracking_errors(self.uri), _single_requests(self.timeout_s), _silence():
            return self._until_answered(call)

    def _until_answered(self, call: Callable[[], Answer]) -> Answer:
        began, wait, is_told = time.monotonic(), FIRST_WAIT_S, False
        while True:
            try:
                answer = call()
            except Exception as error:
                left = self.retry_s - (time.monotonic() - began)
                if left <= 0 or not may_pass(error):
                    raise
            else:
                if is_told:
                    self.say("the tracking store answers again")
                return answer
            if not is_told:
                self.say(f"waiting for the tracking store {without_secrets(self.uri)}, up to {self.retry_s:.0f} s")
                is_told = True
            time.sleep(min(wait * random.uniform(0.5, 1.0), left))
            wait = min(2 * wait, LONGEST_WAIT_S)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep MLflow from printing tracebacks of what it raises as well."""
    logger = logging.getLogger("mlflow")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _single_requests(timeout_s: int) -> Iterator[None]:
    """Keep MLflow from trying again by itself in the block, and from waiting long; what the user set stays."""
    settings = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout_s)}
    ours = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
