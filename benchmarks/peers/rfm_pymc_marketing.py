"""The summary of transactions of pymc-marketing; the log is sorted by time, which it is told."""

from __future__ import annotations

import measured
import pandas as pd
import purchases
from pymc_marketing.clv.utils import rfm_summary


def rfm(run: measured.Run) -> pd.DataFrame:
    return rfm_summary(
        purchases.read(run),
        "customer_id",
        "ordered_at",
        "amount",
        observation_period_end=run.dates[0],
        include_first_transaction=True,
        sort_transactions=False,
    )


if __name__ == "__main__":
    measured.main({"rfm": rfm}, ("pymc-marketing", "pymc", "pandas", "pyarrow", "numpy"))
