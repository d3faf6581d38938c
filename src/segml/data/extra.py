"""Usage, contracts and touches as the transactions know their customers; what cannot be used is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import pandas as pd
from ibis.expr.types import Table

from segml import schema
from segml.data.engine import to_table
from segml.data.ledger import LedgerRow
from segml.data.parse import MARK
from segml.data.prepare import trimmed, with_cards
from segml.language import _

TIMES = {"usage": "used_at", "contracts": "renews_on", "touches": "touched_at"}
"""The tables of this module, and the time of their rows; usage may have none."""


def prepare_extra(
    tables: Mapping[str, Table], aliases: pd.DataFrame | None, customers_known: Iterable[str]
) -> tuple[dict[str, Table], tuple[LedgerRow, ...]]:
    """Return the tables with canonical customers, and what was left out of each, for the cleaning ledger.

    Rows without a customer, without a date, and of customers whom the order lines do not know are left out.

    Parameters
    ----------
    tables : any of usage, contracts and touches under canonical column names; others, such as customers, are ignored
    aliases : customer_id, canonical_id of the cards to be booked on another card
    customers_known : customers of the order lines, by their canonical cards

    Returns
    -------
    The tables, materialised in the data base of each; entries of kind "corrected", whose ``items`` count rows
    """
    known = pd.DataFrame({"customer_id": sorted(set(customers_known))}, dtype="str")
    prepared: dict[str, Table] = {}
    rows: list[LedgerRow] = []
    for name in TIMES:
        if name in tables:
            prepared[name], left_out = _prepare(name, tables[name], aliases, known)
            rows += left_out
    return prepared, tuple(rows)


def _prepare(
    name: str, table: Table, aliases: pd.DataFrame | None, known: pd.DataFrame
) -> tuple[Table, list[LedgerRow]]:
    backend = table.get_backend()
    cards = to_table(aliases[["customer_id", "canonical_id"]].astype("str"), backend) if aliases is not None else None
    customers = to_table(known, backend)
    held = [column for column in schema.TABLES[name].names if column in table.columns]
    booked = with_cards(_identified(table, held), cards).drop("was_merged")
    joined = booked.left_join(customers.mutate(is_known=True), "customer_id").drop("customer_id_right")
    judged = joined.mutate(fault=_fault(joined, TIMES[name]))
    stored = backend.create_table(ibis.util.gen_name(name), obj=judged, temp=True)
    for scratch in (customers, *([cards] if cards is not None else [])):
        backend.drop_table(scratch.op().name)
    return stored.filter(stored.fault.isnull()).select(*held), _entries(name, stored)


def _identified(table: Table, held: list[str]) -> Table:
    marks = [column for column in table.columns if column.endswith(MARK)]
    text = table.mutate(customer_id=table.customer_id.cast("string")).drop(*marks)
    return text.mutate(customer_id=trimmed(text, "customer_id")).select(*held)


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
