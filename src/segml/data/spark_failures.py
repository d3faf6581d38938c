"""A Spark server that goes away in the middle of the work: how long it is waited for, and what is said then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from segml.schema import DataError

RETRIES = 8
LONGEST_PAUSE_MS = 5_000
"""Pauses of 0.05, 0.2, 0.8, 3.2 and then 5 seconds: half a minute in all."""

_LOST = {
    "RetriesExceeded": ("",),
    "SparkConnectGrpcException": ("StatusCode.UNAVAILABLE", "INVALID_HANDLE.", "session not found"),
    "RpcError": ("StatusCode.UNAVAILABLE",),
    "Py4JNetworkError": ("",),
    "Py4JError": ("Answer from Java side is empty",),
}
"""Errors of Spark's clients by the names of their types, and what they say where server or session is gone."""


@contextmanager
def explained(address: str | None) -> Iterator[None]:
    """Turn what Spark's clients say when the server is gone into an error of the user's.

    Parameters
    ----------
    address : of the server, as in the configuration

    Raises
    ------
    DataError : the server, or its session, has gone
    """
    try:
        yield
    except Exception as error:
        if not is_lost(error):
            raise
        place = f"the Spark Connect server at {address.partition(';')[0]}" if address is not None else "Spark"
        raise DataError(
            f"{place} went away while it computed, and what it held is gone with it; see that it runs, why it stopped "
            "(its own log tells; often it had too little memory), and start the same again"
        ) from error


def is_lost(error: BaseException | None) -> bool:
    """Tell whether an error, or one that led to it, says that the server or its session is gone."""
    if error is None:
        return False
    kinds = {kind.__name__ for kind in type(error).__mro__} & set(_LOST)
    says_so = any(words in str(error) for kind in kinds for words in _LOST[kind])
    return says_so or is_lost(error.__cause__ or error.__context__)


def wait_less(session: Any) -> None:
    """Let a session of ours at a server retry for half a minute, not ten, and in vain no more than once."""
    from pyspark.sql.connect.client.retries import DefaultPolicy, RetryPolicyState

    class Patience(DefaultPolicy):
        is_over = False

        def can_retry(self, error: BaseException) -> bool:
            return not self.is_over and super().can_retry(error)

        def to_state(self) -> RetryPolicyState:
            return Attempts(self)

    class Attempts(RetryPolicyState):
        def next_attempt(self) -> int | None:
            pause = super().next_attempt()
            patience.is_over = pause is None
            return pause

    patience = Patience(max_retries=RETRIES, max_backoff=LONGEST_PAUSE_MS)
    session.client.set_retry_policies([patience])
