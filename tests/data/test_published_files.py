"""From a published archive to rows: the member by its name, the workbook and the text cell by cell."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from segml.data.archive import read_member
from segml.data.conversion import SpacedText, Workbook, write_parquet
from segml.schema import DataError

BOOK = Workbook(
    sheets=("one", "two"),
    cells={"code": pa.large_string(), "units": pa.int64(), "sold": pa.timestamp("us"), "price": pa.float64()},
)
HEADER = ("code", "units", "sold", "price")
SOLD = datetime(2011, 12, 9, 12, 50)
TEXT = SpacedText(types={"id": pa.large_string(), "day": pa.timestamp("us"), "n": pa.int64()}, date_format="%Y%m%d")


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return path


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for name, lines in sheets.items():
        page = book.create_sheet(name)
        for line in lines:
            page.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def edited(book: bytes, old: bytes, new: bytes) -> bytes:
    """Return the workbook with a change to the XML of its sheets, as another writer might have put it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(file, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(old, new))
    return file.getvalue()


def rows(reader: Workbook | SpacedText, content: bytes) -> list[dict[str, Any]]:
    return [row for batch in reader.batches(content) for row in batch.to_pylist()]


@pytest.mark.parametrize("name", ["data.txt", "folder/data.txt", "../../data.txt", "/etc/data.txt"])
def test_a_member_is_taken_by_its_name_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", **{name: b"rows", "other.txt": b"no"})
    assert read_member(path, "data.txt", limit=4) == b"rows"
    assert [left.name for left in tmp_path.iterdir()] == ["a.zip"]


def test_a_member_larger_than_expected_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", **{"data.txt": bytes(10**7)})
    with pytest.raises(DataError, match="larger than the 9,999,999 bytes"):
        read_member(path, "data.txt", limit=10**7 - 1)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"Data.txt": b""}, r"one file named 'data\.txt'; it holds 0 among 1 files; did you mean 'Data\.txt'\?"),
        ({"a/data.txt": b"", "b/data.txt": b""}, "it holds 2 among 2 files$"),
    ],
)
def test_the_member_must_be_there_once(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_member(archive(tmp_path / "a.zip", **members), "data.txt", limit=9)


def spoil(content: bytes) -> bytes:
    return content.replace(b"unpacked", b"unqacked")


def cut(content: bytes) -> bytes:
    return content[:-30]


@pytest.mark.parametrize("damage", [spoil, cut])
def test_a_damaged_archive_is_an_error(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("data.txt", b"stored unpacked")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"a\.zip is not a zip archive that can be read: "):
        read_member(path, "data.txt", limit=99)


def test_numbers_in_text_columns_and_whole_floats_become_what_they_mean() -> None:
    content = workbook(one=[HEADER, (85048, 12.0, SOLD, 7), (20713, None, SOLD, 6.95)], two=[HEADER])
    content = edited(content, b"<v>20713</v>", b"<v>20713.0</v>")
    assert rows(BOOK, content) == [
        {"code": "85048", "units": 12, "sold": SOLD, "price": 7.0, "sheet": "one"},
        {"code": "20713", "units": None, "sold": SOLD, "price": 6.95, "sheet": "one"},
    ]


def test_blanks_in_text_are_kept_and_empty_lines_are_left_out() -> None:
    lines = [HEADER, (" WHITE ", 1, SOLD, 1), (None,) * 4, ("b",)]
    assert [row["code"] for row in rows(BOOK, workbook(one=lines, two=[HEADER]))] == [" WHITE ", "b"]


def test_a_sheet_is_read_to_its_end_whatever_size_it_states() -> None:
    content = workbook(one=[HEADER, ("a", 1, SOLD, 1), ("b", 2, SOLD, 2)], two=[HEADER])
    content = edited(content, b"<sheetData>", b'<dimension ref="A1:A1"/><sheetData>')
    assert [row["units"] for row in rows(BOOK, content)] == [1, 2]


def test_a_long_sheet_comes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segml.data.conversion.BATCH_ROWS", 2)
    book = Workbook(sheets=("one",), cells={"n": pa.int64()})
    content = workbook(one=[("n",), *((n,) for n in range(5))])
    assert [batch.column(0).to_pylist() for batch in book.batches(content)] == [[0, 1], [2, 3], [4]]


def test_progress_is_the_share_of_rows(tmp_path: Path) -> None:
    seen: list[float] = []
    content = workbook(one=[HEADER, ("a", 1, SOLD, 1)], two=[HEADER, *[("a", 1, SOLD, 1)] * 3])
    write_parquet(BOOK, content, tmp_path / "x.parquet", expected_rows=4, progress=seen.append)
    assert seen == [0.25, 1.0]


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"one": [HEADER]}, r"lacks the sheet 'two'; it has \['one'\]"),
        ({"one": [("code", "n", "sold", "price")]}, r"sheet 'one' must begin with the columns .* found \['code', 'n'"),
        ({"one": []}, r"sheet 'one' must begin with the columns .* found \[\]"),
        ({"one": [HEADER, ("a", 1.5, SOLD, 1)]}, "sheet 'one', column 'units': .* int64: 1.5 is not a whole number"),
        ({"one": [HEADER, ("a", "7", SOLD, 1)]}, "sheet 'one', column 'units': .* int64: '7' is not a whole number"),
        ({"one": [HEADER, ("a", 1, "today", 1)]}, r"column 'sold': a cell is not of type timestamp\[us\]"),
        ({"one": [HEADER, ("a", 1, SOLD, "dear")]}, "column 'price': a cell is not of type double"),
    ],
)
def test_a_workbook_of_another_form_is_an_error(sheets: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        rows(BOOK, workbook(**sheets))


def test_spaced_text_keeps_leading_zeros() -> None:
    content = b" 00001 19970101  1\r\n 00002 19970112  5\r\n"
    assert rows(TEXT, content) == [
        {"id": "00001", "day": datetime(1997, 1, 1), "n": 1},
        {"id": "00002", "day": datetime(1997, 1, 12), "n": 5},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1 19970101 1\n2 19970101\n", r"line 2 of the text has 2 columns; expected id \(large_string\), day"),
        (b"1 1997-01-01 1\n", "the text must hold lines of id .*: Failed to parse string: '1997-01-01'"),
        (b"1 19970101 one\n", "the text must hold lines of id .*: Failed to parse string: 'one'"),
        (b"", "the text must hold lines of id"),
    ],
)
def test_a_text_of_another_form_is_an_error(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        rows(TEXT, content)
