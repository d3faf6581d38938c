"""Money of several currencies: refused, or converted by the rate of each line; and the ledger in one money."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from engines import engine
from segml.cli import EXIT_INPUT
from segml.config import CleaningConfig, from_mapping
from segml.data import Cleaned, __main__, clean, connect, read_transactions, to_table
from segml.data.ledger import Tally
from segml.schema import DataError

__all__ = ["engine"]


TODAY = date(2024, 6, 30)
GOOD = {"customer_id": "a", "ordered_at": datetime(2024, 5, 1), "product_id": "X", "quantity": 4.0, "amount": 100.0}
TYPES = {
    "customer_id": pa.string(),
    "ordered_at": pa.timestamp("us"),
    "product_id": pa.string(),
    **dict.fromkeys(("quantity", "unit_price", "amount", "margin", "cost", "discount", "discount_rate"), pa.float64()),
    "order_id": pa.string(),
    "currency": pa.string(),
    "exchange_rate": pa.float64(),
    "exchange_rate__unparsable": pa.bool_(),
}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Return lines of orders 0, 1, …; a column is there where a row names it."""
    lines = [GOOD | {"order_id": str(number)} | row for number, row in enumerate(rows)]
    names = [name for name in TYPES if any(name in line for line in lines)]
    return pa.table({name: pa.array([line.get(name) for line in lines], TYPES[name]) for name in names})


def cleaned(*rows: dict[str, Any], **settings: Any) -> Cleaned:
    return clean(table(*rows), CleaningConfig(**settings), today=TODAY)


def column(result: Cleaned, name: str) -> dict[str, Any]:
    """Return a column of the order lines by order number."""
    return {row["order_id"]: row[name] for row in result.lines.to_pyarrow().to_pylist()}


def rules(result: Cleaned) -> dict[int, str]:
    return {row["line_number"]: row["rule"] for row in result.taken.to_pyarrow().to_pylist()}


# --- without rates


@pytest.mark.parametrize(
    "spellings", [("EUR", "eur", " EUR ", "Eur\u00a0"), ("643", "643"), ("€", None, "", "n/a"), (None, None)]
)
def test_one_currency_passes_unchanged_however_it_is_spelt(spellings: tuple[str | None, ...]) -> None:
    result = cleaned(*({"currency": spelling, "margin": 30.0, "discount": 5.0} for spelling in spellings))
    for name, value in {"amount": 100.0, "margin": 30.0, "discount": 5.0}.items():
        assert set(column(result, name).values()) == {value}
    assert result.ledger.kept.amount == result.ledger.came_in.amount == 100 * len(spellings)
    assert result.ledger["currency_converted"].tally.lines == 0


def test_several_currencies_are_refused_with_what_was_found_and_how_to_mend_it() -> None:
    rows: list[dict[str, Any]] = [
        {"currency": "EUR"},
        {"currency": "USD", "amount": 1234.5},
        {"currency": "eur"},
        {"currency": None},
    ]
    words = (
        r"transactions hold 2 currencies: EUR \(lines: 2, money: 200\.00\), none \(lines: 1, money: 100\.00\), "
        r"USD \(lines: 1, money: 1,234\.50\); .* under data\.columns\.exchange_rate, or leave only the lines of one"
    )
    with pytest.raises(DataError, match=words):
        cleaned(*rows)


def test_of_many_currencies_the_most_frequent_are_named() -> None:
    rows = [{"currency": f"C{number:02}"} for number in range(13)]
    with pytest.raises(DataError, match=r"hold 13 currencies: C00 .*, C09 \(lines: 1, money: 100.00\) and 3 more;"):
        cleaned(*rows)


def test_only_lines_that_count_make_several_currencies_and_money_of_others_is_not_added_up() -> None:
    result = cleaned(
        {"currency": "EUR", "amount": 70.0},
        {"currency": "USD", "amount": 900.0, "customer_id": None},
        {"currency": "EUR", "amount": 30.0, "customer_id": None},
        {"currency": "GBP", "amount": 5.0, "product_id": "POSTAGE"},
    )
    ledger = result.ledger
    assert ledger.came_in == Tally(lines=4, amount=Decimal(100), lines_amount_unknown=2)
    assert ledger["missing_customer"].tally == Tally(lines=2, amount=Decimal(30), lines_amount_unknown=1)
    assert ledger["non_product"].tally == Tally(lines=1, customers=1, amount=Decimal(0), lines_amount_unknown=1)
    assert ledger.kept.amount == 70


