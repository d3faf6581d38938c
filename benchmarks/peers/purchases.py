"""The purchases known at a date, as a DataFrame: what the summaries of transactions in pandas begin with."""

from __future__ import annotations

import measured
import pandas as pd


def read(run: measured.Run) -> pd.DataFrame:
    as_of = pd.Timestamp(run.dates[0])
    lines = pd.read_parquet(run.lines, columns=["customer_id", "ordered_at", "amount", "cancelled_at"])
    known = (lines["ordered_at"] < as_of) & ~(lines["cancelled_at"] < as_of)
    return lines.loc[known & (lines["amount"] > 0), ["customer_id", "ordered_at", "amount"]]
