"""Usage, contracts and touches: whose rows they are, and what cannot be used."""

from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segml.data import connect, prepare_extra, to_table

NOON = datetime(2024, 5, 1, 12)
ALIASES = pd.DataFrame({"customer_id": ["a2"], "canonical_id": ["a"]})


def touches(*rows: tuple[object, object]) -> pa.Table:
    """Return touches: customer, time."""
    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "touched_at": pa.array([row[1] for row in rows], pa.timestamp("us")),
            "touched_at__unparsable": pa.array([row[1] is None for row in rows], pa.bool_()),
        }
    )


def tables_of(backend: Any) -> set[str]:
    """Return the names of the tables in a data base."""
    return {name for (name,) in backend.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}


def test_each_row_goes_to_the_canonical_card_or_is_counted() -> None:
    table = touches(
        (" a ", NOON),
        ("a2", NOON),
        ("\u00a0a2", NOON),
        ("b", NOON),
        ("b", None),
        ("stranger", NOON),
        ("stranger", None),
        ("  ", NOON),
        (None, None),
        ("n/a", NOON),
    )
    prepared, rows = prepare_extra({"touches": to_table(table)}, ALIASES, ["a", "b", "c"])
    assert sorted(prepared["touches"].to_pyarrow().to_pydict()["customer_id"]) == ["a", "a", "a", "b"]
    assert prepared["touches"].columns == ("customer_id", "touched_at")
    assert {row.rule: row.items for row in rows} == {
        "touches_without_customer": 3,
        "touches_without_date": 2,
        "touches_of_unknown_customers": 1,
    }
    assert {row.kind for row in rows} == {"corrected"}
    assert rows[1].meaning == "rows of touches whose touched_at is empty or cannot be read, left out; items: rows"
    assert sum(row.items or 0 for row in rows) + 4 == len(table)


def test_nothing_is_wrong_with_good_rows() -> None:
    prepared, rows = prepare_extra({"touches": to_table(touches(("a", NOON)))}, None, ["a"])
    assert prepared["touches"].to_pyarrow().to_pylist() == [{"customer_id": "a", "touched_at": NOON}]
    assert [row.items for row in rows] == [0, 0, 0]


def test_usage_without_a_time_has_no_date_to_lack() -> None:
    usage = pd.DataFrame({"customer_id": [1, 2], "nps": [9.0, None]})
    prepared, rows = prepare_extra({"usage": to_table(usage)}, None, ["1"])
    assert prepared["usage"].to_pyarrow().to_pylist() == [{"customer_id": "1", "nps": 9.0}]
    assert {row.rule: row.items for row in rows}["usage_of_unknown_customers"] == 1


def test_customers_are_not_its_business_and_no_table_is_no_row() -> None:
    customers = to_table(pd.DataFrame({"customer_id": ["a"]}))
    assert prepare_extra({"customers": customers}, ALIASES, ["a"]) == ({}, ())


@pytest.mark.parametrize("name", ["usage", "contracts", "touches"])
def test_tables_are_prepared_in_their_own_data_base_and_leave_nothing_else_there(name: str) -> None:
    backend = connect()
    time = {"usage": "used_at", "contracts": "renews_on", "touches": "touched_at"}[name]
    table = to_table(pd.DataFrame({"customer_id": ["a", "x"], time: [NOON, NOON]}), backend)
    before = tables_of(backend)
    prepared, rows = prepare_extra({name: table}, ALIASES, ["a"])
    assert prepared[name].count().to_pyarrow().as_py() == 1
    assert len(tables_of(backend) - before) == 1
    assert [row.rule.removeprefix(f"{name}_") for row in rows] == [
        "without_customer",
        "without_date",
        "of_unknown_customers",
    ]