def test_lines_without_a_currency_count_as_the_others_and_this_is_counted_and_told() -> None:
    result = cleaned({"currency": "EUR"}, {"currency": None, "amount": 5.0}, {"currency": " ", "amount": 6.0})
    assert result.ledger["currency_unknown"].tally == Tally(lines=2, customers=1, amount=Decimal(11))
    assert "2 lines have no currency and count as EUR" in result.notices
    assert result.ledger.kept.amount == 111
    assert cleaned({"currency": None}, {"currency": ""}).notices == (), "of no currency at all nothing is to be said"


# --- with rates


def test_all_money_of_a_line_is_converted_and_nothing_else() -> None:
    money = {"unit_price": 25.0, "cost": 60.0, "discount": 8.0}
    result = cleaned(
        {"currency": "USD", "exchange_rate": 0.5, **money}, {"currency": "EUR", "exchange_rate": 1.0, **money}
    )
    assert column(result, "amount") == {"0": 50.0, "1": 100.0}
    assert column(result, "margin") == {"0": 20.0, "1": 40.0}
    assert column(result, "discount") == {"0": 4.0, "1": 8.0}
    assert column(result, "quantity") == {"0": 4.0, "1": 4.0}
    assert result.ledger["currency_converted"].tally == Tally(lines=1, customers=1, amount=Decimal(50))
    assert result.ledger["currency_converted"].items == 1
    assert result.ledger.kept.amount == result.ledger.came_in.amount == 150


def test_computed_money_is_converted_once() -> None:
    priced = {"amount": None, "unit_price": 25.0, "discount_rate": 0.2}
    result = cleaned({"exchange_rate": 2.0, **priced}, {"exchange_rate": 2.0, **priced, "margin": 10.0})
    assert column(result, "amount") == {"0": 160.0, "1": 160.0}
    assert column(result, "discount") == {"0": 40.0, "1": 40.0}
    assert column(result, "margin") == {"0": None, "1": 20.0}


def test_a_given_margin_and_a_return_are_converted_too() -> None:
    result = cleaned({"exchange_rate": 90.5, "margin": 10.0, "amount": -20.0, "quantity": -1.0}, {"exchange_rate": 1.0})
    assert column(result, "margin")["0"] == 905.0
    assert column(result, "amount")["0"] == -1810.0


BAD_RATES = (None, 0.0, -0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e16)


def test_a_line_without_a_usable_rate_is_taken_and_its_money_is_unknown() -> None:
    bad = [{"exchange_rate": rate, "amount": 7.0, "cost": 3.0} for rate in BAD_RATES]
    result = cleaned({"exchange_rate": 1.0}, *bad, {"exchange_rate": None, "exchange_rate__unparsable": True})
    assert rules(result) == dict.fromkeys(range(2, 11), "bad_exchange_rate")
    assert result.ledger["bad_exchange_rate"].tally == Tally(lines=9, customers=1, lines_amount_unknown=9)
    assert result.ledger.came_in == Tally(lines=10, amount=Decimal(100), lines_amount_unknown=9)


def test_the_currency_does_not_stand_in_for_a_rate() -> None:
    """The company's own currency is nowhere said, so its lines need the rate 1 like all others."""
    rows: list[dict[str, Any]] = [{"currency": "EUR", "exchange_rate": None}, {"currency": "EUR", "exchange_rate": 1.0}]
    assert rules(cleaned(*rows)) == {1: "bad_exchange_rate"}


def test_a_line_without_a_currency_but_with_a_rate_is_converted() -> None:
    result = cleaned({"currency": None, "exchange_rate": 3.0}, {"currency": "EUR", "exchange_rate": 1.0})
    assert column(result, "amount") == {"0": 300.0, "1": 100.0}
    assert result.ledger["currency_unknown"].tally.lines == 0


def test_with_the_rule_off_the_lines_fall_to_the_rule_of_amounts_or_are_refused() -> None:
    rows = [{"exchange_rate": 1.0}, {"exchange_rate": 0.0}]
    with pytest.raises(DataError, match=r"1 transactions cannot be used \(the exchange rate is empty.*is off"):
        cleaned(*rows, bad_exchange_rate=False, bad_amount=False)
    assert rules(cleaned(*rows, bad_exchange_rate=False)) == {2: "bad_amount"}


