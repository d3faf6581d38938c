"""Hand-made customers at ease: no trigger finds them, unless a test changes what it is about."""

from typing import Any

import pandas as pd

from segml import config
from segml.actions.triggers import Tasks, find_tasks

AS_OF = pd.Timestamp("2026-01-05")  # a Monday; three calendar months before it are 92 days, two 61, one 31

FEATURES = {
    "recency_days": 10.0,
    "tenure_days": 2000.0,
    "gap_mean_days": 200.0,
    "gap_shrunk_days": 200.0,
    "order_value_mean": 300.0,
    "run_rate_daily": 10.0,
    "revenue_90d_to_run_rate": 1.0,
    "days_to_renewal": float("nan"),
}
DECISIONS = {
    "as_of": AS_OF,
    "lifecycle": "active",
    "tier": "standard",
    "p_churn": 0.05,
    "p_stagnation": 0.1,
    "run_rate": 900.0,
    "revenue_at_risk": 90.0,
    "reasons": "longer silence",
    "next_order_expected": AS_OF + pd.Timedelta(days=190),
}


def customers(**given: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return features and decisions: one customer a value, named c0, c1, … unless ``customer_id`` is given."""
    count = len(next(iter(given.values())))
    given = {"customer_id": [f"c{place}" for place in range(count)], **given}
    table = pd.DataFrame({**FEATURES, **DECISIONS, **given})
    table["as_of"] = pd.to_datetime(table["as_of"]).dt.as_unit("us")
    table["next_order_expected"] = pd.to_datetime(table["next_order_expected"]).dt.as_unit("us")
    beside = [name for name in table.columns if name not in DECISIONS]
    return table[beside], table[["customer_id", *DECISIONS]]


def tasks_of(*overrides: str, history: Any = None, cross_sell: Any = None, **given: Any) -> Tasks:
    """Return the tasks of hand-made customers under a configuration."""
    return find_tasks(*customers(**given), config.load(None, overrides), history=history, cross_sell=cross_sell)


def due(tasks: Tasks, trigger: str) -> dict[str, str]:
    """Return the day of each task of a trigger, by customer and subject."""
    rows = tasks.table[tasks.table["trigger"] == trigger]
    names = [f"{one} {subject}".strip() for one, subject in zip(rows["customer_id"], rows["subject"], strict=True)]
    return dict(zip(names, rows["due_on"].dt.strftime("%Y-%m-%d"), strict=True))
