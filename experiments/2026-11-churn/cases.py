"""The data of the study: what each test date may learn from, and what it is tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd

from segml import config, pipeline
from segml.churn import Split, split_at
from segml.churn.inputs import KEYS, model_matrix
from segml.config import Config
from segml.data import connect, load_tables
from segml.features.catalog import model_inputs
from segml.windows import as_timestamp

HORIZON_DAYS = 90
ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 1)
OUTCOMES = ["churned", "stagnated", "run_rate", "lost_revenue"]


@dataclass(frozen=True)
class Case:
    """One test date: snapshots to learn from, customers to score, and what happened to them."""

    settings: Config
    split: Split
    snapshots: pipeline.Snapshots

    @cached_property
    def training(self) -> pd.DataFrame:
        """Scored customers at the training dates, with outcomes."""
        return self.labelled(self.snapshots.training(self.split))

    @cached_property
    def followed(self) -> pd.DataFrame:
        """Scored customers at all training dates, the recent ones too, with their silence."""
        rows = self.snapshots.followed(self.split, HORIZON_DAYS)
        assert rows is not None
        return rows

    @cached_property
    def base(self) -> pd.DataFrame:
        """All customers known at the test date."""
        return self.snapshots.at(self.split.test)

    @cached_property
    def tested(self) -> pd.DataFrame:
        """Customers to score, with outcomes."""
        return self.labelled(self.base[self.snapshots.scored.loc[self.base.index]])

    def labelled(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with their outcomes, in the order of the keys."""
        outcomes = self.snapshots.labels[[*KEYS, *OUTCOMES]]
        return rows.merge(outcomes, on=KEYS, validate="1:1").sort_values(["as_of", "customer_id"], ignore_index=True)

    @property
    def last_season(self) -> int:
        """Day of the year of the last training date."""
        return int(self.split.training[-1].day_of_year)


def inputs(rows: pd.DataFrame, season: pd.Series[int] | int | None = None) -> pd.DataFrame:
    """Return what the models read; with the season of a day of the year, default of each row's own date."""
    day = rows["as_of"].dt.day_of_year if season is None else season
    return model_matrix(rows, model_inputs(), day)


def without_season(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the models read without the season."""
    return model_matrix(rows, model_inputs())


@dataclass(frozen=True)
class Source:
    """A log with the snapshots of all its test dates."""

    settings: Config
    prepared: pipeline.Prepared
    splits: dict[pd.Timestamp, Split]
    snapshots: pipeline.Snapshots

    def cases(self, dates: Sequence[str]) -> list[Case]:
        """Return the cases of these test dates."""
        splits = [self.splits[as_timestamp(moment)] for moment in dates]
        return [Case(self.settings, split, self.snapshots) for split in splits]


def read(settings: Config, dates: Sequence[str]) -> Source:
    """Return a log with the snapshots that tests at these dates need, and of its end."""
    prepared = pipeline.prepare(load_tables(settings, connect(settings.threads)), settings, today=TODAY)
    tests = [as_timestamp(moment) for moment in dates]
    splits = {
        moment: split_at(moment, prepared.log_start, config=settings.churn, horizon_days=HORIZON_DAYS)
        for moment in tests
    }
    needed = {moment for split in splits.values() for moment in split.dates}
    snapshots = pipeline.build_snapshots(prepared, settings, {*needed, prepared.log_end})
    return Source(settings, prepared, splits, snapshots)


def online_retail_ii() -> Config:
    """Return the configuration of Online Retail II."""
    return config.load(ROOT / "configs" / "online_retail_ii.yaml")


def cdnow() -> Config:
    """Return the configuration of CDNOW."""
    return config.load(None, ["data.transactions=cdnow"])
