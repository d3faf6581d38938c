"""Whether a peer's table says what segml's says, where the definitions agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

TOLERANCE = 1e-9
KEYS = ["as_of", "customer_id"]

Comparison = Callable[[Path, Path], str]
"""Takes the files of segml's table and of a peer's; says how far they agree."""


def same_features(ours: Path, theirs: Path) -> str:
    """Compare every column of two feature tables."""
    return _compare(_sorted(pd.read_parquet(ours)), _sorted(pd.read_parquet(theirs)))


def same_bits(ours: Path, theirs: Path) -> str:
    """Compare two feature tables of segml's: not even the last bit may differ."""
    left, right = _sorted(pd.read_parquet(ours)), _sorted(pd.read_parquet(theirs))
    return "to the bit" if left.equals(right[left.columns]) else "NO: differs"


def same_figures(ours: Path, theirs: Path) -> str:
    """Compare what is largest of each figure over all groups."""
    left, right = pd.read_parquet(ours), pd.read_parquet(theirs)
    return "figures" if len(left) == len(right) and _close(left["figure"], right["figure"]) else "NO: other figures"


def openretailscience(ours: Path, theirs: Path) -> str:
    """Its recency counts midnights up to the as-of date, its money purchases before returns."""
    return _rfm(ours, theirs, lambda c: {"recency_days": _midnights(c["recency_days"]), **_orders_and_money(c)})


def duckdb_sql(ours: Path, theirs: Path) -> str:
    """Compare the query's three columns."""
    return _rfm(ours, theirs, lambda c: {"recency_days": c["recency_days"], **_orders_and_money(c)})


def lifetimes(ours: Path, theirs: Path) -> str:
    """Its recency is the age of the customer at its last purchase, its money the mean of days with a purchase."""
    return _rfm(
        ours,
        theirs,
        lambda c: {
            "frequency": c["purchase_day_count"],
            "recency": _midnights(c["tenure_days"]) - _midnights(c["recency_days"]),
            "T": _midnights(c["tenure_days"]),
            "monetary_value": _money(c) / c["purchase_day_count"],
        },
    )


def pymc_marketing(ours: Path, theirs: Path) -> str:
    """Its recency counts midnights up to the as-of date, its money is the mean of days with a purchase."""
    return _rfm(
        ours,
        theirs,
        lambda c: {
            "frequency": c["purchase_day_count"],
            "recency": _midnights(c["recency_days"]),
            "monetary_value": _money(c) / c["purchase_day_count"],
        },
    )


def _orders_and_money(customers: pd.DataFrame) -> dict[str, pd.Series]:
    return {"frequency": customers["order_count"], "monetary": _money(customers)}


def _money(customers: pd.DataFrame) -> pd.Series:
    """Return the money of all purchases, before returns."""
    return customers["order_value_mean"] * customers["order_count"]


def _midnights(days: pd.Series) -> pd.Series:
    """Return how many midnights lie between a moment so many days before a midnight and that midnight."""
    return np.ceil(days)


def _rfm(ours: Path, theirs: Path, expected: Callable[[pd.DataFrame], dict[str, pd.Series]]) -> str:
    customers = pd.read_parquet(ours).set_index("customer_id").sort_index()
    found = pd.read_parquet(theirs).set_index("customer_id").sort_index()
    wanted = pd.DataFrame(expected(customers))
    return _compare(wanted, found[list(wanted.columns)])


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({"as_of": "datetime64[us]"}).sort_values(KEYS).set_index(KEYS)


def _compare(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    if set(ours.columns) != set(theirs.columns):
        return f"NO: columns {sorted(set(ours.columns) ^ set(theirs.columns))}"
    if not ours.index.equals(theirs.index):
        return "NO: other customers"
    differing = [name for name in ours.columns if not _close(ours[name], theirs[name])]
    return f"NO: {differing}" if differing else f"{len(ours.columns)} columns"


def _close(ours: pd.Series, theirs: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(ours):
        return bool((ours.astype("object").fillna("") == theirs.astype("object").fillna("")).all())
    left, right = (values.to_numpy(dtype="float64", na_value=np.nan) for values in (ours, theirs))
    return bool(np.allclose(left, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))
