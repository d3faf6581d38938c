"""The summary of transactions of lifetimes: frequency in days with a purchase, recency, age, mean money of a day."""

from __future__ import annotations

import measured
import pandas as pd
import purchases
from lifetimes.utils import summary_data_from_transaction_data


def rfm(run: measured.Run) -> pd.DataFrame:
    return summary_data_from_transaction_data(
        purchases.read(run),
        "customer_id",
        "ordered_at",
        "amount",
        observation_period_end=run.dates[0],
        include_first_transaction=True,
    ).reset_index()


if __name__ == "__main__":
    measured.main({"rfm": rfm}, ("lifetimes", "pandas", "pyarrow", "numpy"))
