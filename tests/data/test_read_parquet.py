"""Parquet files: one, many, partitioned."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import DataError

BACKEND = connect(threads=1)
DAY = datetime(2010, 12, 29)


def write(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"customer_id": ["a"], "ordered_at": [DAY], "amount": [1.5]} | columns), path)
    return path


def read(source: Path | str, columns: dict[str, str] | None = None) -> list[dict[str, Any]]:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(), BACKEND)
    return sorted(table.to_pyarrow().to_pylist(), key=lambda row: str(row["customer_id"]))


def test_a_file_a_glob_and_a_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    write(tmp_path / "deep" / "b.parquet", customer_id=["b"])
    (tmp_path / "deep" / "_SUCCESS").write_text("")
    assert [row["customer_id"] for row in read(tmp_path)] == ["a", "b"]
    assert [row["customer_id"] for row in read(str(tmp_path / "**" / "*.parquet"))] == ["a", "b"]
    assert read(tmp_path / "a.parquet") == [{"customer_id": "a", "ordered_at": DAY, "amount": 1.5}]


@pytest.mark.parametrize("below", ["", "2024"])
def test_a_folder_that_a_cluster_has_not_finished_is_refused(tmp_path: Path, below: str) -> None:
    written = tmp_path / "sales" / below
    write(written / "part-0.parquet")
    write(written / "_temporary" / "0" / "task_1" / "part-1.parquet")
    with pytest.raises(DataError, match=rf"{written} is being written, or the job .* killed: it holds _temporary"):
        read(tmp_path / "sales")
    assert len(read(f"{written}/*.parquet")) == 1
    (written / "_SUCCESS").write_text("")
    assert len(read(tmp_path / "sales")) == 1


def test_partition_folders_are_columns(tmp_path: Path) -> None:
    write(tmp_path / "country=France" / "a.parquet")
    write(tmp_path / "country=Chile" / "b.parquet", customer_id=["b"])
    assert [row["region"] for row in read(tmp_path, {"region": "country"})] == ["France", "Chile"]


def test_a_file_named_like_a_glob_is_that_file(tmp_path: Path) -> None:
    write(tmp_path / "sales [1].parquet")
    write(tmp_path / "sales 1.parquet", customer_id=["b"])
    assert [row["customer_id"] for row in read(tmp_path / "sales [1].parquet")] == ["a"]


def test_a_huge_file_is_not_loaded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    table = read_table(path, schema.TRANSACTIONS, {}, FormatConfig(), BACKEND)
    write(path, customer_id=["changed"])
    assert table.customer_id.to_pyarrow().to_pylist() == ["changed"]


def test_files_may_differ_in_sizes_of_numbers_and_order_of_columns(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", customer_id=pa.array([1], pa.int32()))
    table = pa.table({"amount": pa.array([2], pa.uint8()), "ordered_at": [DAY], "customer_id": [2.0]})
    pq.write_table(table, tmp_path / "b.parquet")
    assert [(row["customer_id"], row["amount"]) for row in read(tmp_path)] == [("1", 1.5), ("2", 2.0)]


def test_files_that_differ_in_columns_or_in_kinds_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    write(tmp_path / "b.parquet", sum=[1])
    with pytest.raises(DataError, match=r"differ in columns: against a\.parquet, b\.parquet has \['sum'\] beyond it"):
        read(tmp_path)
    write(tmp_path / "b.parquet", ordered_at=[DAY.replace(tzinfo=UTC)])
    message = "column 'ordered_at' holds moments without a time zone in .* and moments with a time zone in .*b.parquet"
    with pytest.raises(DataError, match=message):
        read(tmp_path)
    write(tmp_path / "b.parquet", ordered_at=pa.nulls(1))
    assert len(read(tmp_path)) == 2


@pytest.mark.parametrize("content", [b"", b"PAR1", os.urandom(2000), b"PAR1" + b"x" * 100 + b"PAR1"])
def test_junk_is_not_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.parquet is not a readable Parquet file"):
        read(tmp_path / "a.parquet")


def test_a_cut_off_file_is_not_parquet(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"a\.parquet is not a readable Parquet file"):
        read(path)


def test_a_file_without_rows_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pq.read_table(write(tmp_path / "a.parquet")).slice(1), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"transactions in .*a\.parquet has no rows"):
        read(tmp_path / "a.parquet")


def test_a_delta_table_below_a_folder_is_not_read_as_plain_files(tmp_path: Path) -> None:
    write(tmp_path / "sales" / "a.parquet")
    (tmp_path / "sales" / "_delta_log").mkdir()
    (tmp_path / "sales" / "_delta_log" / "0.json").write_text("")
    with pytest.raises(DataError, match=r"holds the Delta table 'sales/'; name its folder itself"):
        read(tmp_path)


def test_whole_numbers_in_the_first_file_do_not_round_those_of_the_next(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", amount=[1])
    write(tmp_path / "b.parquet", customer_id=["b"], amount=[2.5])
    assert [row["amount"] for row in read(tmp_path)] == [1, 2.5]


def test_files_without_rows_change_nothing(tmp_path: Path) -> None:
    empty = pq.read_table(write(tmp_path / "a.parquet")).slice(1)
    pq.write_table(empty.set_column(0, "customer_id", pa.nulls(0)), tmp_path / "a.parquet")
    write(tmp_path / "b.parquet", customer_id=["b"])
    assert [row["customer_id"] for row in read(tmp_path)] == ["b"]


def test_names_of_folders_stay_text(tmp_path: Path) -> None:
    write(tmp_path / "region=007" / "a.parquet")
    write(tmp_path / "region=__HIVE_DEFAULT_PARTITION__" / "b.parquet", customer_id=["b"])
    write(tmp_path / "region=S%C3%A3o%20Paulo" / "c.parquet", customer_id=["c"])
    (tmp_path / "region=007" / ".a.parquet.crc").write_text("x")
    assert [row["region"] for row in read(tmp_path)] == ["007", None, "São Paulo"]


def test_a_time_may_be_the_name_of_a_folder(tmp_path: Path) -> None:
    table = pa.table({"customer_id": ["a"], "amount": [1.5]})
    for day in ("2010-12-29", "2010-12-30"):
        (tmp_path / f"ordered_at={day}").mkdir()
        pq.write_table(table, tmp_path / f"ordered_at={day}" / "a.parquet")
    assert [row["ordered_at"] for row in read(tmp_path)] == [DAY, DAY.replace(day=30)]


def test_a_column_of_the_files_counts_more_than_the_name_of_a_folder(tmp_path: Path) -> None:
    moment = DAY.replace(hour=13)
    write(tmp_path / "ordered_at=2010-12-29" / "area=North" / "a.parquet", ordered_at=[moment])
    assert [row["ordered_at"] for row in read(tmp_path)] == [moment]
    with pytest.raises(
        DataError, match=r"folders tell the columns \['area'\], and also \['ordered_at'\], which the files"
    ):
        read(tmp_path, {"region": "area"})


def test_folders_above_the_source_are_no_columns(tmp_path: Path) -> None:
    folder = tmp_path / "amount=7" / "sales"
    write(folder / "a.parquet")
    assert read(folder)[0]["amount"] == 1.5
    write(folder / "area=North" / "a.parquet")
    (folder / "a.parquet").unlink()
    with pytest.raises(DataError, match=r"folders tell the columns \['area'\], and also \['amount'\]"):
        read(folder, {"region": "area"})


def test_text_in_parquet_is_read_like_any_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", amount=["1 234,50 ₽"], ordered_at=["2010-12-29"])
    marks = {"amount__unparsable": False, "ordered_at__unparsable": False}
    assert read(path) == [{"customer_id": "a", "ordered_at": DAY, "amount": 1234.5, **marks}]


REAL = {
    "online_retail_ii": (
        {
            "customer_id": "Customer ID",
            "order_id": "Invoice",
            "ordered_at": "InvoiceDate",
            "product_id": "StockCode",
            "quantity": "Quantity",
            "unit_price": "Price",
            "region": "Country",
        },
        (1_067_370, 5_942),
    ),
    "cdnow_master": ({"ordered_at": "date", "amount": "dollar_value", "quantity": "number_of_cds"}, (69_659, 23_570)),
    "northwind": ({"customer_id": "CustomerID", "ordered_at": "OrderDate", "amount": "UnitPrice"}, (2_155, 89)),
    "adventureworks_reseller": (
        {
            "customer_id": "ResellerKey",
            "order_id": "SalesOrderNumber",
            "ordered_at": "OrderDate",
            "amount": "SalesAmount",
        },
        (60_855, 635),
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_data_sets_are_read(name: str, shared_data: Path) -> None:
    columns, (rows, customers) = REAL[name]
    table = read_table(shared_data / f"{name}.parquet", schema.TRANSACTIONS, columns, FormatConfig(), BACKEND)
    assert [str(table[column].type()) for column in ("customer_id", "ordered_at")] == ["string", "timestamp(6)"]
    found = table.aggregate(rows=table.count(), customers=table.customer_id.nunique()).to_pyarrow().to_pylist()
    assert found == [{"rows": rows, "customers": customers}]
    assert not table.customer_id.contains(".").any().to_pyarrow().as_py()


def test_dates_written_as_whole_numbers_agree_with_true_dates(shared_data: Path) -> None:
    path, columns = shared_data / "adventureworks_reseller.parquet", dict(REAL["adventureworks_reseller"][0])
    by_key = columns | {"ordered_at": "OrderDateKey"}
    true = read_table(path, schema.TRANSACTIONS, columns, FormatConfig(), BACKEND)
    keyed = read_table(path, schema.TRANSACTIONS, by_key, FormatConfig(date_format="%Y%m%d"), BACKEND)
    assert keyed.ordered_at.to_pyarrow().equals(true.ordered_at.to_pyarrow())
