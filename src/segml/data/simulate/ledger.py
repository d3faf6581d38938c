"""What was planted where: one entry a kind of error, so that truth plus errors gives the raw table exactly."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Planted:
    """One kind of error. ``amount`` counts finite money only, before the error where it spoils the amount."""

    table: str
    rule: str  # the cleaning rule that it calls for
    kind: str
    lines: int  # rows that carry it
    lines_added: int  # of these, rows that the truth does not have
    customers: int  # companies concerned
    amount: float  # true money of the lines concerned, or of the lines added
    amount_added: float  # finite money of the raw table minus that of the truth


def exact_sum(values: pd.Series) -> float:
    """Return the sum of the finite values, rounded once, whatever their order."""
    return math.fsum(values[np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan))])


def changed(rule: str, kind: str, before: pd.DataFrame, after: pd.DataFrame) -> Planted:
    """Return the entry of lines changed in place."""
    amount = exact_sum(before["amount"])
    added = math.fsum([exact_sum(after["amount"]), -amount])
    return Planted("transactions", rule, kind, len(after), 0, before["company"].nunique(), amount, added)


def added(rule: str, kind: str, lines: pd.DataFrame) -> Planted:
    """Return the entry of lines that the truth does not have."""
    amount = exact_sum(lines["amount"])
    return Planted("transactions", rule, kind, len(lines), len(lines), lines["company"].nunique(), amount, amount)


def cards(rule: str, kind: str, rows: int, rows_added: int) -> Planted:
    """Return the entry of customer cards."""
    return Planted("customers", rule, kind, rows, rows_added, rows, 0.0, 0.0)


def table(entries: list[Planted]) -> pd.DataFrame:
    """Return the entries as a table."""
    frame = pd.DataFrame([asdict(entry) for entry in entries], columns=[field.name for field in fields(Planted)])
    return frame.astype({"table": "str", "rule": "str", "kind": "str"})
