"""A source of rows that is open but not yet read: its column names are known, its rows are not in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ibis.expr.types import Table

from segml.schema import Kind


@dataclass(frozen=True)
class Pick:
    """One column to read: its name in the source, its canonical name, and what it must become."""

    source: str
    name: str
    kind: Kind

    @property
    def label(self) -> str:
        """How messages name the column.

        >>> Pick("Sum", "amount", "number").label
        "'amount' (source column 'Sum')"
        """
        return repr(self.name) if self.source == self.name else f"{self.name!r} (source column {self.source!r})"


@dataclass(frozen=True)
class Source:
    """An open source.

    ``where`` is what messages call it and holds no password. ``load`` returns the picked columns under their
    canonical names, raw. ``lazy`` says that loading only refers to the rows where they are: they may be too
    many to copy.
    """

    where: str
    names: tuple[str, ...]
    load: Callable[[Sequence[Pick]], Table]
    lazy: bool = False
