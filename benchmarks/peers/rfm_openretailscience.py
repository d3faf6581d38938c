"""RFM of openretailscience on DuckDB through Ibis, its cheapest way; its scores of 1 to 10 come on top."""

from __future__ import annotations

import datetime

import ibis
import measured
import pandas as pd
from openretailscience.segmentation.rfm import RFMSegmentation


def rfm(run: measured.Run) -> pd.DataFrame:
    as_of = datetime.datetime.fromisoformat(run.dates[0])
    lines = ibis.duckdb.connect(threads=run.threads).read_parquet(run.lines)
    known = (lines.ordered_at < as_of) & (lines.cancelled_at.isnull() | (lines.cancelled_at >= as_of))
    purchases = lines.filter(known, lines.amount > 0).select(
        "customer_id", transaction_id="order_id", transaction_date="ordered_at", unit_spend="amount"
    )
    return RFMSegmentation(purchases, current_date=as_of.date()).df.reset_index()


if __name__ == "__main__":
    measured.main({"rfm": rfm}, ("openretailscience", "ibis-framework", "duckdb", "pandas"))
