"""Features and labels of all customers at the dates of training and evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from segml import features, labels
from segml.churn import (
    Split,
    backevaluation_splits,
    scored_mask,
)
from segml.churn.hazard import period_ends
from segml.churn.prior_shift import LastYear, last_year
from segml.churn.schedule import followed_at
from segml.config import Config
from segml.pipeline.prepared import Prepared
from segml.windows import is_over


@dataclass(frozen=True)
class Snapshots:
    """Features and labels of all customers at several as-of dates, and who of them is scored.

    ``silence`` tells of the periods of the horizon, see ``labels.silence``; None where churn is learnt without them.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    scored: pd.Series[bool]
    silence: pd.DataFrame | None = None

    def at(self, moment: pd.Timestamp) -> pd.DataFrame:
        """Return the features at one as-of date."""
        return self.features[self.features["as_of"] == moment]

    def training(self, split: Split) -> pd.DataFrame:
        """Return the features of the customers scored at the training dates."""
        return self.features[self.features["as_of"].isin(split.training) & self.scored]

    def followed(self, split: Split, horizon_days: int) -> pd.DataFrame | None:
        """Return the scored snapshots at all training dates with what is known of their silence; see ``silence``."""
        return followed_at(self.features, self.scored, self.silence, split, horizon_days)

    def last_year(self, split: Split, now: pd.DataFrame) -> LastYear:
        """Return what the level of last year's season is learnt from, for scores of the customers of ``now``."""
        return last_year(self.features, self.labels, self.scored, split, now[self.scored.loc[now.index]])


def evaluation_splits(prepared: Prepared, config: Config) -> tuple[Split, ...]:
    """Return the test dates of the out-of-time evaluation with their training dates."""
    return backevaluation_splits(
        prepared.log_start,
        prepared.observed_until,
        config=config.churn,
        backtest=config.backtest,
        horizon_days=config.horizon_days,
    )


def build_snapshots(prepared: Prepared, config: Config, dates: Iterable[pd.Timestamp]) -> Snapshots:
    """Return features at all dates, in one pass, and labels at those whose window is over."""
    table = features.build(prepared.lines, sorted(set(dates)), config.features)
    is_past = is_over(table["as_of"], prepared.observed_until, days=config.horizon_days)
    outcomes = labels.build(
        prepared.lines,
        table[is_past],
        config.horizon_days,
        config.labels,
        known_until=prepared.observed_until,
    )
    lifecycle = config.segments.lifecycle
    stages = [lifecycle.assign(snapshot).astype("str") for _, snapshot in table.groupby("as_of", sort=True)]
    if not stages:
        return Snapshots(table, outcomes, pd.Series(dtype="bool"))
    scored = scored_mask(pd.concat(stages).reindex(table.index), table["purchase_day_count"], config.churn)
    return Snapshots(table, outcomes, scored, _silence(table, prepared, config))


def _silence(table: pd.DataFrame, prepared: Prepared, config: Config) -> pd.DataFrame | None:
    if config.churn.model == "direct":
        return None
    periods = period_ends(config.horizon_days)
    return labels.silence(prepared.lines, table, periods, known_until=prepared.observed_until)
