"""Are the arms alike before it starts: standardised differences of what is known of the customers."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ("column", "treated_mean", "control_mean", "difference", "by_chance")
NOT_OF_CUSTOMERS = ("customer_id", "cluster", "rfm_cell")
"""Columns that look like numbers where they come from a text file, and are names."""


def balance(customers: pd.DataFrame, is_treated: pd.Series[bool]) -> pd.DataFrame:
    """Return one row a column of numbers: how far the arms' means are apart, in standard deviations.

    The standardised difference is (treated − control) / √((s²ₜ + s²ᶜ) / 2) (Austin 2009). ``by_chance`` is what 95 %
    of draws without strata stay within: 1.96 · √(1/nₜ + 1/nᶜ). A larger difference is no reason to draw again; the
    effect is adjusted by what the customer did before.

    Parameters
    ----------
    customers : one row a customer; columns that are not numbers are not compared
    is_treated : on the same index
    """
    numbers = customers.select_dtypes("number").drop(columns=list(NOT_OF_CUSTOMERS), errors="ignore")
    rows = [_row(str(name), numbers[name], is_treated) for name in numbers.columns]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(name: str, values: pd.Series[float], is_treated: pd.Series[bool]) -> dict[str, object]:
    treated, control = values[is_treated].dropna(), values[~is_treated].dropna()
    spread = np.sqrt((treated.var() + control.var()) / 2)
    apart = treated.mean() - control.mean()
    some = len(treated) > 0 and len(control) > 0
    return {
        "column": name,
        "treated_mean": treated.mean(),
        "control_mean": control.mean(),
        "difference": apart / spread if spread > 0 else np.nan,
        "by_chance": 1.96 * np.sqrt(1 / len(treated) + 1 / len(control)) if some else np.nan,
    }
