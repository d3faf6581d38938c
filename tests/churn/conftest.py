"""A small synthetic base whose snapshots the churn tests share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.churn import Split
from segml.config import BoostingConfig, ChurnConfig

HORIZON = 90
START = pd.Timestamp("2020-01-01")
INPUTS = (
    "recency_days",
    "tenure_days",
    "purchase_day_count",
    "gap_mean_days",
    "recency_to_gap",
    "order_count_90d",
    "order_count_365d",
    "revenue_365d",
    "run_rate_daily",
    "revenue_90d_to_run_rate",
)

DAY = pd.Timedelta(days=1)


def days_between(later: Any, earlier: Any) -> Any:
    return (later - earlier).dt.total_seconds() / 86_400


def simulate(customers: int = 350, seed: int = 1) -> pd.DataFrame:
    """Return purchases (customer_id, at, amount) of customers who buy at random and may leave."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(customers):
        rate, left = rng.gamma(1.2, 1 / 40) + 1 / 250, rng.exponential(900)
        gaps = rng.exponential(1 / rate, 400)
        days = rng.uniform(0, 200) + np.concatenate([[0], gaps.cumsum()])
        days = np.floor(days[(days < min(left + days[0], 1000))])
        money = rng.lognormal(5, 1) * rng.lognormal(0, 0.4, len(days))
        parts.append(pd.DataFrame({"customer_id": f"C{number:04d}", "at": START + days * DAY, "amount": money}))
    return pd.concat(parts, ignore_index=True)


def snapshot(purchases: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return features by the names of the project, from purchases before the as-of date."""
    past = purchases[purchases["at"] < as_of]
    by = past.groupby("customer_id")
    days = past.drop_duplicates(["customer_id", "at"]).groupby("customer_id")["at"]
    table = pd.DataFrame(
        {"recency_days": days_between(as_of, by["at"].max()), "tenure_days": days_between(as_of, by["at"].min())}
    )
    table["purchase_day_count"] = days.size().astype(float)
    table["gap_mean_days"] = (table["tenure_days"] - table["recency_days"]) / (table["purchase_day_count"] - 1).replace(
        0, np.nan
    )
    table["recency_to_gap"] = table["recency_days"] / table["gap_mean_days"]
    for width in (90, 365):
        window = past[past["at"] >= as_of - width * DAY].groupby("customer_id")["amount"]
        table[f"order_count_{width}d"] = window.size().reindex(table.index).fillna(0.0).astype(float)
        table[f"revenue_{width}d"] = window.sum().reindex(table.index).fillna(0.0)
    table["run_rate_daily"] = table["revenue_365d"] / table["tenure_days"].clip(90, 365)
    table["revenue_90d_to_run_rate"] = table["revenue_90d"] / (90 * table["run_rate_daily"]).replace(0, np.nan)
    table.insert(0, "as_of", as_of.as_unit("us"))
    return table.reset_index()


def outcome(purchases: pd.DataFrame, features: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return what happened in the horizon after the as-of date."""
    window = purchases[(purchases["at"] >= as_of) & (purchases["at"] < as_of + HORIZON * DAY)]
    revenue = features["customer_id"].map(window.groupby("customer_id")["amount"].sum()).fillna(0.0)
    run_rate = features["run_rate_daily"] * HORIZON
    return features[["customer_id", "as_of"]].assign(
        churned=~features["customer_id"].isin(window["customer_id"]),
        stagnated=revenue <= run_rate / 2,
        next_revenue=revenue,
        run_rate=run_rate,
        lost_revenue=(run_rate - revenue).clip(lower=0),
    )


@dataclass(frozen=True)
class World:
    """Snapshots of one base: features, labels, who is scored, and the splits of a backtest."""

    purchases: pd.DataFrame
    features: pd.DataFrame
    labels: pd.DataFrame
    scored: pd.Series
    splits: tuple[Split, ...]

    def at(self, *moments: pd.Timestamp) -> pd.DataFrame:
        """Return the scored rows at these as-of dates."""
        rows: pd.DataFrame = self.features[self.features["as_of"].isin(moments) & self.scored]
        return rows


def make_world(purchases: pd.DataFrame, splits: tuple[Split, ...], extra: tuple[pd.Timestamp, ...] = ()) -> World:
    moments = sorted({*extra, *(moment for split in splits for moment in (split.test, *split.training))})
    features = pd.concat([snapshot(purchases, moment) for moment in moments], ignore_index=True)
    parts = [outcome(purchases, features[features["as_of"] == moment], moment) for moment in moments]
    labels = pd.concat(parts, ignore_index=True)
    scored = (features["recency_days"] < 90) & (features["tenure_days"] >= 180)
    return World(purchases, features, labels, scored, splits)


def make_split(test: str, dates: int = 6, embargo: int = HORIZON) -> Split:
    moment = pd.Timestamp(test).as_unit("us")
    return Split(moment, tuple(sorted(moment - (embargo + 30 * step) * DAY for step in range(dates))))


@pytest.fixture(scope="session")
def horizon() -> int:
    return HORIZON


@pytest.fixture(scope="session")
def inputs() -> tuple[str, ...]:
    return INPUTS


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(simulate(), (make_split("2021-09-01"), make_split("2021-12-01")))


@pytest.fixture(scope="session")
def make() -> Callable[..., World]:
    """Build another world from purchases and splits."""
    return make_world


@pytest.fixture(scope="session")
def quick() -> ChurnConfig:
    """Few rounds and resamples: what is tested is the flow, not the quality."""
    return ChurnConfig(boosting=BoostingConfig(max_iter=40, learning_rate=0.1), bootstrap=50)
