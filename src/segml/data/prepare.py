"""From typed transactions to comparable lines: blanks, spellings, amounts and margins made alike, none left out."""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr.types import BooleanValue, NumericValue, StringValue, Table, Value

from segml.data import currency, functions, spark_tables
from segml.data.parse import MARK
from segml.schema import TRANSACTIONS, Column, DataError, Kind, did_you_mean

EMPTY = r"(?i)^(?:nan|null|none|<na>|#?n/a)?$"
"""What people and programs write into an empty cell; such a text is no value."""

LONGEST_EMPTY = 4
"""How long such a text is at most, blanks apart."""

FLOATED = r"^[0-9]+\.0$"
"""A whole number that went through a column of floats."""

NO_BREAK_SPACE = "\u00a0"

_TYPES = {"text": "string", "number": "float64", "time": "timestamp(6)"}
_CORRECTED_NUMBERS = ("unit_price", "margin", "cost", "discount", "discount_rate")


def number_lines(transactions: Table) -> Table:
    """Return the canonical columns and marks that are there, with ``line_number``.

    Lines are numbered from 1. On Spark, where lines have no order, a number is a text: a digest of the line's content,
    and how many of its like come before it; ``is_repeat`` tells whether any do.

    Raises
    ------
    DataError : a needed column is missing, or a column is not of its kind
    """
    _refuse_missing_columns(transactions)
    columns = {name: _typed(transactions, TRANSACTIONS[name]) for name in _present(transactions)}
    marks = [name + MARK for name in TRANSACTIONS.names if name + MARK in transactions.columns]
    if spark_tables.is_spark(transactions.get_backend()):
        return _with_keys(transactions.select(*marks, **columns))
    return transactions.select(*marks, **columns, line_number=ibis.row_number() + 1)


def repeats_of(numbered: Table) -> Table:
    """Return the ``line_number`` of lines that equal an earlier one in every canonical column and mark."""
    content = [name for name in numbered.columns if name != "line_number"]
    perhaps = functions.perhaps_repeated(numbered, content)
    copies = ibis.window(group_by=content, order_by="line_number")
    placed = perhaps.mutate(place=ibis.row_number().over(copies))
    return placed.filter(placed.place > 0).select("line_number")


def with_repeats(numbered: Table, repeats: Table) -> Table:
    """Return numbered lines with ``is_repeat``."""
    told = numbered.left_join(repeats.mutate(is_repeat=True), "line_number").drop("line_number_right")
    return told.mutate(is_repeat=told.is_repeat.fill_null(False))


def prepare(source: Table, aliases: Table | None, *, largest_amount: float) -> Table:
    """Return one comparable line for each numbered line: texts without blanks around, usable numbers or null.

    An amount that is missing is quantity × unit price, less the share ``discount_rate`` where there is one; a margin
    is amount − cost; a discount that is missing is what the rate took off. Where there are exchange rates, money is
    then converted (``currency.convert``). Customers go by their canonical card (``aliases``: customer_id,
    canonical_id). Flags ``was_…`` tell what was corrected on a line.
    """
    lines = with_cards(_readable(source), aliases)
    if currency.RATE in source.columns:
        return currency.convert(_with_money(lines, currency.LARGEST_NUMBER), largest_amount)
    return _with_money(lines, largest_amount).mutate(has_no_rate=False, was_converted=False)


def made_up_order_id(lines: Table) -> StringValue:
    """Return the order number of lines without one: a customer's day is an order."""
    return lines.customer_id + "|" + lines.ordered_at.strftime("%Y-%m-%d")


def _with_keys(lines: Table) -> Table:
    """Name lines by what they hold: the names stay the same whenever, and wherever, Spark computes them anew."""
    keyed = lines.mutate(content=spark_tables.content_key(lines))
    place = ibis.row_number().over(group_by=lines.columns, order_by=keyed.content)
    placed = keyed.mutate(place=place)
    named = placed.mutate(line_number=placed.content + "-" + placed.place.cast("string"), is_repeat=placed.place > 0)
    return named.drop("content", "place")


def _refuse_missing_columns(transactions: Table) -> None:
    lacking = [name for name in TRANSACTIONS.required if name not in transactions.columns]
    if "amount" not in transactions.columns and not {"quantity", "unit_price"} <= set(transactions.columns):
        lacking.append("amount")
    if lacking:
        hints = "".join(did_you_mean(name, transactions.columns) for name in lacking)
        raise DataError(
            f"transactions lack columns {lacking}; found {list(transactions.columns)}{hints}; map them under "
            "data.columns (quantity and unit_price together stand for amount)"
        )


def _present(transactions: Table) -> list[str]:
    return [name for name in TRANSACTIONS.names if name in transactions.columns]


def _typed(transactions: Table, column: Column) -> Value:
    values = transactions[column.name]
    if not _is_of_kind(values.type(), column.kind):
        raise DataError(
            f"transactions: the column {column.name!r} ({column.meaning}) must hold {column.kind}; found "
            f"{values.type()}; read it as {column.kind}, without a time zone where it is a time"
        )
    return values.cast(_TYPES[column.kind])


def _is_of_kind(dtype: Any, kind: str) -> bool:
    if dtype.is_null():
        return True
    match kind:
        case "text":
            return bool(dtype.is_string() or dtype.is_integer())
        case "number":
            return bool(dtype.is_numeric() and not dtype.is_boolean())
        case _:
            return bool(dtype.is_date() or (dtype.is_timestamp() and dtype.timezone is None))


