"""Errors in the fields of a line: what is lost or spoilt cannot be mended, only set aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml.data.simulate.edits import overwritten
from segml.data.simulate.ledger import Planted, changed

LONG_AGO = pd.Timestamp("1900-01-01").as_unit("us")
FAR_AHEAD = pd.Timestamp("2099-12-31").as_unit("us")
ABSURD = 5e12

Spoil = Callable[[pd.DataFrame], pd.DataFrame]
"""From the lines to the columns that change."""


@dataclass(frozen=True)
class Damage:
    """A kind of error, the cleaning rule it calls for, and the share of purchase lines it spoils."""

    rule: str
    kind: str
    share: float
    spoil: Spoil


def _constant(value: Any, dtype: str, *columns: str) -> Spoil:
    return lambda lines: pd.DataFrame({column: pd.Series(value, lines.index, dtype) for column in columns})


def _money(value: float) -> Spoil:
    """The price is spoilt with the amount: the one does not tell the other."""
    return _constant(value, "float64", "amount", "unit_price")


def _price_times(factor: float) -> Spoil:
    return lambda lines: factor * lines[["amount", "unit_price"]]


def _date(moment: pd.Timestamp | None) -> Spoil:
    return _constant(moment, "datetime64[us]", "ordered_at")


DAMAGES = (
    Damage("missing_customer", "no customer", 0.012, _constant(None, "str", "customer_id")),
    Damage("bad_date", "no date", 0.0010, _date(None)),
    Damage("bad_date", "date in 1900", 0.0005, _date(LONG_AGO)),
    Damage("future_date", "date in 2099", 0.00004, _date(FAR_AHEAD)),
    Damage("bad_amount", "no amount", 0.0010, _money(np.nan)),
    Damage("bad_amount", "infinite amount", 0.0001, _money(np.inf)),
    Damage("bad_amount", "absurd amount", 0.00003, _money(ABSURD)),
    Damage("bad_quantity", "infinite quantity", 0.0001, _constant(np.inf, "float64", "quantity")),
    Damage("bad_price", "price of zero", 0.0030, _price_times(0.0)),
    Damage("bad_price", "negative price", 0.0003, _price_times(-1.0)),
)  # fmt: skip


def plant(rng: Generator, raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series, list[Planted]]:
    """Return the raw lines with errors, the kind of error of each line (null: none), and the entries.

    A line carries one of these errors at most. Returns and purchases that are cancelled later stay whole.
    """
    whole = np.flatnonzero((raw["amount"] > 0) & raw["cancelled_at"].isna())
    counts = [round(damage.share * len(whole)) for damage in DAMAGES]
    chosen = rng.choice(whole, size=sum(counts), replace=False)
    kind = pd.Series(None, index=raw.index, dtype="str")
    entries = []
    for damage, lines in zip(DAMAGES, np.split(chosen, np.cumsum(counts)[:-1]), strict=True):
        lines = np.sort(lines)
        spoilt = overwritten(raw, damage.spoil(raw.loc[lines]))
        kind.loc[lines] = damage.kind
        entries.append(changed(damage.rule, damage.kind, raw.loc[lines], spoilt.loc[lines]))
        raw = spoilt
    return raw, kind, entries