def test_the_largest_amount_is_the_companys_money() -> None:
    result = cleaned(
        {"amount": 2e6, "exchange_rate": 5e-5},
        {"amount": 900.0, "exchange_rate": 2.0},
        {"amount": 1e15, "exchange_rate": 1e15},
        largest_amount=1000.0,
    )
    assert column(result, "amount") == {"0": pytest.approx(100.0)}
    assert rules(result) == {2: "bad_amount", 3: "bad_amount"}


def test_a_margin_too_large_once_converted_is_unknown_and_counted() -> None:
    result = cleaned({"margin": 1e14, "amount": 1.0, "exchange_rate": 100.0}, {"margin": 1e14, "exchange_rate": 1.0})
    assert column(result, "margin") == {"0": None, "1": 1e14}
    assert result.ledger["number_unknown"].tally.lines == 1


def test_the_rates_are_told_so_that_the_wrong_way_round_is_seen() -> None:
    rates = [("USD", 0.95), ("usd", 0.85), ("EUR", 1.0), ("JPY", 0.0062)]
    [told] = cleaned(*({"currency": currency, "exchange_rate": rate} for currency, rate in rates)).notices
    assert "multiplied by exchange_rate (EUR 1, JPY 0.0062, USD 0.85–0.95); check that it is the price of one" in told


def test_a_rate_without_a_currency_is_applied_and_told() -> None:
    result = cleaned({"exchange_rate": 2.0}, {"exchange_rate": 3.0})
    assert column(result, "amount") == {"0": 200.0, "1": 300.0}
    [told] = result.notices
    assert told.startswith("all money was multiplied by exchange_rate (2–3), though no currency is given")


def test_rates_of_one_change_and_tell_nothing() -> None:
    result = cleaned({"exchange_rate": 1.0, "amount": 0.1 + 0.2}, {"exchange_rate": 1.0, "currency": "EUR"})
    assert result.notices == ()
    assert column(result, "amount")["0"] == 0.1 + 0.2


def test_lines_that_differ_only_in_currency_or_rate_are_no_repeats() -> None:
    same = {"order_id": "1", "exchange_rate": 1.0, "currency": "EUR"}
    assert rules(cleaned(same, same | {"currency": "CHF"}, same | {"exchange_rate": 1.5}, same)) == {4: "exact_repeats"}


def test_money_that_stands_in_for_units_cancels_in_its_own_currency() -> None:
    may, june = datetime(2024, 5, 1), datetime(2024, 6, 1)
    unnamed = {"product_id": None, "quantity": None}
    result = cleaned(
        {"currency": "USD", "exchange_rate": 0.9, "amount": 33.3, "ordered_at": may, **unnamed},
        {"currency": "EUR", "exchange_rate": 1.0, "amount": 33.3, "ordered_at": may, **unnamed},
        {"currency": "USD", "exchange_rate": 0.8, "amount": -33.3, "ordered_at": june, **unnamed},
        {"currency": "CHF", "exchange_rate": 1.1, "amount": -33.3, "ordered_at": june, **unnamed},
    )
    assert rules(result) == {1: "cancellations", 3: "cancellations"}
    assert result.ledger["cancellations"].tally.amount == Decimal("3.33")
    assert result.ledger.came_in.amount == Decimal("29.97") + Decimal("33.3") - Decimal("26.64") - Decimal("36.63")


def test_units_of_a_product_cancel_whatever_the_currency() -> None:
    result = cleaned(
        {"currency": "USD", "exchange_rate": 0.9},
        {"currency": "EUR", "exchange_rate": 1.0, "quantity": -4.0, "amount": -90.0},
        {"currency": "EUR", "exchange_rate": 1.0, "product_id": "Y"},
    )
    assert rules(result) == {1: "cancellations", 2: "cancellations"}


def test_converted_money_adds_up_to_the_cent_to_what_decimals_give() -> None:
    amounts = [0.01 * (7919 * number % 1_000_003) for number in range(1, 3000)]
    rates = [0.0001 * (104_729 * number % 999_983 + 1) for number in range(1, 3000)]
    rows = [{"amount": round(a, 2), "exchange_rate": round(r, 4)} for a, r in zip(amounts, rates, strict=True)]
    result = cleaned(*rows)
    exact = sum(Decimal(f"{row['amount']:.2f}") * Decimal(f"{row['exchange_rate']:.4f}") for row in rows)
    assert result.ledger.kept.amount == exact


