"""Content as exact figures: what they are, what they do not depend on, and what they notice."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml.data import fingerprint as fp
from segml.schema import DataError

TYPES = {"shop": pa.large_string(), "units": pa.int64(), "sold": pa.timestamp("us"), "price": pa.float64()}
MEASURES = {
    "rows": fp.rows(),
    "rows of a": fp.rows("shop", "a"),
    "shops": fp.distinct("shop"),
    "missing": fp.missing("shop"),
    "first": fp.first("sold"),
    "last": fp.last("sold"),
    "units": fp.total("units"),
    "price": fp.total_money("price"),
    "money": fp.total_money("price", times="units"),
    "digest": fp.row_digest(TYPES),
}
ROWS: list[tuple[Any, ...]] = [
    ("a", 2, datetime(2011, 12, 9, 12, 50), 0.1),
    ("a", -1, datetime(2011, 12, 8), 0.2),
    (None, 3, datetime(2011, 12, 7), -0.3),
    ("b", 10**9, datetime(2011, 12, 7), 1234567.891),
]


def write(path: Path, rows: list[tuple[Any, ...]], **options: Any) -> Path:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, TYPES.values(), strict=True)]
    pq.write_table(pa.table(arrays, names=list(TYPES)), path, **options)
    return path


def measured(path: Path) -> dict[str, int | str]:
    return fp.Fingerprint(TYPES, MEASURES, ()).measure(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "rows.parquet", ROWS)


def accepting(path: Path, **slack: int) -> fp.Fingerprint:
    return fp.Fingerprint(TYPES, MEASURES, (fp.Content("the rows", measured(path), slack),))


def test_the_figures_are_exact(path: Path) -> None:
    found = measured(path)
    found.pop("digest")
    assert found == {
        "rows": 4,
        "rows of a": 2,
        "shops": 2,
        "missing": 1,
        "first": "2011-12-07 00:00:00",
        "last": "2011-12-09 12:50:00",
        "units": 10**9 + 4,
        "price": 1_000 + 2_000 - 3_000 + 12_345_678_910,
        "money": 2_000 - 2_000 - 9_000 + 12_345_678_910 * 10**9,
    }


def test_order_compression_and_row_groups_do_not_matter(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.parquet", ROWS[::-1], compression="gzip", row_group_size=1, use_dictionary=False)
    assert accepting(path).identify(other).title == "the rows"


@pytest.mark.parametrize("column", range(4))
def test_the_digest_notices_two_cells_that_change_places(path: Path, tmp_path: Path, column: int) -> None:
    rows = [list(row) for row in ROWS]
    rows[0][column], rows[3][column] = rows[3][column], rows[0][column]
    other = write(tmp_path / "other.parquet", [tuple(row) for row in rows])
    with pytest.raises(DataError, match=r"other\.parquet has another content than expected: .*digest: found \d+"):
        accepting(path).identify(other)


def test_a_figure_may_be_off_by_its_slack_and_no_more(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.parquet", [*ROWS[:-1], ("b", 10**9 + 2, *ROWS[-1][2:])])
    figures = {"units": 10**9 + 4}
    exact, loose, tight = (fp.Content("the rows", figures, {"units": slack}) for slack in (0, 2, 1))
    assert exact.differences(measured(path)) == []
    assert loose.differences(measured(other)) == []
    assert tight.differences(measured(other)) == ["units: found 1000000006, expected 1000000004"]


def test_of_several_accepted_contents_the_error_tells_of_the_nearest(path: Path, tmp_path: Path) -> None:
    far = fp.Content("far", {"rows": 99, "shops": 99})
    near = fp.Content("near", {"rows": 5, "shops": 2})
    with pytest.raises(DataError, match=r"expected: rows: found 4, expected 5$"):
        fp.Fingerprint(TYPES, MEASURES, (far, near)).identify(path)


def test_many_differences_are_cut_short(path: Path) -> None:
    none = fp.Content("none", dict.fromkeys(MEASURES, -1))
    with pytest.raises(DataError, match=r"first: found 2011-12-07 00:00:00, expected -1; and 5 more$"):
        fp.Fingerprint(TYPES, MEASURES, (none,)).identify(path)


def test_a_price_that_is_no_number_is_a_difference_not_a_crash(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.parquet", [*ROWS[:-1], (*ROWS[-1][:3], float("inf"))])
    with pytest.raises(DataError, match="price: found 0, expected 12345678910"):
        accepting(path).identify(other)


def test_an_empty_table_is_a_difference(path: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), empty)
    with pytest.raises(DataError, match="rows: found 0, expected 4"):
        accepting(path).identify(empty)


def test_columns_and_types_come_first(path: Path, tmp_path: Path) -> None:
    table = pq.read_table(path)
    table = table.set_column(1, "units", table["units"].cast(pa.string())).rename_columns(
        ["store", "units", "sold", "price"]
    )
    pq.write_table(table, tmp_path / "other.parquet")
    message = (
        "column 'shop': found none, expected VARCHAR; column 'units': found VARCHAR, expected BIGINT; "
        "column 'store': found VARCHAR, expected none"
    )
    with pytest.raises(DataError, match=message):
        accepting(path).identify(tmp_path / "other.parquet")


def test_a_file_that_is_no_parquet_is_an_error(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other.parquet").write_bytes(b"not at all what it is called")
    with pytest.raises(DataError, match=r"other\.parquet cannot be read as Parquet: "):
        accepting(path).identify(tmp_path / "other.parquet")


def test_half_a_file_is_an_error(path: Path, tmp_path: Path) -> None:
    (tmp_path / "half.parquet").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"half\.parquet cannot be read as Parquet: "):
        accepting(path).identify(tmp_path / "half.parquet")


def test_signs_in_the_folders_name_are_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "a[1] * 'it?'"
    folder.mkdir()
    assert measured(write(folder / "rows.parquet", ROWS))["rows"] == 4
