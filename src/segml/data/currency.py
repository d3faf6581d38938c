"""Money of several currencies: converted by the rate of each line where there is one, else refused; never mixed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
from ibis.expr.types import BooleanValue, NumericValue, Table

from segml.data.functions import double
from segml.data.ledger import Tally
from segml.data.tally import tallies
from segml.language import _, ngettext
from segml.schema import DataError

CURRENCY, RATE = "currency", "exchange_rate"
LARGEST_NUMBER = 1e15
"""Beyond it a double cannot hold cents, and exact sums could overflow."""

_MONEY = ("unit_price", "margin", "cost", "discount")
_MOST_SHOWN = 10
_REMEDY = (
    "money of several currencies does not add up: name the column with each line's rate (money of one unit of the "
    "line's currency in the company's currency) under data.columns.exchange_rate, or leave only the lines of one "
    "currency, or spell it alike where it is one"
)


def convert(lines: Table, largest_amount: float) -> Table:
    """Return prepared lines with their money in the company's currency, and ``own_amount`` as it was.

    The amount of a line without a usable rate is unknown, and ``has_no_rate`` is true; an amount beyond
    ``largest_amount`` (money of the company) is unknown too.
    """
    money = {name: lines[name] * lines[RATE] for name in _MONEY}
    return lines.mutate(
        **{name: _within(value, LARGEST_NUMBER) for name, value in money.items()},
        amount=_within(lines.amount * lines[RATE], largest_amount),
        was_unusable=lines.was_unusable | ibis.or_(*(_is_beyond(value) for value in money.values())),
        own_amount=lines.amount,
        has_no_rate=lines[RATE].isnull(),
        was_converted=(lines[RATE] != 1).fill_null(False),
    )


def of_one_currency(ruled: Table) -> Table:
    """Return the lines with the ``rule`` that takes each, their money in the one currency of those that no rule takes.

    Lines without a currency count as being in it. Lines in another, which rules take, keep their place, but their money
    is unknown: it cannot be told together with the others'.

    Raises
    ------
    DataError : the lines that no rule takes hold several currencies
    """
    found = tallies(ruled.filter(ruled.rule.isnull()), CURRENCY)
    known = sorted(currency for currency in found if currency is not None)
    if len(known) > 1:
        raise DataError(f"transactions hold {len(known)} currencies: {_listed(found)}; {_REMEDY}")
    is_own = ruled[CURRENCY].isnull() | (ruled[CURRENCY] == (known[0] if known else "")).fill_null(False)
    return ruled.mutate(amount=ibis.ifelse(is_own, ruled.amount, ibis.null("float64")))


def notices(given: Collection[str], ruled: Table) -> tuple[str, ...]:
    """Return plain words about what was made of currencies.

    Parameters
    ----------
    given : the columns of the source
    """
    standing = ruled.filter(ruled.rule.isnull())
    if RATE in given:
        return _of_rates(standing)
    return _of_unknown(standing) if CURRENCY in given else ()


def _of_rates(lines: Table) -> tuple[str, ...]:
    found = lines.group_by(CURRENCY).aggregate(
        low=lines[RATE].min(), high=lines[RATE].max(), converted=lines.was_converted.sum()
    )
    rows = found.to_pyarrow().to_pylist()
    if not any(row["converted"] for row in rows):
        return ()
    ranges = {row[CURRENCY] or "": _range(row["low"], row["high"]) for row in rows}
    if set(ranges) == {""}:
        told = _(
            "all money was multiplied by exchange_rate ({rates}), though no currency is given; if it is in the "
            "company's currency already, leave data.columns.exchange_rate out"
        )
        return (told.format(rates=ranges[""]),)
    shown = ", ".join(f"{name or '?'} {ranges[name]}" for name in sorted(ranges)[:_MOST_SHOWN])
    told = _(
        "money was multiplied by exchange_rate ({rates}); check that it is the price of one unit of the line's "
        "currency in the company's currency, not the other way round"
    )
    return (told.format(rates=shown),)


def _of_unknown(lines: Table) -> tuple[str, ...]:
    found: dict[str | None, int] = {currency: tally.lines for currency, tally in tallies(lines, CURRENCY).items()}
    count = found.pop(None, 0)
    if not count or not found:
        return ()
    told = ngettext(
        "{n:,} line has no currency and counts as {currency}",
        "{n:,} lines have no currency and count as {currency}",
        count,
    )
    return (told.format(n=count, currency=next(iter(found))),)


def _listed(found: Mapping[str | None, Tally]) -> str:
    by_size = sorted(found.items(), key=lambda entry: (-entry[1].lines, entry[0] or ""))
    shown = [f"{name or 'none'} (lines: {tally.lines:,}, money: {tally.amount:,.2f})" for name, tally in by_size]
    more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
    return ", ".join(shown[:_MOST_SHOWN]) + more


def _range(low: float, high: float) -> str:
    return f"{low:.6g}" if low == high else f"{low:.6g}–{high:.6g}"


def _is_beyond(money: NumericValue) -> BooleanValue:
    return (money.abs() > double(LARGEST_NUMBER)).fill_null(False)


def _within(money: NumericValue, limit: float) -> NumericValue:
    return ibis.ifelse(money.abs() <= double(limit), money, ibis.null("float64"))
