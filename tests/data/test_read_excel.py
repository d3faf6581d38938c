"""Excel workbooks."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import DataError

openpyxl = pytest.importorskip("openpyxl")

BACKEND = connect(threads=1)
HEADER = ["customer_id", "ordered_at", "amount", "product_id"]


def workbook(path: Path, **sheets: Sequence[Any]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def read(source: Path | str, **format: Any) -> list[dict[str, Any]]:
    rows = read_table(source, schema.TRANSACTIONS, {}, FormatConfig(**format), BACKEND).to_pyarrow().to_pylist()
    return list(rows)


def test_cells_are_read_as_they_are(tmp_path: Path) -> None:
    rows = [HEADER, [13085, datetime(2010, 12, 29, 7, 45), 12.5, 21232], [13086, datetime(2010, 12, 30), None, 21233]]
    assert read(workbook(tmp_path / "a.xlsx", Sales=rows)) == [
        {"customer_id": "13085", "ordered_at": datetime(2010, 12, 29, 7, 45), "amount": 12.5, "product_id": "21232"},
        {"customer_id": "13086", "ordered_at": datetime(2010, 12, 30), "amount": None, "product_id": "21233"},
    ]


def test_columns_of_mixed_cells_keep_every_value(tmp_path: Path) -> None:
    rows = [
        HEADER,
        ["00042", datetime(2010, 12, 29, 7, 45), 12.5, 21232],
        [42, date(2010, 12, 30), "1 234,50 ₽", "79323W"],
        [42.5, "2010-12-31", "oops", True],
    ]
    first, second, third = read(workbook(tmp_path / "a.xlsx", Sales=rows))
    assert [row["customer_id"] for row in (first, second, third)] == ["00042", "42", "42.5"]
    assert [row["product_id"] for row in (first, second, third)] == ["21232", "79323W", "true"]
    assert [row["amount"] for row in (first, second, third)] == [12.5, 1234.5, None]
    assert [row["amount__unparsable"] for row in (first, second, third)] == [False, False, True]
    days = [datetime(2010, 12, 29, 7, 45), datetime(2010, 12, 30), datetime(2010, 12, 31)]
    assert [row["ordered_at"] for row in (first, second, third)] == days


def test_serial_day_numbers_are_moments(tmp_path: Path) -> None:
    rows = [HEADER, [1, 40541.322916666664, 5, "a"], [2, datetime(2010, 12, 30), 5, "a"], [3, 40541, 5, "a"]]
    moments = [row["ordered_at"] for row in read(workbook(tmp_path / "a.xlsx", Sales=rows))]
    assert moments == [datetime(2010, 12, 29, 7, 45), datetime(2010, 12, 30), datetime(2010, 12, 29)]


def test_blank_rows_and_a_title_row_of_blanks_are_passed_over(tmp_path: Path) -> None:
    rows = [
        [None] * 4,
        HEADER,
        [None, "", None, None],
        ["1", "2010-12-29", 5, "a", "beside the table"],
        ["2", "2010-12-30"],
    ]
    assert [row["customer_id"] for row in read(workbook(tmp_path / "a.xlsx", Sales=rows))] == ["1", "2"]


def test_the_only_filled_sheet_is_taken_and_of_several_one_must_be_chosen(tmp_path: Path) -> None:
    rows = [HEADER, ["1", "2010-12-29", 5, "a"]]
    assert len(read(workbook(tmp_path / "a.xlsx", Empty=[], Sales=rows))) == 1
    path = workbook(tmp_path / "b.xlsx", Sales=rows, Cards=[["name"], ["x"]])
    with pytest.raises(
        DataError, match=r"b\.xlsx has sheets \['Sales', 'Cards'\]; set data\.format\.sheet, or write b\.xlsx#Sales"
    ):
        read(path)
    assert read(path, sheet="Sales") == read(f"{path}#Sales") == read(f"{path}#Sales", sheet="Cards")
    with pytest.raises(DataError, match=r"has no sheet 'sales'; found \['Sales', 'Cards'\]; did you mean 'Sales'\?"):
        read(path, sheet="sales")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "sheet 'Sales' is empty: it has no rows, not even a header"),
        ([HEADER], r"transactions in .*a\.xlsx, sheet 'Sales' has no rows"),
        ([[*HEADER, "amount"], [1, 2, 3, 4, 5]], "sheet 'Sales' has more than one column named 'amount'"),
    ],
)
def test_a_sheet_without_a_table_is_an_error(tmp_path: Path, rows: list[list[Any]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(workbook(tmp_path / "a.xlsx", Sales=rows))


def test_what_is_no_workbook_is_an_error(tmp_path: Path) -> None:
    for content in (b"", b"<html>", b"PK\x03\x04 broken"):
        (tmp_path / "a.xlsx").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.xlsx is not a readable Excel workbook \(\.xlsx\)"):
            read(tmp_path / "a.xlsx")


def test_several_workbooks_are_an_error(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx", "~$b.xlsx"):
        workbook(tmp_path / name, Sales=[HEADER])
    with pytest.raises(DataError, match="holds 2 workbooks; name one of them"):
        read(tmp_path)


def test_without_openpyxl_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", Sales=[HEADER])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"needs openpyxl: pip install 'segml\[excel\]'"):
        read(path)


def test_northwind_survives_a_workbook(tmp_path: Path, shared_data: Path) -> None:
    columns = {"customer_id": "CustomerID", "order_id": "OrderID", "ordered_at": "OrderDate", "product_id": "ProductID"}
    columns |= {"quantity": "Quantity", "unit_price": "UnitPrice", "category": "CategoryName"}
    lines = pd.read_parquet(shared_data / "northwind.parquet", columns=list(columns.values()))
    lines.to_excel(tmp_path / "a.xlsx", index=False)
    tables = [
        read_table(source, schema.TRANSACTIONS, columns, FormatConfig(), BACKEND).to_pyarrow()
        for source in (tmp_path / "a.xlsx", lines)
    ]
    assert tables[0].equals(tables[1])
