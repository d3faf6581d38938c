"""Scores whose truth is known: probabilities, and outcomes drawn by them or by what they have drifted to."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

KEYS = ["customer_id", "as_of"]


def scored(
    rng: np.random.Generator,
    customers: int,
    as_of: str = "2025-01-01",
    *,
    level: float = 0.0,
    slope: float = 1.0,
    noise: float = 0.0,
) -> pd.DataFrame:
    """Return scores with their outcomes, columns as of a backtest's table.

    Outcomes have logits ``level + slope · logit(p)``; ``noise`` is the standard deviation of what the score does not
    know, in logits, which makes it rank worse.
    """
    churn = rng.beta(1.2, 3, customers)
    stagnation = np.maximum(churn, rng.beta(2, 3, customers))
    true = {
        name: expit(level + slope * logit(p) + rng.normal(0, noise, customers))
        for name, p in {"churned": churn, "stagnated": stagnation}.items()
    }
    draw = rng.random(customers)
    churned = draw < true["churned"]
    return pd.DataFrame(
        {
            "customer_id": [f"c{place:05}" for place in range(customers)],
            "as_of": pd.Timestamp(as_of).as_unit("us"),
            "churned": churned,
            "stagnated": churned | (draw < true["stagnated"]),
            "p_churn": churn,
            "p_stagnation": stagnation,
            "run_rate": rng.lognormal(6, 1, customers),
        }
    ).assign(lost_revenue=lambda table: table["run_rate"] * table["stagnated"])


def split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores, and what became of them."""
    return table[[*KEYS, "p_churn", "p_stagnation"]], table.drop(columns=["p_churn", "p_stagnation"])
