"""Small tables that pictures and sections of the report are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

GRID = np.linspace(0.0, 1.0, 101)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one mapping a row, from column to plain value, as templates read them."""
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None)]


def concentration(revenue: pd.Series[float]) -> pd.DataFrame:
    """Return which share of revenue the largest x of customers bring: ``customer_share``, ``revenue_share``.

    Customers whose returns outweigh their purchases count as zero. No rows where there is no revenue.
    """
    falling = -np.sort(-revenue.clip(lower=0).to_numpy(dtype="float64"))
    captured = np.concatenate([[0.0], np.cumsum(falling)])
    if not captured[-1]:
        return pd.DataFrame({"customer_share": [], "revenue_share": []}, dtype="float64")
    reached = np.interp(GRID * len(falling), np.arange(len(captured)), captured)
    return pd.DataFrame({"customer_share": GRID, "revenue_share": reached / captured[-1]})


def cells(customers: pd.DataFrame, rows: str, columns: str) -> pd.DataFrame:
    """Return ``customers`` and ``revenue_share`` of each pair of labels that occurs.

    Parameters
    ----------
    customers : one row a customer: the two labels and ``revenue_365d``
    """
    total = customers["revenue_365d"].sum()
    grouped = customers.groupby([rows, columns], as_index=False)
    table = grouped.agg(customers=("revenue_365d", "size"), revenue_share=("revenue_365d", "sum"))
    return table.assign(revenue_share=table["revenue_share"] / total if total else 0.0)


def score_map(customers: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Return ``cells`` of every pair of recency and frequency scores from 1 to ``bins``; NaN where nobody is.

    Parameters
    ----------
    customers : one row a customer: ``rfm_cell`` (a digit a score) and ``revenue_365d``
    """
    scores = customers.assign(
        recency=customers["rfm_cell"].str[0].astype("int64"), frequency=customers["rfm_cell"].str[1].astype("int64")
    )
    pairs = pd.MultiIndex.from_product([range(1, bins + 1)] * 2, names=["recency", "frequency"])
    return cells(scores, "recency", "frequency").set_index(["recency", "frequency"]).reindex(pairs).reset_index()


def with_perfect(gains: pd.DataFrame, base_rate: float) -> pd.DataFrame:
    """Return the gains of one target with those of perfect knowledge, which finds nobody in vain."""
    if not base_rate:
        return gains
    perfect = {"strategy": "perfect", "share_of_customers": GRID, "share_captured": np.minimum(GRID / base_rate, 1.0)}
    return pd.concat([gains, pd.DataFrame(perfect)], ignore_index=True)
