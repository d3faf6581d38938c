"""Nested levels: each splits the groups of the one before, from what is seen at once to what has to be learnt.

Source: Bonoma and Shapiro, "How to segment industrial markets", Harvard Business Review, 1984. Their levels go from
demographics over operating variables, purchasing and situation to the people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from segml.language import _
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes.named import Named, NamedSection
from segml.schemes.scheme import Labels, Rules
from segml.settings import Positive

OTHER = "other"
SEPARATOR = " > "

Path = tuple[str, ...]


def _as_tuple(found: object) -> object:
    """Let one column stand for a list of one."""
    if isinstance(found, str):
        return (found,)
    return tuple(found) if isinstance(found, list) else found


Columns = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_tuple)]


# The five Ws are levels like any others, in the order of the questions:
#   levels: {who: company_size, what: need, why: price_behaviour, when: buying_season, where: geography}
class NestedLevels(NamedSection):
    """Levels in order, each a column or several: labels of schemes, or text about customers.

    A branch of fewer than ``min_customers`` does not get a segment of its own. Where ``paths`` are given, these are the
    segments, however many customers they have: a value a column, ``other`` for any that no path names; a path may end
    early.
    """

    levels: Annotated[dict[str, Columns], Field(min_length=1)]
    min_customers: Positive = 20
    paths: tuple[tuple[str, ...], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all levels, in order."""
        return tuple(column for columns in self.levels.values() for column in columns)

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """Each column with the level that it belongs to, in order."""
        return tuple((level, column) for level, columns in self.levels.items() for column in columns)

    @model_validator(mode="after")
    def _paths_fit_the_columns(self) -> NestedLevels:
        too_long = [path for path in self.paths if len(path) > len(self.columns)]
        if too_long:
            raise ValueError(f"paths hold a value a column, {len(self.columns)} at most; found {list(too_long[0])}")
        if len(set(self.paths)) < len(self.paths):
            raise ValueError("paths hold one more than once; keep one of each")
        return self

    @model_validator(mode="after")
    def _columns_are_named_once(self) -> NestedLevels:
        twice = sorted({column for column in self.columns if self.columns.count(column) > 1})
        if twice:
            raise ValueError(f"levels name {twice} more than once; keep one of each")
        return self


class Nested(Named):
    """The path through the levels, such as "small > web > key".

    Values that fewer than ``min_customers`` of a branch have share the branch "other", and so does the value "other"
    itself. A branch that has no value of its own large enough ends there: its path is shorter.

    >>> levels = NestedLevels(levels={"operating": "channel", "purchasing": "tier"}, min_customers=2)
    >>> base = pd.DataFrame({"channel": ["web", "web", "web", "fax"], "tier": ["key", "key", "small", "key"]})
    >>> Nested(key="approach", given=levels).assign(base).tolist()
    ['web > key', 'web > key', 'web > other', 'other']
    """

    given: NestedLevels

    @property
    def compares_customers(self) -> bool:
        """Whether the size of branches decides: not where the paths are given."""
        return not self.given.paths

    @property
    def criteria(self) -> int:
        """The number of columns."""
        return len(self.given.columns)

    @property
    def requires(self) -> tuple[str, ...]:
        """The columns of all levels."""
        return self.given.columns

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the levels with the paths of these customers."""
        paths = tuple(branch.path for branch in self._branches(known))
        return {"given": self.given.model_copy(update={"paths": paths})}

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the path of each customer."""
        labels = np.empty(len(known), dtype=object)
        for branch in self._branches(known):
            labels[branch.rows] = _label(branch.path)
        return labels

    def rules(self) -> Rules:
        """Return what is known before the data are seen: the paths that are given, or nothing but the rest."""
        return self._told(self.given.paths) if self.given.paths else {OTHER: self._told_undivided()}

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the paths, each level in the order of its own labels (text by name), the rest last."""
        return self._told([branch.path for branch in self._branches(known)])

    def _branches(self, known: pd.DataFrame) -> list[_Branch]:
        branches = [_Branch(np.arange(len(known)))]
        for level, column in self.given.steps:
            values = _ordered(known[column], f"level {level!r} of scheme {self.name!r}")
            branches = [part for branch in branches for part in self._split(branch, values)]
        return branches

    def _split(self, branch: _Branch, values: pd.Categorical) -> Iterator[_Branch]:
        if branch.is_ended:
            yield branch
            return
        codes = values.codes[branch.rows]
        counts = np.bincount(codes, minlength=len(values.categories))
        own = self._own(branch.path, dict(zip(values.categories, counts, strict=True)))
        own_codes = values.categories.get_indexer(pd.Index(own, dtype=object))  # -1: nobody here has the value
        for value, code in zip(own, own_codes, strict=True):
            yield branch.part(codes == code, value)
        rest = ~np.isin(codes, own_codes)
        if not own:
            yield _Branch(branch.rows, branch.path, is_ended=True)
        elif rest.any():
            yield branch.part(rest, OTHER)

    def _own(self, path: Path, counts: Mapping[str, int]) -> list[str]:
        """Return the values that get a branch of their own after a path: those given, else the frequent ones."""
        if self.given.paths:
            return _values_after(path, self.given.paths)
        return [value for value, count in counts.items() if count >= self.given.min_customers and value != OTHER]

    def _told(self, paths: Collection[Path]) -> Rules:
        return {_label(path): self._conditions(path, paths) or self._told_undivided() for path in paths}

    def _told_undivided(self) -> str:
        if self.given.paths:
            return _("everyone")
        return _("values of fewer than {n} customers").format(n=self.given.min_customers)

    def _conditions(self, path: Path, paths: Collection[Path]) -> str:
        told = []
        for place, (value, (level, column)) in enumerate(zip(path, self.given.steps, strict=False)):
            if value == OTHER:
                text = _("{criterion} other than {values}")
                named = ", ".join(_values_after(path[:place], paths))
                told.append(text.format(criterion=f"{level}: {column}", values=named))
            else:
                told.append(f"{level}: {column} = {value}")
        return "; ".join(told)


@dataclass(frozen=True)
class _Branch:
    """Customers by place, and the values that lead to them."""

    rows: NDArray[np.int64]
    path: Path = ()
    is_ended: bool = False

    def part(self, mask: NDArray[np.bool_], value: str) -> _Branch:
        return _Branch(self.rows[mask], (*self.path, value))


def _label(path: Path) -> str:
    return SEPARATOR.join(path) or OTHER


def _values_after(path: Path, paths: Collection[Path]) -> list[str]:
    """Return the values by which paths go on after one, but for the rest, each once, in their order."""
    depth = len(path)
    following = (other[depth] for other in paths if len(other) > depth and other[:depth] == path)
    return [value for value in dict.fromkeys(following) if value != OTHER]


def _ordered(column: pd.Series[Any], reader: str) -> pd.Categorical:
    """Return labels in their own order, text by name."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        raise DataError(
            f"{reader} reads {column.name!r}, which is neither labels nor text; make labels of it by a custom scheme"
        )
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        order = [label for label in column.cat.categories if label != NOT_ENOUGH_DATA]
        return pd.Categorical(column.cat.set_categories(order).cat.rename_categories(str))
    text = column.astype("object").astype("str")
    return pd.Categorical(text, sorted(text.unique()))
