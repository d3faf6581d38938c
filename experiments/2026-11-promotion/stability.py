"""How much the stability of found segments moves by chance: over seeds, and from one quarter to the next.

The tolerance of the promotion rule, ``promotion.stability_tolerance``, rests on it.
"""

from __future__ import annotations

import argparse
from datetime import date

import pandas as pd

from segml import config, pipeline
from segml.data import connect, load_tables
from segml.segments import Past, earlier, find_segments
from segml.windows import shift

QUARTERS_BACK = 6
"""Of which ``find_segments`` makes the choice of clusters; as training does."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--as-of", nargs="+", default=["2025-07-01", "2025-10-01"])
    arguments = parser.parse_args()
    table = pd.concat([over_seeds(as_of, range(arguments.seeds)) for as_of in arguments.as_of], ignore_index=True)
    print(table.to_string(index=False))
    spread = table.groupby("as_of")["min_jaccard"].agg(["min", "median", "max", "std"])
    drops = table.groupby("as_of")["min_jaccard"].agg(two_seeds)
    print("\n", spread.assign(drop_95=drops).round(3).to_string(), sep="")


def over_seeds(as_of: str, seeds: range) -> pd.DataFrame:
    """Return the lowest segment Jaccard of the found segments at one as-of date, a row a seed."""
    settings = config.looking_back_from(config.load(), as_of)
    prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=date(2026, 6, 1))
    days = settings.horizon_days
    quarters = [shift(prepared.as_of, days=-days * back) for back in range(1, QUARTERS_BACK + 1)]
    snapshots = pipeline.build_snapshots(prepared, settings, [prepared.as_of, *quarters])
    outcomes = snapshots.labels
    past = Past([earlier(snapshots.at(day), outcomes[outcomes["as_of"] == day]) for day in quarters], days)
    rows = []
    for seed in seeds:
        metrics = find_segments(snapshots.at(prepared.as_of), settings.segments, seed, past=past).metrics
        found = {name: metrics[f"segments/{name}"] for name in ("n_clusters", "min_jaccard")}
        rows.append({"as_of": as_of, "seed": seed, **found})
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def two_seeds(values: pd.Series[float]) -> float:
    """Return the drop between two seeds that 95 % of the pairs stay below."""
    drops = [one - other for one in values for other in values]
    return float(pd.Series(drops).quantile(0.95))


if __name__ == "__main__":
    main()
