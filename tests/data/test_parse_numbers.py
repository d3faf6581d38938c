"""Numbers as people write them."""

import random
from typing import Any

import ibis
import pyarrow as pa
import pytest

from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.parse_numbers import Decimal, number
from segml.data.read import read_table
from segml.schema import Column, DataError, TableSchema

BACKEND = connect(threads=1)
MONEY = TableSchema("prices", (Column("amount", "number", "money"),))
NBSP, NARROW, THIN = "\u00a0", "\u202f", "\u2009"


def numbers(texts: list[str], decimal: Decimal) -> list[float | None]:
    table = BACKEND.create_table(
        ibis.util.gen_name("t"), obj=pa.table({"text": pa.array(texts, pa.string())}), temp=True
    )
    return [row["x"] for row in table.select(x=number(table.text, decimal)).to_pyarrow().to_pylist()]


def read(texts: list[str | None], **format: Any) -> tuple[list[float | None], list[bool]]:
    frame = pa.table({"amount": pa.array(texts, pa.string())})
    rows = read_table(frame, MONEY, {}, FormatConfig(**format), BACKEND).to_pyarrow()
    return rows.column("amount").to_pylist(), rows.column("amount__unparsable").to_pylist()


WITH_POINT = {
    "5": 5,
    "-5.25": -5.25,
    "+5.25": 5.25,
    "007": 7,
    ".5": 0.5,
    "1,234.50": 1234.5,
    "1,234,567": 1234567,
    "1 234.50": 1234.5,
    f"1{NBSP}234{NBSP}567.5": 1234567.5,
    f"1{NARROW}234.5": 1234.5,
    f"1{THIN}234.5": 1234.5,
    "1'234.50": 1234.5,
    "1’234.50": 1234.5,
    "$1,234.50": 1234.5,
    "-$5": -5,
    "$-5": -5,
    "$ - 5": -5,
    "US$ 5": 5,
    "USD 5.5": 5.5,
    "5.5 EUR": 5.5,
    "€5.5": 5.5,
    "£5": 5,
    "Rs. 500": 500,
    f"1 234.50{NBSP}₽": 1234.5,
    "1 234.50 руб.": 1234.5,
    "100 р.": 100,
    "6 шт": 6,
    "5-": -5,
    "5.50 -": -5.5,
    "5- USD": -5,
    "5 USD-": -5,
    "−5": -5,
    "–5": -5,
    "(1,234.50)": -1234.5,
    "($5)": -5,
    "$(5)": -5,
    "(5) EUR": -5,
    "1.5e3": 1500,
    "125e-1": 12.5,
    "1E5": 100000,
    "0.1": 0.1,
}
WITH_COMMA = {
    "1234,5": 1234.5,
    "1 234,5": 1234.5,
    "1.234,5": 1234.5,
    "1.234.567": 1234567,
    "1.234": 1234,
    "1,234": 1.234,
    "-0,05": -0.05,
    ",5": 0.5,
    "(1 234,50 ₽)": -1234.5,
    "1234,50-": -1234.5,
    "125e-1": 12.5,
}
NOT_NUMBERS = [
    *("abc", "-", "()", ".", "1.2.3", "12.05.2020", "1 2", "12 34", "1,23,456", "1,2345", "1 234,567", "0,123.5"),
    *("5 (1)", "(5", "5)", "--5", "-(5)", "-5-", "5,-", "5.-", "5%", "1/2", "10-12", "inf", "NaN"),
    *("100 руб. 50 коп.", "1,2 5", "0x1F", "1_000"),
    # a multiplier is not a currency
    *("1.2k", "1.2 K", "3 млн", "3 млн руб.", "1.5M", "$1.5bn", "12 тыс.", "12 т.р.", "2 тр", "5 mln zł"),
]


def test_numbers_with_a_decimal_point_are_read() -> None:
    assert dict(zip(WITH_POINT, numbers(list(WITH_POINT), "."), strict=True)) == WITH_POINT


def test_numbers_with_a_decimal_comma_are_read() -> None:
    assert dict(zip(WITH_COMMA, numbers(list(WITH_COMMA), ","), strict=True)) == WITH_COMMA


