"""Candidates tried out on the past: learnt at one base, frozen, and measured on what the next base went on to buy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.clusters import revenue_weights
from segml.config import SegmentsConfig
from segml.segments.candidates import candidates, fitted
from segml.segments.past import Past
from segml.segments.validity import explained, simple_rules


@dataclass(frozen=True)
class Trial:
    """One period of the past.

    Attributes
    ----------
    groupings : segment of each customer, by candidate and by simple rule
    values : log1p of what these customers bought afterwards
    table : one row a grouping: ``eta2``, ``eta2_low``, ``eta2_high``, ``eta2_error``
    periods : over how many periods ``eta2`` and its error are the mean
    """

    groupings: Mapping[str, NDArray[np.int64]]
    values: NDArray[np.float64]
    table: pd.DataFrame
    periods: int = 1

    @property
    def tells(self) -> bool:
        """Whether the period tells anything: not where nobody bought, or hardly anybody was there."""
        return bool(self.table["eta2"].notna().all())


def trial(past: Past, place: int, customers: int, config: SegmentsConfig, seed: int) -> Trial | None:
    """Return all candidates learnt at one base and measured at the one after it, ``place`` horizons before the latest.

    None where history does not reach back so far, or there was too little to learn from.

    Parameters
    ----------
    customers : size of the base for which candidates are sought; it sets their sizes
    """
    measured, learnt = past.before(place), past.before(place + 1)
    if measured is None or learnt is None or len(learnt.features) < config.min_customers:
        return None
    ways = candidates(
        config.clusters, customers, seed, partial(weights, past, place + 2, learnt.features["as_of"].iloc[0])
    )
    models = fitted(ways, learnt.features)
    frozen = {name: model.predict(measured.features) for name, model in models.items()}
    groupings = {**frozen, **simple_rules(measured.features, config)}
    values = measured.log_revenue
    table = explained(groupings, values, resamples=config.interval_resamples, seed=seed)
    found = Trial(groupings, values, table)
    return found if found.tells else None


def mean_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the latest of several trials with the mean of what each grouping explained, and its standard error.

    None of none. Ends of intervals are those of the latest.
    """
    if not trials:
        return None
    etas = [found.table["eta2"] for found in trials]
    errors = [found.table["eta2_error"] ** 2 for found in trials]
    mean, error = sum(etas) / len(etas), np.sqrt(sum(errors)) / len(errors)
    return replace(trials[0], table=trials[0].table.assign(eta2=mean, eta2_error=error), periods=len(trials))


def weights(past: Past, place: int, made_at: pd.Timestamp, names: tuple[str, ...]) -> dict[str, float] | None:
    """Return the weights of features, learnt on the base ``place`` horizons before the latest; None without one.

    Raises
    ------
    DataError : what that base bought in the horizon after it was not known when segments are made
    """
    base = past.before(place)
    if base is None or base.features.empty:
        return None
    return revenue_weights(
        base.features,
        base.next_revenue,
        names,
        horizon_days=past.horizon_days,
        known_until=made_at,
    )
