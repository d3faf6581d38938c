"""Which dates the models are trained and tested on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml.churn.hazard import followed_rows, period_ends
from segml.config import BacktestConfig, ChurnConfig
from segml.schema import ConfigError
from segml.windows import YEAR_DAYS, as_timestamp, check_embargo, is_over, shift, training_dates


@dataclass(frozen=True)
class Split:
    """A test date and the training dates, oldest first, whose labels are complete by then.

    ``recent`` are the dates after them of which at least the first period of the horizon is over by then.
    ``year_before`` is the date one year before the scores, None where it is not asked for or nothing is known of it.
    """

    test: pd.Timestamp
    training: tuple[pd.Timestamp, ...]
    recent: tuple[pd.Timestamp, ...] = ()
    year_before: pd.Timestamp | None = None

    @property
    def dates(self) -> tuple[pd.Timestamp, ...]:
        """All dates, oldest first."""
        year_before = (self.year_before,) if self.year_before is not None else ()
        return tuple(sorted({*year_before, *self.training, *self.recent, self.test}))

    def check(self, horizon_days: int) -> None:
        """Raise ``ValueError`` where a training label reaches past the test date."""
        check_embargo(self.training, self.test, horizon_days=horizon_days)
        check_embargo(self.recent, self.test, horizon_days=period_ends(horizon_days)[0])
        if self.year_before is not None:
            check_embargo([self.year_before], self.test, horizon_days=horizon_days)


def split_at(
    moment: pd.Timestamp,
    log_start: pd.Timestamp,
    *,
    config: ChurnConfig,
    horizon_days: int,
    scored_at: pd.Timestamp | None = None,
) -> Split:
    """Return the training dates for scores, none of them before ``min_history_days`` of the log.

    Parameters
    ----------
    moment : labels are complete by then
    log_start : first purchase of the log
    config, horizon_days : as configured; with ``prior_shift`` comes the date one year before the scores
    scored_at : the as-of date of the scores; default ``moment``
    """
    first = shift(log_start, days=config.min_history_days)
    training = training_dates(
        moment,
        first,
        horizon_days=horizon_days,
        spacing_days=config.spacing_days,
        at_most=config.max_snapshots,
    )
    recent = _recent(training, config, horizon_days) if config.model == "hazard" else ()
    year_before = shift(scored_at if scored_at is not None else moment, days=-YEAR_DAYS)
    is_known = year_before >= first and is_over(year_before, moment, days=horizon_days)
    return Split(moment, tuple(training), tuple(recent), year_before if config.prior_shift and is_known else None)


def _recent(training: list[pd.Timestamp], config: ChurnConfig, horizon_days: int) -> list[pd.Timestamp]:
    """Return the dates that follow the last training date at the same spacing, as long as one period is over."""
    if not training:
        return []
    steps = range(config.spacing_days, horizon_days - period_ends(horizon_days)[0] + 1, config.spacing_days)
    return [shift(training[-1], days=days) for days in steps]


def backevaluation_splits(
    log_start: pd.Timestamp,
    as_of: pd.Timestamp,
    *,
    config: ChurnConfig,
    backtest: BacktestConfig,
    horizon_days: int,
) -> tuple[Split, ...]:
    """Return the splits of the out-of-time evaluation, oldest first.

    Parameters
    ----------
    log_start : first purchase of the log
    as_of : the moment from which the run looks back; every label window ends by then

    Raises
    ------
    ConfigError : a date under ``backtest.as_of`` whose label window is not over, or that has no history
    """
    moments = _given(backtest, log_start, as_of, horizon_days) if backtest.as_of else None
    if moments is None:
        first = shift(log_start, days=config.min_history_days)
        steps = (shift(as_of, days=-horizon_days * step) for step in range(1, backtest.dates + 1))
        moments = [moment for moment in steps if moment >= first]
    return tuple(split_at(moment, log_start, config=config, horizon_days=horizon_days) for moment in sorted(moments))


def _given(
    backtest: BacktestConfig, log_start: pd.Timestamp, as_of: pd.Timestamp, horizon_days: int
) -> list[pd.Timestamp]:
    moments = sorted({as_timestamp(moment) for moment in backtest.as_of or ()})
    latest = shift(as_of, days=-horizon_days)
    outside = [str(moment.date()) for moment in moments if moment <= log_start or moment > latest]
    if outside:
        raise ConfigError(
            f"backtest.as_of: {', '.join(outside)} cannot be tested; dates must lie after the first purchase "
            f"({log_start.date()}) and, with a horizon of {horizon_days} days, not after {latest.date()}"
        )
    return moments


def followed_at(
    features: pd.DataFrame, scored: pd.Series[bool], silence: pd.DataFrame | None, split: Split, horizon_days: int
) -> pd.DataFrame | None:
    """Return ``followed_rows`` of the scored snapshots at all training dates of a split, as known at its test date.

    None where ``silence`` is, so that churn is learnt from the whole horizon at once.
    """
    if silence is None:
        return None
    snapshots = features[features["as_of"].isin([*split.training, *split.recent]) & scored]
    return followed_rows(snapshots, silence, horizon_days, known_until=split.test)
