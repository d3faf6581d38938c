"""What every command shares: arguments, exit codes, signals, progress, and where output goes.

Results go to stdout, logs and progress to stderr. Exit codes: 0 done, 2 the user's input or
configuration is at fault, 130 interrupted, 1 a bug of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from segml import config
from segml.calm import calm_process
from segml.progress import Stages as Stages
from segml.schema import InputError
from segml.stopping import StopSignals, Terminated
from segml.stopping import stop_if_asked as stop_if_asked

if TYPE_CHECKING:
    from segml.pipeline import Prepared

EXIT_DONE, EXIT_BUG, EXIT_INPUT, EXIT_INTERRUPTED = 0, 1, 2, 130


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
    add_options(made)


def add_options(made: argparse.ArgumentParser) -> None:
    """Add the options that commands have which take no ``--config``."""
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
    """Run a command and return its exit code; every outcome that is not success prints one message.

    A command may return an exit code of its own.
    """
    calm_process(debug=arguments.debug)
    try:
        with StopSignals():
            done = command(arguments)
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
    return done if isinstance(done, int) else EXIT_DONE


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


def _say(message: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"segml: {message}", file=sys.stderr)
