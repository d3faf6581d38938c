"""Tables about customers of two dates, row by row beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.schema import DataError, check_columns

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Aligned:
    """Two tables, each with a row for every customer of either, null where it is not there.

    Attributes
    ----------
    customers : sorted
    then, now : rows in the order of ``customers``, numbered
    is_then, is_now : whether the customer is there
    """

    customers: pd.Index[str]
    then: pd.DataFrame
    now: pd.DataFrame
    is_then: Flags
    is_now: Flags

    def beside(self, table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
        """Return a further table in the same order; customers that are in neither of the two are left out."""
        return _in_order(_by_customer(table, columns, name), self.customers)

    def money(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns of money as ``NAME_then``, ``NAME_now``."""
        sides = {"_then": self.then, "_now": self.now}
        return pd.DataFrame(
            {f"{name}{end}": side[name].astype("float64") for name in names for end, side in sides.items()}
        )


def align(then: pd.DataFrame, now: pd.DataFrame, columns: Sequence[str]) -> Aligned:
    """Return two tables beside each other.

    Parameters
    ----------
    then, now : ``customer_id`` (once each) and at least the columns

    Raises
    ------
    DataError : columns missing, or customers repeated
    """
    before, after = _by_customer(then, columns, "then"), _by_customer(now, columns, "now")
    customers = before.index.union(after.index).sort_values()
    is_then, is_now = (customers.isin(side.index) for side in (before, after))
    return Aligned(customers, _in_order(before, customers), _in_order(after, customers), is_then, is_now)


def _by_customer(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    check_columns(table.columns, ["customer_id", *columns], f"{name} lacks")
    customers = pd.Index(table["customer_id"].astype("str"), dtype="object")
    if not customers.is_unique:
        twice = customers[customers.duplicated()].min()
        raise DataError(f"{name} needs one row a customer; customer {twice!r} comes more than once")
    return table.set_axis(customers, axis=0)


def _in_order(table: pd.DataFrame, customers: pd.Index[str]) -> pd.DataFrame:
    return table.reindex(customers).reset_index(drop=True)
