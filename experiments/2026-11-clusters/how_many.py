"""How many segments are there? Rules for k on data of known structure; thresholds set and confirmed on other seeds.

    python experiments/2026-11-clusters/how_many.py --output experiments/2026-11-clusters/results/how_many

Writes the table of all candidates, of what each rule chose, and the shares of right choices as CSV and Markdown.
``--measured`` reads the table of candidates from an earlier run and applies the rules alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from segml.clusters.candidates import KMEANS, Candidate, measure
from segml.clusters.choice import Thresholds, choose
from segml.clusters.preprocessing import CustomerScaler
from segml.segments.validity import eta_squared

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from clusters.known_structure import STRUCTURED, STRUCTURELESS, Floats, Known

SIZES = range(2, 11)
RESAMPLES = 100
PHASES = {"set": range(3), "confirmed": range(3, 17)}
"""Thresholds were set on the first seeds; the figures that count are those of the others."""
NONE = 1
VALLEYS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
AGREEMENTS = (0.8, 0.85, 0.9, 0.95)
JACCARDS = (0.6, 0.75, 0.8)
STRENGTHS = (0.5, 0.7, 0.8)

Rule = Callable[[pd.DataFrame], int]


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--measured", type=Path, help="table of candidates of an earlier run")
    options = parser.parse_args()
    folder: Path = options.output
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_csv(options.measured) if options.measured else measured(folder / "candidates.csv")
    chosen = choices(table)
    tables = {"choices": chosen, "rules": shares(chosen), "thresholds": thresholds(table)}
    for name, each in tables.items():
        each.to_csv(folder / f"{name}.csv", index=False, float_format="%.3f")
    (folder / "rules.md").write_text(as_page(tables), encoding="utf-8")
    print(as_page(tables))


def measured(path: Path) -> pd.DataFrame:
    """Return the table of candidates of all data sets and seeds; it is written as it grows."""
    tables = []
    for seed in (seed for seeds in PHASES.values() for seed in seeds):
        for name, maker in (STRUCTURED | STRUCTURELESS).items():
            known = maker(seed)
            tables.append(candidates(known, seed).assign(data=name, seed=seed, truth=known.k))
        print(f"seed {seed} is done", flush=True)
        pd.concat(tables).to_csv(path, index=False, float_format="%.5f")
    return pd.concat(tables, ignore_index=True)


def candidates(known: Known, seed: int) -> pd.DataFrame:
    """Return the measured candidates of one data set."""
    scaled = CustomerScaler().fit_transform(known.inputs)
    models = [Candidate(KMEANS, k, KMeans(k, n_init=10, random_state=0)) for k in SIZES]
    explained = {each.name: _explained(each.model.fit_predict(scaled), known.later, seed) for each in models}
    return measure(models, scaled, next_period=explained, seed=seed)


def _explained(labels: np.ndarray, later: Floats, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    samples = [rng.integers(0, len(later), len(later)) for _ in range(RESAMPLES)]
    return eta_squared(labels, later), float(np.std([eta_squared(labels[rows], later[rows]) for rows in samples]))


def largest(table: pd.DataFrame, column: str, least: float) -> int:
    """Return the largest k whose figure reaches a threshold, else 1."""
    reached = table.loc[table[column] >= least, "n_segments"]
    return int(reached.max()) if len(reached) else NONE


def by_gap(table: pd.DataFrame) -> int:
    """Return the smallest k that the next one does not beat by more than its error."""
    gaps = [table["gap_at_one"].iloc[0], *table["gap"]]
    errors = [0.0, *table["gap_error"]]
    return next((k for k in range(1, len(gaps)) if gaps[k - 1] >= gaps[k] - errors[k]), len(gaps))


def by_silhouette(table: pd.DataFrame) -> int:
    """Return the k with the highest mean silhouette."""
    return int(table.loc[table["silhouette"].idxmax(), "n_segments"])


def ours(table: pd.DataFrame, limits: Thresholds | None = None) -> int:
    """Return the number of segments that ``choose`` takes, 1 where it finds no natural clusters."""
    choice = choose(table, limits)
    return int(choice.candidate["n_segments"]) if len(choice.verdict.natural) else NONE


def ours_without_later_period(table: pd.DataFrame, limits: Thresholds | None = None) -> int:
    """Return the same where nothing is known of the next period."""
    return ours(table.assign(next_period_eta2=np.nan), limits)


RULES: dict[str, Rule] = {
    "prediction strength at least 0.8": partial(largest, column="prediction_strength", least=0.8),
    "lowest Jaccard at least 0.75": partial(largest, column="min_jaccard", least=0.75),
    "agreement at least 0.9": partial(largest, column="agreement", least=0.9),
    "gap statistic": by_gap,
    "highest silhouette": by_silhouette,
    "valleys at least 0.35, alone": partial(largest, column="min_valley", least=0.35),
    "ours": ours_without_later_period,
    "ours, with a later period": ours,
}


def choices(table: pd.DataFrame) -> pd.DataFrame:
    """Return the k that each rule chose, one row a data set, seed and rule."""
    rows = [
        {"phase": phase, "data": data, "seed": seed, "truth": int(rows["truth"].iloc[0]), "rule": name, "k": rule(rows)}
        for phase, seeds in PHASES.items()
        for (data, seed), rows in table[table["seed"].isin(list(seeds))].groupby(["data", "seed"], sort=False)
        for name, rule in RULES.items()
    ]
    return pd.DataFrame(rows)


def shares(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return how often each rule was right: structured data exactly and within 1, structureless called so."""
    off = (chosen["k"] - chosen["truth"]).abs()
    is_structured = chosen["truth"] > NONE
    told = chosen.assign(
        exact=(off == 0).where(is_structured),
        within_one=((off <= 1) & (chosen["k"] > NONE)).where(is_structured),
        said_none=(chosen["k"] == NONE).where(is_structured),
        structureless_called_so=(chosen["k"] == NONE).where(~is_structured),
    )
    figures = ["exact", "within_one", "said_none", "structureless_called_so"]
    return (
        told.astype(dict.fromkeys(figures, float)).groupby(["phase", "rule"], sort=False)[figures].mean().reset_index()
    )


