"""What cleaning corrects without taking a line away, counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
from ibis.expr.types import IntegerScalar, Table

from segml.data.ledger import LedgerRow
from segml.data.prepare import made_up_order_id
from segml.data.tally import measures, tally, tally_of
from segml.language import N_

ORDER_ID_MADE_UP = "order_id_made_up"


@dataclass(frozen=True)
class _Correction:
    """A flag of prepared lines, and what to count apart from the lines it marks."""

    name: str
    flag: str
    meaning: str
    items: Callable[[Table], IntegerScalar] | None = None


def _codes_merged(lines: Table) -> IntegerScalar:
    return lines.given_product_id.nunique() - lines.product_id.nunique()


def _ids_trimmed(lines: Table) -> IntegerScalar:
    return lines.given_customer_id.nunique(where=lines.was_trimmed)


def _cards_merged(lines: Table) -> IntegerScalar:
    return lines.given_customer_id.nunique(where=lines.was_merged)


def _orders_made_up(lines: Table) -> IntegerScalar:
    made_up = ibis.ifelse(lines.was_without_order, made_up_order_id(lines), ibis.null("string"))
    return made_up.nunique()  # days are spelled for the lines that need it only


def _currencies(lines: Table) -> IntegerScalar:
    return lines.currency.nunique(where=lines.was_converted)


_CORRECTIONS = (
    _Correction(
        "product_code_spelling",
        "was_respelt",
        N_(
            "product codes put into upper case without blanks around them; items: spellings that were merged into "
            "another"
        ),
        _codes_merged,
    ),
    _Correction(
        "customer_id_blanks",
        "was_trimmed",
        N_("blanks round the customer number, or .0 behind it, removed; items: numbers"),
        _ids_trimmed,
    ),
    _Correction(
        "customer_cards_merged",
        "was_merged",
        N_("several cards of one customer booked on one card; items: cards that were merged into another"),
        _cards_merged,
    ),
    _Correction(
        ORDER_ID_MADE_UP,
        "was_without_order",
        N_("without an order number a customer's day counts as one order; items: such orders"),
        _orders_made_up,
    ),
    _Correction(
        "currency_converted",
        "was_converted",
        N_("money multiplied by the exchange rate of the line; items: currencies"),
        _currencies,
    ),
    _Correction(
        "currency_unknown", "was_without_currency", N_("the currency is empty: counts as the one of the other lines")
    ),
    _Correction("margin_computed", "was_computed", N_("margin computed as amount − cost")),
    _Correction(
        "number_unknown",
        "was_unusable",
        N_("unit price, margin, cost or discount could not be read or is not a number: counts as unknown"),
    ),
)


def count_corrections(prepared: Table) -> list[LedgerRow]:
    """Return one row a correction, counted over all lines that came in, whatever a rule does with them."""
    figures: dict[str, Any] = {}
    for correction in _CORRECTIONS:
        marked = measures(prepared, where=prepared[correction.flag])
        figures |= {f"{correction.name}.{key}": value for key, value in marked.items()}
        figures[f"{correction.name}.items"] = correction.items(prepared) if correction.items else ibis.null("int64")
    row = prepared.aggregate(**figures).to_pyarrow().to_pylist()[0]
    return [
        LedgerRow(c.name, "corrected", c.meaning, tally_of(row, prefix=f"{c.name}."), row[f"{c.name}.items"])
        for c in _CORRECTIONS
    ]


def count_regions(prepared: Table) -> LedgerRow:
    """Return the row about customers with several regions, counted likewise."""
    regions = prepared.group_by("customer_id").aggregate(count=prepared.region.nunique())
    several = regions.filter((regions["count"] > 1) & regions.customer_id.notnull())
    concerned = tally(prepared.semi_join(several, "customer_id"))
    meaning = N_("customers seen in several regions; the latest before an as-of date counts; items: customers")
    return LedgerRow("several_regions", "corrected", meaning, concerned, concerned.customers)
