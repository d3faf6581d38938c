"""What all rule-based schemes cost beside a whole training run, and beside KMeans on the same customers.

One process, the demo world made larger; the parts are run again on what the training run left, so that they are timed
alone.

    python benchmarks/schemes.py --customers 100000 --days 550
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from segml import config, features, pipeline
from segml.data import connect, load_tables
from segml.segments import (
    assign_rules,
    classify_products,
    cohort_table,
    find_segments,
    profiles,
    scheme_cautions,
)

TODAY = date(2026, 6, 1)
Cost = tuple[float, float]


def timed(run: Callable[[], Any]) -> tuple[Any, Cost]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    return result, (time.process_time() - cpu, time.perf_counter() - wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=550)
    arguments = parser.parse_args()
    settings = config.load(None, [f"demo.customers={arguments.customers}", f"demo.days={arguments.days}"])
    tables = load_tables(settings, connect(settings.threads))
    prepared, cleaning = timed(lambda: pipeline.prepare(tables, settings, today=TODAY))
    training, total = timed(lambda: pipeline.train(prepared, settings))
    decided, segments = training.decided, settings.segments
    now = decided.features[["customer_id", "as_of", *(feature.name for feature in features.CATALOG)]]
    labels, labelling = timed(lambda: assign_rules(decided.features, segments))
    rows: dict[str, Cost] = {
        "cleaning": cleaning,
        "training run": total,
        f"{len(labels.schemes)} schemes, labels": labelling,
        "described columns": timed(lambda: pipeline.described(now, prepared, settings))[1],
        "profiles and cautions": timed(
            lambda: (
                profiles(decided.decisions, decided.features, labels.rules, training.scorer.clusters),
                scheme_cautions(labels, decided.features, segments),
            )
        )[1],
        "products and cohorts": timed(
            lambda: (
                classify_products(prepared.lines, prepared.as_of, segments.abc, segments.xyz),
                cohort_table(prepared.lines, prepared.as_of, segments.cohort.period),
            )
        )[1],
        "KMeans, for comparison": timed(lambda: find_segments(now, segments, settings.seed))[1],
    }
    table = Table("", "CPU s", "wall s", "share of the training run")
    for name, (cpu, wall) in rows.items():
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / total[0]:.1%}")
    lines = prepared.cleaned.ledger.kept.lines
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    console = Console()
    console.print(f"{len(decided.features):,} customers, {lines:,} order lines, peak memory {peak:.1f} GiB")
    console.print(table)


if __name__ == "__main__":
    main()
