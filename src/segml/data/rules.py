"""The cleaning rules that look at one line at a time, in their order; a line is taken by the first that applies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from segml.config import CleaningConfig
from segml.data.patterns import matches_any
from segml.language import N_


@dataclass(frozen=True)
class Rule:
    """One cleaning rule; its name is its switch in ``CleaningConfig``."""

    name: str
    meaning: str
    advice: str
    """What to check when the rule takes more than expected."""

    def is_on(self, cleaning: CleaningConfig) -> bool:
        """Tell whether the configuration wants this rule."""
        return bool(getattr(cleaning, self.name))


@dataclass(frozen=True)
class LineRule(Rule):
    """A rule that looks at one prepared line at a time."""

    takes: Callable[[Table, CleaningConfig, date], BooleanValue]
    is_indispensable: bool = False
    """Whether what the rule takes could not be used even if one wanted to."""


def first_rule(lines: Table, cleaning: CleaningConfig, today: date) -> StringValue:
    """Return for each prepared line the name of the first rule, of those that are on, that takes it; else null."""
    branches = [(rule.takes(lines, cleaning, today), rule.name) for rule in LINE_RULES if rule.is_on(cleaning)]
    return ibis.cases(*branches, else_=None) if branches else ibis.null("string")


def _exact_repeats(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.is_repeat


def _missing_customer(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.customer_id.isnull()


def _bad_date(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.ordered_at.isnull() | (lines.ordered_at < _midnight(cleaning.earliest_date))


def _future_date(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.ordered_at >= _midnight(today + timedelta(days=1))


def _bad_exchange_rate(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.has_no_rate


def _bad_amount(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.amount.isnull()


def _bad_quantity(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return lines.quantity_is_unusable


def _non_product(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return matches_any(lines.product_id, cleaning.non_product_patterns)


def _bad_price(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    has_no_quantity = (lines.quantity == 0).fill_null(False)
    is_free = lines.unit_price.isnull() & (lines.amount == 0) & ~has_no_quantity
    return (lines.unit_price <= 0) | is_free


def _excluded_order(lines: Table, cleaning: CleaningConfig, today: date) -> BooleanValue:
    return matches_any(lines.order_id, cleaning.excluded_order_patterns)


def _midnight(day: date) -> ibis.expr.types.TimestampScalar:
    return ibis.timestamp(day.isoformat())


LINE_RULES = (
    LineRule(
        "exact_repeats",
        N_("equal to another line in every column; one copy is kept"),
        N_("check that the table has order numbers or times of day, which tell two equal purchases apart"),
        _exact_repeats,
    ),
    LineRule(
        "missing_customer",
        N_("nobody to attribute the line to: the customer is empty"),
        N_("check which source column data.columns.customer_id names"),
        _missing_customer,
        is_indispensable=True,
    ),
    LineRule(
        "bad_date",
        N_("the date is empty, cannot be read, or lies before data.cleaning.earliest_date"),
        N_("check data.columns.ordered_at, data.format.date_format and data.cleaning.earliest_date"),
        _bad_date,
        is_indispensable=True,
    ),
    LineRule(
        "future_date",
        N_("dated after the day of the run"),
        N_("check the clock of this computer, and whether day and month are swapped (data.format.date_format)"),
        _future_date,
    ),
    LineRule(
        "bad_exchange_rate",
        N_("the exchange rate is empty, cannot be read, or is not above zero: the money cannot be converted"),
        N_("check data.columns.exchange_rate and data.format.decimal; lines in the company's currency have the rate 1"),
        _bad_exchange_rate,
        is_indispensable=True,
    ),
    LineRule(
        "bad_amount",
        N_("the amount is empty, cannot be read, is not a number, or exceeds data.cleaning.largest_amount"),
        N_(
            "check data.columns.amount (or quantity and unit_price), data.format.decimal and "
            "data.cleaning.largest_amount"
        ),
        _bad_amount,
        is_indispensable=True,
    ),
    LineRule(
        "bad_quantity",
        N_("the quantity cannot be read or is not a number (an empty one is merely unknown)"),
        N_("check data.columns.quantity and data.format.decimal"),
        _bad_quantity,
    ),
    LineRule(
        "non_product",
        N_(
            "no sale of goods (postage, fee, manual entry): the product code is one of "
            "data.cleaning.non_product_patterns"
        ),
        N_("check data.cleaning.non_product_patterns"),
        _non_product,
    ),
    LineRule(
        "bad_price",
        N_("the unit price is zero or negative: gifts, samples, stock write-offs"),
        N_("check data.columns.unit_price and data.columns.amount"),
        _bad_price,
    ),
    LineRule(
        "excluded_order",
        N_("the order number is one of data.cleaning.excluded_order_patterns"),
        N_("check data.cleaning.excluded_order_patterns"),
        _excluded_order,
    ),
)

CANCELLATIONS = Rule(
    "cancellations",
    N_(
        "purchases cancelled in full, and the lines that cancel them; up to its cancellation such a purchase still "
        "counts; items: pairs. A negative line that cancels no known purchase stays as a return"
    ),
    N_("check data.cleaning.cancelled_order_pattern"),
)
"""The last rule; it looks at pairs of lines that no other rule takes (``segml.data.cancellations``)."""

RULES: tuple[Rule, ...] = (*LINE_RULES, CANCELLATIONS)
"""All rules in the order in which they apply."""
