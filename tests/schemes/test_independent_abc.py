"""ABC on real and well-known data sets, against two computations that share no line with it."""

from collections.abc import Callable, Iterable
from datetime import date
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from segml import config, features, pipeline
from segml.data import connect, load_tables
from segml.schemes import Abc, abc_classes

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
CENT_OF_A_CENT = 10_000
"""Money is compared in whole ten-thousandths, so that both sides add the same numbers."""


Read = Callable[[Path], pd.DataFrame]


def lines(folder: Path, name: str, customer: str, moment: str, amount: str) -> pd.DataFrame:
    """Return customer, moment and money of each line, with names of our own."""
    if not (folder / f"{name}.parquet").is_file():
        pytest.skip(f"{name}.parquet is not there")
    raw = pd.read_parquet(folder / f"{name}.parquet").dropna(subset=[customer])
    return pd.DataFrame({"customer": raw[customer].astype("str"), "moment": raw[moment], "money": raw.eval(amount)})


def online_retail_ii(folder: Path) -> pd.DataFrame:
    """Sales of the wholesaler, lines with a customer, without returns."""
    sold = lines(folder, "online_retail_ii", "Customer ID", "InvoiceDate", "Quantity * Price")
    return sold[sold["money"] > 0]


def adventureworks(folder: Path) -> pd.DataFrame:
    """Sales to resellers."""
    return lines(folder, "adventureworks_reseller", "ResellerKey", "OrderDate", "SalesAmount")


def northwind(folder: Path) -> pd.DataFrame:
    """Sales net of discount."""
    return lines(folder, "northwind", "CustomerID", "OrderDate", "UnitPrice * Quantity * (1 - Discount)")


def whole(revenue: Iterable[float]) -> list[int]:
    """Return money in whole ten-thousandths."""
    return [round(amount * CENT_OF_A_CENT) for amount in revenue]


def by_a_loop(money: list[int], a_share: Fraction, b_share: Fraction) -> list[str]:
    """Walk down the distinct amounts with exact numbers."""
    total, before = sum(money), 0
    class_of: dict[int, str] = {}
    for amount in sorted(set(money), reverse=True):
        class_of[amount] = "A" if before < a_share * total else "B" if before < b_share * total else "C"
        before += amount * money.count(amount)
    return [class_of[amount] for amount in money]


def by_sql(money: list[int], a_share: Fraction, b_share: Fraction) -> list[str]:
    """Ask DuckDB for the money of strictly larger customers."""
    customers = pd.DataFrame({"place": range(len(money)), "money": money})
    query = """
        WITH ranked AS (
            SELECT
                place,
                sum(money) OVER (ORDER BY money DESC RANGE UNBOUNDED PRECEDING)
                    - money * count(*) OVER (PARTITION BY money) AS before,
                sum(money) OVER () AS total
            FROM customers
        )
        SELECT CASE
            WHEN before * $a_parts < $a_of * total THEN 'A'
            WHEN before * $b_parts < $b_of * total THEN 'B'
            ELSE 'C' END
        FROM ranked ORDER BY place
    """
    parts = {"a_of": a_share.numerator, "a_parts": a_share.denominator}
    parts |= {"b_of": b_share.numerator, "b_parts": b_share.denominator}
    with duckdb.connect() as connection:
        connection.register("customers", customers)
        return [row[0] for row in connection.execute(query, parts).fetchall()]


@pytest.mark.parametrize("shares", [(0.80, 0.95), (0.50, 0.75)])
@pytest.mark.parametrize(("read", "customers"), [(online_retail_ii, 5_878), (adventureworks, 635), (northwind, 89)])
def test_classes_agree_with_a_loop_and_with_sql(
    read: Read, customers: int, shares: tuple[float, float], shared_data: Path
) -> None:
    money = whole(read(shared_data).groupby("customer")["money"].sum())
    assert len(money) == customers
    a_share, b_share = (Fraction(str(share)) for share in shares)
    classes = abc_classes([amount / CENT_OF_A_CENT for amount in money], *shares).tolist()
    assert set(classes) == {"A", "B", "C"}
    assert classes == by_a_loop(money, a_share, b_share)
    assert classes == by_sql(money, a_share, b_share)


@pytest.mark.parametrize(
    ("name", "read", "files"),
    [
        ("northwind", northwind, {"transactions": "northwind"}),
        (
            "adventureworks",
            adventureworks,
            {"transactions": "adventureworks_reseller", "customers": "adventureworks_reseller_accounts"},
        ),
    ],
)
def test_the_whole_way_from_a_file_agrees_with_the_lines_as_they_are(
    name: str, read: Read, files: dict[str, str], shared_data: Path
) -> None:
    sold = read(shared_data)
    given = [f"data.{table}={shared_data / file}.parquet" for table, file in files.items()]
    prepared = prepare(config.load(CONFIGS / f"{name}.yaml", given))
    agree(features.build(prepared.lines, [prepared.as_of]), sold)


@pytest.mark.slow
def test_the_whole_way_agrees_on_the_cleaned_lines_of_online_retail_ii(shared_data: Path) -> None:
    columns = {
        "customer_id": "Customer ID",
        "order_id": "Invoice",
        "ordered_at": "InvoiceDate",
        "quantity": "Quantity",
        "unit_price": "Price",
        "product_id": "StockCode",
    }
    source = {"transactions": str(shared_data / "online_retail_ii.parquet"), "columns": columns}
    prepared = prepare(config.from_mapping({"data": source}))
    counted = prepared.lines.to_pyarrow().to_pandas()
    counted = counted[counted["cancelled_at"].isna() | (counted["cancelled_at"] >= prepared.as_of)]
    sold = counted.rename(columns={"customer_id": "customer", "ordered_at": "moment", "amount": "money"})
    agree(features.build(prepared.lines, [prepared.as_of]), sold)


def prepare(settings: config.Config) -> pipeline.Prepared:
    return pipeline.prepare(load_tables(settings, connect()), settings, today=date(2026, 1, 1))


def agree(base: pd.DataFrame, sold: pd.DataFrame) -> None:
    """Hold the labels of the scheme against the loop over the lines of the last 365 days."""
    as_of = base["as_of"].iloc[0]
    recent = sold[(sold["moment"] < as_of) & (sold["moment"] >= as_of - pd.Timedelta(days=365))]
    revenue = recent.groupby("customer")["money"].sum().reindex(base["customer_id"], fill_value=0.0)
    assert set(base["customer_id"]) <= set(sold["customer"])  # who only returned is no customer yet
    expected = by_a_loop([max(amount, 0) for amount in whole(revenue)], Fraction(4, 5), Fraction(19, 20))
    assert Abc().assign(base).tolist() == expected


def test_ties_on_a_border_are_decided_alike() -> None:
    money = [50, 10, 10, 10, 10, 5, 5, 0]
    shares = Fraction(4, 5), Fraction(19, 20)
    assert "".join(by_a_loop(money, *shares)) == "".join(by_sql(money, *shares)) == "AAAAABBC"
    assert "".join(abc_classes(money)) == "AAAAABBC"
