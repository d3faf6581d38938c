"""What Spark reads where it is: files, tables of its catalog, its own frames; and what it leaves to this process."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from sail import sail
from segml import schema
from segml.config import FormatConfig
from segml.data import read_table, spark_tables, to_table
from segml.schema import DataError

ROWS = pd.DataFrame(
    {
        "customer_id": ["a", "b"],
        "ordered_at": pd.to_datetime(["2024-01-01 12:00", "2024-07-01 12:00"]).astype("datetime64[us]"),
        "amount": [1.5, -2.0],
    }
)


def read(source: Any, format: FormatConfig | None = None) -> pd.DataFrame:
    table = read_table(source, schema.TRANSACTIONS, {}, format or FormatConfig(), sail())
    assert spark_tables.is_spark(table.get_backend())
    found: pd.DataFrame = table.to_pyarrow().to_pandas()
    return found.sort_values("customer_id", ignore_index=True)[list(ROWS.columns)]


def test_parquet_as_file_folder_and_glob(tmp_path: Path) -> None:
    for place in range(2):
        ROWS[place : place + 1].to_parquet(tmp_path / f"{place}.parquet", index=False)
    pd.testing.assert_frame_equal(read(str(tmp_path)), ROWS)
    pd.testing.assert_frame_equal(read(f"{tmp_path}/*.parquet"), ROWS)
    pd.testing.assert_frame_equal(read(tmp_path / "0.parquet"), ROWS[:1])


def test_a_delta_folder_without_its_removed_rows(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = tmp_path / "lines"
    deltalake.write_deltalake(folder, pa.Table.from_pandas(ROWS.assign(amount=9.0)))
    deltalake.write_deltalake(folder, pa.Table.from_pandas(ROWS), mode="overwrite")
    pd.testing.assert_frame_equal(read(str(folder)), ROWS)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_delimited_text_finds_its_delimiter(mark: str, tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "lines.csv", sep=mark, index=False)
    pd.testing.assert_frame_equal(read(str(tmp_path / "lines.csv")), ROWS)


def test_a_header_that_two_delimiters_split(tmp_path: Path) -> None:
    (tmp_path / "lines.csv").write_text("customer_id;ordered_at,amount\n")
    with pytest.raises(DataError, match=r"can be split by comma or semicolon; set data\.format\.delimiter"):
        read(str(tmp_path / "lines.csv"))


def test_a_table_of_the_catalog_and_frames() -> None:
    frame = spark_tables.session(sail()).createDataFrame(pa.Table.from_pandas(ROWS))
    frame.createOrReplaceTempView("sold")
    for source in ("spark:sold", frame, to_table(frame), ROWS):
        pd.testing.assert_frame_equal(read(source), ROWS)


def test_moments_with_a_zone_become_local_time() -> None:
    in_berlin = FormatConfig(timezone="Europe/Berlin")
    clocks = spark_tables.to_frame(to_table(ROWS, sail()), sail())
    moments = clocks.withColumn("ordered_at", clocks.ordered_at.cast("timestamp"))
    assert read(moments, in_berlin)["ordered_at"].dt.hour.tolist() == [13, 14]
    assert read(clocks, in_berlin)["ordered_at"].dt.hour.tolist() == [12, 12]


def test_a_workbook_is_read_here_and_sent_there(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    ROWS.to_excel(tmp_path / "lines.xlsx", index=False)
    pd.testing.assert_frame_equal(read(str(tmp_path / "lines.xlsx")), ROWS)


@pytest.mark.parametrize("source", ["/nowhere/lines.parquet", "/nowhere/lines.csv", "/nowhere/lines", "spark:no.such"])
def test_what_is_not_there(source: str) -> None:
    with pytest.raises(DataError, match=r"Spark (cannot read|finds no columns in) .*"):
        read(source)


def test_columns_are_mapped_by_the_same_rules() -> None:
    frame = spark_tables.session(sail()).createDataFrame(pa.Table.from_pandas(ROWS.rename(columns={"amount": "sum"})))
    with pytest.raises(DataError, match="needs 'amount'"):
        read(frame)
