"""Before it starts: how large an effect must be to be seen, measured on the past."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from segml.campaigns.effects import MIN_ARM
from segml.config import CampaignConfig, Outcome

MOST = 10**9
"""Customers beyond which none are counted."""
POWER = (
    "outcome",
    "segment",
    "customers",
    "treated",
    "mean",
    "deviation",
    "explained",
    "detectable",
    "detectable_share",
)


@dataclass(frozen=True)
class Past:
    """An outcome of customers in a past period as long as the test.

    Attributes
    ----------
    mean, deviation : of the outcome, a customer
    explained : share of the variance that strata and the period before it explain
    """

    customers: int
    mean: float
    deviation: float
    explained: float


def power_table(pasts: Mapping[str, Past], outcome: Outcome, config: CampaignConfig) -> pd.DataFrame:
    """Return one row a segment: the smallest effect that is seen with the chance ``config.power``.

    Returns
    -------
    ``POWER``: ``detectable`` in the outcome's unit (NaN: none can be), ``detectable_share`` of the mean
    """
    rows = [_row(outcome, name, found, config) for name, found in pasts.items()]
    return pd.DataFrame(rows, columns=list(POWER))


def past(customers: pd.DataFrame) -> Past:
    """Return what is known of an outcome: within strata, and adjusted by the period before.

    Parameters
    ----------
    customers : ``stratum, outcome, before`` of a past period; one row a customer
    """
    outcome, before = customers["outcome"], customers["before"]
    gap = outcome - outcome.groupby(customers["stratum"]).transform("mean")
    gap_before = before - before.groupby(customers["stratum"]).transform("mean")
    spread = math.fsum(gap_before**2)
    slope = math.fsum(gap * gap_before) / spread if spread > 0 else 0.0
    freedom = len(customers) - customers["stratum"].nunique() - (spread > 0)
    variance = float(outcome.var())
    left = math.fsum((gap - slope * gap_before) ** 2) / freedom if freedom > 0 else variance
    explained = 1 - left / variance if variance > 0 else 0.0
    return Past(len(customers), float(outcome.mean()), math.sqrt(variance), float(np.clip(explained, 0.0, 1.0)))


def detectable(found: Past, outcome: Outcome, config: CampaignConfig) -> float:
    """Return the smallest effect that is seen; NaN where none can be.

    Of means by Bloom (1995): (t of alpha + t of power) × standard error. Of the share who buy, the effect at which
    the test of two proportions has the power (Fleiss, Levin & Paik 2003, section 4.2), the larger of a rise and a
    fall. Strata and the period before spare customers: n / (1 − explained) of them count.

    >>> rate = Past(customers=120, mean=0.5, deviation=0.5, explained=0.0)
    >>> round(detectable(rate, "bought", CampaignConfig()), 3)
    0.245
    """
    if found.customers * min(config.share, 1 - config.share) < MIN_ARM:
        return math.nan
    return _detectable_rate(found, config) if outcome == "bought" else _detectable_mean(found, config)


def needed(effect: float, found: Past, outcome: Outcome, config: CampaignConfig) -> int | None:
    """Return how many customers it takes to see an effect of this size; None where no number is enough.

    >>> rate = Past(customers=120, mean=0.5, deviation=0.5, explained=0.0)
    >>> needed(0.1, rate, "bought", CampaignConfig())
    775
    """

    def is_enough(customers: int) -> bool:
        return detectable(replace(found, customers=customers), outcome, config) <= effect

    return _least(is_enough)


def _least(is_enough: Callable[[int], bool]) -> int | None:
    """Return the smallest number from which on something holds."""
    high = 2
    while not is_enough(high):
        high *= 2
        if high > MOST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _row(outcome: Outcome, name: str, found: Past, config: CampaignConfig) -> dict[str, object]:
    smallest = detectable(found, outcome, config)
    return {
        "outcome": outcome,
        "segment": name,
        "customers": found.customers,
        "treated": round(found.customers * config.share),
        "mean": found.mean,
        "deviation": found.deviation,
        "explained": found.explained,
        "detectable": smallest,
        "detectable_share": smallest / found.mean if found.mean > 0 else math.nan,
    }


def _detectable_mean(found: Past, config: CampaignConfig) -> float:
    freedom = max(found.customers - 3, 1)
    error = found.deviation * math.sqrt((1 - found.explained) / (found.customers * config.share * (1 - config.share)))
    return float(stats.t.ppf(1 - config.alpha / 2, freedom) + stats.t.ppf(config.power, freedom)) * error


def _detectable_rate(found: Past, config: CampaignConfig) -> float:
    alone = found.customers / max(1 - found.explained, 1e-9)
    ends = [_detectable_change(found.mean, end, alone, config) for end in (0.0, 1.0)]
    known = [change for change in ends if not math.isnan(change)]
    return max(known) if known else math.nan


def _detectable_change(rate: float, end: float, customers: float, config: CampaignConfig) -> float:
    """Return the change of a rate towards 0 or 1 at which the test has the power; NaN where there is none."""

    def lacks(change: float) -> float:
        other = rate + math.copysign(change, end - rate)
        return _power_of_rates(rate, other, customers, config) - config.power

    farthest = abs(end - rate)
    if farthest <= 0 or lacks(farthest) < 0:
        return math.nan
    return float(optimize.brentq(lacks, 1e-9, farthest))


def _power_of_rates(control: float, treated: float, customers: float, config: CampaignConfig) -> float:
    """Return the chance that the test of two proportions sees the difference."""
    of_treated, of_control = customers * config.share, customers * (1 - config.share)
    common = config.share * treated + (1 - config.share) * control
    same = math.sqrt(common * (1 - common) * (1 / of_treated + 1 / of_control))
    apart = math.sqrt(treated * (1 - treated) / of_treated + control * (1 - control) / of_control)
    beyond = abs(treated - control) - stats.norm.ppf(1 - config.alpha / 2) * same
    return float(stats.norm.cdf(beyond / apart)) if apart > 0 else float(beyond > 0)