def test_what_is_not_certainly_a_number_is_none() -> None:
    assert dict(zip(NOT_NUMBERS, numbers(NOT_NUMBERS, "."), strict=True)) == dict.fromkeys(NOT_NUMBERS)


def test_units_that_begin_like_a_multiplier_are_units() -> None:
    assert numbers(["5 kg", "5 м", "5 mm", "5 бут"], ".") == [5, 5, 5, 5]


def spellings(value: float, decimal: str, random_: random.Random) -> str:
    size = f"{abs(value):.2f}" if random_.random() < 0.8 else f"{abs(value):.4f}"
    whole, _, fraction = size.partition(".")
    group = random_.choice(["", " ", NBSP, NARROW, THIN, "'", "." if decimal == "," else ","])
    digits = f"{int(whole):,}".replace(",", group) + decimal + fraction
    unit = random_.choice(["", "$", "€", "₽", "руб.", "RUB ", " USD"])
    minus = random_.choice(["-", "−", "()", "end"]) if value < 0 else ""
    signed = {"": digits, "()": f"({digits})", "end": f"{digits}-"}.get(minus, f"{minus}{digits}")
    return random_.choice([f"{unit}{signed}", f"{signed} {unit}", f" {signed}{unit}{NBSP}"])


@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_survive_the_round_trip_through_many_spellings(decimal: Decimal) -> None:
    random_ = random.Random(7)
    values = [round(random_.choice([-1, 1]) * 10 ** random_.uniform(-2, 8), 2) for _ in range(3000)]
    texts = [spellings(value, decimal, random_) for value in values]
    assert numbers(texts, decimal) == values
    assert read(list(texts))[0] == values  # the mark is found out from the values


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234.5", "7"], [1234.5, 7]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1,5", "1,234"], [1.5, 1.234]),
        (["1.5", "1,234"], [1.5, 1234]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["0,125", "1,250"], [0.125, 1.25]),
        (["1 234,567", "1,250"], [1234.567, 1.25]),
        (["1234,567", "1,250"], [1234.567, 1.25]),
        (["(12,5)", "1,250"], [-12.5, 1.25]),
        (["1 000", "2"], [1000, 2]),
    ],
)
def test_the_decimal_mark_is_found_out_where_values_prove_it(texts: list[str | None], values: list[float]) -> None:
    assert read(texts) == (values, [False] * len(values))


def test_values_that_could_be_read_two_ways_are_an_error() -> None:
    message = r"prices in the given table: column 'amount': the mark in '1,234' may be .* set data\.format\.decimal to"
    with pytest.raises(DataError, match=message):
        read(["1,234", "5", "2,500"])


def test_values_that_contradict_each_other_are_an_error() -> None:
    message = r"a decimal point in '1\.5' and a decimal comma in '2,5'; set data\.format\.decimal to the right one"
    with pytest.raises(DataError, match=message):
        read(["1.5", "2,5"])


def test_the_configured_decimal_mark_decides() -> None:
    assert read(["1,234", "5"], decimal=",") == ([1.234, 5], [False, False])
    assert read(["1,234", "5"], decimal=".") == ([1234, 5], [False, False])
    assert read(["1.5", "2,5"], decimal=",") == ([None, 2.5], [True, False])


def test_unreadable_is_told_from_missing() -> None:
    values, marks = read(["1", None, "", f" {NBSP} ", "n/a", "NULL", "-", "oops"])
    assert values == [1] + [None] * 7
    assert marks == [False] * 7 + [True]


def test_some_numbers_among_many_words_are_for_cleaning_to_judge() -> None:
    assert read(["1", "oops", "nope", "5%"]) == ([1, None, None, None], [False, True, True, True])


def test_a_column_of_words_is_an_error() -> None:
    message = (
        r"column 'amount': none of its 3 values can be read, as 'abc' and 'xyz'; expected numbers, such as 1234\.5"
    )
    with pytest.raises(DataError, match=message):
        read(["abc", "xyz", "kkk", None])
    with pytest.raises(DataError, match=r"none of its 1 values.*with data\.format\.decimal ','"):
        read(["1.5"], decimal=",")


def test_a_column_without_any_value_is_not_an_error() -> None:
    assert read([None, ""]) == ([None, None], [False, False])
