"""Question two: how many segments does the package find, at which dates, and does the number last?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from history import History

from segml.clusters import RULE
from segml.clusters.choice import Thresholds, choose
from segml.segments import FoundSegments, find_segments

SHOWN = [
    "candidate",
    "n_segments",
    "agreement",
    "min_jaccard",
    "prediction_strength",
    "min_valley",
    "gap",
    "smallest_share",
    "noise_share",
    "silhouette",
    "next_period_eta2",
    "next_period_error",
    "tested_eta2",
    "is_chosen",
]
SEED, RESAMPLES = 0, 100


def found_at(history: History, day: str, algorithms: Sequence[str] = ("kmeans", "hdbscan")) -> FoundSegments:
    """Return what the package finds at a date from what was known by then."""
    settings = history.settings.segments
    clusters = settings.clusters.model_copy(update={"candidates": tuple(algorithms)})
    config = settings.model_copy(update={"clusters": clusters, "interval_resamples": RESAMPLES})
    return find_segments(history.bases[day].features, config, SEED, past=history.past(day))


def candidates(found: FoundSegments) -> pd.DataFrame:
    """Return the table of all candidates and rules."""
    return found.table[SHOWN].set_index("candidate")


def choices(history: History, searches: dict[str, FoundSegments]) -> pd.DataFrame:
    """Return, by date, what was chosen, how many divisions come back, and figures at k = 5 beside it."""
    rows = {day: _choice(history, found) for day, found in searches.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("date")


def _choice(history: History, found: FoundSegments) -> dict[str, object]:
    clusters = history.settings.segments.clusters
    table = found.table[found.table["algorithm"].isin([clusters.kind, RULE])]
    choice = choose(table, Thresholds(share=clusters.min_share))
    reproducible = choice.verdict.reproducible["n_segments"].astype(int)
    five = table[table["candidate"] == "kmeans 5"].iloc[0]
    rules = table[table["algorithm"] == RULE].set_index("candidate")["tested_eta2"]
    return {
        "chosen": choice.name,
        "kind": choice.kind,
        "reproducible": " ".join(map(str, reproducible)) or "none",
        "agreement": float(choice.candidate["agreement"]),
        "tested_eta2": float(choice.candidate["tested_eta2"]),
        "agreement_at_5": float(five["agreement"]),
        "tested_eta2_at_5": float(five["tested_eta2"]),
        "best_rule": str(rules.idxmax()) if rules.notna().any() else "–",
        "best_rule_eta2": float(rules.max()),
    }


def reasons(searches: dict[str, FoundSegments]) -> dict[str, tuple[str, ...]]:
    """Return the package's own sentences on each choice."""
    return {day: found.reasons for day, found in searches.items()}
