"""What holds of cleaning whatever the data: nothing lost, nothing invented, no order of rows, no threads, no traces."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segml.config import CleaningConfig
from segml.data.clean import Cleaned, clean
from segml.data.engine import connect, to_table
from segml.data.ledger import Ledger
from segml.data.rules import LINE_RULES, RULES
from segml.schema import ORDER_LINES

TODAY = date(2024, 6, 30)
INDISPENSABLE = [rule.name for rule in LINE_RULES if rule.is_indispensable]


def dirty_log(size: int = 3000, seed: int = 0) -> pa.Table:
    """Return transactions with every kind of dirt, often several on one line."""
    rng = np.random.default_rng(seed)

    def some(share: float) -> Any:
        return rng.random(size) < share

    quantity = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 12.0], size, p=[0.05, 0.05, 0.1, 0.3, 0.2, 0.2, 0.1])
    price = rng.choice([0.1, 0.33, 1.25, 19.99, 649.5], size)
    minutes = rng.integers(0, 60 * 24 * 300, size)
    ordered_at = pd.Timestamp("2023-09-01") + pd.to_timedelta(minutes, unit="min")
    order_id = np.where(quantity < 0, "C", "") + (minutes // 9000).astype("str")
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series(rng.integers(0, 25, size)).astype("str"),
            "order_id": pd.Series(order_id).mask(some(0.05), None),
            "ordered_at": pd.Series(ordered_at).astype("datetime64[us]"),
            "product_id": pd.Series(rng.choice(["A", "b", "B ", "C1", "POSTAGE", "D"], size)).mask(some(0.02), None),
            "region": rng.choice(["North", "South"], size, p=[0.9, 0.1]),
        }
    )
    frame.loc[some(0.1), "customer_id"] = None
    frame.loc[some(0.02), "customer_id"] = "nan"
    frame.loc[some(0.02), "ordered_at"] = pd.Timestamp("1899-12-30")
    frame.loc[some(0.02), "ordered_at"] = pd.Timestamp("2099-01-01")
    frame.loc[some(0.02), "ordered_at"] = pd.NaT
    amount = np.where(some(0.5), quantity * price, np.nan)
    is_amount_given = ~np.isnan(amount)
    for value in (np.nan, np.inf, 1e300):
        spoilt = some(0.02)
        amount[spoilt], is_amount_given[spoilt] = value, True
    price[some(0.03)] = 0.0
    price[some(0.01)] = -5.0
    quantity[some(0.02)] = np.inf
    columns = pa.Table.from_pandas(frame, preserve_index=False)
    columns = columns.append_column("amount", pa.array(amount, mask=~is_amount_given))
    columns = columns.append_column("quantity", pa.array(quantity, mask=some(0.02)))
    columns = columns.append_column("unit_price", pa.array(price, mask=some(0.02)))
    columns = columns.append_column("quantity__unparsable", pa.array(some(0.02)))
    repeats = pa.array(rng.integers(0, size, size // 20))
    return pa.concat_tables([columns, columns.take(repeats)])


def run(log: Any, **settings: Any) -> Cleaned:
    return clean(log, CleaningConfig(cancelled_order_pattern="C.*", **settings), today=TODAY)


@pytest.fixture(scope="module")
def log() -> pa.Table:
    return dirty_log()


@pytest.fixture(scope="module")
def result(log: pa.Table) -> Cleaned:
    return run(log)


def rows(cleaned: Cleaned) -> list[tuple[Any, ...]]:
    """Return the order lines as a sorted list, to be compared whatever their order."""
    return sorted((tuple(row.values()) for row in cleaned.lines.to_pyarrow().to_pylist()), key=repr)


def assert_reconciles(ledger: Ledger, log: pa.Table) -> None:
    assert ledger.came_in.lines == log.num_rows == ledger.kept.lines + ledger.taken.lines
    assert ledger.came_in.amount == ledger.kept.amount + ledger.taken.amount
    assert ledger.reconciles


def test_every_rule_has_something_to_take(result: Cleaned) -> None:
    idle = {"bad_exchange_rate", "excluded_order"}  # neither rates nor patterns here
    assert all(result.ledger[rule.name].tally.lines > 5 for rule in RULES if rule.name not in idle)


def test_lines_and_money_in_are_kept_and_taken_to_the_cent(result: Cleaned, log: pa.Table) -> None:
    assert_reconciles(result.ledger, log)


@pytest.mark.parametrize("rule", [rule.name for rule in RULES if rule.name not in INDISPENSABLE])
def test_it_reconciles_with_any_one_rule_off(log: pa.Table, rule: str) -> None:
    ledger = run(log, **{rule: False}).ledger
    assert_reconciles(ledger, log)
    assert rule not in {row.rule for row in ledger.rows}


@pytest.mark.parametrize("rule", INDISPENSABLE)
def test_a_rule_with_nothing_to_take_may_be_off(log: pa.Table, result: Cleaned, rule: str) -> None:
    taken = result.taken.to_pyarrow().to_pylist()
    offenders = {row["line_number"] for row in taken if row["rule"] in (rule, "exact_repeats")}
    others = log.take([number for number in range(log.num_rows) if number + 1 not in offenders])
    without = run(others, **{rule: False})
    assert_reconciles(without.ledger, others)
    assert rows(without) == rows(result)


def test_the_ledger_agrees_with_exact_sums_over_the_lines_in_python(result: Cleaned, log: pa.Table) -> None:
    money = Decimal(0)
    for row in log.to_pylist():
        amount = row["amount"]
        if amount is None and not row["quantity__unparsable"] and None not in (row["quantity"], row["unit_price"]):
            amount = row["quantity"] * row["unit_price"]
        if amount is not None and abs(amount) <= 1e12:
            money += round(Decimal(amount), 6)
    assert result.ledger.came_in.amount == money


def test_the_kept_lines_are_those_that_a_plain_reading_of_the_rules_keeps(result: Cleaned, log: pa.Table) -> None:
    frame = log.to_pandas()
    given_amount = pd.Series(log["amount"].is_null().to_numpy(), index=frame.index)
    quantity = frame["quantity"].mask(frame["quantity__unparsable"] | np.isinf(frame["quantity"]))
    amount = frame["amount"].where(~given_amount, quantity * frame["unit_price"])
    price = frame["unit_price"]
    customer, moment = frame["customer_id"], frame["ordered_at"]
    rules = {
        "exact_repeats": frame.assign(given=given_amount).duplicated(),
        "missing_customer": customer.isna() | (customer == "nan"),
        "bad_date": moment.isna() | (moment < "1990-01-01"),
        "future_date": moment >= "2024-07-01",
        "bad_amount": ~(amount.abs() <= 1e12),
        "bad_quantity": frame["quantity__unparsable"] | np.isinf(frame["quantity"]),
        "non_product": frame["product_id"] == "POSTAGE",
        "bad_price": (price <= 0) | (price.isna() & (amount == 0)),
    }
    expected = pd.Series("", index=frame.index)
    for rule, takes in rules.items():
        expected = expected.mask((expected == "") & takes, rule)
    taken = result.taken.to_pyarrow().to_pandas().set_index("line_number")["rule"]
    found = taken[taken != "cancellations"].reindex(range(1, len(frame) + 1), fill_value="")
    assert list(found) == list(expected)


def test_taken_lines_are_the_source_lines_as_they_came(result: Cleaned, log: pa.Table) -> None:
    taken = result.taken.to_pyarrow()
    positions = [number - 1 for number in taken["line_number"].to_pylist()]
    source = log.take(positions).to_pylist()
    back = taken.select(log.column_names).to_pylist()
    assert repr(back) == repr(source), "nulls, NaN and infinities included"


def test_what_was_taken_and_written_out_can_be_read_back_and_counted_again(result: Cleaned) -> None:
    ledger = result.ledger
    again = run(result.taken.filter(result.taken.rule == "non_product"), non_product=False).ledger
    assert again.came_in.amount == ledger["non_product"].tally.amount == again.kept.amount + again.taken.amount


def test_the_order_of_rows_changes_nothing(log: pa.Table, result: Cleaned) -> None:
    shuffled = run(log.take(np.random.default_rng(1).permutation(log.num_rows)))
    assert rows(shuffled) == rows(result)
    assert shuffled.ledger == result.ledger


def test_the_order_of_rows_changes_nothing_where_repeats_stay(log: pa.Table) -> None:
    shuffled = log.take(np.random.default_rng(2).permutation(log.num_rows))
    assert rows(run(shuffled, exact_repeats=False)) == rows(run(log, exact_repeats=False))


def test_one_thread_and_two_give_the_same(log: pa.Table, result: Cleaned) -> None:
    single = run(to_table(log, connect(threads=1)))
    assert rows(single) == rows(result)
    assert single.ledger == result.ledger
    assert repr(single.taken.to_pyarrow().to_pylist()) == repr(result.taken.to_pyarrow().to_pylist())


def test_lines_are_finite_known_and_dated(result: Cleaned) -> None:
    for row in result.lines.to_pyarrow().to_pylist():
        assert row["customer_id"]
        assert row["order_id"]
        assert row["ordered_at"] is not None
        assert abs(row["amount"]) <= 1e12
    assert tuple(result.lines.columns) == ORDER_LINES.names


def test_the_callers_frame_is_not_changed() -> None:
    frame = dirty_log(300).to_pandas()
    frame["amount"] = frame["amount"].replace([np.inf], np.nan)
    before = frame.copy(deep=True)
    run(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_nothing_is_left_in_the_data_base_but_the_results(log: pa.Table) -> None:
    backend = connect()
    given = to_table(log, backend)
    cleaned = run(given)
    names = {row[0] for row in backend.con.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    assert names == {table.op().name for table in (given, cleaned.lines, cleaned.taken)}
