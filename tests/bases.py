"""Hand-made features: a truth table needs only the columns it is about."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.segments import Past, earlier

AS_OF = pd.Timestamp("2025-07-01")

Table = Callable[..., pd.DataFrame]


@pytest.fixture
def table() -> Table:
    """Return a maker of features frames: one customer a value, named c00, c01, …"""

    def make(**columns: Sequence[Any]) -> pd.DataFrame:
        frame = pd.DataFrame(columns)
        names = [f"c{place:02}" for place in range(len(frame))]
        return pd.concat([pd.DataFrame({"customer_id": names, "as_of": AS_OF}), frame], axis=1)

    return make


def simulated(customers: int, seed: int, as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    """Return features of customers of three kinds: small and rare, middling, large and frequent."""
    rng = np.random.default_rng(seed)
    kind = np.arange(customers) % 3
    orders = rng.poisson(np.array([1, 8, 40])[kind]) + 1.0
    value = rng.lognormal(np.array([3.0, 5.0, 7.0])[kind], 0.3)
    recency = rng.exponential(np.array([150, 40, 8])[kind])
    revenue = orders * value
    features = pd.DataFrame(
        {
            "customer_id": [f"c{place:04}" for place in range(customers)],
            "as_of": as_of,
            "recency_days": recency,
            "tenure_days": recency + rng.uniform(30, 900, customers),
            "order_count_365d": orders,
            "purchase_day_count": orders,
            "order_count_180d": orders / 2,
            "revenue_365d": revenue,
            "revenue_90d": revenue / 4 * rng.uniform(0, 2, customers),
            "revenue_365d_previous": revenue * rng.uniform(0.3, 1.5, customers),
            "run_rate_daily": revenue / 365,
            "order_value_mean": value,
            "active_month_share": np.clip(orders / 12, 0.05, 1),
            "gap_shrunk_days": 365 / orders,
            "order_value_cv": (np.arange(customers) % 9) / 6,
            "revenue_cv": np.where(np.arange(customers) % 2, 0.2 + (np.arange(customers) % 11) / 10, np.nan),
            "margin_365d": revenue * 0.2,
            "top_category": np.array(["glue", "tape", "board"])[kind],
            "region": np.where(kind == 2, "North", "South"),
        }
    )
    features.loc[::7, "order_value_mean"] = np.nan
    return features


@pytest.fixture
def base() -> pd.DataFrame:
    """Three hundred simulated customers."""
    return simulated(300, seed=1)


@pytest.fixture
def next_base() -> pd.DataFrame:
    """The same customers a quarter later."""
    return simulated(300, seed=2, as_of=AS_OF + pd.Timedelta(days=90))


@pytest.fixture
def months(base: pd.DataFrame) -> pd.DataFrame:
    """Revenue of the last four months: the same each month, but every other customer came a month ago."""
    starts = pd.date_range("2025-03-01", periods=4, freq="MS", name="month")
    revenue = np.outer(base["revenue_365d"] / 12, np.ones(4))
    revenue[::2, :3] = np.nan
    return pd.DataFrame(revenue, index=pd.Index(base["customer_id"]), columns=starts)


def outcomes(base: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return what simulated customers bought in the quarter afterwards: as before, give or take."""
    noise = np.random.default_rng(seed).lognormal(0, 0.5, len(base))
    return pd.DataFrame({"customer_id": base["customer_id"], "next_revenue": base["revenue_365d"] / 4 * noise})


def past_of(quarters: int, customers: int = 300) -> Past:
    """Return the same simulated customers at so many quarters before ``AS_OF``."""
    bases = [
        simulated(customers, seed=10 + back, as_of=AS_OF - pd.Timedelta(days=90 * (back + 1)))
        for back in range(quarters)
    ]
    return Past([earlier(base, outcomes(base, seed=back)) for back, base in enumerate(bases)], 90)
