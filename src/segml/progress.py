"""Which stage of a long step runs: a line that updates in a notebook, a spinner in a terminal, lines in a log file."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from rich.status import Status

from segml.display import is_notebook, plain_console
from segml.stopping import stop_if_asked

Progress = Callable[[str], object]
"""Called with what a long step does now."""

PAUSE_S = 0.1
"""A notebook's line is not updated more often: each update is a message to the browser."""


def silently(what: str) -> None:
    """Tell nobody."""


class Stages:
    """Shows which stage of a long step runs, and measures how long each took.

    Call it with a stage's name when the stage begins; ``detail`` says more while it runs. ``seconds`` holds the
    durations of the finished stages. Whatever is shown goes to stderr, or, in a notebook, to a line below the cell that
    vanishes at the end, so that stored outputs hold no timings.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._line = _line(quiet=quiet)
        self._name: str | None = None
        self._began = 0.0

    def __call__(self, name: str) -> None:
        """End the running stage and begin the next."""
        stop_if_asked()
        self._finish()
        self._name, self._began = name, time.perf_counter()
        self._line.show(f"{name} …")

    def detail(self, text: str) -> None:
        """Say what the running stage is at."""
        stop_if_asked()
        if self._name is not None:
            self._line.show(f"{self._name} … {text}")

    def buckets(self, done: int, of: int) -> None:
        """Say which of so many buckets of customers is computed."""
        self.detail(f"bucket {min(done + 1, of)} of {of}")

    def say(self, text: str) -> None:
        """Say something that is to stay."""
        self._line.say(text)

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._line.clear()

    def _finish(self) -> None:
        if self._name is None:
            return
        seconds = time.perf_counter() - self._began
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + seconds
        self._line.finished(self._name, seconds)
        self._name = None


class _Line(Protocol):
    """Where progress is shown."""

    def show(self, text: str) -> None:
        """Show what runs now."""

    def finished(self, name: str, seconds: float) -> None:
        """Tell that a stage is done."""

    def say(self, text: str) -> None:
        """Say something that stays, whatever is shown later."""

    def clear(self) -> None:
        """Show nothing any more."""


class _Terminal:
    """A spinner where there is a terminal, and a line a finished stage there and in log files."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = plain_console(stderr=True, quiet=quiet)
        self._status: Status | None = None

    def show(self, text: str) -> None:
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def finished(self, name: str, seconds: float) -> None:
        self.clear()
        self._console.print(f"  {name:<32}{seconds:6.1f} s")

    def say(self, text: str) -> None:
        self._console.print(f"  {text}", markup=False, soft_wrap=True)

    def clear(self) -> None:
        if self._status is not None:
            self._status.stop()
        self._status = None


class _Notebook:
    """One line below the cell; at the end nothing of it is left."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown_at = 0.0

    def show(self, text: str) -> None:
        now = time.perf_counter()
        if self._handle is None:
            from IPython.display import display

            self._handle = display(_bundle(text), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        elif now - self._shown_at < PAUSE_S:
            return
        else:
            self._handle.update(_bundle(text), raw=True)
        self._shown_at = now

    def finished(self, name: str, seconds: float) -> None:
        """Leave the line to the next stage."""

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.update({}, raw=True)
        self._handle = None


def _line(*, quiet: bool) -> _Line:
    return _Notebook() if not quiet and is_notebook() else _Terminal(quiet=quiet)


def _bundle(text: str) -> dict[str, str]:
    return {"text/plain": text, "text/html": f'<div style="opacity:.65">{html.escape(text)}</div>'}
