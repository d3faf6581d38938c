"""Clean order lines, and the moment from which a run looks back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
from ibis.expr.types import Table

from segml.config import Config
from segml.data import DEMO, PUBLIC, Cleaned, Deduplicated, Ledger, LedgerRow, Tables, clean, deduplicate, prepare_extra
from segml.display import Displayed
from segml.language import ngettext, speaking
from segml.schema import DataError
from segml.windows import as_timestamp, midnight_after, shift

STALE_DAYS = 92
"""How long after its last line a log may still be looked back on: later, everybody would look inactive."""


QUIET_DAYS = 7
"""A log that ends so shortly before the as-of date is taken to be complete up to it: nobody ordered over a weekend."""


@dataclass(frozen=True, repr=False)
class Prepared(Displayed):
    """Clean order lines, and the moment from which the run looks back.

    Attributes
    ----------
    source : what the transactions are called in messages
    as_of : features rest on lines strictly before it
    log_start, log_end : the first purchase, and midnight after the last line
    customers : deduplicated cards, or None where no customers table was given
    extra : usage, contracts and touches, as far as they were given, under the customers' canonical numbers
    extra_rows : what of them could not be used, for the ledger
    silent_days : from the end of the log to the moment of use: the as-of date, or today for an export without one
    """

    cleaned: Cleaned
    customers: Deduplicated | None
    extra: Mapping[str, Table]
    extra_rows: tuple[LedgerRow, ...]
    source: str
    as_of: pd.Timestamp
    log_start: pd.Timestamp
    log_end: pd.Timestamp
    silent_days: float
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Prepared({self.source!r}, as of {self.as_of.date()})"

    @property
    def observed_until(self) -> pd.Timestamp:
        """Label windows end by then: the as-of date, or the end of a log that stops well before it."""
        is_complete = self.log_end >= shift(self.as_of, days=-QUIET_DAYS)
        return self.as_of if is_complete else self.log_end

    @property
    def ledger(self) -> Ledger:
        """The account of the cleaning, customer cards included."""
        rows = self.customers.rows if self.customers is not None else ()
        return self.cleaned.ledger.with_corrections((*rows, *self.extra_rows))

    @property
    def customer_names(self) -> dict[str, str]:
        """Return the name of each customer where a customers table tells it."""
        cards = self.customers.customers if self.customers is not None else pd.DataFrame()
        if "name" not in cards.columns:
            return {}
        return dict(cards.set_index("customer_id")["name"].dropna())

    @property
    def lines(self) -> Table:
        """The order lines that count."""
        return self.cleaned.lines


def prepare(tables: Tables, config: Config, *, today: date) -> Prepared:
    """Clean the tables and settle the as-of date.

    Parameters
    ----------
    today : the day of the run; lines dated later are not believed

    Raises
    ------
    DataError : nothing usable is left, or the as-of date lies outside the data
    """
    with speaking(config.report.language):
        return _prepare(tables, config, today)


def _prepare(tables: Tables, config: Config, today: date) -> Prepared:
    cards = tables.extra.get("customers")
    customers = deduplicate(cards, same_name=config.data.cleaning.same_name) if cards is not None else None
    aliases = customers.aliases if customers is not None else None
    cleaned = clean(tables.transactions, config.data.cleaning, today=today, aliases=aliases)
    extra, extra_rows = prepare_extra(tables.extra, aliases, cleaned.lines)
    log_start, log_end = _extent(cleaned.lines)
    unread = tables.window.told() if tables.window is not None else ()
    notices = (*unread, *cleaned.notices, *(customers.notices if customers is not None else ()))
    is_live = config.data.transactions not in (DEMO, *PUBLIC)
    silent = (as_timestamp(today) - log_end).days if is_live else 0
    whole = Prepared(
        cleaned, customers, extra, extra_rows, tables.source, log_end, log_start, log_end, max(silent, 0), notices
    )
    return whole if config.as_of is None else _looking_back(whole, as_timestamp(config.as_of))


def look_back(whole: Prepared, config: Config) -> Prepared:
    """Return the same lines with the as-of date of the configuration; nothing is cleaned again.

    Parameters
    ----------
    whole : prepared without an as-of date
    config : what it was prepared under, but for the as-of date; none there means midnight after the last line

    Raises
    ------
    DataError : the as-of date lies outside the data
    """
    with speaking(config.report.language):
        return whole if config.as_of is None else _looking_back(whole, as_timestamp(config.as_of))


def _looking_back(whole: Prepared, as_of: pd.Timestamp) -> Prepared:
    stale = check_as_of(as_of, whole.log_start, whole.log_end)
    silent_days = max((as_of - whole.log_end).days, 0)
    return replace(whole, as_of=as_of, silent_days=silent_days, notices=(*whole.notices, *stale))


def check_as_of(as_of: pd.Timestamp, log_start: pd.Timestamp, log_end: pd.Timestamp) -> tuple[str, ...]:
    """Raise ``DataError`` for an as-of date outside the log; return a notice for one well after its end."""
    if not log_start < as_of <= shift(log_end, days=STALE_DAYS):
        raise DataError(
            f"as-of date {as_of.date()} lies outside the data: the first purchase is of {log_start:%Y-%m-%d}, the last "
            f"line of {shift(log_end, days=-1):%Y-%m-%d}; choose a date after the first and at most {STALE_DAYS} days "
            "after the last"
        )
    silent_days = (as_of - log_end).days
    if silent_days <= QUIET_DAYS:
        return ()
    told = ngettext(
        "the log ends {n} day before the as-of date", "the log ends {n} days before the as-of date", silent_days
    )
    return (told.format(n=silent_days),)


def _extent(lines: Table) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first purchase, and midnight after the last line."""
    is_purchase = lines.amount > 0
    extent = lines.aggregate(first=lines.ordered_at.min(where=is_purchase), last=lines.ordered_at.max())
    first, last = (column[0].as_py() for column in extent.to_pyarrow().columns)
    if first is None:
        raise DataError(
            "no purchase is left after cleaning: no amount is above zero; check which column data.columns.amount maps, "
            "and what the ledger took away"
        )
    return pd.Timestamp(first).as_unit("us"), midnight_after(pd.Timestamp(last))
