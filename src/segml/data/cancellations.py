"""Which purchase a cancellation cancels, where the source does not say."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table, Value

from segml.data.patterns import matches_any
from segml.data.tally import MONEY

_SAME = ("customer_id", "product_id", "units", "money")


def pair(lines: Table, cancelled_order_pattern: str | None = None) -> Table:
    """Return one row a pair: ``purchase``, ``cancellation`` (line numbers) and ``cancelled_at``.

    A cancellation undoes the latest purchase not yet undone of the same customer, product and number of units, placed
    before it or at the same moment: last in, first out, one to one. Where product or quantity are unknown, the same
    amount of money stands in for them, in its own currency. Cancellations are the negative lines; with a pattern, only
    those whose order number matches it.

    Like brackets, every purchase opens a level and every cancellation closes the innermost open one. The level is the
    running count of events less its running minimum, so no loop is needed.
    """
    events = _ordered(_events(lines, cancelled_order_pattern))
    so_far = ibis.cumulative_window(group_by=_SAME, order_by="turn")
    counted = events.mutate(count=events.step.sum().over(so_far))
    counted = counted.mutate(lowest=ibis.least(counted["count"].min().over(so_far), 0))
    levelled = counted.mutate(level=counted["count"] - counted.lowest + ibis.ifelse(counted.is_cancellation, 1, 0))
    on_level = ibis.window(group_by=(*_SAME, "level"), order_by="turn")
    followed = levelled.mutate(
        cancellation=levelled.line_number.lead().over(on_level),
        cancelled_at=levelled.ordered_at.lead().over(on_level),
        is_closed=levelled.is_cancellation.lead().over(on_level),
    )
    pairs = followed.filter(~followed.is_cancellation & followed.is_closed)
    return pairs.select("cancellation", "cancelled_at", purchase=pairs.line_number)


def _events(lines: Table, pattern: str | None) -> Table:
    is_negative = (lines.amount < 0) | (lines.quantity < 0).fill_null(False)
    is_cancellation = is_negative if pattern is None else is_negative & matches_any(lines.order_id, [pattern])
    is_counted = lines.product_id.notnull() & (lines.quantity != 0).fill_null(False)
    money = _money(lines)
    keyed = lines.mutate(
        is_cancellation=is_cancellation,
        is_purchase=(lines.amount > 0) & ~is_negative,
        units=ibis.ifelse(is_counted, lines.quantity.abs(), ibis.null("float64")),
        money=ibis.ifelse(is_counted, ibis.null(money.type()), money),
    )
    events = keyed.filter(keyed.is_cancellation | keyed.is_purchase)
    cancelled = events.filter(events.is_cancellation).select(*_SAME).distinct()
    return events.semi_join(cancelled, [_known(events[name]) == _known(cancelled[name]) for name in _SAME])


def _known(key: Value) -> Value:
    """Return a key with what is no key in place of null: to join where null equals null, some engines try all pairs."""
    return key.fill_null("") if key.type().is_string() else key.fill_null(ibis.literal(-1).cast(key.type()))


def _money(lines: Table) -> Value:
    """Return the size of each amount, of converted ones as it was before: rates differ from day to day."""
    if "own_amount" not in lines.columns:
        return lines.amount.abs().cast(MONEY)
    return lines.own_amount.abs().cast(MONEY).cast("string") + "|" + lines.currency.fill_null("")


def _ordered(events: Table) -> Table:
    """Give each event its ``turn`` among its like: by time, purchases first, then by content, not by the order of rows.

    By rising amount, the dearest of simultaneous purchases meets the dearest of simultaneous cancellations.
    """
    keys = ("ordered_at", "is_cancellation", "amount")
    content = [name for name in events.columns if name not in (*keys, "line_number")]
    turns = ibis.window(group_by=_SAME, order_by=[*keys, *content, "line_number"])
    step = ibis.ifelse(events.is_cancellation, -1, 1)
    return events.mutate(step=step, turn=ibis.row_number().over(turns))
