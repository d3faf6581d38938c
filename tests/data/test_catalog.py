"""The public data sets by name: what is known of them holds, and real files are told from wrong ones."""

import io
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from segml import schema
from segml.data import catalog
from segml.data.public import PublicData
from segml.schema import DataError

ENTRIES = pytest.mark.parametrize("data", catalog.PUBLIC.values(), ids=list(catalog.PUBLIC))


@ENTRIES
def test_columns_are_mapped_from_what_the_file_has_to_what_segml_knows(data: PublicData) -> None:
    assert set(data.columns) <= set(schema.TRANSACTIONS.names)
    assert set(data.columns.values()) <= set(data.reader.types)
    assert {"customer_id", "ordered_at"} <= set(data.columns)
    assert "amount" in data.columns or {"quantity", "unit_price"} <= set(data.columns)


@ENTRIES
def test_each_accepted_content_has_figures_that_are_measured(data: PublicData) -> None:
    for content in data.fingerprint.accepted:
        assert set(content.slack) <= set(content.figures) <= set(data.fingerprint.measures)
        assert isinstance(content.figures["rows"], int)
        assert content.figures["rows"] <= data.rows


@ENTRIES
def test_the_source_and_its_terms_are_named(data: PublicData) -> None:
    assert data.url.startswith("https://")
    assert data.licence
    assert "https://" in data.citation
    assert data.file_name.endswith(".parquet")


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path) -> None:
    message = (
        "'online_retail' is.*|no public data set is called 'online_retail'; did you mean 'online_retail_ii'.; known: "
    )
    with pytest.raises(DataError, match=message):
        catalog.load("online_retail", tmp_path)


def test_the_home_is_the_environments_or_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("SEGML_DATA_HOME", "~/sets")
    assert catalog.data_home() == Path("/home/ada/sets")
    monkeypatch.setenv("SEGML_DATA_HOME", "")
    default = catalog.data_home()
    monkeypatch.delenv("SEGML_DATA_HOME")
    assert default == catalog.data_home()
    assert default.name == "segml"
    assert default.is_relative_to("/home/ada")


@pytest.mark.parametrize("name", list(catalog.PUBLIC))
def test_a_real_file_that_is_there_is_used(shared_data: Path, name: str) -> None:
    path = catalog.load(name, shared_data)
    assert path == shared_data / catalog.PUBLIC[name].file_name


def test_cdnow_is_known_in_any_order_of_rows(shared_data: Path, tmp_path: Path) -> None:
    table = pq.read_table(shared_data / "cdnow_master.parquet")
    backwards = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    pq.write_table(backwards, tmp_path / "cdnow_master.parquet", row_group_size=7_000, compression="none")
    assert catalog.load("cdnow", tmp_path).exists()


def test_one_cent_in_cdnow_is_noticed(shared_data: Path, tmp_path: Path) -> None:
    table = pq.read_table(shared_data / "cdnow_master.parquet")
    values = table["dollar_value"].to_pylist()
    values[0], values[1] = values[0] + 0.01, values[1] - 0.01
    table = table.set_column(3, "dollar_value", pa.array(values))
    pq.write_table(table, tmp_path / "cdnow_master.parquet")
    message = r"expected: digest of the rows: found \d+, expected \d+; so it is not the data set 'cdnow': move it away"
    with pytest.raises(DataError, match=message):
        catalog.load("cdnow", tmp_path)


def test_an_archive_of_the_cdnow_text_becomes_the_parquet_that_is_there(shared_data: Path, tmp_path: Path) -> None:
    wanted = pq.read_table(shared_data / "cdnow_master.parquet")
    lines = [
        f" {row['customer_id']} {row['date']:%Y%m%d} {row['number_of_cds']:2d} {row['dollar_value']:7.2f}\r\n"
        for row in wanted.to_pylist()
    ]
    with zipfile.ZipFile(tmp_path / "cdnow.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("CDNOW_master.txt", "".join(lines))
    found = pq.read_table(catalog.load("cdnow", tmp_path))
    assert found.equals(wanted.replace_schema_metadata())


def with_one_line_more(shared_data: Path, home: Path, changes: str) -> Path:
    """Write the copy of Online Retail II with its last line once more, some columns replaced."""
    source = str(shared_data / "online_retail_ii.parquet")
    target = home / "online_retail_ii.parquet"
    last = f"SELECT * REPLACE ({changes}) FROM (FROM '{source}' WHERE Invoice = '581587' AND StockCode = '22138')"
    duckdb.sql(f"(FROM '{source}') UNION ALL ({last})").write_parquet(str(target))
    return target


def test_the_published_workbook_is_known_by_its_figures(shared_data: Path, tmp_path: Path) -> None:
    with_one_line_more(shared_data, tmp_path, "1 AS Quantity, 18.0 AS Price")
    path = catalog.load("online_retail_ii", tmp_path)
    assert catalog.ONLINE_RETAIL_II.fingerprint.identify(path).title == "the published workbook"


def test_another_line_in_its_place_is_noticed(shared_data: Path, tmp_path: Path) -> None:
    with_one_line_more(shared_data, tmp_path, "2 AS Quantity, 19.01 AS Price")
    message = (
        r"expected: sum of Quantity: found 10608493, expected 10608492; "
        r"sum of Price, in ten-thousandths: found 49626226380, expected 49626216280; "
        r"sum of Quantity × Price, in ten-thousandths: found \d+, expected \d+; so it is not .*: move it away"
    )
    with pytest.raises(DataError, match=message):
        catalog.load("online_retail_ii", tmp_path)


def first_lines(table: pa.Table, sheet: str) -> pa.Table:
    return table.filter(pc.equal(table["sheet"], sheet)).slice(0, 700)


def as_excel_holds_it(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def test_a_workbook_of_real_lines_comes_back_as_the_parquet_that_is_there(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "online_retail_ii.parquet")
    wanted = pa.concat_tables([first_lines(table, sheet) for sheet in catalog.RETAIL_SHEETS])
    book = openpyxl.Workbook(write_only=True)
    for sheet in catalog.RETAIL_SHEETS:
        page = book.create_sheet(sheet)
        page.append(list(catalog.RETAIL_READER.cells))
        for row in first_lines(table, sheet).drop_columns("sheet").to_pylist():
            page.append([as_excel_holds_it(value) for value in row.values()])
    file = io.BytesIO()
    book.save(file)
    found = pa.Table.from_batches(catalog.RETAIL_READER.batches(file.getvalue()))
    assert found.equals(wanted.replace_schema_metadata())
