"""Folders that tell dates: which are left out, and when a name is not believed."""

from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml import config, schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.partitions import span
from segml.data.read import read_table
from segml.data.window import Window
from segml.schema import ConfigError, DataError

BACKEND = connect(threads=1)
MARCH = Window(date(2024, 3, 1), date(2024, 4, 1))


def write(path: Path, *moments: Any, customer: str = "a") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(moments)
    table = pa.table({"customer_id": [customer] * count, "ordered_at": list(moments), "amount": [1.0] * count})
    if path.suffix == ".csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    return path


def customers(source: Path, partitions: dict[str, Any], window: Window | None = MARCH) -> list[str]:
    table = read_table(source, schema.TRANSACTIONS, {}, FormatConfig(partitions=partitions), BACKEND, window)
    return sorted(table.customer_id.to_pyarrow().to_pylist())


@pytest.mark.parametrize(
    ("folders", "parts", "dates"),
    [
        ("day=2024-01-31", {"day": "date"}, (date(2024, 1, 31), date(2024, 2, 1))),
        ("day=20241231", {"day": "date"}, (date(2024, 12, 31), date(2025, 1, 1))),
        ("m=2024-12", {"m": "date"}, (date(2024, 12, 1), date(2025, 1, 1))),
        ("y=2024", {"y": "year"}, (date(2024, 1, 1), date(2025, 1, 1))),
        ("y=2024/m=02", {"y": "year", "m": "month"}, (date(2024, 2, 1), date(2024, 3, 1))),
        ("y=2024/m=2/d=29/h=5", {"y": "year", "m": "month", "d": "day"}, (date(2024, 2, 29), date(2024, 3, 1))),
        ("day=__HIVE_DEFAULT_PARTITION__", {"day": "date"}, None),
    ],
)
def test_folders_stand_for_dates(folders: str, parts: dict[str, Any], dates: tuple[date, date] | None) -> None:
    assert span(PurePosixPath(folders, "a.parquet"), parts, "sales") == dates


@pytest.mark.parametrize(
    ("folders", "parts", "message"),
    [
        ("day=31.01.2024", {"day": "date"}, r"the folders of .* are no date as data\.format\.partitions .* has it"),
        ("y=2023/m=2/d=29", {"y": "year", "m": "month", "d": "day"}, "are no date"),
        ("y=2023/m=13", {"y": "year", "m": "month"}, "are no date"),
        ("y=x", {"y": "year"}, "are no date"),
        ("year=2024", {"day": "date"}, r"partitions names \['day'\], but .* lies in no such folder; found \['year'\]"),
    ],
)
def test_folders_that_do_not_fit_are_told(folders: str, parts: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        span(PurePosixPath(folders, "a.parquet"), parts, "sales")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_wholly_outside_are_never_opened(tmp_path: Path, suffix: str) -> None:
    for month, customer in (("02", "early"), ("03", "right"), ("04", "late")):
        write(
            tmp_path / "year=2024" / f"month={month}" / f"a.{suffix}", datetime(2024, int(month), 5), customer=customer
        )
    for month in ("01", "05"):
        path = tmp_path / "year=2024" / f"month={month}" / f"a.{suffix}"
        path.parent.mkdir()
        path.write_bytes(b"\x00 neither Parquet nor text")
    parts = {"year": "year", "month": "month"}
    assert customers(tmp_path, parts) == ["right"]
    with pytest.raises(DataError, match=r"month=01/a\.\w+ is not a"):
        customers(tmp_path, {})


def test_a_folder_of_another_time_zones_date_is_read(tmp_path: Path) -> None:
    moment = pd.Timestamp("2024-02-29 22:00", tz="UTC")  # the first of March in Moscow
    write(tmp_path / "day=2024-02-29" / "a.parquet", moment)
    write(tmp_path / "day=2024-02-27" / "b.parquet", moment - pd.Timedelta(days=2), customer="b")
    format = FormatConfig(partitions={"day": "date"}, timezone="Europe/Moscow")
    table = read_table(tmp_path, schema.TRANSACTIONS, {}, format, BACKEND, MARCH)
    assert table.ordered_at.to_pyarrow().to_pylist() == [datetime(2024, 3, 1, 1)]


def test_folders_that_tell_another_date_than_their_lines_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "exported_on=2024-03-05" / "a.parquet", datetime(2024, 2, 5), datetime(2024, 3, 4))
    with pytest.raises(DataError, match=r"lies in the folder of 2024-03-05, but its 'ordered_at' goes from 2024-02-05"):
        customers(tmp_path, {"exported_on": "date"})
    assert customers(tmp_path, {}) == ["a"]


def test_a_window_without_any_folder_is_told(tmp_path: Path) -> None:
    write(tmp_path / "day=2024-01-31" / "a.parquet", datetime(2024, 1, 31))
    write(tmp_path / "day=2024-01-05" / "a.parquet", datetime(2024, 1, 5))
    message = "has folders of dates from 2024-01-05 to 2024-01-31, but the lines to read are those from 2024-03-01 and"
    with pytest.raises(DataError, match=message):
        customers(tmp_path, {"day": "date"})


def test_folders_of_a_delta_table_are_pruned(tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    moments = [datetime(2024, month, 5) for month in (1, 3, 5)]
    table = pa.table(
        {
            "customer_id": ["early", "right", "late"],
            "ordered_at": moments,
            "amount": [1.0, 2.0, 3.0],
            "day": pa.array([moment.date() for moment in moments]),
        }
    )
    deltalake.write_deltalake(str(tmp_path / "sales"), table, partition_by=["day"])
    for day in ("2024-01-05", "2024-05-05"):
        next((tmp_path / "sales" / f"day={day}").iterdir()).write_bytes(b"x")
    assert customers(tmp_path / "sales", {"day": "date"}) == ["right"]


@pytest.mark.parametrize("parts", ["{m: month}", "{y: year, d: day}", "{a: date, y: year}", "{a: date, b: date}"])
def test_parts_that_make_no_date_are_refused(parts: str) -> None:
    with pytest.raises(ConfigError, match="partitions must make a date"):
        config.load(None, [f"data.format.partitions={parts}"])
