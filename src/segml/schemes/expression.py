"""Boolean expressions over columns, such as ``revenue_365d >= 50_000 and tier in ["key", "growing"]``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterable
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.arrays import BooleanArray

from segml.schema import NOT_ENOUGH_DATA, DataError, Kind, did_you_mean
from segml.schemes.grammar import (
    Kinds,
    MisuseError,
    check,
    kind_of,
    literal,
    members,
    names_in,
    parse,
    place_in,
    shortened,
)

_COMPARE: dict[type[ast.AST], Any] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_INFERRED: dict[str, Kind] = {
    "string": "text",
    "integer": "number",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "boolean": "flag",
    "datetime64": "time",
    "datetime": "time",
    "date": "time",
    "timedelta64": "time",
    "timedelta": "time",
    "time": "time",
    "period": "time",
}
"""Kinds of the types that pandas finds in a column."""

Floats = NDArray[np.float64]


class Expression:
    """A condition on columns, read from text; unknown values follow three-valued logic (Kleene).

    ``False and unknown`` is false, ``True or unknown`` is true, all else that rests on an unknown value is unknown; so
    is a division by zero. A value is unknown where it is null, or the label "not enough data"; ``is_known(name)`` asks
    for that and is always true or false.

    Parameters
    ----------
    text : the condition: names of columns, numbers, text in quotes, ``and or not``, comparisons (also chained, ``1 < x
        <= 3``), ``in`` and ``not in`` a list, ``+ - * /``, parentheses, ``is_known(name)``; up to 2,000 characters

    Raises
    ------
    ValueError : the text cannot be read, holds something else, or does not give true or false; names the position

    Examples
    --------
    >>> condition = Expression('stage == "inactive" and revenue > 50_000')
    >>> condition.names
    ('stage', 'revenue')
    >>> base = pd.DataFrame({"stage": ["inactive", "active", "inactive"], "revenue": [60_000, None, None]})
    >>> condition.evaluate(base)
    0     True
    1    False
    2     <NA>
    dtype: boolean
    """

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"[\t\r\n\f\v]", " ", text).strip()
        try:
            self._root = parse(self.text)
            check(self._root, {})
        except MisuseError as misuse:
            raise ValueError(f"cannot read {shortened(self.text)!r} {misuse.told_in(self.text)}") from None
        self._places = names_in(self._root)
        self.names = tuple(self._places)

    def check_names(self, columns: Iterable[object]) -> None:
        """Raise ``DataError`` that tells the first name which is not among the columns, and where it stands."""
        known = [str(column) for column in columns]
        for name in self.names:
            if name not in known:
                where = f"{shortened(self.text)!r} {place_in(self.text, self._places[name])}"
                nearest = did_you_mean(name, known)
                raise DataError(f"the rule {where}: no column is named {name!r}{nearest}; known are {known}")

    def evaluate(self, frame: pd.DataFrame) -> pd.Series[Any]:
        """Return true, false or unknown a row (dtype ``boolean``), on the index of ``frame``.

        Raises
        ------
        DataError : a name is not a column, or a column is of another kind than its use; names the position
        """
        self.check_names(frame.columns)
        kinds = {name: _kind_of_column(frame[name]) for name in self.names}
        try:
            check(self._root, kinds)
        except MisuseError as misuse:
            raise DataError(f"the rule {shortened(self.text)!r} {misuse.told_in(self.text)}") from None
        with np.errstate(all="ignore"):
            truth = _Evaluation(frame, kinds).flags(self._root)
        return pd.Series(truth, index=frame.index)


def _kind_of_column(column: pd.Series[Any]) -> Kind | None:
    if column.isna().all():
        return None
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _kind_of_column(pd.Series(column.cat.categories, name=column.name))
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred not in _INFERRED:
        raise DataError(f"column {column.name!r} holds values of several kinds ({inferred}); make it numbers or text")
    return _INFERRED[inferred]


class _Evaluation:
    """Values of a checked expression over one frame: numbers with NaN, text with None, flags with their own mask."""

    def __init__(self, frame: pd.DataFrame, kinds: Kinds) -> None:
        self._frame, self._kinds = frame, kinds

    def flags(self, node: ast.expr) -> BooleanArray:
        match node:
            case ast.BoolOp(op=op, values=values):
                combine = operator.and_ if isinstance(op, ast.And) else operator.or_
                return reduce(combine, map(self.flags, values))
            case ast.UnaryOp(operand=operand):
                return ~self.flags(operand)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                pairs = zip(pairwise([left, *comparators]), ops, strict=True)
                return reduce(operator.and_, (self._comparison(one, op, other) for (one, other), op in pairs))
            case ast.Call(args=[ast.Name(id=name)]):
                is_known = pd.notna(self._objects(name))
                return BooleanArray(is_known, np.zeros_like(is_known))
            case ast.Name(id=name):
                flags = self._objects(name)
                return BooleanArray(np.equal(flags, True).astype(bool), pd.isna(flags))
        raise AssertionError(f"{type(node).__name__} gives no flags; check comes first")

    def _comparison(self, left: ast.expr, comparison: ast.cmpop, right: ast.expr) -> BooleanArray:
        if isinstance(comparison, ast.In | ast.NotIn):
            found = reduce(operator.or_, (self._comparison(left, ast.Eq(), member) for member in members(right)))
            return ~found if isinstance(comparison, ast.NotIn) else found
        kind = kind_of(left, self._kinds) or kind_of(right, self._kinds)
        one, other = self._values(left, kind), self._values(right, kind)
        truth = np.asarray(_COMPARE[type(comparison)](one, other), dtype=bool)
        return BooleanArray(truth, pd.isna(one) | pd.isna(other))

    def _values(self, node: ast.expr, kind: Kind | None) -> NDArray[Any]:
        if kind == "text":
            return self._text(node)
        if kind == "flag":
            return self.flags(node).to_numpy(dtype="float64", na_value=np.nan)
        return self._numbers(node)

    def _text(self, node: ast.expr) -> NDArray[np.object_]:
        if isinstance(node, ast.Name):
            return self._objects(node.id)
        return np.full(len(self._frame), literal(node), dtype=object)

    def _numbers(self, node: ast.expr) -> Floats:
        match node:
            case ast.Name(id=name):
                return self._objects(name).astype("float64")
            case ast.UnaryOp(operand=operand):
                return -self._numbers(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return _arithmetic(op, self._numbers(left), self._numbers(right))
        return np.full(len(self._frame), literal(node))

    def _objects(self, name: str) -> NDArray[np.object_]:
        """Return the values of a column, None where unknown."""
        values = self._frame[name].astype("object").to_numpy(copy=True)
        values[pd.isna(values)] = None
        values[values == NOT_ENOUGH_DATA] = None
        return values


def _arithmetic(op: ast.operator, left: Floats, right: Floats) -> Floats:
    match op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    return np.where(right == 0, np.nan, left / right)
