"""The page of all configuration keys: kinds, defaults and explanations, read from the typed configuration."""

from __future__ import annotations

import ast
import inspect
import io
import json
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from datetime import date
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from docstrings import rendered

from segml import schema
from segml.config import (
    Config,
    ContractColumns,
    CustomerColumns,
    TouchColumns,
    TransactionColumns,
    UsageColumns,
)
from segml.schema import TableSchema
from segml.schemes import Scheme
from segml.settings import Section

_HEAD = """\
# Configuration keys

Every key has a default. A YAML file holds what differs, `--set KEY=VALUE` wins over the file, and an unknown key is an
error that names the nearest known one. The `config.yaml` that a run leaves holds all keys as they were.

```
python -m segml.train --config configs/your_csv.yaml --set horizon_days=60
```

This page is generated from the code.
"""
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true or false", date: "date", NoneType: "null"}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
_COLUMNS: dict[type[Section], TableSchema] = {
    TransactionColumns: schema.TRANSACTIONS,
    CustomerColumns: schema.CUSTOMERS,
    UsageColumns: schema.USAGE,
    ContractColumns: schema.CONTRACTS,
    TouchColumns: schema.TOUCHES,
}
_LONGEST_DEFAULT = 120


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_section("", Config())])


def anchor(path: str) -> str:
    """Return the name by which other pages refer to a section, as ``config-churn-boosting``."""
    return "config-" + (path or "top").replace(".", "-").replace("_", "-")


def _section(path: str, section: Section) -> Iterator[str]:
    kind = type(section)
    values = {name: getattr(section, name) for name in kind.model_fields}
    keys = [name for name, value in values.items() if not isinstance(value, Section)]
    yield f"({anchor(path)})=\n## {f'`{path}`' if path else 'Top level'}\n"
    yield _explanation(kind)
    if keys:
        yield from _table(section, keys)
    for name, value in values.items():
        if isinstance(value, Section):
            yield from _section(f"{path}.{name}".lstrip("."), value)


def _explanation(kind: type[Section]) -> str:
    text = "\n".join(rendered(inspect.cleandoc(kind.__doc__ or "").splitlines())).replace("``", "`")
    if issubclass(kind, Scheme):
        text += f"\n\nLabels and rules: *{kind.title}* among the [segmentation schemes](../schemes.md)."
    return f"{text}\n"


def _table(section: Section, keys: Iterable[str]) -> Iterator[str]:
    kind = type(section)
    notes, defaults = meanings(kind), section.model_dump(mode="json")
    head = ("key", "takes", "default", *(["what"] if notes else []))
    yield _row(head) + "\n" + _row("---" for _ in head)
    for key in keys:
        info = kind.model_fields[key]
        cells = (f"`{key}`", words(info.annotation, info.metadata), _default(defaults[key]), notes.get(key, ""))
        yield _row(cells[: len(head)])
    yield ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Return what a key takes, in words.

    >>> from pydantic import Field
    >>> words(Annotated[int, Field(ge=1)] | None), words(tuple[Literal["a", "b"], ...])
    ('whole number ≥ 1, or null', 'list of `a` or `b`')
    """
    bounds = [
        text.format(getattr(one, name))
        for one in _flat(metadata)
        for name, text in _BOUNDS.items()
        if hasattr(one, name)
    ]
    return " ".join([_words(annotation), ", ".join(bounds)]).strip()


def _words(annotation: Any) -> str:
    parts, origin = get_args(annotation), get_origin(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is Annotated:
        return words(parts[0], parts[1:])
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin is tuple:
        return f"list of {words(parts[0])}"
    if origin is dict:
        return f"mapping of names to {words(parts[1])}"
    if parts:
        return ", or ".join(words(part) for part in parts)
    return (inspect.getdoc(annotation) or annotation.__name__).split("\n")[0].rstrip(".").lower()


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    """Yield bounds, also those inside of pydantic's ``Field``."""
    for one in metadata:
        yield from getattr(one, "metadata", (one,))


def _default(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")
    if len(text) > _LONGEST_DEFAULT:
        return f"{len(value)} built-in ones"
    return f"`{text}`" if text else "empty"


def meanings(kind: type[Section]) -> dict[str, str]:
    """Return what canonical columns hold, or what comments at fields say, by the name of the field."""
    if kind in _COLUMNS:
        return {column.name: column.meaning for column in _COLUMNS[kind].columns}
    bases = [base for base in reversed(kind.__mro__) if issubclass(base, Section) and base is not Section]
    return {name: text for base in bases for name, text in _comments(base).items()}


def _comments(kind: type[Section]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(kind))
    found = {
        token.start[0]: token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    (body,) = ast.parse(source).body
    fields = [node for node in getattr(body, "body", []) if isinstance(node, ast.AnnAssign)]
    told = {getattr(node.target, "id", ""): _comment_at(node, found) for node in fields}
    return {name: text for name, text in told.items() if text}


def _comment_at(field: ast.AnnAssign, found: dict[int, tokenize.TokenInfo]) -> str:
    """Return the comment behind a field, or the one that stands alone on the line above it."""
    behind, above = found.get(field.end_lineno or 0), found.get(field.lineno - 1)
    if behind is None and above is not None and above.line.lstrip().startswith("#"):
        behind = above
    return behind.string.lstrip("# ").replace("``", "`") if behind else ""
