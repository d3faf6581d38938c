"""What cleaning refuses, and what it says then; what it warns of; aliases of customers."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segml.config import CleaningConfig
from segml.data.clean import Cleaned, clean
from segml.schema import ConfigError, DataError

NOON = datetime(2024, 5, 1, 12)


def frame(**changes: Any) -> pd.DataFrame:
    columns = {"customer_id": ["a", "b"], "ordered_at": [NOON, NOON], "amount": [1.0, 2.0]}
    return pd.DataFrame({name: values for name, values in (columns | changes).items() if values is not None})


def run(transactions: Any, *, aliases: pd.DataFrame | None = None, **settings: Any) -> Cleaned:
    return clean(transactions, CleaningConfig(**settings), today=date(2024, 6, 30), aliases=aliases)


def test_a_missing_column_is_named_with_its_likely_spelling() -> None:
    renamed = frame(ordered_at=None, order_at=[NOON, NOON])
    with pytest.raises(DataError, match=r"lack columns \['ordered_at'\].*did you mean 'order_at'.*data\.columns"):
        run(renamed)


def test_amount_may_be_missing_only_where_quantity_and_price_are_there() -> None:
    with pytest.raises(DataError, match=r"lack columns \['amount'\].*quantity and unit_price together"):
        run(frame(amount=None, quantity=[1.0, 2.0]))
    assert run(frame(amount=None, quantity=[1.0, 2.0], unit_price=[1.0, 1.0])).ledger.kept.amount == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": ["1", "2"]},
        {"amount": [True, False]},
        {"customer_id": [1.5, 2.0]},
        {"ordered_at": ["2024-05-01", "2024-05-02"]},
    ],
    ids=["text amounts", "flags as amounts", "fractional customers", "text dates"],
)
def test_a_column_of_another_kind_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=rf"the column '{next(iter(changes))}' .* must hold .*; found "):
        run(frame(**changes))


def test_times_with_a_zone_are_refused() -> None:
    log = pa.Table.from_pandas(frame()).set_column(1, "ordered_at", pa.array([NOON, NOON], pa.timestamp("us", "UTC")))
    with pytest.raises(DataError, match=r"the column 'ordered_at' .* without a time zone"):
        run(log)


def test_whole_numbers_are_good_customer_numbers_and_dates_good_times() -> None:
    lines = run(frame(customer_id=[1, 2], ordered_at=[date(2024, 5, 1)] * 2)).lines.order_by("customer_id")
    assert [(row["customer_id"], row["ordered_at"]) for row in lines.to_pyarrow().to_pylist()] == [
        ("1", datetime(2024, 5, 1)),
        ("2", datetime(2024, 5, 1)),
    ]


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"hold no line; check data\.transactions"):
        run(frame().iloc[:0])


def test_where_no_line_has_a_customer_the_mapping_is_suspected() -> None:
    message = r"leaves none of 2 lines: missing_customer took 2 \(100\.0%\).*data\.columns\.customer_id"
    with pytest.raises(DataError, match=message):
        run(frame(customer_id=pd.Series([None, " "], dtype="str")))


def test_where_nothing_is_left_the_biggest_rules_are_named() -> None:
    with pytest.raises(DataError, match=r"none of 2 lines: bad_date took 1 \(50\.0%\), bad_amount took 1 \(50\.0%\)"):
        run(frame(ordered_at=[None, NOON], amount=[1.0, float("nan")]))


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("missing_customer", {"customer_id": ["a", "null"]}),
        ("bad_date", {"ordered_at": [NOON, None]}),
        ("bad_amount", {"amount": [1.0, 1e13]}),
    ],
)
def test_lines_that_cannot_be_used_are_refused_where_their_rule_is_off(rule: str, changes: dict[str, Any]) -> None:
    message = rf"1 transactions cannot be used .* data\.cleaning\.{rule} is off; switch the rule on"
    off: dict[str, Any] = {rule: False}
    with pytest.raises(DataError, match=message):
        run(frame(**changes), **off)


def test_what_another_rule_takes_needs_no_second_rule() -> None:
    lost = frame(customer_id=["a", None], product_id=["X", "POSTAGE"])
    assert run(lost, missing_customer=False).ledger["non_product"].tally.lines == 1


def test_a_pattern_that_the_data_base_cannot_use_is_named() -> None:
    with pytest.raises(ConfigError, match=r"the pattern '\(\?=C\)C\.\*' cannot be used .*without look-ahead"):
        run(frame(), cancelled_order_pattern="(?=C)C.*")


def test_a_rule_that_takes_much_is_noticed() -> None:
    some = frame(customer_id=["a", None])
    assert [notice.split(" (")[0] for notice in run(some).notices] == [
        "cleaning rule missing_customer takes 50.0% of all lines"
    ]
    assert run(frame()).notices == ()


def test_repeats_without_order_numbers_are_doubtful() -> None:
    twice = pd.concat([frame()] * 2)
    assert "2 lines were taken as exact repeats though the transactions have no order numbers" in run(twice).notices[-1]
    assert len(run(twice.assign(order_id="1")).notices) == 1


def test_cards_of_one_customer_are_booked_on_its_canonical_card() -> None:
    aliases = pd.DataFrame({"customer_id": ["b", "z"], "canonical_id": ["a", "y"]})
    result = run(frame(customer_id=["a", " b "]), aliases=aliases)
    assert set(result.lines.customer_id.to_pyarrow().to_pylist()) == {"a"}
    row = result.ledger["customer_cards_merged"]
    assert (row.tally.lines, row.items) == (1, 1)
    assert result.taken.count().to_pyarrow().as_py() == 0


def test_a_purchase_on_one_card_is_cancelled_on_another_of_the_same_customer() -> None:
    aliases = pd.DataFrame({"customer_id": ["b"], "canonical_id": ["a"]})
    log = frame(customer_id=["a", "b", "c"], ordered_at=[NOON] * 3, amount=[5.0, -5.0, 1.0])
    assert run(log, aliases=aliases).ledger["cancellations"].items == 1


def test_no_aliases_are_no_merger() -> None:
    none = pd.DataFrame({"customer_id": [], "canonical_id": []}, dtype="str")
    assert run(frame(), aliases=none).ledger["customer_cards_merged"].tally.lines == 0


def test_aliases_that_name_a_card_twice_are_refused() -> None:
    aliases = pd.DataFrame({"customer_id": ["b", "b"], "canonical_id": ["a", "c"]})
    with pytest.raises(DataError, match=r"each customer_id once; found several times: \['b'\]"):
        run(frame(), aliases=aliases)