# --- on every engine


def test_currencies_are_converted_and_counted_alike_on_every_engine(engine: Any) -> None:
    unnamed = {"product_id": None, "quantity": None}
    log = table(
        {"currency": " usd ", "exchange_rate": 0.9, "unit_price": 25.0, "cost": 60.0, "discount": 8.0},
        {"currency": "EUR", "exchange_rate": 1.0, "amount": None, "unit_price": 12.34, "discount_rate": 0.25},
        {"currency": None, "exchange_rate": 2.0},
        *({"currency": "USD", "exchange_rate": rate} for rate in (None, 0.0, -1.0, float("nan"), float("inf"), 1e16)),
        {"currency": "USD", "exchange_rate": 0.9, "amount": 33.3, **unnamed},
        {"currency": "USD", "exchange_rate": 0.8, "amount": -33.3, "ordered_at": datetime(2024, 6, 1), **unnamed},
        {"currency": "JPY", "exchange_rate": 0.0062, "amount": 1e13},
        {"currency": "JPY", "exchange_rate": 100.0, "amount": 1e13, "margin": 1e14},
    )
    wanted = clean(log, CleaningConfig(), today=TODAY)
    found = clean(to_table(log, engine), CleaningConfig(), today=TODAY)
    assert found.ledger == wanted.ledger
    assert found.notices == wanted.notices
    assert_frame_equal(frame(found), frame(wanted), check_dtype=False, rtol=1e-12)
    assert wanted.ledger["bad_exchange_rate"].tally.lines == 6
    assert wanted.ledger["bad_amount"].tally.lines == 1


def test_several_currencies_are_refused_on_every_engine(engine: Any) -> None:
    log = table({"currency": "EUR"}, {"currency": "eur "}, {"currency": "USD"}, {"currency": None})
    with pytest.raises(DataError, match=r"2 currencies: EUR \(lines: 2, money: 200\.00\), none \(lines: 1, .*, USD \("):
        clean(to_table(log, engine), CleaningConfig(), today=TODAY)


def frame(result: Cleaned) -> pd.DataFrame:
    rows: pd.DataFrame = result.lines.to_pyarrow().to_pandas()
    return rows.sort_values("order_id").reset_index(drop=True)


# --- from files, by the configuration, at the command line


ORDERS = 'Who,When,Sum,Cur,Rate\n7,2024-01-01,"1 000,50",usd,"0,9"\n7,2024-02-01,200,EUR,1\n8,2024-02-02,10,GBP,\n'
COLUMNS = {"customer_id": "Who", "ordered_at": "When", "amount": "Sum", "currency": "Cur"}


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS)
    return path


def test_mapped_columns_of_a_file_are_read_and_applied(orders: Path) -> None:
    config = from_mapping({"data": {"columns": COLUMNS | {"exchange_rate": "Rate"}}})
    result = clean(read_transactions(orders, config.data, connect()), config.data.cleaning, today=TODAY)
    assert result.ledger.kept.amount == Decimal("1100.45")
    assert result.ledger["bad_exchange_rate"].tally.lines == 1


def test_the_command_refuses_several_currencies(orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [f"data.transactions={orders}", *(f"data.columns.{name}={source}" for name, source in COLUMNS.items())]
    arguments = ["check", *(part for setting in settings for part in ("--set", setting))]
    assert __main__.main(arguments) == EXIT_INPUT
    told = capsys.readouterr()
    assert "transactions hold 3 currencies: EUR (lines: 1" in told.err
    assert "Traceback" not in told.err
    assert __main__.main([*arguments, "--set", "data.columns.exchange_rate=Rate"]) == 0
    assert "bad_exchange_rate" in capsys.readouterr().out


def test_a_currency_column_with_numbers_or_without_values_is_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": ["7", "8"], "ordered_at": ["2024-01-01"] * 2, "amount": [1.0, 2.0]})
    several: list[list[Any]] = [[643, 643], [None, None], [643.0, None]]
    for values in several:
        config = from_mapping({"data": {}})
        table = read_transactions(frame.assign(currency=pd.Series(values)), config.data, connect())
        assert clean(table, config.data.cleaning, today=TODAY).ledger.kept.amount == 3