def thresholds(table: pd.DataFrame) -> pd.DataFrame:
    """Return how our rule fares under other thresholds, on the seeds on which they were set."""
    rows = table[table["seed"].isin(list(PHASES["set"]))]
    variants = [Thresholds(valley=valley) for valley in VALLEYS]
    variants += [Thresholds(agreement=agreement) for agreement in AGREEMENTS]
    variants += [Thresholds(jaccard=jaccard) for jaccard in JACCARDS]
    variants += [Thresholds(strength=strength) for strength in STRENGTHS]
    return pd.concat([_under(limits, rows) for limits in variants], ignore_index=True)


def _under(limits: Thresholds, table: pd.DataFrame) -> pd.DataFrame:
    chosen = [
        {
            "phase": "set",
            "rule": "ours",
            "truth": int(rows["truth"].iloc[0]),
            "k": ours_without_later_period(rows, limits),
        }
        for _, rows in table.groupby(["data", "seed"], sort=False)
    ]
    figures = shares(pd.DataFrame(chosen)).drop(columns=["phase", "rule"])
    limit = {name: getattr(limits, name) for name in ("valley", "agreement", "jaccard", "strength")}
    return pd.DataFrame([limit]).join(figures)


def as_page(tables: dict[str, pd.DataFrame]) -> str:
    """Return the shares of right choices and the effect of thresholds as Markdown."""
    return "\n\n".join(_as_markdown(tables[name]) for name in ("rules", "thresholds")) + "\n"


def _as_markdown(table: pd.DataFrame) -> str:
    rows = [[f"{value:.2f}" if isinstance(value, float) else str(value) for value in row] for row in table.to_numpy()]
    lines = [list(table.columns), ["---"] * table.shape[1], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
