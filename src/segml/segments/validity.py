"""Do segments tell the next period? Found ones against simple rules, on the same customers.

Simple rules may well win; they are always in the table as the baseline to beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from segml.config import SegmentsConfig
from segml.language import N_, _, ngettext
from segml.schema import DataError
from segml.schemes.ranking import quantile_scores
from segml.schemes.scheme import check_columns, check_snapshot
from segml.segments.found import cluster_inputs, find_segments

CLUSTERS, RFM_SEGMENTS, REVENUE_FIFTHS = N_("clusters"), N_("RFM segments"), N_("revenue fifths")
_METRICS = {
    CLUSTERS: "segments/next_period_eta2",
    RFM_SEGMENTS: "segments/rfm_eta2",
    REVENUE_FIFTHS: "segments/revenue_fifths_eta2",
}
_FIFTHS = 5
_INTERVAL = (2.5, 97.5)

Floats = NDArray[np.float64]
Groupings = dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class NextPeriod:
    """Metrics by name, and one sentence on which segments tell the next period's revenue better."""

    metrics: dict[str, float]
    sentence: str


def next_period(
    training: pd.DataFrame, features: pd.DataFrame, labels: pd.DataFrame, config: SegmentsConfig, seed: int
) -> NextPeriod:
    """Return how much of the next period's revenue segments explain: adjusted η² of its logarithm.

    Clusters are learnt at one as-of date and frozen; at the next one they, revenue fifths and RFM segments group the
    same customers, and each grouping is measured against what these bought afterwards. The 95 % interval (``_low``,
    ``_high``) is a bootstrap over customers.

    Parameters
    ----------
    training : features at the earlier as-of date
    features : features at the later one
    labels : ``customer_id`` and ``next_revenue`` (money over the horizon) of the customers in ``features``
    config : the clusterer, RFM, and ``interval_resamples``
    seed : of the clusterer and of the bootstrap

    Raises
    ------
    DataError : columns missing, customers without a next revenue, or dates in the wrong order
    """
    _check(training, features, labels)
    features = features.sort_values("customer_id", ignore_index=True)
    revenue = features["customer_id"].map(labels.set_index("customer_id")["next_revenue"])
    values = np.log1p(revenue.clip(lower=0).to_numpy(dtype=float))
    groupings = _groupings(training, features, config, seed)
    measured = {name: eta_squared(groups, values) for name, groups in groupings.items()}
    if any(np.isnan(eta) for eta in measured.values()):
        too_little = ngettext(
            "no check on the next period: {n} customer whose revenue tells too little",
            "no check on the next period: {n} customers whose revenue tells too little",
            len(values),
        )
        return NextPeriod({}, too_little.format(n=len(values)))
    resampled = _resampled(groupings, values, config.interval_resamples, seed)
    return NextPeriod(_metrics(measured, resampled), _sentence(measured, resampled))


def eta_squared(groups: ArrayLike, values: ArrayLike) -> float:
    """Return the share of variance that groups explain, adjusted for their number (0 expected by chance).

    ``1 − (SSW / (n − k)) / (SST / (n − 1))``; NaN where the values do not vary or there are as many groups as values.

    >>> round(eta_squared([1, 1, 2, 2], [0.0, 1.0, 4.0, 5.0]), 3)
    0.912
    """
    numbers = np.asarray(values, dtype=float)
    codes, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)[1:]
    centred = numbers - numbers.mean()
    total, spare = (centred**2).sum(), len(numbers) - len(counts)
    if total == 0 or spare <= 0:
        return float("nan")
    within = total - (np.bincount(codes, centred) ** 2 / counts).sum()
    return float(1 - (within / spare) / (total / (len(numbers) - 1)))


def _check(training: pd.DataFrame, features: pd.DataFrame, labels: pd.DataFrame) -> None:
    check_snapshot(training, [], "next_period (training)")
    check_snapshot(features, ["revenue_365d"], "next_period (features)")
    check_columns(labels, ["customer_id", "next_revenue"], "next_period (labels)")
    unlabelled = sorted(set(features["customer_id"]) - set(labels["customer_id"]))
    if unlabelled:
        raise DataError(
            f"labels lack next_revenue of {len(unlabelled)} customers in features, such as {unlabelled[0]!r}"
        )
    if labels["customer_id"].duplicated().any():
        raise DataError("next_period needs one row a customer in labels; pass those of one as-of date")
    if len(training) and len(features) and training["as_of"].iloc[0] >= features["as_of"].iloc[0]:
        raise DataError(
            f"clusters must be learnt before they are measured; training is at {training['as_of'].iloc[0]}, "
            f"features at {features['as_of'].iloc[0]}"
        )


def _groupings(training: pd.DataFrame, features: pd.DataFrame, config: SegmentsConfig, seed: int) -> Groupings:
    rules = {
        RFM_SEGMENTS: pd.factorize(config.rfm.assign(features), sort=True)[0],
        REVENUE_FIFTHS: quantile_scores(features["revenue_365d"], _FIFTHS),
    }
    model = find_segments(training, config, seed).model
    return rules if model is None else {CLUSTERS: model.predict(cluster_inputs(features, config.clusters)), **rules}


def _resampled(groupings: Groupings, values: Floats, resamples: int, seed: int) -> dict[str, Floats]:
    """Return η² of each grouping on the same bootstrap samples of customers, so that differences are paired."""
    rng = np.random.default_rng(seed)
    samples = [rng.integers(0, len(values), len(values)) for _ in range(resamples)]
    return {
        name: np.array([eta_squared(groups[sample], values[sample]) for sample in samples])
        for name, groups in groupings.items()
    }


def _metrics(measured: dict[str, float], resampled: dict[str, Floats]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for name, eta in measured.items():
        metrics[_METRICS[name]] = eta
        if len(resampled[name]):
            low, high = np.nanpercentile(resampled[name], _INTERVAL)
            metrics |= {f"{_METRICS[name]}_low": float(low), f"{_METRICS[name]}_high": float(high)}
    return metrics


def _sentence(measured: dict[str, float], resampled: dict[str, Floats]) -> str:
    one = _("{grouping} {eta:.1%}")
    told = ", ".join(one.format(grouping=_(name), eta=eta) for name, eta in measured.items())
    start = _("Of the next period's revenue (log scale) are explained by {told}").format(told=told)
    if CLUSTERS not in measured:
        verdict = _("there are no clusters to compare")
        return f"{start}; {verdict}."
    rule = max((name for name in measured if name != CLUSTERS), key=lambda name: measured[name])
    return f"{start}: {_verdict(measured[CLUSTERS] - measured[rule], resampled[CLUSTERS] - resampled[rule], rule)}."


def _verdict(gain: float, gains: Floats, rule: str) -> str:
    if not len(gains):
        bare = (
            _("the clusters predict better than {rule}")
            if gain > 0
            else _("the clusters do not predict better than {rule}")
        )
        return bare.format(rule=_(rule))
    low, high = np.nanpercentile(gains, _INTERVAL)
    span = _("difference {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}").format(gain=gain, low=low, high=high)
    return _better(low, high).format(rule=_(rule), span=span)


def _better(low: float, high: float) -> str:
    """Return the sentence that fits an interval of the clusters' lead."""
    if low > 0:
        return _("the clusters predict better than the best simple rule, {rule} ({span})")
    if high < 0:
        return _("a simple rule, {rule}, predicts better than the clusters ({span}): prefer it where prediction counts")
    return _("the clusters predict about as well as the best simple rule, {rule} ({span})")
