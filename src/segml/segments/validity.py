"""Do segments tell the next period? Found ones against simple rules, on the same customers.

Simple rules may well win; they are always in the table as the baseline to beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from segml.config import SegmentsConfig
from segml.language import N_, _
from segml.schemes.ranking import quantile_scores

RFM_SEGMENTS, REVENUE_FIFTHS = N_("RFM segments"), N_("revenue fifths")
FIFTHS_OF = "fifths of"
_FIFTHS = 5
_INTERVAL = (2.5, 97.5)

Floats = NDArray[np.float64]
Groupings = Mapping[str, NDArray[np.int64]]


def simple_rules(customers: pd.DataFrame, config: SegmentsConfig) -> Groupings:
    """Return what found segments must beat: RFM segments, and fifths by revenue and by each clustered feature."""
    features = {name for section in config.clusters.compared for name in section.features} - {"revenue_365d"}
    return {
        RFM_SEGMENTS: pd.factorize(config.rfm.assign(customers), sort=True)[0],
        REVENUE_FIFTHS: _fifths(customers["revenue_365d"]),
        **{f"{FIFTHS_OF} {name}": _fifths(customers[name]) for name in sorted(features)},
    }


def told_rule(name: str) -> str:
    """Return the name of a simple rule in the language spoken."""
    feature = name.removeprefix(f"{FIFTHS_OF} ")
    return _(name) if feature == name else _("fifths of {feature}").format(feature=_(feature.replace("_", " ")))


def eta_squared(groups: ArrayLike, values: ArrayLike) -> float:
    """Return the share of variance that groups explain, adjusted for their number (0 expected by chance).

    ``1 − (SSW / (n − k)) / (SST / (n − 1))``; NaN where the values do not vary or there are as many groups as values.

    >>> round(eta_squared([1, 1, 2, 2], [0.0, 1.0, 4.0, 5.0]), 3)
    0.912
    """
    numbers = np.asarray(values, dtype=float)
    codes, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)[1:]
    centred = numbers - numbers.mean() if len(numbers) else numbers
    total, spare = (centred**2).sum(), len(numbers) - len(counts)
    if total == 0 or spare <= 0:
        return float("nan")
    within = total - (np.bincount(codes, centred) ** 2 / counts).sum()
    return float(1 - (within / spare) / (total / (len(numbers) - 1)))


def explained(groupings: Groupings, values: Floats, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return one row a grouping (the index): ``eta2``, ``eta2_low``, ``eta2_high`` and its standard error.

    Intervals of 95 % by a bootstrap over customers, the same draws for all groupings; NaN without resamples.
    """
    drawn = resampled(groupings, values, resamples, seed)
    rows = {name: [eta_squared(groups, values), *_spread(drawn[name])] for name, groups in groupings.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["eta2", "eta2_low", "eta2_high", "eta2_error"])


def resampled(groupings: Groupings, values: Floats, resamples: int, seed: int) -> dict[str, Floats]:
    """Return η² of each grouping on the same bootstrap samples of customers, so that differences are paired."""
    rng = np.random.default_rng(seed)
    samples = [rng.integers(0, len(values), len(values)) for _ in range(resamples)]
    return {
        name: np.array([eta_squared(groups[sample], values[sample]) for sample in samples])
        for name, groups in groupings.items()
    }


class Lead(NamedTuple):
    """By how much found segments tell more of a period than a rule, with its 95 % interval; NaN without resamples."""

    gain: float
    low: float
    high: float


def lead(found: NDArray[np.int64], rule: NDArray[np.int64], values: Floats, *, resamples: int, seed: int) -> Lead:
    """Return the difference in η² of two groupings of the same customers, from paired bootstrap samples."""
    drawn = resampled({"found": found, "rule": rule}, values, resamples, seed)
    low, high, _error = _spread(drawn["found"] - drawn["rule"])
    return Lead(eta_squared(found, values) - eta_squared(rule, values), low, high)


def verdict(ahead: Lead, name: str) -> str:
    """Return in words whether found segments tell the next period better than the best simple rule, by its name."""
    if np.isnan(ahead.low):
        bare = (
            _("the clusters predict better than {rule}")
            if ahead.gain > 0
            else _("the clusters do not predict better than {rule}")
        )
        return bare.format(rule=name)
    span = _("difference {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}").format(**ahead._asdict())
    return _better(ahead.low, ahead.high).format(rule=name, span=span)


def _fifths(values: pd.Series[float]) -> NDArray[np.int64]:
    """Return fifths 1 to 5 of the known values; unknown ones are a group of their own, 0."""
    is_known = values.notna().to_numpy()
    fifths = np.zeros(len(values), dtype=np.int64)
    fifths[is_known] = quantile_scores(values[is_known], _FIFTHS)
    return fifths


def _spread(drawn: Floats) -> tuple[float, float, float]:
    if not len(drawn) or np.isnan(drawn).all():
        return (float("nan"),) * 3
    low, high = np.nanpercentile(drawn, _INTERVAL)
    return float(low), float(high), float(np.nanstd(drawn))


def _better(low: float, high: float) -> str:
    """Return the sentence that fits an interval of the clusters' lead."""
    if low > 0:
        return _("the clusters predict better than the best simple rule, {rule} ({span})")
    if high < 0:
        return _("a simple rule, {rule}, predicts better than the clusters ({span}): prefer it where prediction counts")
    return _("the clusters predict about as well as the best simple rule, {rule} ({span})")
