"""A window of dates: which lines are read, from every kind of source, and what is not touched for it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml import config, pipeline, schema
from segml.config import FormatConfig
from segml.data import load_tables
from segml.data.engine import connect, to_table
from segml.data.read import read_table, read_transactions
from segml.data.window import Window, window_of
from segml.schema import ConfigError, DataError
from support import SMALL, TODAY

BACKEND = connect(threads=1)
MARCH = Window(date(2024, 3, 1), date(2024, 4, 1))
MOMENTS = [
    datetime(2024, 2, 29, 23, 59, 59, 999999),
    datetime(2024, 3, 1),
    datetime(2024, 3, 31, 23, 59, 59, 999999),
    datetime(2024, 4, 1),
]
LINES = {"customer_id": list("abcd"), "ordered_at": MOMENTS, "amount": [1.0, 2.0, 3.0, 4.0]}
COLUMNS = {"customer_id": "customer_id", "ordered_at": "ordered_at", "amount": "amount"}


def read(source: Any, window: Window = MARCH, **format: Any) -> list[str]:
    table = read_table(source, schema.TRANSACTIONS, COLUMNS, FormatConfig(**format), BACKEND, window)
    return sorted(table.customer_id.to_pyarrow().to_pylist())


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (MARCH, ["b", "c"]),
        (Window(date(2024, 3, 1), None), ["b", "c", "d"]),
        (Window(None, date(2024, 3, 1)), ["a"]),
        (Window(date(2024, 3, 31), date(2024, 4, 1)), ["c"]),
    ],
)
def test_the_first_day_is_in_and_the_last_is_out(window: Window, expected: list[str]) -> None:
    assert read(pd.DataFrame(LINES), window) == expected


def sources(folder: Path) -> dict[str, Any]:
    frame = pd.DataFrame(LINES)
    frame.to_parquet(folder / "us.parquet")
    frame.assign(ordered_at=frame.ordered_at.astype("datetime64[ns]")).to_parquet(folder / "ns.parquet", version="2.6")
    frame.assign(ordered_at=frame.ordered_at.dt.strftime("%Y-%m-%d %H:%M:%S.%f")).to_parquet(folder / "text.parquet")
    frame.assign(ordered_at=frame.ordered_at.dt.date).to_parquet(folder / "date.parquet")
    frame.to_csv(folder / "a.csv", index=False)
    return {
        "pandas": frame,
        "polars": pl.DataFrame(LINES),
        "ibis": to_table(pa.table(LINES), BACKEND),
        **{path.name: path for path in folder.iterdir()},
    }


@pytest.mark.parametrize(
    "name", ["pandas", "polars", "ibis", "us.parquet", "ns.parquet", "text.parquet", "date.parquet", "a.csv"]
)
def test_every_source_gives_the_same_lines(name: str, tmp_path: Path) -> None:
    assert read(sources(tmp_path)[name]) == ["b", "c"]


def test_a_window_is_of_local_dates(tmp_path: Path) -> None:
    stamps = [pd.Timestamp("2024-02-29 20:59", tz=UTC), pd.Timestamp("2024-02-29 21:00", tz=UTC)]
    frame = pd.DataFrame({"customer_id": ["before", "in"], "ordered_at": stamps, "amount": [1.0, 2.0]})
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.parquet", frame.assign(ordered_at=frame.ordered_at.astype(str))):
        assert read(source, timezone="Europe/Moscow") == ["in"]


def test_a_line_without_a_date_lies_in_no_window() -> None:
    moments = ["2024-03-05", "soon", None, "2024-03-06"]
    assert read(pd.DataFrame(LINES | {"ordered_at": moments})) == ["a", "d"]


def test_dates_of_a_wrong_format_are_still_told() -> None:
    with pytest.raises(DataError, match=r"set data\.format\.date_format"):
        read(pd.DataFrame(LINES | {"ordered_at": ["05.03.2024"] * 4}))


KINDS = [pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_row_groups_outside_are_not_read(kind: pa.DataType, tmp_path: Path) -> None:
    days = pa.array(pd.date_range("2020-01-01", periods=1000, freq="D"))
    if kind == pa.timestamp("us", "UTC"):
        days = days.cast(pa.timestamp("us")).cast(pa.int64())
    table = pa.table({"customer_id": ["a"] * 1000, "ordered_at": days.cast(kind), "amount": [1.0] * 1000})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=100)
    spoil(tmp_path / "a.parquet", groups=range(1, 10))
    assert read(tmp_path / "a.parquet", Window(date(2020, 1, 10), date(2020, 1, 20))) == ["a"] * 10
    with pytest.raises(duckdb.Error):
        read(tmp_path / "a.parquet", Window(date(2020, 1, 10), date(2020, 7, 1)))


def spoil(path: Path, groups: range) -> None:
    """Overwrite the values of row groups, so that reading any of them fails."""
    metadata = pq.read_metadata(path)
    content = bytearray(path.read_bytes())
    for group in groups:
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            start = column.dictionary_page_offset or column.data_page_offset
            content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(content)


def test_a_window_without_lines_is_told() -> None:
    with pytest.raises(DataError, match=r"has no rows from 2031-01-01; check data\.read_from and data\.read_until"):
        read(pd.DataFrame(LINES), Window(date(2031, 1, 1), None))


def test_the_configuration_names_the_window() -> None:
    data = config.load(None, ["data.read_from=2024-03-01", "data.read_until=2024-04-01"]).data
    assert window_of(data) == MARCH
    assert window_of(config.DataConfig()) is None
    assert read_transactions(pd.DataFrame(LINES), data, BACKEND).count().to_pyarrow().as_py() == 2
    with pytest.raises(ConfigError, match="read_from must be before read_until"):
        config.load(None, ["data.read_from=2024-03-01", "data.read_until=2024-03-01"])


def test_what_was_not_read_is_told_and_the_ledger_is_of_the_rest() -> None:
    whole = config.load(None, SMALL)
    cut = config.load(None, [*SMALL, "data.read_from=2025-01-01"])
    before, after = (pipeline.prepare(load_tables(each, connect()), each, today=TODAY) for each in (whole, cut))
    assert after.notices[0] == "lines before 2025-01-01 were not read (data.read_from)"
    assert not any("not read" in notice for notice in before.notices)
    assert after.log_start >= pd.Timestamp("2025-01-01") > before.log_start
    assert after.ledger.came_in.lines < before.ledger.came_in.lines
    russian = config.load(None, [*SMALL, "data.read_until=2025-01-01", "report.language=ru"])
    told = pipeline.prepare(load_tables(russian, connect()), russian, today=TODAY).notices[0]
    assert told == "строки с 2025-01-01 не прочитаны (data.read_until)"
