"""Signals that stop a command: they unwind every ``with`` block, wherever they arrive."""

from __future__ import annotations

import signal
import sys
from types import FrameType, TracebackType
from typing import Any, ClassVar


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; unwinds like Ctrl-C, so that every ``with`` block cleans up."""


class StopSignals:
    """Turns SIGTERM and SIGINT into exceptions that unwind every ``with`` block.

    Native code may swallow such an exception and raise its own (DuckDB: "Query interrupted"), so what leaves the block
    after a signal is told as a stop, whatever its type. Python itself swallows one that arrives in a callback (a
    finalizer, a weak reference): then ``stop_if_asked`` raises it again.
    """

    asked: ClassVar[KeyboardInterrupt | None] = None

    def __init__(self) -> None:
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        StopSignals.asked = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._arrived)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._swallowed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._unraisable
        stop, StopSignals.asked = StopSignals.asked, None
        if stop is not None and isinstance(error, Exception):
            raise stop from error

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        StopSignals.asked = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        raise StopSignals.asked

    def _swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        if StopSignals.asked is None or unraisable.exc_value is not StopSignals.asked:
            self._unraisable(unraisable)


def stop_if_asked() -> None:
    """Raise the stop signal that arrived during this command, should it have been swallowed where it was raised."""
    if StopSignals.asked is not None:
        raise StopSignals.asked
