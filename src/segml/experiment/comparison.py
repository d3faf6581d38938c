"""Finished variants as one table: every metric with its interval, and its difference to the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd

from segml.churn import mean_metrics, paired_differences
from segml.experiment.kept import Finished
from segml.experiment.metrics import ETA2
from segml.segments import lead

COLUMNS = (
    "variant",
    "metric",
    "value",
    "low",
    "high",
    "difference",
    "difference_low",
    "difference_high",
    "customers",
    "snapshots",
    "seeds",
)
_ENDS = ("", "_low", "_high")


def comparison(
    found: Mapping[str, Sequence[Finished]], reference: str, metrics: Sequence[str], *, resamples: int, seed: int
) -> pd.DataFrame:
    """Return one row a variant and metric: ``COLUMNS``.

    Over several seeds values are means. Intervals of 95 % redraw customers; those of differences redraw them for both
    variants alike. A metric that is not known customer by customer has a difference without an interval.

    Parameters
    ----------
    found : what each variant gave, once for every seed
    reference : name of the variant from which differences are taken; where it is not there, there are none
    resamples, seed : of the bootstrap
    """
    other = found.get(reference, ())
    rows = []
    for name, runs in found.items():
        values = _values(runs, resamples, seed)
        differences = _differences(runs, other, resamples, seed) if other and name != reference else {}
        size = (runs[0].customers, len(runs[0].scored), len(runs))
        rows += [(name, metric, *_ends(values, metric), *_ends(differences, metric), *size) for metric in metrics]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _values(runs: Sequence[Finished], resamples: int, seed: int) -> dict[str, float]:
    if len(runs) == 1:
        return dict(runs[0].metrics)
    return {**_means(runs), **mean_metrics([run.scored for run in runs], resamples=resamples, seed=seed)}


def _differences(runs: Sequence[Finished], other: Sequence[Finished], resamples: int, seed: int) -> dict[str, float]:
    own, theirs = _means(runs), _means(other)
    plain = {name: value - theirs[name] for name, value in own.items() if name in theirs}
    tables = [run.scored for run in runs], [run.scored for run in other]
    paired = paired_differences(*tables, resamples=resamples, seed=seed)
    return {**plain, **paired, **_of_segments(runs, other, resamples, seed)}


def _means(runs: Sequence[Finished]) -> dict[str, float]:
    """Return the means of what all runs tell, without ends of intervals."""
    names = set.intersection(*(set(run.metrics) for run in runs))
    points = [name for name in names if not name.endswith(_ENDS[1:])]
    return {name: float(np.mean([run.metrics[name] for run in runs])) for name in points}


def _of_segments(runs: Sequence[Finished], other: Sequence[Finished], resamples: int, seed: int) -> dict[str, float]:
    """Return by how much found segments tell more of the next period, where both saw the same buyers."""
    if len(runs) > 1 or len(other) > 1:
        return {}
    own, theirs = runs[0].tested, other[0].tested
    outcome = ["customer_id", "log_revenue"]
    if own.empty or not own[outcome].equals(theirs[outcome]):
        return {}
    gain = lead(
        own["segment"].to_numpy(),
        theirs["segment"].to_numpy(),
        own["log_revenue"].to_numpy(dtype=float),
        resamples=resamples,
        seed=seed,
    )
    return {f"{ETA2}{end}": value for end, value in zip(_ENDS, gain, strict=True)}


def _ends(values: Mapping[str, float], metric: str) -> tuple[float, ...]:
    return tuple(values.get(f"{metric}{end}", nan) for end in _ENDS)
