"""What a notebook works with: clean order lines, and all that is made of them, asked for by name.

Each method is the function of the pipeline that the commands call; what was computed once is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

import pandas as pd
from ibis.expr.types import Table

from segml import config, data, features, labels, pipeline, segments
from segml import views as views  # registers what objects show
from segml.actions import CrossSelling, cross_sell
from segml.churn import Backtest
from segml.config import Config
from segml.display import Card, Displayed, card
from segml.features.baskets import gather
from segml.language import speaking
from segml.nearest import tells_nearest_argument
from segml.progress import Stages
from segml.schema import DataError
from segml.segments import FoundSegments
from segml.windows import Moment, as_timestamps

T = TypeVar("T")


@tells_nearest_argument
def prepare(
    transactions: Any = None,
    *,
    customers: Any = None,
    usage: Any = None,
    contracts: Any = None,
    touches: Any = None,
    columns: Mapping[str, str] | None = None,
    as_of: str | date | None = None,
    horizon_days: int | None = None,
    config: str | os.PathLike[str] | Config | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Dataset:
    """Read and clean transactions.

    Parameters
    ----------
    transactions : ``"demo"``, the name of a public data set, a path or address, or a table in memory (pandas, polars,
        pyarrow, Ibis); by default what the configuration names
    customers, usage, contracts, touches : further tables, likewise
    columns : segml's name of a column of the transactions -> what it is called there
    as_of : the day from whose midnight to look back; default midnight after the last line
    horizon_days : how far scores and labels look ahead; default 90
    config : a YAML file of differences from the built-in defaults, or a configuration
    settings : any further keys of the configuration, dotted: ``{"churn.bootstrap": 200}``
    progress : False shows none

    Raises
    ------
    DataError : a table cannot be read, lacks columns, or nothing usable is left
    ConfigError : a key or a value that is none; with all errors found
    """
    given = {
        "transactions": transactions,
        "customers": customers,
        "usage": usage,
        "contracts": contracts,
        "touches": touches,
    }
    asked = _settings(given, columns, as_of, horizon_days, settings)
    frames = {name: table for name, table in given.items() if table is not None and not _is_address(table)}
    return _open(_configured(config, asked), frames, progress=progress)


class Dataset(Displayed):
    """Clean order lines at one as-of date, and what is made of them; from ``segml.prepare``.

    Lines live in a data base of its own, which goes with the last object that refers to it. What was computed is kept,
    for ``at`` another date too; tables that are handed out may be changed at will.

    Attributes
    ----------
    config : the whole configuration
    prepared : what the functions of the pipeline take
    """

    def __init__(self, store: _Store, config: Config, prepared: pipeline.Prepared, *, progress: bool) -> None:
        self._store = store
        self._progress = progress
        self.config = config
        self.prepared = prepared

    @property
    def as_of(self) -> pd.Timestamp:
        """The moment from which everything looks back."""
        return self.prepared.as_of

    @property
    def ledger(self) -> data.Ledger:
        """What each cleaning rule took away, and what was kept."""
        return self.prepared.ledger

    @property
    def notices(self) -> tuple[str, ...]:
        """What the reader should know of the data, in sentences."""
        return self.prepared.notices

    @property
    def lines(self) -> Table:
        """The clean order lines as an Ibis table."""
        return self.prepared.lines

    def __repr__(self) -> str:
        kept = self.ledger["kept"].tally
        return (
            f"Dataset({self.prepared.source!r}, as of {self.as_of.date()}: "
            f"{kept.customers:,} customers, {kept.lines:,} lines)"
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the clean order lines, sorted by time, customer, order and product."""
        with self._working("reading lines"):
            lines: pd.DataFrame = self.lines.to_pyarrow().to_pandas()
        return lines.sort_values(list(_LINE_ORDER), ignore_index=True)

    def at(self, as_of: str | date) -> Dataset:
        """Return the same lines looked back on from another day; nothing is read or cleaned again."""
        moved = config.looking_back_from(self.config, _day(as_of))
        return Dataset(self._store, moved, pipeline.look_back(self._store.whole, moved), progress=self._progress)

    def features(self, *as_of: Moment) -> pd.DataFrame:
        """Return what was known about each customer just before each date, by default the as-of date.

        One row a customer and date; see ``features.build``.
        """
        dates = self._dates(as_of)

        def build() -> pd.DataFrame:
            with self._working("features") as stages:
                return features.build(self.lines, dates, self.config.features, progress=stages.buckets)

        return self._once(("features", dates), build).copy()

    def labels(self, *as_of: Moment) -> pd.DataFrame:
        """Return what each customer did in the horizon from each date on; see ``labels.build``.

        Raises
        ------
        DataError : the horizon from a date on reaches past the as-of date, or past the end of the log
        """
        dates = self._dates(as_of)

        def build() -> pd.DataFrame:
            base = self.features(*dates)
            with self._working("labels"):
                return labels.build(
                    self.lines,
                    base,
                    self.config.horizon_days,
                    self.config.labels,
                    known_until=self.prepared.observed_until,
                )

        return self._once(("labels", self.as_of, dates), build).copy()

    def segments(self) -> pd.DataFrame:
        """Return the label that each rule-based scheme gives each customer at the as-of date.

        One row a customer; labels are ordered categoricals, in the order in which people read them. Schemes that rest
        on scores are left out; ``train().decisions`` has them.
        """

        def assign() -> pd.DataFrame:
            now = self.features()
            with self._working("segments"), speaking(self.config.report.language):
                base = pipeline.described(now, self.prepared, self.config)
                return segments.assign_rules(base, self.config.segments, is_strict=False).categorical()

        return self._once(("segments", self.as_of), assign).copy()

    def clusters(self) -> FoundSegments:
        """Return the segments found in the data, with all candidates and why these were chosen."""

        def find() -> FoundSegments:
            with self._working() as stages:
                return pipeline.find_clusters(self.prepared, self.config, stage=stages, detail=stages.detail)

        return self._once(("clusters", self.as_of), find)

    def backtest(self, *as_of: str | date) -> Backtest:
        """Return how good the scores would have been at dates in the past, by default those of the configuration."""
        dates = tuple(_day(moment) for moment in as_of)
        asked = config.with_test_dates(self.config, dates) if dates else self.config

        def evaluate() -> Backtest:
            with self._working() as stages:
                return pipeline.backtest(self.prepared, asked, stage=stages, detail=stages.detail)

        return self._once(("backtest", self.as_of, dates), evaluate)

    def train(self) -> pipeline.Training:
        """Return segments, scores, decisions and their evaluation: all that ``python -m segml.train`` computes."""

        def learn() -> pipeline.Training:
            with self._working() as stages:
                playbook = segments.configured_playbook(self.config.segments)
                return pipeline.train(self.prepared, self.config, playbook=playbook, stage=stages, detail=stages.detail)

        return self._once(("train", self.as_of), learn)

    def cross_sell(self) -> CrossSelling:
        """Return what sells with what, and what to offer to whom, at the as-of date; see ``actions.cross_sell``.

        The section ``cross_sell`` of the configuration tells what is offered: categories, or products.
        """

        def find() -> CrossSelling:
            with self._working("cross-sell"), speaking(self.config.report.language):
                return cross_sell(gather(self.lines, self.as_of, self.config.cross_sell), self.config.cross_sell)

        return self._once(("cross_sell", self.as_of), find)

    def _dates(self, as_of: tuple[Moment, ...]) -> tuple[pd.Timestamp, ...]:
        try:
            return tuple(as_timestamps(as_of or (self.as_of,)))
        except DataError:
            raise
        except (TypeError, ValueError):
            given = ", ".join(map(repr, as_of))
            raise DataError(f"as-of dates are given one by one, each as YYYY-MM-DD; found {given}") from None

    def _once(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        if key not in self._store.kept:
            self._store.kept[key] = compute()
        kept: T = self._store.kept[key]
        return kept

    @contextmanager
    def _working(self, stage: str | None = None) -> Iterator[Stages]:
        with data.explaining(self.config.engine), Stages(quiet=not self._progress) as stages:
            if stage is not None:
                stages(stage)
            yield stages


@card.register
def _card(data_set: Dataset) -> Card | None:
    with speaking(data_set.config.report.language):
        return card(data_set.prepared)


@dataclass(frozen=True)
class _Store:
    """What data sets of the same lines share: the lines as of the end of the log, and what was computed of them."""

    whole: pipeline.Prepared
    kept: dict[tuple[object, ...], Any] = field(default_factory=dict)


_LINE_ORDER = ("ordered_at", "customer_id", "order_id", "product_id", "amount", "quantity")


def _open(settings: Config, frames: Mapping[str, Any], *, progress: bool) -> Dataset:
    with data.explaining(settings.engine), Stages(quiet=not progress) as stages:
        stages("reading data")
        source = settings.data.transactions
        backend = data.connect_engine(settings.engine, settings.threads, source)
        tables = data.load_tables(settings, backend, lambda done, of: stages.detail(f"{done / of:.0%}"), frames)
        stages("cleaning")
        whole = pipeline.prepare(tables, config.looking_back_from(settings, None), today=date.today())
    return Dataset(_Store(whole), settings, pipeline.look_back(whole, settings), progress=progress)


def _settings(
    given: Mapping[str, Any],
    columns: Mapping[str, str] | None,
    as_of: str | date | None,
    horizon_days: int | None,
    settings: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the arguments of ``prepare`` as dotted keys of the configuration; those of ``settings`` win."""
    asked: dict[str, Any] = {
        f"data.{name}": os.fspath(table) if _is_address(table) else data.GIVEN
        for name, table in given.items()
        if table is not None
    }
    asked |= {f"data.columns.{name}": source for name, source in (columns or {}).items()}
    asked |= {"as_of": _day(as_of)} if as_of is not None else {}
    asked |= {"horizon_days": horizon_days} if horizon_days is not None else {}
    return asked | dict(settings or {})


def _configured(base: str | os.PathLike[str] | Config | None, asked: Mapping[str, Any]) -> Config:
    if isinstance(base, Config):
        values = base.model_dump(mode="json")
    else:
        values = config.load(os.fspath(base) if base is not None else None).model_dump(mode="json")
    for key, value in asked.items():
        config.place(values, key, value)
    return config.from_mapping(values, source="the settings")


def _is_address(table: Any) -> bool:
    return isinstance(table, str | os.PathLike)


def _day(moment: str | date) -> date:
    """Return a day from whose midnight to look back."""
    try:
        stamp = pd.Timestamp(moment)
    except ValueError:
        raise DataError(f"{moment!r} is not a date; write it as YYYY-MM-DD") from None
    if stamp != stamp.normalize() or stamp.tz is not None:
        raise DataError(f"an as-of date is a day, without a time; found {moment!r}")
    return stamp.date()
