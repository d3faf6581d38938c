"""What may stand in an expression, and where; the text is read with Python's grammar, and nothing of it is run."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from itertools import pairwise

from segml.schema import NOT_ENOUGH_DATA, Kind

MAX_LENGTH = 2_000
MAX_DEPTH = 50

_ALLOWED = (
    "allowed are names of features and labels, numbers, text in quotes, lists of these, and, or, not, comparisons, in, "
    "+ - * /, parentheses and is_known(name)"
)
_KINDS: dict[Kind, str] = {"number": "a number", "text": "text", "flag": "true or false", "time": "a time"}
_FORBIDDEN: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.Call: "a call other than is_known(name)",
    ast.Subscript: "an index",
    ast.IfExp: "if … else",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment",
    ast.List: "a list that does not follow in",
    ast.Tuple: "a list that does not follow in",
}

Kinds = Mapping[str, Kind | None]
"""Kind of each column; None where it is not known yet, or where the column holds nothing at all."""


class MisuseError(Exception):
    """Something stands where it must not; ``place`` is in bytes, as the parser counts."""

    def __init__(self, place: int, problem: str) -> None:
        super().__init__(problem)
        self.place, self.problem = place, problem

    def told_in(self, text: str) -> str:
        """Return the place in this text, and the problem."""
        return f"{place_in(text, self.place)}: {self.problem}"


def place_in(text: str, place: int) -> str:
    """Return where a place in bytes is, for people."""
    column = len(text.encode(errors="replace")[:place].decode(errors="ignore"))
    near = shortened(text[column:], 20)
    return f"at column {column + 1}, near {near!r}" if near else f"at column {column + 1}, at the end"


def shortened(text: str, length: int = 60) -> str:
    """Return the text, cut at the end where it is longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def parse(text: str) -> ast.expr:
    """Return the tree of a text in one line, of bounded depth; raise ``MisuseError`` where it has none."""
    if not text:
        raise MisuseError(0, "there is no condition; write one such as revenue_365d > 0")
    if len(text) > MAX_LENGTH:
        raise MisuseError(0, f"the condition has {len(text):,} characters; {MAX_LENGTH:,} are the most")
    _check_characters(text)
    tree = _grammar(text)
    _check_depth(tree)
    _check_comments(text, tree)
    return tree


