"""The data of the study: the base at dates one quarter apart, with what it bought in the quarter that followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from segml import config, pipeline
from segml.config import Config
from segml.data import connect, load_tables
from segml.segments import earlier
from segml.segments.past import Earlier

HORIZON_DAYS = 90
ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 1)
LEAST_PURCHASE_DAYS = 3


@dataclass(frozen=True)
class History:
    """A log as bases at dates one quarter apart, the earliest first.

    Attributes
    ----------
    name : of the data
    settings : its configuration
    bases : by date; all customers, with what they bought in the quarter that followed
    last : base at the end of the log, of which no later quarter is known
    scored : by date, whether a customer has a churn score: still active, with three purchase days or more
    """

    name: str
    settings: Config
    bases: dict[str, Earlier]
    last: pd.DataFrame
    scored: dict[str, pd.Series[bool]]

    @property
    def dates(self) -> list[str]:
        """All dates of which the quarter that followed is known."""
        return list(self.bases)

    def before(self, day: str, quarters: int) -> Earlier | None:
        """Return the base some quarters before a date, if history reaches back so far."""
        place = self.dates.index(day) - quarters
        return self.bases[self.dates[place]] if place >= 0 else None


def history(name: str, settings: Config, *, quarters: int) -> History:
    """Return a log as bases at so many dates, one quarter apart, the last of them one quarter before its end."""
    prepared = pipeline.prepare(load_tables(settings, connect(settings.threads)), settings, today=TODAY)
    end = prepared.observed_until
    dates = [end - pd.Timedelta(days=HORIZON_DAYS * back) for back in range(quarters, 0, -1)]
    snapshots = pipeline.build_snapshots(prepared, settings, [*dates, end])
    bases = {f"{moment:%Y-%m-%d}": _base(snapshots, moment) for moment in dates}
    scored = {f"{moment:%Y-%m-%d}": _often(snapshots, moment) for moment in dates}
    return History(name, settings, bases, snapshots.at(end).sort_values("customer_id", ignore_index=True), scored)


def _base(snapshots: pipeline.Snapshots, moment: pd.Timestamp) -> Earlier:
    return earlier(snapshots.at(moment), snapshots.labels[snapshots.labels["as_of"] == moment])


def _often(snapshots: pipeline.Snapshots, moment: pd.Timestamp) -> pd.Series[bool]:
    rows = snapshots.at(moment)
    is_often = snapshots.scored.loc[rows.index] & (rows["purchase_day_count"] >= LEAST_PURCHASE_DAYS)
    return is_often.set_axis(rows["customer_id"]).sort_index()


def online_retail_ii() -> History:
    """Return seven quarters of a wholesaler of giftware, 2010-03-20 to 2011-09-11."""
    return history("Online Retail II", config.load(ROOT / "configs" / "online_retail_ii.yaml"), quarters=7)


def cdnow() -> History:
    """Return five quarters of one cohort of a shop for records, 1997 and 1998."""
    return history("CDNOW", config.load(None, ["data.transactions=cdnow"]), quarters=5)


def demo() -> History:
    """Return seven quarters of the simulated wholesaler."""
    return history("demo", config.load(None, []), quarters=7)


def at(base: Earlier, names: Sequence[str]) -> pd.DataFrame:
    """Return some features of a base as decimal numbers."""
    return base.features[list(names)].astype("float64")
