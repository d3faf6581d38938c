"""Exact counts and sums of lines: the same whatever the order of rows and the number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from segml.data.ledger import Tally

MONEY = "decimal(38,6)"
"""Money is summed in millionths: sums of doubles depend on the order of rows."""


def measures(lines: Table, where: BooleanValue | None = None) -> dict[str, Value]:
    """Return the named aggregates that make up a tally of lines with ``customer_id`` and ``amount``."""
    counted = where if where is not None else ibis.literal(True)
    return {
        "lines": lines.count(where=counted),
        "customers": lines.customer_id.nunique(where=counted),
        "amount": lines.amount.cast(MONEY).sum(where=counted),
        "unknown": lines.count(where=counted & lines.amount.isnull()),
    }


def tally(lines: Table) -> Tally:
    """Return the tally of lines with ``customer_id`` and ``amount``."""
    return tally_of(lines.aggregate(**measures(lines)).to_pyarrow().to_pylist()[0])


def tallies(lines: Table, by: str) -> dict[Any, Tally]:
    """Return the tally of each group of lines; null is a group too."""
    rows = lines.group_by(by).aggregate(**measures(lines)).to_pyarrow().to_pylist()
    return {row[by]: tally_of(row) for row in rows}


def tally_of(row: Mapping[str, Any], prefix: str = "") -> Tally:
    """Return the tally in a row of aggregates; sums over no lines are null there, and 0 here."""
    lines, customers, amount, unknown = (row[prefix + key] for key in ("lines", "customers", "amount", "unknown"))
    return Tally(lines or 0, customers or 0, amount or Decimal(0), unknown or 0)
