"""Turns the short docstrings of segml into fields that Sphinx renders.

Sections have the heads of numpydoc. A field is ``name : what it is``, because the annotation tells its type; a reader
of numpydoc would take that text for the type.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from segml import schema

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FIELD = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*) : (.*)")
_RULE = re.compile(r"-{4,}")
_UNTOLD = re.compile(r"model_config|model_post_init|set_\w+_request|get_metadata_routing")
"""What pydantic and scikit-learn put into every class."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to autodoc."""
    app.connect("autodoc-process-docstring", _process_docstring)
    app.connect("autodoc-process-signature", _process_signature)
    app.connect("autodoc-skip-member", lambda app, what, name, *_: True if _UNTOLD.fullmatch(name) else None)
    return {"parallel_read_safe": True}


def _process_docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    is_of_its_type = what in ("data", "attribute") and "\n".join(lines).strip() == _type_doc(obj)
    lines[:] = [] if is_of_its_type else rendered(lines)


def _type_doc(obj: Any) -> str:
    """Return what a value says of itself only because its type does; a field of a named tuple says its place."""
    doc = type(obj).__doc__
    return inspect.cleandoc(doc if isinstance(doc, str) else obj.__doc__ or "").strip()


def rendered(lines: list[str]) -> list[str]:
    """Return a docstring's lines with its sections as fields.

    >>> rendered(["Parameters", "----------", "x : a number, or", "    two", "", "Raises", "------", "KeyError : no"])
    [':Parameters:', '    * **x** – a number, or two', '', '', ':raises KeyError: no', '']
    """
    made: list[str] = []
    at = 0
    while at < len(lines):
        title = lines[at].strip()
        if title in _SECTIONS and _RULE.fullmatch("".join(lines[at + 1 : at + 2]).strip()):
            body = _body(lines[at + 2 :])
            made += [*_SECTIONS[title](body), ""]
            at += 2 + len(body)
        else:
            made.append(lines[at])
            at += 1
    return made


def _body(lines: list[str]) -> list[str]:
    """Return the lines of a section: up to the first empty one."""
    return lines[: next((at for at, line in enumerate(lines) if not line.strip()), len(lines))]


def _fields(body: list[str]) -> Iterator[tuple[str, str]]:
    """Yield names and descriptions, a description that goes on below in one line."""
    joined: list[str] = []
    for line in body:
        if line.startswith(" "):
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    for line in joined:
        found = _FIELD.fullmatch(line)
        yield (found[1], found[2]) if found else (line, "")


def _list(title: str) -> Callable[[list[str]], list[str]]:
    return lambda body: [f":{title}:", *(f"    * **{_escaped(name)}** – {text}" for name, text in _fields(body))]


def _raises(body: list[str]) -> list[str]:
    return [f":raises {_full_name(name)}: {text}" for name, text in _fields(body)]


def _returns(body: list[str]) -> list[str]:
    return [f":returns: {' '.join(line.strip() for line in body)}"]


def _examples(body: list[str]) -> list[str]:
    return [".. rubric:: Examples", "", *body]


_SECTIONS = {
    "Parameters": _list("Parameters"),
    "Attributes": _list("Attributes"),
    "Raises": _raises,
    "Returns": _returns,
    "Examples": _examples,
}


def _escaped(name: str) -> str:
    return name.replace("*", r"\*").replace("_", r"\_")


def _full_name(error: str) -> str:
    return f"segml.schema.{error}" if hasattr(schema, error) else error


def _process_signature(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """Show a section of the configuration by its keys and defaults, not by the types that pydantic spells out."""
    if what == "class" and issubclass(obj, BaseModel):
        return f"({', '.join(_defaults(obj))})", None
    return None


def _defaults(section: type[BaseModel]) -> Iterator[str]:
    for name, info in section.model_fields.items():
        is_short = not info.is_required() and isinstance(info.default, str | int | float | type(None))
        yield f"{name}={info.default!r}" if is_short else f"{name}=…" if not info.is_required() else name
