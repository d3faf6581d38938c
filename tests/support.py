"""What several tests share: a small configuration, a fixed day, hand-made customers."""

from datetime import date

import pandas as pd

SMALL = (
    "demo.customers=300",
    "churn.boosting.max_iter=40",
    "churn.bootstrap=50",
    "churn.max_snapshots=6",
    "segments.clusters.bootstrap=4",
    "segments.clusters.candidates=[kmeans]",
    "segments.clusters.kmeans.most_k=5",
    "segments.interval_resamples=20",
)
"""Overrides that make a whole training run in seconds."""
TINY = (*SMALL, "demo.customers=120", "churn.boosting.max_iter=10", "churn.max_snapshots=3", "churn.bootstrap=20")
"""The same for commands of which it only matters that they run."""

TODAY = date(2026, 6, 1)
"""The day of the run in tests."""


def orders(customers: int, days: int, every: int = 10) -> pd.DataFrame:
    """Hand-made regular customers: an order of 100 every ``every`` days."""
    rows = [
        {
            "customer_id": f"K{number:03}",
            "ordered_at": pd.Timestamp("2024-01-01") + pd.Timedelta(days=day),
            "amount": 100.0,
        }
        for number in range(customers)
        for day in range(number % every, days, every)
    ]
    return pd.DataFrame(rows)
