"""Writes the reference pages that the code tells: configuration keys, commands, Python modules."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import keys
from docstrings import rendered

import segml

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GENERATED = Path(__file__).resolve().parents[1] / "generated"
PACKAGE = Path(segml.__file__).parent
MODULES = {
    "segml": "what a notebook needs",
    "segml.pipeline": "the whole flow as functions of tables",
    "segml.data": "readers, cleaning, public data sets",
    "segml.features": "features of customers at as-of dates",
    "segml.labels": "what happened after an as-of date",
    "segml.schemes": "rule-based schemes",
    "segml.segments": "schemes applied, found segments, profiles, cautions",
    "segml.clusters": "clusterers, and how many segments there are",
    "segml.churn": "models, evaluation out of time, reasons",
    "segml.actions": "decisions, the call list, tasks, cross-sell, key accounts",
    "segml.monitor": "migration, drift, proof of scores, verdict, effectiveness",
    "segml.campaigns": "campaign tests: power, assignment, effect",
    "segml.crm": "tables for a CRM, as files and in PostgreSQL",
    "segml.plots": "pictures",
    "segml.config": "the typed configuration",
    "segml.schema": "canonical tables, and errors",
    "segml.spark_scoring": "scores that stay on Spark",
}
_COMMANDS = """\
# Commands

Exit codes: 0 done, 2 the input or the configuration is at fault, 130 interrupted, 1 a bug of segml's. Results go to
stdout, progress to stderr. This page is generated from the commands' own help.
"""


_SUBCOMMANDS = re.compile(r"^    ([a-z][\w-]*)(?:  .*)?$", re.MULTILINE)
"""Rows of a help text below the positional arguments; an option is indented less, an explanation more."""
_HELP_WIDTH = 96
_LONGEST_VALUE = 88


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks for sources."""
    app.connect("builder-inited", lambda _: write(GENERATED))
    return {"parallel_read_safe": True}


def write(folder: Path) -> None:
    """Write all pages into a folder; pages of modules that are gone go too."""
    modules = {f"api/{name}.md": module(name) for name in MODULES}
    pages = {"configuration.md": keys.page(), "commands.md": commands(), "api.md": api(), **modules}
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for path in set(folder.glob("api/*.md")) - {folder / name for name in modules}:
        path.unlink()


def api() -> str:
    """Return the page that lists the public modules."""
    rows = [f"| [`{name}`](api/{name}.md) | {what} |" for name, what in MODULES.items()]
    tree = ["```{toctree}", ":hidden:", "", *(f"api/{name}" for name in MODULES), "```"]
    head = "# Python modules\n\nWhat is listed here is public; names with a leading underscore are not.\n"
    return "\n".join([head, "| module | |\n| --- | --- |", *rows, "", *tree, ""])


def module(name: str) -> str:
    """Return the page of a module: what it is, an overview of its public names, and their docstrings."""
    found = importlib.import_module(name)
    names = [one for one in public_names(found) if not inspect.ismodule(getattr(found, one))]
    homes = {one: home(found, one) for one in names}
    told = [one for one in names if not _is_data(getattr(found, one))]
    about = [f".. py:module:: {name}", "", *rendered(inspect.cleandoc(found.__doc__ or "").splitlines()), ""]
    overview = [".. autosummary::", "   :nosignatures:", "", *(f"   {homes[one]}" for one in told), ""]
    parts = [f"# `{name}`", _rst([*about, *overview])]
    for title, directive, belongs in _KINDS:
        listed = [one for one in names if homes[one] == one and belongs(getattr(found, one))]
        if listed:
            parts += [f"## {title}", _rst([f".. currentmodule:: {name}", "", *_directives(found, directive, listed)])]
    return "\n\n".join(parts) + "\n"


def _directives(found: ModuleType, directive: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f".. {directive}:: {name}"
        if directive == "autoclass":
            yield "   :members:"
        if directive == "autodata" and len(repr(getattr(found, name))) > _LONGEST_VALUE:
            yield "   :no-value:"
        yield ""


def home(found: ModuleType, name: str) -> str:
    """Return how a module's overview calls a name: one that ``segml`` took from a part of it is described there."""
    value = getattr(found, name)
    others = (other for other in MODULES if found.__name__ == "segml" != other)
    homes = (other for other in others if getattr(importlib.import_module(other), name, None) is value)
    return next((f"~{other.removeprefix('segml.')}.{name}" for other in homes), name)


def public_names(found: ModuleType) -> list[str]:
    """Return the names that a module offers, in alphabetical order: ``__all__``, or what it defines itself."""
    own = (name for name, value in vars(found).items() if getattr(value, "__module__", "") == found.__name__)
    return sorted(getattr(found, "__all__", None) or (name for name in own if not name.startswith("_")))


def _is_class(value: Any) -> bool:
    return inspect.isclass(value)


def _is_function(value: Any) -> bool:
    return inspect.isroutine(value) or hasattr(value, "__wrapped__")


def _is_data(value: Any) -> bool:
    return not _is_class(value) and not _is_function(value) and not inspect.ismodule(value)


_KINDS = (
    ("Functions", "autofunction", _is_function),
    ("Classes", "autoclass", _is_class),
    ("Data", "autodata", _is_data),
)


def _rst(lines: list[str]) -> str:
    return "\n".join(["```{eval-rst}", *lines, "```"])


def commands() -> str:
    """Return the page of all commands with their help."""
    return "\n".join([_COMMANDS, *(section for name in command_names() for section in command_section(name))])


def command_names() -> list[str]:
    """Return the modules of segml that are run as ``python -m segml.NAME``, training first."""
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__main__.py")]
    names = {path.parent.name if path.stem == "__main__" else path.stem for path in files if _is_command(path)}
    return sorted(names, key=lambda name: (name != "train", name))


def _is_command(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    mains = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    return any(argument.arg == "argv" for main in mains for argument in main.args.args)


def main_of(name: str) -> Callable[[Sequence[str]], int]:
    """Return the function that runs a command on its arguments."""
    where = f"segml.{name}.__main__" if (PACKAGE / name / "__main__.py").is_file() else f"segml.{name}"
    main: Callable[[Sequence[str]], int] = importlib.import_module(where).main
    return main


def command_section(name: str) -> Iterator[str]:
    """Yield what the page says of a command, and of each of its subcommands."""
    text = command_help(name)
    yield f"## `python -m segml.{name}`\n\n```text\n{text}```\n"
    for subcommand in _SUBCOMMANDS.findall(text):
        yield f"### `python -m segml.{name} {subcommand}`\n\n```text\n{command_help(name, subcommand)}```\n"


def command_help(name: str, *subcommand: str) -> str:
    """Return what a command prints when it is asked for help, in lines of one width on every terminal."""
    width = {"COLUMNS": str(_HELP_WIDTH), "NO_COLOR": "1"}
    printed, done = contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit)
    with mock.patch.dict(os.environ, width), printed as text, done:
        main_of(name)([*subcommand, "--help"])
    return text.getvalue()
