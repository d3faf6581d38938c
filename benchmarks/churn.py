"""What the risk model costs on a large base: training, scoring, reasons.

Snapshots of the simulated demo base are repeated under new customer numbers, every figure moved by some noise, up to
the number of rows asked for. Each step reports CPU and wall time, and the highest memory of the process so far.

    python benchmarks/churn.py --rows 1000000
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from segml import config, pipeline
from segml.churn import RiskModel, explain, risk_bands, split_at
from segml.config import Config
from segml.data import connect, load_tables

TODAY = date(2026, 6, 1)
KEYS = ["customer_id", "as_of"]
NOISE = 0.05
EXPLAINED = 20_000


def snapshots(settings: Config, dates: int) -> tuple[pipeline.Snapshots, tuple[pd.Timestamp, ...]]:
    """Return the demo base at as many training dates as asked for, and these dates."""
    prepared = pipeline.prepare(load_tables(settings, connect(settings.threads)), settings, today=TODAY)
    split = split_at(prepared.as_of, prepared.log_start, config=settings.churn, horizon_days=settings.horizon_days)
    latest = split.training[-dates:]
    return pipeline.build_snapshots(prepared, settings, latest), latest


def enlarged(features: pd.DataFrame, rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Return ``rows`` rows made of the given ones, each of a customer of its own, and which row each came from."""
    generator = np.random.default_rng(seed)
    place = np.arange(rows) % len(features)
    numbers = features.select_dtypes("number")
    moved = numbers.to_numpy()[place]
    moved *= generator.lognormal(0.0, NOISE, moved.shape)
    table = pd.DataFrame(moved, columns=numbers.columns)
    # A customer cannot have been silent for longer than it has been one.
    table["recency_days"] = table[["recency_days", "tenure_days"]].min(axis=1)
    table.insert(0, "as_of", features["as_of"].to_numpy()[place])
    table.insert(0, "customer_id", pd.Series(np.arange(rows), dtype="str"))
    return table, place


def timed(run: Callable[[], Any]) -> tuple[Any, tuple[float, float, float]]:
    """Return the result with CPU seconds, wall seconds and peak memory in GiB."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return result, (time.process_time() - cpu, time.perf_counter() - wall, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dates", type=int, default=8)
    arguments = parser.parse_args()
    settings = config.load(None, [])
    found, dates = snapshots(settings, arguments.dates)
    scored = found.features[found.scored]
    labels = scored[KEYS].merge(found.labels, on=KEYS, validate="1:1")
    features, place = enlarged(scored, arguments.rows, settings.seed)
    outcomes = features[KEYS].assign(**{name: labels[name].to_numpy()[place] for name in ("churned", "stagnated")})
    now = found.at(dates[-1])
    model, training = timed(
        lambda: RiskModel().fit(
            features, outcomes, base=now, config=settings.churn, horizon_days=settings.horizon_days, seed=settings.seed
        )
    )
    scores, scoring = timed(lambda: model.predict(features))
    _, banding = timed(lambda: risk_bands(scores["p_churn"], settings.churn.risk_bands))
    few = features.head(EXPLAINED)
    _, explaining = timed(lambda: explain(model, few, scores.head(EXPLAINED), settings.churn))
    rows = {
        f"train on {len(features):,} snapshots, {len(dates)} dates": training,
        f"score {len(features):,} customers": scoring,
        "risk bands of the same": banding,
        f"reasons of {len(few):,} of them": explaining,
    }
    table = Table("", "CPU s", "wall s", "peak GiB")
    for name, figures in rows.items():
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    Console().print(table)


if __name__ == "__main__":
    main()
