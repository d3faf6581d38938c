"""Clean transactions by named rules, with a ledger that accounts for every line and every cent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml.config import CleaningConfig
from segml.data import audit, cancellations, currency, rules
from segml.data.engine import hold, release, to_table
from segml.data.ledger import Ledger
from segml.data.patterns import refuse_unusable
from segml.data.prepare import made_up_order_id, number_lines, prepare, repeats_of, with_repeats
from segml.schema import ORDER_LINES, DataError


@dataclass(frozen=True)
class Cleaned:
    """Order lines that count, the lines taken away, and the account of both.

    ``lines`` (``schema.ORDER_LINES``) and ``taken`` (``line_number`` from 1, ``rule``, and the source's columns as they
    came) lie materialised in the data base of the source. A purchase that was cancelled later is in both: it is taken,
    and it stands in ``lines`` with its ``cancelled_at``, because before that moment nobody could know.
    """

    lines: Table
    taken: Table
    ledger: Ledger
    notices: tuple[str, ...]


def clean(transactions: Any, cleaning: CleaningConfig, *, today: date, aliases: pd.DataFrame | None = None) -> Cleaned:
    """Return the order lines of typed transactions, cleaned by the rules that are on.

    Rules apply in the order of ``rules.RULES``, and a line is taken by the first that applies. Cancellations come last:
    they are matched among the lines that no other rule takes.

    Parameters
    ----------
    transactions : table with the columns of ``schema.TRANSACTIONS`` (pandas, polars, pyarrow or Ibis); a boolean
        ``x__unparsable`` beside a column ``x`` marks cells that hold something unreadable
    today : the day of the run; lines dated later are not believed
    aliases : customer_id, canonical_id of the cards to be booked on another card

    Raises
    ------
    DataError : a needed column is missing or of the wrong kind, nothing is left, the lines hold several currencies
        without exchange rates, or a rule is off without which the lines cannot be used
    ConfigError : a pattern cannot be used
    """
    given = to_table(transactions)
    with _Scratch(given.get_backend()) as scratch:
        if not isinstance(transactions, Table):
            scratch.adopt(given)
        refuse_unusable(scratch.backend, _patterns(cleaning))
        source = numbered = scratch.store(number_lines(given))
        if "is_repeat" not in numbered.columns:
            source = with_repeats(numbered, scratch.store(repeats_of(numbered)))
        cards = scratch.adopt(to_table(_cards(aliases), scratch.backend)) if aliases is not None else None
        prepared = prepare(source, cards, largest_amount=cleaning.largest_amount)
        ruled = scratch.store(prepared.mutate(rule=rules.first_rule(prepared, cleaning, today)))
        if currency.CURRENCY in source.columns and currency.RATE not in source.columns:
            ruled = currency.of_one_currency(ruled)
        judged = _with_cancellations(ruled, scratch, cleaning)
        audit.refuse_unusable_lines(judged, cleaning, today)
        lines = scratch.store(_order_lines(judged))
        taken = scratch.store(_taken(numbered, judged))
        ledger = audit.account(ruled, judged, lines, cleaning)
        audit.refuse_nothing_left(ledger)
        scratch.release(lines, taken)
        told = (*audit.notices(ledger, ruled, cleaning), *currency.notices(source.columns, ruled))
        return Cleaned(lines, taken, ledger, told)


class _Scratch:
    """Temporary tables of one cleaning in the data base of the source; what is not released is dropped at the end."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self._names: set[str] = set()

    def store(self, expression: Table) -> Table:
        """Return the table computed once and for all."""
        return self.adopt(hold(expression, self.backend, "cleaning"))

    def adopt(self, table: Table) -> Table:
        """Return the table, from now on one of these."""
        self._names.add(table.op().name)
        return table

    def release(self, *tables: Table) -> None:
        """Let tables outlive the cleaning."""
        self._names -= {table.op().name for table in tables}

    def __enter__(self) -> _Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self._names:
            release(name, self.backend)


def _patterns(cleaning: CleaningConfig) -> tuple[str, ...]:
    cancelled = (cleaning.cancelled_order_pattern,) if cleaning.cancelled_order_pattern is not None else ()
    return (*cleaning.non_product_patterns, *cleaning.excluded_order_patterns, *cancelled)


def _cards(aliases: pd.DataFrame) -> pd.DataFrame:
    twice = aliases["customer_id"][aliases["customer_id"].duplicated()]
    if not twice.empty:
        raise DataError(f"aliases must name each customer_id once; found several times: {sorted(set(twice))[:5]}")
    return aliases[["customer_id", "canonical_id"]].astype("str")


def _with_cancellations(ruled: Table, scratch: _Scratch, cleaning: CleaningConfig) -> Table:
    """Return the lines with the ``rule`` that takes each at last (null: none), and when each was cancelled."""
    if not rules.CANCELLATIONS.is_on(cleaning):
        return ruled.mutate(cancelled_at=ibis.null("timestamp(6)"))
    standing = ruled.filter(ruled.rule.isnull())
    pairs = scratch.store(cancellations.pair(standing, cleaning.cancelled_order_pattern))
    undone = scratch.store(_undone(pairs))
    both = ruled.left_join(undone, "line_number").drop("line_number_right")
    return both.mutate(rule=ibis.coalesce(both.rule, both.last_rule)).drop("last_rule")


def _undone(pairs: Table) -> Table:
    purchases = pairs.select("cancelled_at", line_number=pairs.purchase)
    undoing = pairs.select(cancelled_at=ibis.null(pairs.cancelled_at.type()), line_number=pairs.cancellation)
    return purchases.union(undoing).mutate(last_rule=ibis.literal(rules.CANCELLATIONS.name))


def _order_lines(judged: Table) -> Table:
    counted = judged.filter(judged.rule.isnull() | judged.cancelled_at.notnull())
    named = counted.mutate(order_id=ibis.coalesce(counted.order_id, made_up_order_id(counted)))
    return named.select(*ORDER_LINES.names)


def _taken(numbered: Table, judged: Table) -> Table:
    by_rule = judged.filter(judged.rule.notnull()).select("line_number", "rule")
    source = numbered.select(name for name in numbered.columns if name != "is_repeat")
    return by_rule.join(source, "line_number").order_by("line_number")
