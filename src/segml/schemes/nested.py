"""Nested levels: each splits the groups of the one before, from what is seen at once to what has to be learnt.

Source: Bonoma and Shapiro, "How to segment industrial markets", Harvard Business Review, 1984. Their levels go from
demographics over operating variables, purchasing and situation to the people.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    A branch of fewer than ``min_customers`` does not get a segment of its own.
    """

    levels: Annotated[dict[str, Columns], Field(min_length=1)]
    min_customers: Positive = 20

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all levels, in order."""
        return tuple(column for columns in self.levels.values() for column in columns)

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

    compares_customers = True

    given: NestedLevels

    @property
    def criteria(self) -> int:
        """The number of columns."""
        return len(self.given.columns)

    @property
    def requires(self) -> tuple[str, ...]:
        """The columns of all levels."""
        return self.given.columns

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the path of each customer."""
        labels = np.empty(len(known), dtype=object)
        for branch in self._branches(known):
            labels[branch.rows] = branch.label
        return labels

    def rules(self) -> Rules:
        """Return what is known before the data are seen: nothing but the rest."""
        return {OTHER: _("values of fewer than {n} customers").format(n=self.given.min_customers)}

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the paths, each level in the order of its own labels (text by name), the rest last."""
        return {branch.label: branch.told() or self.rules()[OTHER] for branch in self._branches(known)}

    def _branches(self, known: pd.DataFrame) -> list[_Branch]:
        branches = [_Branch(np.arange(len(known)))]
        for level, columns in self.given.levels.items():
            for column in columns:
                values = _ordered(known[column], f"level {level!r} of scheme {self.name!r}")
                branches = [part for branch in branches for part in self._split(branch, f"{level}: {column}", values)]
        return branches

    def _split(self, branch: _Branch, criterion: str, values: pd.Categorical) -> Iterator[_Branch]:
        if branch.is_ended:
            yield branch
            return
        codes = values.codes[branch.rows]
        counts = np.bincount(codes, minlength=len(values.categories))
        own = {
            code: str(value)
            for code, value in enumerate(values.categories)
            if counts[code] >= self.given.min_customers and value != OTHER
        }
        for code, value in own.items():
            yield branch.part(codes == code, value, f"{criterion} = {value}")
        rest = ~np.isin(codes, list(own))
        if not own:
            yield _Branch(branch.rows, branch.path, branch.conditions, is_ended=True)
        elif rest.any():
            told = _("{criterion} other than {values}").format(criterion=criterion, values=", ".join(own.values()))
            yield branch.part(rest, OTHER, told)


@dataclass(frozen=True)
class _Branch:
    """Customers by place, the values that lead to them, and these in words."""

    rows: NDArray[np.int64]
    path: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    is_ended: bool = False

    @property
    def label(self) -> str:
        return SEPARATOR.join(self.path) or OTHER

    def part(self, mask: NDArray[np.bool_], value: str, condition: str) -> _Branch:
        return _Branch(self.rows[mask], (*self.path, value), (*self.conditions, condition))

    def told(self) -> str:
        return "; ".join(self.conditions)


def _ordered(column: pd.Series[Any], reader: str) -> pd.Categorical:
    """Return labels in their own order, text by name."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        raise DataError(
            f"{reader} reads {column.name!r}, which is neither labels nor text; make labels of it by a custom scheme"
        )
    if isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered:
        order = [label for label in column.cat.categories if label != NOT_ENOUGH_DATA]
        return pd.Categorical(column.cat.set_categories(order))
    text = column.astype("object").astype("str")
    return pd.Categorical(text, sorted(text.unique()))
