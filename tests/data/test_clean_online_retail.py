"""The ledger of a real wholesaler's log against plain counts: every figure of docs/online_retail_ii.md."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from segml.config import CleaningConfig, load
from segml.data.clean import Cleaned, clean
from segml.data.engine import connect

CONFIG = Path(__file__).parents[2] / "configs" / "online_retail_ii.yaml"
SHEETS_APART = "FROM log WHERE NOT (sheet = 'Year 2009-2010' AND InvoiceDate >= '2010-12-01')"
NO_GOODS = "POST|DOT|C[23]|M|D|S|B|ADJUST[0-9]*|BANK CHARGES|AMAZONFEE|CRUK|TEST[0-9]+|GIFT(_[0-9]+_[0-9]+)?"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backend(shared_data: Path) -> Any:
    backend = connect()
    backend.read_parquet(shared_data / "online_retail_ii.parquet", table_name="log")
    return backend


@pytest.fixture(scope="module")
def settings() -> CleaningConfig:
    return load(CONFIG).data.cleaning


def run(backend: Any, settings: CleaningConfig) -> Cleaned:
    log = backend.table("log")
    lines = log.select(
        customer_id=log["Customer ID"].cast("string"),
        order_id=log.Invoice,
        ordered_at=log.InvoiceDate,
        product_id=log.StockCode.strip(),
        quantity=log.Quantity,
        unit_price=log.Price,
        region=log.Country,
    )
    return clean(lines, settings, today=date(2012, 1, 1))


@pytest.fixture(scope="module")
def cleaned(backend: Any, settings: CleaningConfig) -> Cleaned:
    return run(backend, settings)


@pytest.fixture(scope="module")
def count(backend: Any) -> Callable[[str], tuple[Any, ...]]:
    """Return the first row of a query over the raw log."""
    return lambda query: tuple(backend.con.execute(query).fetchone())


def purchases(cleaned: Cleaned) -> tuple[int, int, int, float]:
    """Return lines, customers, orders and revenue of the purchases that stand."""
    bought = cleaned.lines.filter((cleaned.lines.amount > 0) & cleaned.lines.cancelled_at.isnull())
    row = bought.aggregate(
        lines=bought.count(),
        customers=bought.customer_id.nunique(),
        orders=bought.order_id.nunique(),
        revenue=bought.amount.cast("decimal(38,6)").sum(),
    )
    figures = row.to_pyarrow().to_pylist()[0]
    return figures["lines"], figures["customers"], figures["orders"], round(float(figures["revenue"]), 2)


def test_the_ledger(cleaned: Cleaned) -> None:
    rows = {row.rule: row.tally for row in cleaned.ledger.rows if row.kind != "corrected" and row.tally.lines}
    assert {rule: (tally.lines, tally.customers, round(float(tally.amount), 2)) for rule, tally in rows.items()} == {
        "in": (1_067_370, 5_942, 19_287_232.57),
        "exact_repeats": (34_337, 1_945, 432_268.72),
        "missing_customer": (235_151, 0, 2_565_542.41),
        "non_product": (3_640, 1_119, -68_619.42),
        "bad_price": (61, 43, 0.0),
        "cancellations": (12_454, 1_506, 55_582.66),
        "kept": (781_727, 5_862, 16_302_458.20),
    }
    assert cleaned.ledger.reconciles
    assert cleaned.ledger.came_in.lines == cleaned.ledger.kept.lines + cleaned.taken.count().to_pyarrow().as_py()


def test_purchases_and_returns_that_stand(cleaned: Cleaned) -> None:
    assert purchases(cleaned) == (770_367, 5_839, 36_324, 16_459_727.94)
    assert cleaned.ledger.kept.lines - 770_367 == 11_360


def test_repeats(count: Callable[[str], tuple[Any, ...]], cleaned: Cleaned) -> None:
    columns = 'Invoice, StockCode, Quantity, InvoiceDate, Price, "Customer ID", Country'
    distinct = "SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {} {source})) {source}"
    assert count(distinct.format(f"{columns}, Description", source="FROM log")) == (34_335,)
    assert count(distinct.format(f"{columns}, Description", source=SHEETS_APART)) == (11_812,)
    assert count(distinct.format(columns, source="FROM log")) == (cleaned.ledger["exact_repeats"].tally.lines,)


def test_missing_customers(count: Callable[[str], tuple[Any, ...]]) -> None:
    nobody = '"Customer ID" IS NULL'
    lines, money = count(
        f"SELECT count(*) FILTER ({nobody}) / count(*), "
        f"sum(Quantity * Price) FILTER ({nobody}) / sum(Quantity * Price) {SHEETS_APART}"
    )
    assert (round(lines, 3), round(money, 3)) == (0.225, 0.136)


def test_cancellations_prices_and_codes(count: Callable[[str], tuple[Any, ...]]) -> None:
    negative = "Quantity < 0 AND Invoice NOT LIKE 'C%'"
    odd_code = "NOT regexp_matches(StockCode, '^[0-9]{5}')"
    is_goods = f"NOT regexp_full_match(upper(StockCode), '{NO_GOODS}')"
    conditions = ("Invoice LIKE 'C%'", negative, "Price = 0", "Price < 0", odd_code, f"{odd_code} AND {is_goods}")
    filters = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    assert count(f"SELECT {filters} {SHEETS_APART}") == (19_165, 3_393, 6_024, 5, 5_991, 179)
    owned = '"Customer ID" IS NOT NULL'
    assert count(f"SELECT count(*) FROM log WHERE {owned} AND (({negative}) OR Invoice LIKE 'A%')") == (0,)


def test_spellings_and_countries(cleaned: Cleaned) -> None:
    assert cleaned.ledger["product_code_spelling"].items == 173
    assert cleaned.ledger["several_regions"].items == 13


def test_without_netting_the_purchases_are_those_of_a_plain_count(
    backend: Any, settings: CleaningConfig, count: Callable[[str], tuple[Any, ...]]
) -> None:
    without = run(backend, settings.model_copy(update={"cancellations": False}))
    assert purchases(without) == (776_594, 5_852, 36_594, 17_068_030.89)
    assert count(
        f"""SELECT count(*), count(DISTINCT "Customer ID"), count(DISTINCT Invoice), round(sum(Quantity * Price), 2)
        {SHEETS_APART} AND "Customer ID" IS NOT NULL AND Quantity > 0 AND Price > 0
        AND NOT regexp_full_match(upper(StockCode), '{NO_GOODS}')"""
    ) == (788_206, 5_852, 36_594, 17_124_941.00)


def test_bought_and_cancelled_within_minutes_makes_no_key_account(cleaned: Cleaned) -> None:
    lines = cleaned.lines.filter(cleaned.lines.customer_id.isin(["12346", "16446"]))
    undone = lines.filter(lines.cancelled_at.notnull()).order_by("amount").to_pyarrow().to_pylist()
    assert [(row["customer_id"], row["amount"]) for row in undone[-2:]] == [("12346", 77_183.6), ("16446", 168_469.6)]
    assert all((row["cancelled_at"] - row["ordered_at"]).total_seconds() < 20 * 60 for row in undone[-2:])
    assert lines.amount.sum(where=lines.cancelled_at.isnull()).to_pyarrow().as_py() < 1_000


def test_pairs_differ_in_price_seldom_and_lie_days_apart(cleaned: Cleaned) -> None:
    lines = cleaned.lines
    assert lines.cancelled_at.count().to_pyarrow().as_py() == cleaned.ledger["cancellations"].items == 6_227
    days = (lines.cancelled_at.epoch_seconds() - lines.ordered_at.epoch_seconds()) / 86_400
    assert days.median().to_pyarrow().as_py() == pytest.approx(10.0, abs=1.0)
    assert (days > 90).mean().to_pyarrow().as_py() == pytest.approx(0.106, abs=0.001)
