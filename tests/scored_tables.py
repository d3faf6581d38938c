"""Hand-made tables of a backtest."""

import numpy as np
import pandas as pd

from segml.churn.evaluate import TABLE_COLUMNS


def scored_table(seed: int = 0, noise: float = 1.0) -> pd.DataFrame:
    """Return 200 customers at two dates; the less noise, the better the scores."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(99).normal(size=400)
    score = 1 / (1 + np.exp(-(truth + noise * rng.normal(size=400))))
    columns = {
        "customer_id": np.tile([f"c{number:03}" for number in range(200)], 2),
        "as_of": np.repeat(pd.to_datetime(["2025-01-01", "2025-04-01"]), 200),
        "churned": truth > 0.5,
        "stagnated": truth > 0,
        "p_churn": score,
        "p_stagnation": score,
        "run_rate": 1.0,
        "lost_revenue": (truth > 0) * 90.0,
    }
    return pd.DataFrame({**columns, **dict.fromkeys(TABLE_COLUMNS[8:], score)})[TABLE_COLUMNS]
