"""Each cleaning rule on lines made by hand: which line it takes, and which it leaves."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from segml.config import CleaningConfig
from segml.data.clean import Cleaned, clean
from segml.data.ledger import Tally
from segml.data.rules import RULES
from segml.schema import ORDER_LINES

TODAY = date(2024, 6, 30)
NOON = datetime(2024, 5, 1, 12)

TYPES = {
    "customer_id": pa.string(),
    "order_id": pa.string(),
    "ordered_at": pa.timestamp("us"),
    "amount": pa.float64(),
    "product_id": pa.string(),
    "category": pa.string(),
    "quantity": pa.float64(),
    "unit_price": pa.float64(),
    "margin": pa.float64(),
    "cost": pa.float64(),
    "discount": pa.float64(),
    "channel": pa.string(),
    "region": pa.string(),
    "ordered_at__unparsable": pa.bool_(),
    "amount__unparsable": pa.bool_(),
    "quantity__unparsable": pa.bool_(),
    "margin__unparsable": pa.bool_(),
}
GOOD = {"customer_id": "a", "order_id": "1", "ordered_at": NOON, "product_id": "X", "quantity": 2.0, "unit_price": 5.0}


def line(**changes: Any) -> dict[str, Any]:
    return GOOD | changes


def table(*rows: dict[str, Any]) -> pa.Table:
    names = [name for name in TYPES if any(name in row for row in rows)]
    return pa.table({name: pa.array([row.get(name) for row in rows], TYPES[name]) for name in names})


ANCHOR = line(customer_id="anchor", order_id="z", product_id="ANCHOR")
"""A line that is always good, so that something is left."""


def cleaned(*rows: dict[str, Any], **settings: Any) -> Cleaned:
    return clean(table(*rows, ANCHOR), CleaningConfig(**settings), today=TODAY)


def rules_of(rows: list[dict[str, Any]], **settings: Any) -> list[str | None]:
    """Return for each line the rule that takes it, None where it is kept."""
    taken = {row["line_number"]: row["rule"] for row in cleaned(*rows, **settings).taken.to_pyarrow().to_pylist()}
    return [taken.get(number) for number in range(1, len(rows) + 1)]


INFINITY, NOT_A_NUMBER = float("inf"), float("nan")
TRUTH: list[tuple[str, dict[str, Any], str | None]] = [
    ("a plain sale stays", {}, None),
    ("a return without its purchase stays", {"quantity": -2.0}, None),
    ("a customer of blanks is none", {"customer_id": "  "}, "missing_customer"),
    ("a customer that is null is none", {"customer_id": None}, "missing_customer"),
    ("a customer called NaN is none", {"customer_id": "NaN"}, "missing_customer"),
    ("a customer called Null, with a no-break space, is none", {"customer_id": "\u00a0Null"}, "missing_customer"),
    ("a customer called Nanette is one", {"customer_id": "Nanette"}, None),
    ("no date", {"ordered_at": None}, "bad_date"),
    ("an unreadable date", {"ordered_at": None, "ordered_at__unparsable": True}, "bad_date"),
    ("the last moment before the earliest date", {"ordered_at": datetime(1989, 12, 31, 23, 59)}, "bad_date"),
    ("the first moment of the earliest date", {"ordered_at": datetime(1990, 1, 1)}, None),
    ("the last moment of today", {"ordered_at": datetime(2024, 6, 30, 23, 59, 59)}, None),
    ("the first moment of tomorrow", {"ordered_at": datetime(2024, 7, 1)}, "future_date"),
    ("the year 2099", {"ordered_at": datetime(2099, 1, 1)}, "future_date"),
    ("no amount, and no quantity to compute it", {"quantity": None}, "bad_amount"),
    ("an unreadable amount is not made up", {"amount": None, "amount__unparsable": True}, "bad_amount"),
    ("an amount that is not a number", {"amount": NOT_A_NUMBER}, "bad_amount"),
    ("an infinite amount", {"amount": INFINITY}, "bad_amount"),
    ("an amount of minus infinity", {"amount": -INFINITY}, "bad_amount"),
    ("an amount at the limit", {"amount": 1e12}, None),
    ("an amount over the limit", {"amount": 1.0001e12}, "bad_amount"),
    ("an infinite quantity, the amount known", {"amount": 9.0, "quantity": INFINITY}, "bad_quantity"),
    ("a quantity that is not a number", {"amount": 9.0, "quantity": NOT_A_NUMBER}, "bad_quantity"),
    (
        "an unreadable quantity",
        {"amount": 9.0, "quantity": None, "quantity__unparsable": True},
        "bad_quantity",
    ),
    ("an unknown quantity, the amount known", {"amount": 9.0, "quantity": None}, None),
    ("postage", {"product_id": "Postage"}, "non_product"),
    ("a fee in blanks", {"product_id": " bank charges "}, "non_product"),
    ("delivery in Russian", {"product_id": "Доставка"}, "non_product"),
    ("a delivery van is a product", {"product_id": "DELIVERY VAN"}, None),
    ("no product code is no postage", {"product_id": None}, None),
    ("a price of zero", {"unit_price": 0.0}, "bad_price"),
    ("a negative price", {"unit_price": -1.0}, "bad_price"),
    ("a stock write-off", {"quantity": -7.0, "unit_price": 0.0}, "bad_price"),
    ("nothing paid, price unknown", {"amount": 0.0, "unit_price": None}, "bad_price"),
    ("nothing paid, price and quantity unknown", {"amount": 0.0, "unit_price": None, "quantity": None}, "bad_price"),
    ("nothing bought at a good price", {"quantity": 0.0}, None),
    ("nothing bought, price unknown", {"amount": 0.0, "unit_price": None, "quantity": 0.0}, None),
]


def test_the_truth_table() -> None:
    rows = [line(order_id=f"order {number}", **changes) for number, (_, changes, _) in enumerate(TRUTH)]
    found = dict(zip([case for case, _, _ in TRUTH], rules_of(rows, cancellations=False), strict=True))
    assert found == {case: rule for case, _, rule in TRUTH}


def test_a_line_is_taken_by_the_first_rule_that_applies() -> None:
    row = line(customer_id=None, ordered_at=None, quantity=None, product_id="POSTAGE", unit_price=0.0)
    mends: list[dict[str, Any]] = [
        {"order_id": "2", "customer_id": "a"},
        {"order_id": "3", "ordered_at": NOON},
        {"order_id": "4", "quantity": 1.0},
        {"order_id": "5", "product_id": "X"},
        {"order_id": "6", "unit_price": 1.0},
    ]
    rows = [row, *((row := row | mend) for mend in mends)]
    assert rules_of(rows) == ["missing_customer", "bad_date", "bad_amount", "non_product", "bad_price", None]


def test_of_exact_repeats_the_first_is_kept() -> None:
    result = cleaned(line(), line(), line())
    assert [row["line_number"] for row in result.taken.to_pyarrow().to_pylist()] == [2, 3]
    assert result.ledger["exact_repeats"].tally.lines == 2
    assert result.lines.count().to_pyarrow().as_py() == 2


def test_lines_that_differ_in_one_column_or_in_readability_are_no_repeats() -> None:
    result = cleaned(
        line(amount=1.0), line(amount=1.0, region="N"), line(amount=1.0, margin=None, margin__unparsable=True)
    )
    assert result.ledger["exact_repeats"].tally.lines == 0


def test_nulls_and_nans_equal_each_other_in_repeats() -> None:
    result = cleaned(line(amount=1.0, margin=NOT_A_NUMBER), line(amount=1.0, margin=NOT_A_NUMBER))
    assert result.ledger["exact_repeats"].tally.lines == 1


def test_patterns_of_the_configuration_match_whole_codes_in_any_case() -> None:
    settings = {"non_product_patterns": ("M", "TEST.*"), "excluded_order_patterns": ("A.*",)}
    rows = {
        "a small code": line(product_id="m"),
        "a code that goes on": line(product_id="test001"),
        "more than the pattern": line(product_id="M1"),
        "a built-in pattern, replaced by the list given": line(product_id="POSTAGE"),
        "an order": line(order_id="a17"),
        "another order": line(order_id="BA17"),
        "a made-up order number, which is no order's": line(order_id=None, customer_id="Anna"),
    }
    rules = ["non_product", "non_product", None, None, "excluded_order", None, None]
    assert rules_of(list(rows.values()), **settings) == rules, list(rows)


DIRTY = {
    "exact_repeats": line(),
    "future_date": line(ordered_at=datetime(2099, 1, 1)),
    "bad_quantity": line(amount=9.0, quantity=INFINITY),
    "non_product": line(product_id="POSTAGE"),
    "bad_price": line(unit_price=0.0),
}


def test_rules_that_are_off_take_nothing() -> None:
    assert rules_of([line(), *DIRTY.values()]) == [None, *DIRTY]
    off: dict[str, Any] = dict.fromkeys(DIRTY, False)
    result = cleaned(line(), *DIRTY.values(), **off)
    assert result.taken.count().to_pyarrow().as_py() == 0
    assert result.ledger.switched_off == tuple(DIRTY)
    assert result.ledger.kept.lines == 7
    assert not result.lines.quantity.isinf().any().to_pyarrow().as_py(), "an impossible quantity counts as unknown"


def test_every_rule_is_a_switch_of_the_configuration_and_every_switch_a_rule() -> None:
    switches = [name for name, field in CleaningConfig.model_fields.items() if field.annotation is bool]
    of_cards = ["same_name"]
    assert [rule.name for rule in RULES] == [name for name in switches if name not in of_cards]


def test_empty_cells_are_computed_or_unknown() -> None:
    result = cleaned(
        line(order_id="1"),
        line(order_id="2", amount=9.5, cost=4.0),
        line(order_id="3", cost=4.0, margin=5.0),
        line(order_id="4", discount=INFINITY),
        line(order_id="5", margin=1e300),
        line(order_id="6", cost=NOT_A_NUMBER),
    )
    rows = result.lines.order_by("order_id").to_pyarrow().to_pylist()[:6]
    assert [row["amount"] for row in rows] == [10.0, 9.5, 10.0, 10.0, 10.0, 10.0], "else quantity × unit price"
    assert [row["margin"] for row in rows] == [None, 5.5, 5.0, None, None, None], "else amount − cost"
    assert {row["discount"] for row in rows} == {None}
    assert result.ledger["margin_computed"].tally == Tally(lines=1, customers=1, amount=Decimal("9.5"))
    assert result.ledger["number_unknown"].tally.lines == 3


def test_without_an_order_number_a_day_of_a_customer_is_one_order() -> None:
    result = cleaned(
        line(order_id=None),
        line(order_id=" ", product_id="Y", ordered_at=datetime(2024, 5, 1, 18)),
        line(order_id="nan", ordered_at=datetime(2024, 5, 2)),
    )
    orders = sorted(row["order_id"] for row in result.lines.to_pyarrow().to_pylist())
    assert orders == ["a|2024-05-01", "a|2024-05-01", "a|2024-05-02", "z"]
    row = result.ledger["order_id_made_up"]
    assert (row.tally.lines, row.items) == (3, 2)


def test_spellings_are_merged_and_regions_kept_and_both_counted() -> None:
    result = cleaned(
        line(product_id="79323w", region="North"),
        line(product_id=" 79323W\u00a0", region="South"),
        line(product_id="79323W", customer_id=" b ", region="North"),
    )
    rows = result.lines.order_by("customer_id", "region").to_pyarrow().to_pylist()
    assert [row["product_id"] for row in rows] == ["79323W", "79323W", "ANCHOR", "79323W"]
    assert [row["customer_id"] for row in rows] == ["a", "a", "anchor", "b"]
    assert [row["region"] for row in rows] == ["North", "South", None, "North"]
    codes, ids, regions = (
        result.ledger[rule] for rule in ("product_code_spelling", "customer_id_blanks", "several_regions")
    )
    assert (codes.tally.lines, codes.items) == (2, 2)
    assert (ids.tally.lines, ids.items) == (1, 1)
    assert (regions.tally, regions.items) == (Tally(lines=2, customers=1, amount=Decimal(20)), 1)


def test_order_lines_have_the_columns_and_types_of_the_schema() -> None:
    types = {"text": "string", "number": "float64", "time": "timestamp(6)"}
    assert {name: str(dtype) for name, dtype in cleaned().lines.schema().items()} == {
        column.name: types[column.kind] for column in ORDER_LINES.columns
    }
