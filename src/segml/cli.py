"""What every command shares: arguments, exit codes, signals, progress, and where output goes.

Results go to stdout, logs and progress to stderr. Exit codes: 0 done, 2 the user's input or
configuration is at fault, 130 interrupted, 1 a bug of ours.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.status import Status

from segml import config
from segml.schema import InputError

if TYPE_CHECKING:
    from segml.pipeline import Prepared

EXIT_DONE, EXIT_BUG, EXIT_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; unwinds like Ctrl-C, so that every ``with`` block cleans up."""


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """Return an argument parser with the options that every command has."""
    made = argparse.ArgumentParser(
        prog=f"python -m segml.{command}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common(made)
    return made


def add_common(made: argparse.ArgumentParser) -> None:
    """Add the options that every command has."""
    made.add_argument("--config", metavar="FILE", help="YAML file of differences from the built-in defaults")
    made.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="override one key, as in --set data.transactions=orders.csv; may be repeated",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    made.add_argument("--debug", action="store_true", help="show the traceback of an error, and all warnings")


def iso_date(text: str) -> date:
    """Parse a date argument; for ``argparse``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date of the form YYYY-MM-DD") from None


def load_config(arguments: argparse.Namespace) -> config.Config:
    """Return the configuration that the arguments name; ``--as-of`` and ``--output`` win over the file."""
    overrides = list(arguments.overrides)
    as_of = getattr(arguments, "as_of", None)
    if isinstance(as_of, date):
        overrides.append(f"as_of={as_of.isoformat()}")
    if getattr(arguments, "output", None):
        overrides.append(f"output={json.dumps(arguments.output)}")
    return config.load(arguments.config, overrides)


@contextmanager
def open_data(settings: config.Config, stages: Stages) -> Iterator[Prepared]:
    """Read and clean the tables that the configuration names; their lines may be used for as long as the block runs."""
    from segml.data import load_tables, opened_engine
    from segml.pipeline import prepare

    stages("reading data")
    with opened_engine(settings.engine, settings.threads, settings.data.transactions) as backend:
        tables = load_tables(settings, backend, lambda done, of: stages.detail(f"{done / of:.0%}"))
        stages("cleaning")
        yield prepare(tables, settings, today=date.today())


def run(command: Callable[[argparse.Namespace], Any], arguments: argparse.Namespace) -> int:
    """Run a command and return its exit code; every outcome that is not success prints one message."""
    _calm_libraries(debug=arguments.debug)
    try:
        with _StopSignals():
            command(arguments)
    except InputError as error:
        _say(f"error: {error}", debug=arguments.debug)
        return EXIT_INPUT
    except KeyboardInterrupt as stop:
        _say("stopped by SIGTERM" if isinstance(stop, Terminated) else "interrupted", debug=arguments.debug)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing to say to it
        return EXIT_DONE
    except Exception as error:
        _say(
            f"this is a bug in segml, not in your data: {type(error).__name__}: {error}\n"
            "Run again with --debug for the traceback and report it, please.",
            debug=arguments.debug,
        )
        return EXIT_BUG
    return EXIT_DONE


def print_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object to stdout."""
    print(json.dumps(values, ensure_ascii=False, indent=2, default=str))


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print what a command did, one fact a line; notices last."""
    shown = {name: value for name, value in facts.items() if name != "notices"}
    width = max(len(name) for name in shown)
    for name, value in shown.items():
        print(f"{name:<{width}}  {value}")
    for notice in facts.get("notices", ()):
        print(f"note: {notice}")


class Stages:
    """Shows which stage of a long command runs, and measures how long each took.

    Call it with a stage's name when the stage begins; ``detail`` says more while it runs. ``seconds`` holds the
    durations of the finished stages.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, quiet=quiet, highlight=False)
        self.seconds: dict[str, float] = {}
        self._status: Status | None = None
        self._name: str | None = None
        self._began = 0.0

    def __call__(self, name: str) -> None:
        """End the running stage and begin the next."""
        stop_if_asked()
        self._finish()
        self._name, self._began = name, time.perf_counter()
        self._status = self.console.status(f"{name} …")
        self._status.start()

    def detail(self, text: str) -> None:
        """Say what the running stage is at."""
        stop_if_asked()
        if self._status is not None:
            self._status.update(f"{self._name} … {text}")

    def __enter__(self) -> Stages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        elif self._status is not None:
            self._status.stop()

    def _finish(self) -> None:
        if self._status is None or self._name is None:
            return
        self._status.stop()
        seconds = time.perf_counter() - self._began
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + seconds
        self.console.print(f"  {self._name:<32}{seconds:6.1f} s")
        self._status = self._name = None


def _calm_libraries(*, debug: bool) -> None:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_DISABLE_SCHEMA_DETAILS", "true")  # schema errors would print rows of data
    if not debug:
        warnings.simplefilter("ignore")
        for name in ("mlflow", "alembic", "urllib3"):
            logging.getLogger(name).setLevel(logging.ERROR)
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")


class _StopSignals:
    """Turns SIGTERM and SIGINT into exceptions that unwind every ``with`` block.

    Native code may swallow such an exception and raise its own (DuckDB: "Query interrupted"), so what leaves the block
    after a signal is told as a stop, whatever its type. Python itself swallows one that arrives in a callback (a
    finalizer, a weak reference): then ``stop_if_asked`` raises it again.
    """

    asked: ClassVar[KeyboardInterrupt | None] = None

    def __init__(self) -> None:
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        _StopSignals.asked = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._previous[number] = signal.signal(number, self._arrived)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._swallowed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._unraisable
        stop, _StopSignals.asked = _StopSignals.asked, None
        if stop is not None and isinstance(error, Exception):
            raise stop from error

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        _StopSignals.asked = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        raise _StopSignals.asked

    def _swallowed(self, unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_value is not _StopSignals.asked:
            self._unraisable(unraisable)


def stop_if_asked() -> None:
    """Raise the stop signal that arrived during this command, should it have been swallowed where it was raised."""
    if _StopSignals.asked is not None:
        raise _StopSignals.asked


def _say(message: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"segml: {message}", file=sys.stderr)
