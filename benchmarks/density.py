"""What density segments cost, next to the hdbscan library itself.

Synthetic customers have three features with heavy tails (revenue, days since the last order, orders): six kinds of
unequal size, log-normal around their own centre, and 15 % who are of no kind, drawn evenly over the range of the
logarithms. The library gets the rows scaled and sorted, free of charge; it builds the exact spanning tree too.

    python benchmarks/density.py            # six sizes from one tree, and new customers assigned
    python benchmarks/density.py --million  # end to end on a million customers, alone, for its peak of memory
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from hdbscan import HDBSCAN, approximate_predict
from rich.console import Console
from rich.table import Table

from segml.clusters.density import HDBSCANSegments

CUSTOMERS = 20_000
SIZES = (25, 50, 100, 200, 300, 500)
SHARES = (0.3, 0.2, 0.15, 0.1, 0.06, 0.04)
NOISE_SHARE = 0.15
CENTRES = ((5, 5, 0.8), (6.5, 4, 1.8), (8, 3, 2.8), (9.5, 2.2, 3.8), (7, 5.5, 2.8), (4, 2.5, 0.7))
SPREAD = (0.35, 0.3, 0.25)
LOW, HIGH = (2, 0.5, 0), (12, 6.5, 5)

Matrix = np.ndarray[Any, Any]
Figures = tuple[float, float, float]


def customers(count: int, seed: int) -> Matrix:
    """Return revenue, days since the last order and orders of synthetic customers, (count, 3)."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(len(SHARES) + 1, count, p=[*SHARES, NOISE_SHARE])
    centres = np.vstack([CENTRES, np.zeros(3)])
    logs = generator.normal(centres[kind], SPREAD)
    is_noise = kind == len(SHARES)
    logs[is_noise] = generator.uniform(LOW, HIGH, (int(is_noise.sum()), 3))
    return np.exp(logs)


def timed(run: Callable[[], Any]) -> tuple[Any, Figures]:
    """Return the result with CPU seconds, wall seconds and the peak of memory so far in GiB."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return result, (time.process_time() - cpu, time.perf_counter() - wall, peak)


def library(size: int) -> HDBSCAN:
    """Return the library's clusterer as we use it, unfitted."""
    return HDBSCAN(
        min_cluster_size=size, min_samples=10, approx_min_span_tree=False, core_dist_n_jobs=1, prediction_data=False
    )


def equal_share(ours: Matrix, theirs: Matrix) -> float:
    """Return the share of equal labels, where each of their numbers stands for the one of ours it mostly meets."""
    counts = np.zeros((theirs.max() + 2, ours.max() + 2), dtype=int)
    np.add.at(counts, (theirs + 1, ours + 1), 1)
    return float((counts[0, 0] + counts[1:, 1:].max(axis=1, initial=0).sum()) / len(ours))


def compare_sizes(table: Table) -> HDBSCANSegments:
    """Fit once and cut for six sizes; fit the library six times."""
    base = customers(CUSTOMERS, seed=1)
    first, *others = SIZES

    def cut_one_tree() -> dict[int, HDBSCANSegments]:
        model = HDBSCANSegments(first).fit(base)
        return {first: model, **model.recuts(others)}

    models, ours = timed(cut_one_tree)
    points = models[first].fitted_points_
    fits, theirs = timed(lambda: {size: library(size).fit(points) for size in SIZES})
    equal = min(equal_share(models[size].fitted_labels_, fits[size].labels_) for size in SIZES)
    add(table, f"{len(SIZES)} sizes, {CUSTOMERS:,} customers", ours, theirs, equal)
    return models[SIZES[1]]


def compare_assignment(table: Table, model: HDBSCANSegments) -> None:
    """Assign as many new customers as were fitted."""
    new = customers(CUSTOMERS, seed=2)
    peer = library(model.min_cluster_size).fit(model.fitted_points_)
    peer.generate_prediction_data()
    scaled = model.scaler_.transform(new)
    labels, ours = timed(lambda: model.predict(new))
    (theirs_labels, _), theirs = timed(lambda: approximate_predict(peer, scaled))
    add(table, f"assign {len(new):,} new customers", ours, theirs, equal_share(labels, theirs_labels))


def add(table: Table, name: str, ours: Figures, theirs: Figures, equal: float) -> None:
    ratio = ours[0] / theirs[0]
    table.add_row(name, f"{ours[0]:.2f}", f"{theirs[0]:.2f}", f"{ratio:.3f}", f"{equal:.2%}")


def run_million(count: int) -> Table:
    """Fit, and tell everything of every customer, on two threads."""
    base = customers(count, seed=3)
    model, fit = timed(lambda: HDBSCANSegments(n_jobs=2).fit(base))
    steps = {
        f"fit: {model.n_clusters_} segments, {model.noise_share_:.1%} noise": fit,
        "predict": timed(lambda: model.predict(base))[1],
        "nearest": timed(lambda: model.nearest(base))[1],
        "strength": timed(lambda: model.strength(base))[1],
        "memberships": timed(lambda: model.memberships(base))[1],
    }
    table = Table(f"{count:,} customers", "CPU s", "wall s", "peak GiB so far")
    for name, figures in steps.items():
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true")
    if parser.parse_args().million:
        Console().print(run_million(1_000_000))
        return
    table = Table("", "CPU s", "library CPU s", "ratio", "equal labels")
    compare_assignment(table, compare_sizes(table))
    Console().print(table)


if __name__ == "__main__":
    main()
