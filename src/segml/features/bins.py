"""Time cut into bins, wherever a window of one of the as-of dates begins or ends.

All moments in a bin lie in the same windows of every as-of date. In which bins something was bought is a set, small
enough to be the bits of a few whole numbers (*words*): what was bought when is gathered once, by ``bit_or``, and looked
at from each date by ``&``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import windows

WORD_BITS = 62
"""Bits in a word, a whole number of 64: the sign stays free, and the bit below it."""

Days = tuple[int | None, int]
SPANS: dict[str, Days] = {
    "known": (None, 0),
    "in_90d": (90, 0),
    "before_90d": (None, 90),
    "in_365d": (windows.YEAR_DAYS, 0),
    "year_before": (2 * windows.YEAR_DAYS, windows.YEAR_DAYS),
}
"""Windows of an as-of date: from how many days before it (None: from ever) to how many."""

_ONE = ibis.literal(1, "int64")
_NOTHING = ibis.literal(0, "int64")


@dataclass(frozen=True)
class Bins:
    """The bins of some as-of dates, from 0; bin ``i`` ends where the window edge ``i`` is."""

    moments: tuple[pd.Timestamp, ...]

    @cached_property
    def edges(self) -> list[pd.Timestamp]:
        """All moments at which a window begins or ends."""
        days = {edge for span in SPANS.values() for edge in span if edge is not None}
        return sorted({windows.shift(moment, days=-edge) for moment in self.moments for edge in days})

    @property
    def words(self) -> range:
        """The places of the words that hold one bit a bin."""
        return range(len(self.edges) // WORD_BITS + 1)

    def of(self, moment: Any) -> Any:
        """Return the bin of a moment."""
        return windows.dates_until(moment, self.edges).cast("int64")

    def is_split(self, moment: Any) -> Any:
        """Tell which moments lie on a day that is in several bins, because a window begins in the middle of it."""
        days = {windows.epoch_day(edge) for edge in self.edges if edge != edge.normalize()}
        return windows.epoch_day(moment).isin(sorted(days)) if days else ibis.literal(False)

    def gathered(self, bins: Any) -> dict[str, Any]:
        """Return the aggregates that say in which bins rows are: ``bits_0``, ``bits_1``, …"""
        return {f"bits_{word}": self._bits(bins, word).bit_or() for word in self.words}

    def later(self, rows: Table) -> dict[str, Any]:
        """Return ``later_0``, …: the bins but the first, of rows with ``bits_0``, …"""
        columns, is_first = {}, ibis.literal(True)
        for word in self.words:
            bits = rows[f"bits_{word}"]
            # Of a number less one, the bits from its lowest on are others.
            columns[f"later_{word}"] = is_first.ifelse(bits & (bits - 1), bits)
            is_first = is_first & (bits == 0)
        return columns

    def is_any(self, rows: Table, bits: str) -> Any:
        """Tell which rows have any of some bits."""
        return _any([rows[name] != 0 for name in self.names(bits)])

    def any(self, rows: Table, bits: str, span: str, place: int) -> Any:
        """Tell which rows have one of some bits in a window of the date at a place."""
        bins = self._span(self.moments[place], SPANS[span])
        masks = {word: _mask(bins, word) for word in self.words}
        return _any([(rows[f"{bits}_{word}"] & mask) != 0 for word, mask in masks.items() if mask])

    def names(self, bits: str) -> list[str]:
        """Return the columns of some bits."""
        return [f"{bits}_{word}" for word in self.words]

    def _bits(self, bins: Any, word: int) -> Any:
        place = bins - WORD_BITS * word
        if len(self.words) == 1:
            return _ONE << place
        return place.between(0, WORD_BITS - 1).ifelse(_ONE << place.clip(0, WORD_BITS - 1), _NOTHING)

    def _span(self, moment: pd.Timestamp, days: Days) -> range:
        begin, end = (None if back is None else windows.shift(moment, days=-back) for back in days)
        first, last = (0 if edge is None else bisect_right(self.edges, edge) for edge in (begin, end))
        return range(first, last)


def _mask(bins: range, word: int) -> int:
    first = WORD_BITS * word
    return sum(1 << (place - first) for place in bins if first <= place < first + WORD_BITS)


def _any(conditions: Sequence[Any]) -> Any:
    if not conditions:
        return ibis.literal(False)
    first, *others = conditions
    for other in others:
        first = first | other
    return first
