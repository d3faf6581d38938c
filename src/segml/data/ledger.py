"""The cleaning ledger: what came in, what each rule took away, what was corrected, what was kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import reduce
from typing import Any, Literal

import pandas as pd

from segml.display import Displayed
from segml.schema import SegmlError

EntryKind = Literal["in", "taken", "corrected", "kept"]


@dataclass(frozen=True)
class Tally:
    """Lines, their customers and their money, to the last decimal."""

    lines: int = 0
    customers: int = 0
    amount: Decimal = Decimal(0)
    lines_amount_unknown: int = 0
    """Lines whose amount is empty, unreadable, impossible or in another currency; ``amount`` is without them."""

    def __add__(self, other: Tally) -> Tally:
        """Return the sum of lines and money; customers are not additive and become 0."""
        return Tally(
            self.lines + other.lines,
            0,
            self.amount + other.amount,
            self.lines_amount_unknown + other.lines_amount_unknown,
        )

    def balances(self, other: Tally) -> bool:
        """Tell whether lines and money are equal."""
        return replace(self, customers=0) == replace(other, customers=0)


@dataclass(frozen=True)
class LedgerRow:
    """One entry of the ledger."""

    rule: str
    kind: EntryKind
    meaning: str
    tally: Tally = field(default_factory=Tally)
    items: int | None = None
    """How many things the entry is about where these are not lines: pairs, codes, cards, orders."""


@dataclass(frozen=True, repr=False)
class Ledger(Displayed):
    """Every rule's lines, customers and money; lines and money in = kept + taken, exactly.

    A line counts for the first rule that takes it. Customers of an entry are those with a line in it; they may stand
    in several entries, so they do not add up. Corrected lines stay, and are among the kept.
    """

    rows: tuple[LedgerRow, ...]
    switched_off: tuple[str, ...] = ()

    def __repr__(self) -> str:
        told = "reconciles" if self.reconciles else "does not reconcile"
        return f"Ledger({self.kept.lines:,} of {self.came_in.lines:,} lines kept, {told})"

    def __getitem__(self, rule: str) -> LedgerRow:
        return {row.rule: row for row in self.rows}[rule]

    @property
    def came_in(self) -> Tally:
        """All lines of the source."""
        return self._total("in")

    @property
    def taken(self) -> Tally:
        """All lines that a rule took away."""
        return self._total("taken")

    @property
    def kept(self) -> Tally:
        """All lines that stand."""
        return self._total("kept")

    @property
    def reconciles(self) -> bool:
        """Whether lines in = kept + taken, and the same for money and for lines of unknown money."""
        return self.came_in.balances(self.kept + self.taken)

    def check(self) -> None:
        """Raise ``SegmlError`` where the ledger does not reconcile."""
        if not self.reconciles:
            raise SegmlError(
                f"the cleaning ledger does not reconcile: in {self.came_in}, kept {self.kept}, taken {self.taken}"
            )

    def with_corrections(self, rows: Iterable[LedgerRow]) -> Ledger:
        """Return the ledger with further corrections before its last row."""
        return replace(self, rows=(*self.rows[:-1], *rows, self.rows[-1]))

    def to_frame(self) -> pd.DataFrame:
        """Return one row an entry; shares are of the lines and of the net money that came in, 0 to 1."""
        return pd.DataFrame([self._entry(row) for row in self.rows]).astype({"items": "Int64"})

    def to_dict(self) -> dict[str, Any]:
        """Return the ledger as plain values for JSON."""
        totals = {"in": self.came_in, "taken": self.taken, "kept": self.kept}
        return {
            "reconciles": self.reconciles,
            "totals": {name: _plain(tally) for name, tally in totals.items()},
            "rules": [self._entry(row) for row in self.rows],
            "switched_off": list(self.switched_off),
        }

    def metrics(self) -> dict[str, float]:
        """Return the figures that a tracked run shows."""
        return {
            "data/lines_in": float(self.came_in.lines),
            "data/lines_kept": float(self.kept.lines),
            "data/amount_in": float(self.came_in.amount),
            "data/amount_kept": float(self.kept.amount),
            "data/customers": float(self["kept"].tally.customers),
        }

    def _total(self, kind: EntryKind) -> Tally:
        return reduce(Tally.__add__, (row.tally for row in self.rows if row.kind == kind), Tally())

    def _entry(self, row: LedgerRow) -> dict[str, Any]:
        money_in = self.came_in.amount
        return {
            "rule": row.rule,
            "kind": row.kind,
            **_plain(row.tally),
            "customers": row.tally.customers,
            "items": row.items,
            "share_lines": row.tally.lines / self.came_in.lines if self.came_in.lines else None,
            "share_amount": float(row.tally.amount / money_in) if money_in else None,
            "meaning": row.meaning,
        }


def _plain(tally: Tally) -> dict[str, Any]:
    return {
        "lines": tally.lines,
        "amount": float(tally.amount),
        "lines_amount_unknown": tally.lines_amount_unknown,
    }
