"""Contracts: when the next one comes up for renewal."""

from __future__ import annotations

from typing import Any

import pandas as pd

from segml import windows
from segml.features import events
from segml.features.arithmetic import number
from segml.features.spec import Described
from segml.schema import CONTRACTS

FAMILY = "contracts"
_SOURCE = "data.contracts"

DESCRIBED = (
    Described(
        "days_to_renewal",
        FAMILY,
        "days",
        "time to the next renewal, from the as-of date on; NaN where none is ahead",
        _SOURCE,
    ),
    Described(
        "has_contract",
        FAMILY,
        "flag",
        "1 for customers with a contract on record, though all its renewals may have passed; NaN for the others",
        _SOURCE,
    ),
)


def contracts(data: Any, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the described columns of the customers with a contract, indexed by ``customer_id``.

    A contract is on record whenever it was signed: the table does not tell. A renewal on the as-of date is 0 days away.

    Parameters
    ----------
    data : contracts table (``schema.CONTRACTS``), any number of rows a customer

    Raises
    ------
    DataError : columns missing
    """
    rows = events.typed(data, CONTRACTS)
    dated = rows.filter(rows.renews_on.notnull())
    renews_s, as_of_s = windows.epoch_seconds(dated.renews_on), windows.epoch_seconds(as_of)
    next_s = renews_s.min(where=~windows.before(renews_s, as_of_s))
    found = events.by_customer(dated, {"seconds": number(next_s - as_of_s)})
    columns = {"days_to_renewal": found["seconds"] / windows.DAY_SECONDS, "has_contract": 1.0}
    return pd.DataFrame(columns, index=found.index)