def _readable(source: Table) -> Table:
    texts = {name: trimmed(source, name) for name in _names("text")}
    numbers = {name: _number(source, name) for name in _names("number")}
    texts["customer_id"] = customer_key(source)
    texts |= {name: texts[name].upper() for name in ("product_id", currency.CURRENCY)}
    return source.select(
        "line_number",
        "is_repeat",
        "ordered_at",
        **texts,
        **numbers,
        given_customer_id=_cell(source, "customer_id"),
        given_product_id=_cell(source, "product_id"),
        given_amount=_cell(source, "amount"),
        amount_is_unparsable=_is_unparsable(source, "amount"),
        quantity_is_unusable=_is_unusable(source, "quantity"),
        was_trimmed=_differ(_cell(source, "customer_id"), texts["customer_id"]),
        was_respelt=_differ(_cell(source, "product_id"), texts["product_id"]),
        was_without_order=texts["order_id"].isnull(),
        was_without_currency=_has_no_currency(source),
        rate_is_unusable=_is_unusable(source, "discount_rate"),
        was_unusable=ibis.or_(*(_is_unusable(source, name) for name in _CORRECTED_NUMBERS)),
    )


def with_cards(lines: Table, aliases: Table | None) -> Table:
    """Return the rows with each customer's canonical card, and ``was_merged``."""
    if aliases is None:
        return lines.mutate(was_merged=ibis.literal(False))
    cards = lines.left_join(aliases.select("customer_id", "canonical_id"), "customer_id").drop("customer_id_right")
    return cards.mutate(
        customer_id=ibis.coalesce(cards.canonical_id, cards.customer_id), was_merged=cards.canonical_id.notnull()
    ).drop("canonical_id")


def _with_money(lines: Table, largest_amount: float) -> Table:
    rate = lines.discount_rate.fill_null(functions.double(0.0))
    paid_share = ibis.ifelse(lines.rate_is_unusable, ibis.null("float64"), 1 - rate)
    amount = ibis.coalesce(lines.given_amount, lines.quantity * lines.unit_price * paid_share)
    is_usable = ~lines.amount_is_unparsable & ~amount.isnan() & (amount.abs() <= functions.double(largest_amount))
    priced = lines.mutate(amount=ibis.ifelse(is_usable, amount, ibis.null("float64")))
    margin = ibis.coalesce(priced.margin, priced.amount - priced.cost)
    was_computed = priced.margin.isnull() & margin.notnull()
    taken_off = priced.amount * priced.discount_rate / (1 - priced.discount_rate)
    discount = ibis.coalesce(priced.discount, taken_off)
    computed = priced.mutate(margin=margin, discount=discount, was_computed=was_computed)
    return computed.drop("given_amount", "amount_is_unparsable", "rate_is_unusable")


def _names(kind: Kind) -> list[str]:
    return [column.name for column in TRANSACTIONS.columns if column.kind == kind]


def _cell(source: Table, name: str) -> Value:
    return source[name] if name in source.columns else ibis.null(_TYPES[TRANSACTIONS[name].kind])


def _is_unparsable(source: Table, name: str) -> BooleanValue:
    return source[name + MARK].fill_null(False) if name + MARK in source.columns else ibis.literal(False)


def trimmed(source: Table, name: str) -> StringValue:
    """Return a column of text without blanks around, null where it is empty, says that it is, or is not there."""
    if name not in source.columns:
        return ibis.null("string")
    text = source[name]
    return ibis.ifelse(_needs_care(text), _trimmed(text), text)


def customer_key(source: Table) -> StringValue:
    """Return customer numbers as they compare: trimmed, and without the ``.0`` that programs write behind a number.

    A column of whole numbers with a gap in it is a column of floats to many programs, and their text files say 7.0.
    """
    text = source.customer_id
    number = _trimmed(text)
    whole = ibis.ifelse(number.re_search(FLOATED), number.substr(0, number.length() - 2), number)
    return ibis.ifelse(_needs_care(text) | text.endswith(".0"), whole, text)


def _needs_care(text: StringValue) -> BooleanValue:
    """Tell which texts may not be what they are to be: patterns are dear, and few texts need them."""
    may_be_empty = text.length() <= LONGEST_EMPTY
    return may_be_empty | functions.has_blanks_around(text) | text.contains(NO_BREAK_SPACE)


def _trimmed(text: StringValue) -> StringValue:
    stripped = functions.stripped(text.replace(NO_BREAK_SPACE, " "))
    return ibis.ifelse(stripped.re_search(EMPTY), ibis.null("string"), stripped)


def _has_no_currency(source: Table) -> BooleanValue:
    if currency.CURRENCY not in source.columns or currency.RATE in source.columns:
        return ibis.literal(False)
    return trimmed(source, currency.CURRENCY).isnull()


def _is_unusable(source: Table, name: str) -> BooleanValue:
    if name not in source.columns:
        return ibis.literal(False)
    is_no_number = source[name].isnan() | (source[name].abs() > functions.double(currency.LARGEST_NUMBER))
    if name == "discount_rate":
        is_no_number |= (source[name] < 0) | (source[name] >= 1)
    if name == currency.RATE:
        is_no_number |= source[name] <= 0
    return _is_unparsable(source, name) | is_no_number.fill_null(False)


def _number(source: Table, name: str) -> NumericValue:
    return ibis.ifelse(_is_unusable(source, name), ibis.null("float64"), _cell(source, name))


def _differ(given: Value, normal: Value) -> BooleanValue:
    return (given != normal).fill_null(False)