def _grammar(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "1or 2" is read with a warning
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = min(error.offset - 1, len(text)) if error.offset else len(text)
        hint = "write == to compare" if text[column:].startswith("=") or "'=='" in error.msg else error.msg
        raise MisuseError(len(text[:column].encode()), f"{hint}; {_ALLOWED}") from None
    except (MemoryError, RecursionError):
        raise _too_deep(0) from None


def _check_characters(text: str) -> None:
    for column, character in enumerate(text):
        if not character.isprintable():
            before = len(text[:column].encode(errors="replace"))
            raise MisuseError(before, f"an invisible character, U+{ord(character):04X}; type a plain space or none")


def _check_depth(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    if level:
        raise _too_deep(getattr(level[0], "col_offset", 0))


def _too_deep(place: int) -> MisuseError:
    return MisuseError(place, f"nested deeper than {MAX_DEPTH} levels; split the rule in several")


def _check_comments(text: str, tree: ast.expr) -> None:
    """Refuse ``#`` outside quotes: the grammar would drop the rest of the line, and so a part of the condition."""
    quoted = [(node.col_offset, node.end_col_offset or 0) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    for match in re.finditer(b"#", text.encode()):
        if not any(start <= match.start() < end for start, end in quoted):
            raise MisuseError(match.start(), f"a comment; {_ALLOWED}")


def names_in(root: ast.expr) -> dict[str, int]:
    """Return the names of columns in order of appearance, each with its first place."""
    nodes = [node for node in ast.walk(root) if isinstance(node, ast.Name) and node.id != "is_known"]
    nodes.sort(key=lambda node: node.col_offset, reverse=True)
    first = {node.id: node.col_offset for node in nodes}
    return dict(sorted(first.items(), key=lambda item: item[1]))


def check(root: ast.expr, kinds: Kinds) -> None:
    """Raise ``MisuseError`` unless the tree holds only what is allowed, and gives true or false.

    Without kinds of columns (an empty mapping), this is all that the text alone can tell.
    """
    found = kind_of(root, kinds)
    if found not in ("flag", None):
        raise MisuseError(root.col_offset, f"it gives {_KINDS[found]}, not true or false; compare it with something")


def kind_of(node: ast.expr, kinds: Kinds) -> Kind | None:
    """Return what a part of the tree gives, None where nobody can tell; raise ``MisuseError`` where it may not be."""
    match node:
        case ast.BoolOp(values=values):
            return _all(values, "flag", kinds)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _all([operand], "flag", kinds)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _all([operand], "number", kinds)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
            return _all([left, right], "number", kinds)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for (one, other), comparison in zip(pairwise([left, *comparators]), ops, strict=True):
                _check_comparison(one, comparison, other, kinds)
            return "flag"
        case ast.Call(func=ast.Name(id="is_known"), args=[ast.Name(id=name)], keywords=[]) if name != "is_known":
            return "flag"
        case ast.Name(id=name) if name != "is_known":
            return kinds.get(name)
        case ast.Constant(value=value):
            return _kind_of_constant(node, value)
    what = _FORBIDDEN.get(type(node), "this")
    raise MisuseError(node.col_offset, f"{what} is not allowed; {_ALLOWED}")


def _all(nodes: Iterable[ast.expr], wanted: Kind, kinds: Kinds) -> Kind:
    for node in nodes:
        found = kind_of(node, kinds)
        if found not in (wanted, None):
            raise MisuseError(node.col_offset, f"{_KINDS[found]} stands where {_KINDS[wanted]} belongs")
    return wanted


def _kind_of_constant(node: ast.Constant, value: object) -> Kind:
    if value == NOT_ENOUGH_DATA:
        raise MisuseError(node.col_offset, f"{value!r} means that the label is unknown; write not is_known(name)")
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    if value is None or isinstance(value, bool):
        raise MisuseError(node.col_offset, f"{value} is not needed; write name or not name, is_known(name)")
    raise MisuseError(node.col_offset, f"this is neither a number nor text; {_ALLOWED}")


def _check_comparison(left: ast.expr, comparison: ast.cmpop, right: ast.expr, kinds: Kinds) -> None:
    match comparison:
        case ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE():
            _all([left, right], "number", kinds)
        case ast.Eq() | ast.NotEq():
            _check_alike(left, [left, right], kinds)
        case ast.In() | ast.NotIn():
            _check_alike(left, [left, *members(right)], kinds)
        case _:
            raise MisuseError(left.col_offset, f"is is not allowed, write == or is_known(name); {_ALLOWED}")


def _check_alike(place: ast.expr, nodes: list[ast.expr], kinds: Kinds) -> None:
    found = list(dict.fromkeys(kind for node in nodes if (kind := kind_of(node, kinds)) is not None))
    if "time" in found:
        raise MisuseError(place.col_offset, "a time cannot be compared; ask for the days since, such as recency_days")
    if len(found) > 1:
        raise MisuseError(place.col_offset, f"{_KINDS[found[0]]} is compared with {_KINDS[found[1]]}")


def members(node: ast.expr) -> list[ast.expr]:
    """Return the literals of a list."""
    if not isinstance(node, ast.List | ast.Tuple) or not node.elts:
        raise MisuseError(node.col_offset, 'in is followed by a list of values, such as ["key", "growing"]')
    for element in node.elts:
        literal(element)
    return node.elts


def literal(node: ast.expr) -> str | float:
    """Return the value of a literal."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=int() | float() as number):
            return _as_float(number)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -_as_float(number)
    raise MisuseError(node.col_offset, "a list holds nothing but numbers and text in quotes")


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer beyond 1e308
        return math.inf
