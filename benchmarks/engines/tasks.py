"""What is run: one task a row of the table, and what its result is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from benchmarks.engines import agreement

AS_OF = date(2026, 1, 1)
ONE = (str(AS_OF),)
TWELVE = tuple(str(AS_OF - timedelta(days=30 * back)) for back in range(12))

PEERS_AT_MOST = 10
"""Millions of lines up to which is run what needs several times the table in memory."""
EVERY_SIZE = 10_000

ALWAYS = ("scan", "groupings", "segml 1", "segml 12", "segml again")
"""What is run whichever tasks are asked for: others are compared with it, or it is quick and has a target."""


@dataclass(frozen=True)
class Task:
    """A function of a peer's script at some dates; sizes are millions of lines."""

    key: str
    label: str
    peer: str
    function: str
    dates: tuple[str, ...] = ONE
    memory_limit: str | None = None
    at_least: int = 0
    at_most: int = EVERY_SIZE
    like: str = ""
    comparison: agreement.Comparison | None = None


def _features(engine: str, peer: str) -> tuple[Task, Task]:
    """Return the tasks of a peer that computes the whole table."""
    return (
        Task(
            f"{engine} 1",
            f"{engine}, all features, 1 date",
            peer,
            "features",
            at_most=PEERS_AT_MOST,
            like="segml 1",
            comparison=agreement.same_features,
        ),
        Task(
            f"{engine} 12",
            f"{engine}, all features, 12 dates",
            peer,
            "features",
            dates=TWELVE,
            at_most=PEERS_AT_MOST,
            like="segml 12",
            comparison=agreement.same_features,
        ),
    )


def _rfm(package: str, peer: str, comparison: agreement.Comparison, at_most: int = EVERY_SIZE) -> Task:
    """Return the task of a peer that computes recency, frequency and money only."""
    return Task(
        f"rfm {package}",
        f"RFM only: {package}",
        peer,
        "rfm",
        at_most=at_most,
        like="segml 1",
        comparison=comparison,
    )


def _write(key: str, label: str, memory_limit: str | None) -> Task:
    """Return the task of segml that writes Parquet without passing through memory."""
    return Task(
        key,
        label,
        "segml_features",
        "write",
        memory_limit=memory_limit,
        at_least=PEERS_AT_MOST,
        like="segml 1",
        comparison=agreement.same_bits,
    )


TASKS = (
    Task("scan", "scan of the columns (DuckDB SQL)", "duckdb_sql", "scan"),
    Task("groupings", "the four groupings below features (DuckDB SQL)", "duckdb_sql", "groupings"),
    Task(
        "sorting",
        "the same groupings by sorting codes (NumPy)",
        "numpy_sorting",
        "groupings",
        at_most=PEERS_AT_MOST,
        like="groupings",
        comparison=agreement.same_figures,
    ),
    Task("segml 1", "segml, all features, 1 date", "segml_features", "build"),
    Task("segml 12", "segml, all features, 12 dates", "segml_features", "build", dates=TWELVE, at_most=PEERS_AT_MOST),
    Task(
        "segml again",
        "segml, 5,000 of the customers, a further date, all cores",
        "segml_features",
        "build_again",
        at_most=1,
    ),
    *_features("pandas", "plain_pandas"),
    *_features("polars", "plain_polars"),
    _write("write", "segml to Parquet, 1 date", None),
    _write("write limited", "segml to Parquet, 1 date, limit 1 GB", "1GB"),
    _rfm("DuckDB SQL", "duckdb_sql", agreement.duckdb_sql),
    _rfm("openretailscience", "rfm_openretailscience", agreement.openretailscience),
    _rfm("lifetimes", "rfm_lifetimes", agreement.lifetimes, PEERS_AT_MOST),
    _rfm("pymc-marketing", "rfm_pymc_marketing", agreement.pymc_marketing, PEERS_AT_MOST),
)


def chosen(millions: float, word: str = "") -> tuple[Task, ...]:
    """Return the tasks of a size whose label holds a word; those of ``ALWAYS`` are among them."""
    fitting = (task for task in TASKS if task.at_least <= millions <= task.at_most)
    return tuple(task for task in fitting if word in task.label or task.key in ALWAYS)
