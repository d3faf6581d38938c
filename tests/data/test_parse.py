"""Columns of every type into the schema's kinds."""

import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import Column, DataError, Kind, TableSchema

BACKEND = connect(threads=1)
NBSP = "\u00a0"


def read(cells: Any, kind: Kind) -> pa.Table:
    frame = pa.table({"x": cells if isinstance(cells, pa.Array) else pa.array(cells)})
    return read_table(
        frame, TableSchema("things", (Column("x", kind, "any"),)), {}, FormatConfig(), BACKEND
    ).to_pyarrow()


def values(cells: Any, kind: Kind) -> list[Any]:
    return list(read(cells, kind).column("x").to_pylist())


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([13085, None], ["13085", None]),
        ([13085.0, None, float("nan")], ["13085", None, None]),
        (pa.array([13085.0, None], pa.float32()), ["13085", None]),
        ([7701234567890.0], ["7701234567890"]),
        ([-0.0, 12.5], ["0", "12.5"]),
        ([1e300, float("inf")], ["1e+300", None]),
        ([Decimal("13085.00"), Decimal("12.50")], ["13085", "12.50"]),
        ([2**63 - 1], ["9223372036854775807"]),
        (["00042", "  A 1  ", f"{NBSP}B\u202f\t", "", " ", None], ["00042", "A 1", "B", None, None, None]),
        (["NA", "nan", "None"], ["NA", "nan", "None"]),
        ([True, False], ["true", "false"]),
        ([date(2010, 12, 29)], ["2010-12-29"]),
        (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array(["a"], pa.string_view()), ["a"]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_names_are_text_as_people_write_them(cells: Any, texts: list[str | None]) -> None:
    assert values(cells, "text") == texts
    assert read(cells, "text").column_names == ["x"]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([1, None], [1.0, None]),
        (pa.array([1, 2], pa.uint8()), [1.0, 2.0]),
        (pa.array([1.5], pa.float32()), [1.5]),
        (pa.array([1.5]).cast(pa.float32()).cast(pa.float16()), [1.5]),
        ([Decimal("12.34"), None], [12.34, None]),
        ([float("inf")], [float("inf")]),
    ],
)
def test_numbers_of_every_size_become_float64_without_a_mark(cells: Any, numbers: list[float]) -> None:
    table = read(cells, "number")
    assert table.column("x").to_pylist() == numbers
    assert table.schema.field("x").type == pa.float64()
    assert table.column_names == ["x"]


def test_flags_are_read_in_words_and_numbers() -> None:
    words = ["true", "FALSE", "Yes", "no", "1", "0", "Да", "нет", "", None, "maybe"]
    table = read(words, "flag")
    assert table.column("x").to_pylist() == [True, False] * 4 + [None] * 3
    assert table.column("x__unparsable").to_pylist() == [False] * 10 + [True]
    assert values([1, 0, None], "flag") == [True, False, None]
    assert values([True, None], "flag") == [True, None]


def test_a_flag_column_of_other_words_is_an_error() -> None:
    with pytest.raises(
        DataError, match="column 'x': none of its 2 values can be read, as 'big' and 'small'; expected yes or no"
    ):
        values(["big", "small"], "flag")


@pytest.mark.parametrize(
    ("cells", "kind", "found"),
    [
        ([True], "number", "boolean; expected numbers"),
        ([datetime(2020, 1, 1)], "number", "timestamp.*; expected numbers"),
        ([True], "time", "boolean; expected dates, such as 2010-12-29"),
        ([time(10)], "time", "time; expected dates"),
        ([datetime(2020, 1, 1)], "flag", "timestamp.*; expected yes or no"),
        ([[1]], "text", "array<int64>; expected text"),
        ([{"a": 1}], "text", "struct.*; expected text"),
        ([b"a"], "text", "binary; expected text"),
    ],
)
def test_a_column_of_another_kind_is_an_error(cells: Any, kind: Kind, found: str) -> None:
    with pytest.raises(DataError, match=f"things in the given table: column 'x' is of type {found}"):
        values(cells, kind)


def test_a_nested_column_that_is_not_mapped_does_not_matter() -> None:
    frame = pa.table({"x": ["a"], "nested": [[1]], "id": [uuid.UUID(int=1).bytes]})
    schema = TableSchema("things", (Column("x", "text", "any"),))
    assert read_table(frame, schema, {}, FormatConfig(), BACKEND).columns == ("x",)
