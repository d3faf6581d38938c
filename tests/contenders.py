"""Hand-made models for the promotion rule: backtests whose quality is known."""

from typing import Any

import numpy as np
import pandas as pd

from segml.churn.evaluate import TABLE_COLUMNS
from segml.promotion import Contender

DATES = ("2025-07-01", "2025-10-01")


def backtest(noise: float, *, customers: int = 200, dates: tuple[str, ...] = DATES, seed: int = 1) -> pd.DataFrame:
    """Return a backtest of customers with known outcomes; the more noise, the worse are both scores."""
    rows = customers * len(dates)
    truth, other = np.random.default_rng(0), np.random.default_rng(seed)
    churned = truth.random(rows) < 0.3
    stagnated = churned | (truth.random(rows) < 0.2)
    scores = {
        f"p_{name}": 1 / (1 + np.exp(-(outcome - 0.5 + noise * other.normal(size=rows))))
        for name, outcome in (("churn", churned), ("stagnation", stagnated))
    }
    table = pd.DataFrame(
        {
            "customer_id": [f"c{number:04}" for number in range(customers)] * len(dates),
            "as_of": np.repeat(pd.DatetimeIndex(dates), customers),
            "churned": churned,
            "stagnated": stagnated,
            **scores,
            "run_rate": 100.0,
            "lost_revenue": 100.0 * stagnated,
        }
    )
    table["as_of"] = table["as_of"].astype("datetime64[us]")
    return table.reindex(columns=TABLE_COLUMNS, fill_value=1.0)


def contender(version: str = "2", **given: Any) -> Contender:
    """Return a model of which only what a test is about is given."""
    known = {
        "recipe": "new",
        "data_digest": "data",
        "as_of": pd.Timestamp("2026-01-01"),
        "horizon_days": 90,
        "stability": 0.8,
    }
    return Contender(version, **{**known, **given})
