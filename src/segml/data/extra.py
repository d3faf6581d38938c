"""Usage, contracts and touches as the transactions know their customers; what cannot be used is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import schema
from segml.data.engine import hold, release, to_table
from segml.data.ledger import LedgerRow
from segml.data.parse import MARK
from segml.data.prepare import customer_key, with_cards
from segml.language import _

TIMES = {"usage": "used_at", "contracts": "renews_on", "touches": "touched_at"}
"""The tables of this module, and the time of their rows; usage may have none."""


def prepare_extra(
    tables: Mapping[str, Table], aliases: pd.DataFrame | None, customers_known: Table | Iterable[str]
) -> tuple[dict[str, Table], tuple[LedgerRow, ...]]:
    """Return the tables with canonical customers, and what was left out of each, for the cleaning ledger.

    Rows without a customer, without a date, and of customers whom the order lines do not know are left out.

    Parameters
    ----------
    tables : any of usage, contracts and touches under canonical column names; others, such as customers, are ignored
    aliases : customer_id, canonical_id of the cards to be booked on another card
    customers_known : customers of the order lines, by their canonical cards: a table with ``customer_id``, or theirs

    Returns
    -------
    The tables, materialised in the data base of each; entries of kind "corrected", whose ``items`` count rows
    """
    prepared: dict[str, Table] = {}
    rows: list[LedgerRow] = []
    for name in TIMES:
        if name in tables:
            prepared[name], left_out = _prepare(name, tables[name], aliases, customers_known)
            rows += left_out
    return prepared, tuple(rows)


def _prepare(
    name: str, table: Table, aliases: pd.DataFrame | None, known: Table | Iterable[str]
) -> tuple[Table, list[LedgerRow]]:
    backend = table.get_backend()
    cards = to_table(aliases[["customer_id", "canonical_id"]].astype("str"), backend) if aliases is not None else None
    customers = _customers(known, backend)
    held = [column for column in schema.TABLES[name].names if column in table.columns]
    booked = with_cards(_identified(table, held), cards).drop("was_merged")
    joined = booked.left_join(customers.mutate(is_known=True), "customer_id").drop("customer_id_right")
    judged = joined.mutate(fault=_fault(joined, TIMES[name]))
    stored = hold(judged, backend, name)
    for scratch in (customers, *([cards] if cards is not None else [])):
        release(scratch, backend)
    return stored.filter(stored.fault.isnull()).select(*held), _entries(name, stored)


def _customers(known: Table | Iterable[str], backend: Any) -> Table:
    """Return the customers, each once, in the data base of the table that is matched with them."""
    if isinstance(known, Table) and known.get_backend() is backend:
        return hold(known.select("customer_id").distinct(), backend, "customers")
    names = known.select("customer_id").to_pyarrow()["customer_id"].to_pylist() if isinstance(known, Table) else known
    return to_table(pd.DataFrame({"customer_id": sorted(set(names))}, dtype="str"), backend)


def _identified(table: Table, held: list[str]) -> Table:
    marks = [column for column in table.columns if column.endswith(MARK)]
    text = table.mutate(customer_id=table.customer_id.cast("string")).drop(*marks)
    return text.mutate(customer_id=customer_key(text)).select(*held)


def _fault(rows: Table, time: str) -> ibis.expr.types.StringValue:
    has_no_time = rows[time].isnull() if time in rows.columns else ibis.literal(False)
    return ibis.cases(
        (rows.customer_id.isnull(), "without_customer"),
        (has_no_time, "without_date"),
        (rows.is_known.isnull(), "of_unknown_customers"),
        else_=None,
    )


def _entries(name: str, judged: Table) -> list[LedgerRow]:
    faults = {
        "without_customer": _("rows of {table} without a customer, left out; items: rows"),
        "without_date": _("rows of {table} whose {column} is empty or cannot be read, left out; items: rows"),
        "of_unknown_customers": _("rows of {table} of customers without an order line, left out; items: rows"),
    }
    [counts] = (
        judged.aggregate(**{fault: (judged.fault == fault).sum().fill_null(0) for fault in faults})
        .to_pyarrow()
        .to_pylist()
    )
    return [
        LedgerRow(f"{name}_{fault}", "corrected", words.format(table=name, column=TIMES.get(name)), items=counts[fault])
        for fault, words in faults.items()
    ]
