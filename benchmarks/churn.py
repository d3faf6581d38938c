"""What the risk model costs on a large base: training, scoring, reasons.

Scored snapshots of the simulated demo base at its latest training dates are repeated under new customer numbers, every
figure moved by some noise, up to the number of rows asked for, with the outcomes of the rows they come from. The tables
are made once and stored; each step reads what it needs in a process of its own and reports CPU and wall time of the
step alone, the memory before it (the interpreter and the tables it reads) and the highest memory during it, tables
included. Making the tables, and their way to and from the disk, are not measured.

By default churn is learnt as hazards: the same rows are followed through all periods of the horizon, which is more
than a real run learns from, where the latest dates are known in part only. ``--model direct`` learns the whole horizon
at once.

    python benchmarks/churn.py --rows 1000000
    python benchmarks/churn.py --rows 1000000 --model direct
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from segml import config, pipeline
from segml.churn import RiskModel, explain, risk_bands, split_at
from segml.churn.hazard import followed_rows, silence_columns
from segml.config import Config
from segml.data import connect, load_tables

TODAY = date(2026, 6, 1)
KEYS = ["customer_id", "as_of"]
NOISE = 0.05
EXPLAINED = 20_000

Figures = tuple[float, float, float, float]
"""CPU seconds, wall seconds, GiB before the step, most GiB during it."""


def make_tables(settings: Config, rows: int, dates: int, folder: Path) -> None:
    """Store the enlarged base: features, outcomes, silence, and the base of the latest date."""
    prepared = pipeline.prepare(load_tables(settings, connect(settings.threads)), settings, today=TODAY)
    split = split_at(prepared.as_of, prepared.log_start, config=settings.churn, horizon_days=settings.horizon_days)
    latest = split.training[-dates:]
    found = pipeline.build_snapshots(prepared, settings, latest)
    scored = found.features[found.scored]
    features, place = enlarged(scored, rows, settings.seed)
    features.to_parquet(folder / "features.parquet")
    found.at(latest[-1]).to_parquet(folder / "base.parquet")
    outcomes(features, place, scored, found.labels, ["churned", "stagnated"]).to_parquet(folder / "labels.parquet")
    if found.silence is not None:
        silent = silence_columns(settings.horizon_days)
        outcomes(features, place, scored, found.silence, silent).to_parquet(folder / "silence.parquet")


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


def outcomes(
    features: pd.DataFrame, place: np.ndarray[Any, Any], scored: pd.DataFrame, found: pd.DataFrame, columns: list[str]
) -> pd.DataFrame:
    """Return the keys of enlarged features with the outcomes of the rows that they came from."""
    known = scored[KEYS].merge(found, on=KEYS, validate="1:1")
    return features[KEYS].assign(**{name: known[name].to_numpy()[place] for name in columns})


def train(settings: Config, folder: Path) -> Figures:
    features, labels, base = (pd.read_parquet(folder / f"{name}.parquet") for name in ("features", "labels", "base"))
    horizon, known_until = settings.horizon_days, labels["as_of"].max() + pd.Timedelta(days=settings.horizon_days)
    is_hazard = settings.churn.model == "hazard"
    silence = pd.read_parquet(folder / "silence.parquet") if is_hazard else None

    def fit() -> RiskModel:
        followed = None if silence is None else followed_rows(features, silence, horizon, known_until=known_until)
        return RiskModel().fit(
            features,
            labels,
            base=base,
            config=settings.churn,
            horizon_days=horizon,
            seed=settings.seed,
            followed=followed,
        )

    model, figures = timed(fit)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return figures


def score(settings: Config, folder: Path) -> Figures:
    features, model = pd.read_parquet(folder / "features.parquet"), restored(folder)
    scores, figures = timed(lambda: model.predict(features))
    scores.to_parquet(folder / "scores.parquet")
    return figures


def band(settings: Config, folder: Path) -> Figures:
    scores = pd.read_parquet(folder / "scores.parquet")
    return timed(lambda: risk_bands(scores["p_churn"], settings.churn.risk_bands))[1]


def give_reasons(settings: Config, folder: Path) -> Figures:
    few, scores = (pd.read_parquet(folder / f"{name}.parquet").head(EXPLAINED) for name in ("features", "scores"))
    model = restored(folder)
    return timed(lambda: explain(model, few, scores, settings.churn))[1]


def restored(folder: Path) -> RiskModel:
    model: RiskModel = pickle.loads((folder / "model.pkl").read_bytes())
    return model


def timed(run: Callable[[], Any]) -> tuple[Any, Figures]:
    """Return the result and what it cost."""
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory counts from here on
    before, cpu, wall = memory("VmRSS"), time.process_time(), time.perf_counter()
    result = run()
    return result, (time.process_time() - cpu, time.perf_counter() - wall, before, memory("VmHWM"))


def memory(key: str) -> float:
    """Return a figure of this process's memory in GiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 2**20


def alone(step: Callable[[Config, Path], Any], *arguments: Any) -> Any:
    """Run a step in a fresh process, which nothing before it has filled."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *arguments).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dates", type=int, default=8)
    parser.add_argument("--model", choices=("hazard", "direct"), default="hazard")
    arguments = parser.parse_args()
    settings = config.load(None, [f"churn.model={arguments.model}"])
    steps = {
        f"train on {arguments.rows:,} snapshots of {arguments.dates} dates": train,
        f"score {arguments.rows:,} customers": score,
        "risk bands of the same": band,
        f"reasons of {min(EXPLAINED, arguments.rows):,} of them": give_reasons,
    }
    table = Table(arguments.model, "CPU s", "wall s", "GiB before", "peak GiB")
    with TemporaryDirectory() as name:
        folder = Path(name)
        alone(make_tables, settings, arguments.rows, arguments.dates, folder)
        for title, step in steps.items():
            table.add_row(title, *(f"{figure:.1f}" for figure in alone(step, settings, folder)))
    Console().print(table)


if __name__ == "__main__":
    main()
