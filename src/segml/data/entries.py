"""What people call the entries of the cleaning ledger."""

from __future__ import annotations

from segml.language import N_, _

ENTRIES = {
    "in": N_("in"),
    "exact_repeats": N_("exact repeats"),
    "missing_customer": N_("missing customer"),
    "bad_date": N_("bad date"),
    "future_date": N_("future date"),
    "bad_exchange_rate": N_("bad exchange rate"),
    "bad_amount": N_("bad amount"),
    "bad_quantity": N_("bad quantity"),
    "non_product": N_("non product"),
    "bad_price": N_("bad price"),
    "excluded_order": N_("excluded order"),
    "cancellations": N_("cancellations"),
    "kept": N_("kept"),
    "product_code_spelling": N_("product code spelling"),
    "customer_id_blanks": N_("customer id blanks"),
    "customer_cards_merged": N_("customer cards merged"),
    "order_id_made_up": N_("order id made up"),
    "currency_converted": N_("currency converted"),
    "currency_unknown": N_("currency unknown"),
    "margin_computed": N_("margin computed"),
    "number_unknown": N_("number unknown"),
    "several_regions": N_("several regions"),
    "customer_cards_without_id": N_("customer cards without id"),
    "customer_cards_repeated": N_("customer cards repeated"),
    "customer_cards_same_tax_id": N_("customer cards same tax id"),
    "customer_cards_same_name": N_("customer cards same name"),
    "usage_without_customer": N_("usage without customer"),
    "usage_without_date": N_("usage without date"),
    "usage_of_unknown_customers": N_("usage of unknown customers"),
    "contracts_without_customer": N_("contracts without customer"),
    "contracts_without_date": N_("contracts without date"),
    "contracts_of_unknown_customers": N_("contracts of unknown customers"),
    "touches_without_customer": N_("touches without customer"),
    "touches_without_date": N_("touches without date"),
    "touches_of_unknown_customers": N_("touches of unknown customers"),
}


def entry_name(entry: str) -> str:
    """Return what people call an entry of the ledger."""
    return _(ENTRIES[entry]) if entry in ENTRIES else entry.replace("_", " ")
