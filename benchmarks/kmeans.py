"""What KMeans on a large base costs beside scikit-learn's with as many restarts on all customers.

Synthetic customers: six kinds of unequal size; features are logarithms of money, counts and days that share one
factor "size" (correlations up to some 0.7), with Student's t noise (4 degrees of freedom), so that their exponentials
have the tails of real revenue; a tenth of the values of the last three features is 0. Both searches get the same scaled
matrix in one thread; the line "with scaler" begins at the raw features instead. Peaks are of separate processes and
contain the input (and, without scaler, its scaled copy).

    OMP_NUM_THREADS=1 python benchmarks/kmeans.py --rows 1000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.cluster import KMeans
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from segml.clusters.kmeans import KMeansSegments
from segml.clusters.preprocessing import CustomerScaler

SEGMENTS, FEATURES, RESTARTS = 6, 10, 10
SHARES = (0.35, 0.25, 0.15, 0.12, 0.08, 0.05)
PEER, OURS, WITH_SCALER = "scikit-learn", "segml", "segml, with scaler"


def customers(rows: int, seed: int) -> np.ndarray[Any, Any]:
    """Return raw features, (rows, 10)."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(SEGMENTS, rows, p=SHARES)
    centres = generator.normal(4.0, 1.0, (SEGMENTS, FEATURES))
    size = generator.standard_t(4, (rows, 1)) * generator.uniform(0.2, 0.8, FEATURES)
    raw = np.expm1(centres[kind] + size + 0.6 * generator.standard_t(4, (rows, FEATURES)))
    raw[:, -3:] *= generator.random((rows, 3)) > 0.1
    return np.clip(raw, 0, 1e12)


def measured(run: str, rows: int, seed: int) -> tuple[float, float, float, float]:
    """Return CPU seconds, wall seconds, peak memory in GiB and inertia of one fit, in a process of its own."""
    raw = customers(rows, seed)
    X = raw if run == WITH_SCALER else CustomerScaler().fit_transform(raw)
    models = {
        PEER: lambda: KMeans(SEGMENTS, n_init=RESTARTS, random_state=seed),
        OURS: lambda: KMeansSegments(SEGMENTS, n_init=RESTARTS, scaler=FunctionTransformer(), random_state=seed),
        WITH_SCALER: lambda: KMeansSegments(SEGMENTS, n_init=RESTARTS, random_state=seed),
    }
    with threadpool_limits(1):
        cpu, wall = time.process_time(), time.perf_counter()
        model = models[run]().fit(X)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return cpu, wall, peak, float(model.inertia_)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    # A new interpreter a run: peak memory never falls again.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        figures = {
            run: pool.apply(measured, (run, arguments.rows, arguments.seed)) for run in (OURS, WITH_SCALER, PEER)
        }
    table = Table(
        f"{arguments.rows:,} × {FEATURES}, k = {SEGMENTS}", "CPU s", "wall s", "peak GiB", "CPU ×", "inertia ×"
    )
    peer_cpu, _, _, peer_inertia = figures[PEER]
    for run, (cpu, wall, peak, inertia) in figures.items():
        ratios = f"{cpu / peer_cpu:.3f}", f"{inertia / peer_inertia:.5f}"
        table.add_row(run, f"{cpu:.1f}", f"{wall:.1f}", f"{peak:.2f}", *ratios)
    Console().print(table)


if __name__ == "__main__":
    main()
