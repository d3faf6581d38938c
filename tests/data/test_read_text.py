"""Delimited text files as people have them."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import ConfigError, DataError

BACKEND = connect(threads=1)
HEADER = ("customer_id", "ordered_at", "amount", "region")
ROWS = [("007", "2010-12-29", "1234.50", "Тверь"), ("8", "2010-12-30", "-5", 'ООО "Юг"')]
VALUES = [("007", 1234.5, "Тверь"), ("8", -5.0, 'ООО "Юг"')]


def text(delimiter: str = ",", rows: Sequence[tuple[str, ...]] = ROWS, end: str = "\n") -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in '",;\t\n') else cell

    return "".join(delimiter.join(map(quoted, row)) + end for row in [HEADER, *rows])


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def read(source: Path | str, columns: dict[str, str] | None = None, **format: Any) -> pd.DataFrame:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(**format), BACKEND)
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame


def values(source: Path | str, columns: dict[str, str] | None = None, **format: Any) -> list[tuple[Any, ...]]:
    frame = read(source, columns, **format)
    return list(frame[["customer_id", "amount", "region"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str) -> None:
    assert values(write(tmp_path / "sales.csv", text(delimiter), encoding)) == VALUES


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.CSV", "a.csv.gz", "a.tsv.gz", "a.txt.gz"])
def test_every_supported_name_is_read(tmp_path: Path, name: str) -> None:
    assert values(write(tmp_path / name, text("\t"))) == VALUES


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(tmp_path: Path, end: str) -> None:
    assert values(write(tmp_path / "a.csv", text(end=end))) == VALUES


def test_compression_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.csv.gz", tmp_path / "packed.csv"
    plain.write_bytes(text().encode())
    packed.write_bytes(gzip.compress(text()[:30].encode()) + gzip.compress(text()[30:].encode()))
    assert values(plain) == values(packed) == VALUES


def test_a_byte_order_mark_wins_over_the_configuration(tmp_path: Path) -> None:
    assert values(write(tmp_path / "a.csv", text(), "utf-16"), encoding="windows-1251") == VALUES
    big_endian = b"\xfe\xff" + text().encode("utf-16-be")
    assert values(write(tmp_path / "b.csv", big_endian)) == VALUES


def test_windows_1251_is_read_when_the_configuration_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text(";"), "windows-1251")
    assert values(path, encoding="windows-1251") == values(path, encoding="cp1251") == VALUES


@pytest.mark.parametrize(("region", "encoding"), [("Тверь", "windows-1251"), ("Österreich", "windows-1252")])
def test_another_encoding_is_never_guessed_but_suggested(tmp_path: Path, region: str, encoding: str) -> None:
    path = write(tmp_path / "a.csv", text(rows=[(*ROWS[1][:3], "x"), ("1", "2010-12-29", "1", region)]), encoding)
    message = rf"a\.csv, line 3, is not UTF-8; probably {encoding}; set data\.format\.encoding: {encoding}"
    with pytest.raises(DataError, match=message):
        read(path)


def test_utf_8_is_never_garbled_by_a_configured_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text())
    with pytest.raises(DataError, match=r"a\.csv is UTF-8, and cp1251 would garble it; remove data\.format\.encoding"):
        read(path, encoding="windows-1251")
    plain = write(tmp_path / "b.csv", text(rows=[("1", "2010-12-29", "1", "Tver")]))
    assert values(plain, encoding="windows-1251") == [("1", 1.0, "Tver")]


def test_bytes_that_the_configured_encoding_does_not_know_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text().encode("windows-1251") + b"\x98")
    with pytest.raises(DataError, match=r"a\.csv, line 4, is not cp1251; set data\.format\.encoding to the file's"):
        read(path, encoding="windows-1251")


def test_an_encoding_that_does_not_exist_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"data\.format\.encoding: 'windows-125l' is not an encoding; did you mean 'windows-125"
    ):
        read(write(tmp_path / "a.csv", text()), encoding="windows-125l")


def test_utf_16_without_a_mark_and_binary_files_are_not_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", text(), "utf-16-le")
    with pytest.raises(DataError, match=r"is not a text file: it holds zero bytes; if it is UTF-16 .* utf-16-le"):
        read(path)
    assert values(path, encoding="utf-16-le") == VALUES


def test_a_damaged_gzip_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text(rows=ROWS * 1000).encode())[:-30])
    with pytest.raises(DataError, match=r"a\.csv\.gz is not a readable gzip file: it is cut off or damaged"):
        read(path)


def test_a_delimiter_that_stands_in_a_header_name_must_be_settled(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "customer_id;ordered_at;amount, rub.;region\n1;2010-12-29;1,5;x\n")
    columns = {"amount": "amount, rub."}
    message = r"amount, rub\.;region' can be split by comma or semicolon; set data\.format\.delimiter"
    with pytest.raises(DataError, match=message):
        read(path, columns)
    assert values(path, columns, delimiter=";") == [("1", 1.5, "x")]
    quoted = write(tmp_path / "b.csv", 'customer_id;ordered_at;"amount, rub.";region\n1;2010-12-29;1,5;x\n')
    assert values(quoted, columns) == [("1", 1.5, "x")]
    tabs = write(tmp_path / "c.tsv", "customer_id\tordered_at\tamount, rub.\tregion\n1\t2010-12-29\t1,5\tx\n")
    assert values(tabs, columns) == [("1", 1.5, "x")]


def test_a_spreadsheets_declaration_of_its_delimiter_is_understood(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sep=;\r\n" + text(";", end="\r\n").replace("region", "region, town"))
    assert values(path, {"region": "region, town"}) == VALUES


@pytest.mark.parametrize(("delimiter", "mark"), [("tab", "\t"), ("\\t", "\t"), ("|", "|")])
def test_a_delimiter_can_be_given(tmp_path: Path, delimiter: str, mark: str) -> None:
    assert values(write(tmp_path / "a.csv", text(mark)), delimiter=delimiter) == VALUES


def test_a_delimiter_of_several_characters_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.format\.delimiter must be one character.*found ';;'"):
        read(write(tmp_path / "a.csv", text()), delimiter=";;")


def test_words_for_nothing_stay_text_in_names_and_are_missing_in_numbers(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", text(rows=[("NA", "2010-12-29", "NA", "null"), ("NULL", "NULL", "n/a", ""), *ROWS])
    )
    frame = read(path)
    assert frame["customer_id"].tolist()[:2] == ["NA", "NULL"]
    assert frame["region"].isna().tolist()[:2] == [False, True]
    assert frame[["ordered_at__unparsable", "amount__unparsable"]].to_numpy().tolist()[:2] == [
        [False, True],
        [False, False],
    ]


def test_quotes_line_breaks_and_blank_lines_are_understood(tmp_path: Path) -> None:
    content = (
        '\n\n"customer_id",ordered_at," amount ",region\n\n1,2010-12-29,1.5,"a\n""b"", c"\n2,2010-12-29,2,5" pipe\n\n'
    )
    assert values(write(tmp_path / "a.csv", content)) == [("1", 1.5, 'a\n"b", c'), ("2", 2.0, '5" pipe')]


def test_a_column_without_a_name_is_left_behind(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=HEADER)
    frame.to_csv(tmp_path / "a.csv")
    assert values(tmp_path / "a.csv") == VALUES
    assert values(write(tmp_path / "b.csv", text().replace("\n", ",,\n"))) == VALUES


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2010-12-29,5", r"a\.csv, line 4: 3 fields where the header has 4"),
        ("1,2010-12-29,5,x,y", r"a\.csv, line 4: 5 fields where the header has 4"),
        ("  ", r"a\.csv, line 4: 1 fields where the header has 4"),
        ('1,2010-12-29,5,"x', r"a\.csv, line 4: a quote is opened and never closed"),
        ('1,2010-12-29,"5,x', r"a\.csv, line 4: a quote is opened and never closed"),
    ],
)
@pytest.mark.parametrize("more", [1, 4000])
def test_a_broken_line_is_named(tmp_path: Path, line: str, message: str, more: int) -> None:
    rows = [("1", "2010-12-29", "5", "long enough to fill a block")] * more
    content = text(rows=ROWS) + line + "\n" + text(rows=rows).partition("\n")[2]
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "a.csv", content))


def test_a_broken_line_is_counted_through_line_breaks_within_quotes(tmp_path: Path) -> None:
    content = "\n" + text(rows=[("1", "2010-12-29", "5", "a\nb\nc")]) + "1,2\n"
    with pytest.raises(DataError, match=r"line 6: 2 fields where the header has 4"):
        read(write(tmp_path / "a.csv", content))


@pytest.mark.parametrize("swallowed", ["header", "first row"])
def test_a_quote_that_swallows_the_whole_file_is_an_error(tmp_path: Path, swallowed: str) -> None:
    rest = text(rows=ROWS[:1] * 9000)
    content = '"' + rest if swallowed == "header" else ",".join(HEADER) + '\n"' + rest
    with pytest.raises(DataError, match="a quote in the header or the first row is opened and never closed"):
        read(write(tmp_path / "a.csv", content))


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"a\.csv is empty: it has no rows, not even a header"):
        read(write(tmp_path / "a.csv", content))


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_a_file_with_only_a_header_has_no_rows(tmp_path: Path, end: str) -> None:
    with pytest.raises(DataError, match=r"transactions in .*a\.csv has no rows"):
        read(write(tmp_path / "a.csv", ",".join(HEADER) + end))


def test_a_column_name_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv has more than one column named 'region'; rename all but one"):
        read(write(tmp_path / "a.csv", "customer_id,ordered_at,amount,region, region\n1,2,3,4,5\n"))


def test_files_of_a_folder_or_glob_are_one_table_each_in_its_own_spelling(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.csv", text(";", ROWS[:1]), "utf-16")
    write(tmp_path / "in" / "deep" / "b.csv.gz", text(",", ROWS[1:]))
    write(tmp_path / "in" / "deep" / "_SUCCESS", "")
    write(tmp_path / "in" / "deep" / ".b.csv.gz.crc", "x")
    write(tmp_path / "in" / "header_only.csv", ",".join(HEADER))
    assert values(tmp_path / "in") == values(str(tmp_path / "in" / "**" / "*.csv*")) == VALUES
    assert values(str(tmp_path / "i?" / "a.csv")) == VALUES[:1]
    assert values(str(tmp_path / "in" / "deep" / "*")) == VALUES[1:]


def test_columns_of_several_files_may_stand_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", text(rows=ROWS[:1]))
    pd.DataFrame(ROWS[1:], columns=HEADER)[list(reversed(HEADER))].to_csv(tmp_path / "b.csv", index=False)
    assert values(tmp_path) == VALUES


def test_files_with_different_headers_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", text())
    write(tmp_path / "b.csv", text().replace("amount", "sum", 1))
    with pytest.raises(
        DataError, match=r"differ in columns: against a\.csv, b\.csv lacks \['amount'\] and has \['sum'\] beyond it"
    ):
        read(tmp_path)


def test_a_file_larger_than_the_memory_limit_passes_through_in_order(tmp_path: Path) -> None:
    """Arrow reads 32 MB of text ahead and parses some; nothing else waits for DuckDB, however long the file."""
    lines, path = 500_000, tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("customer_id,ordered_at,amount,region\n")
        file.writelines(f"customer {n:060d},2024-05-01 12:00:00,{n},region {n:0300d}\n" for n in range(lines))
    backend = connect(threads=1, memory_bytes=100_000_000, spill=tmp_path / "spill")
    before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        table = read_table(path, schema.TRANSACTIONS, {}, FormatConfig(), backend)
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 60_000_000 < path.stat().st_size / 3
    [found] = table.aggregate(lines=table.count(), total=table.amount.sum()).to_pyarrow().to_pylist()
    assert found == {"lines": lines, "total": lines * (lines - 1) / 2}
    assert table.limit(30_000).amount.to_pyarrow().to_pylist() == [float(n) for n in range(30_000)]


def test_online_retail_survives_the_spelling_of_a_russian_office(tmp_path: Path, shared_data: Path) -> None:
    columns = {
        "customer_id": "Customer ID",
        "order_id": "Invoice",
        "ordered_at": "InvoiceDate",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "Price",
        "region": "Country",
    }
    original = pd.read_parquet(shared_data / "online_retail_ii.parquet", columns=[*columns.values(), "sheet"]).sample(
        20_000, random_state=1
    )
    spelled = original.assign(
        InvoiceDate=original["InvoiceDate"].dt.strftime("%d.%m.%Y %H:%M:%S"),
        Price=original["Price"].map(lambda price: f"{price:,.3f} руб.".replace(",", "\u00a0").replace(".", ",", 1)),
    )
    spelled.to_csv(tmp_path / "a.csv", sep=";", index=False, encoding="windows-1251")
    found = read(tmp_path / "a.csv", columns, encoding="windows-1251", date_format="%d.%m.%Y %H:%M:%S")
    marks = found.filter(like="__unparsable")
    assert marks.columns.tolist() == [f"{name}__unparsable" for name in ("ordered_at", "quantity", "unit_price")]
    assert not marks.any(axis=None)
    wanted = read_table(original, schema.TRANSACTIONS, columns, FormatConfig(), BACKEND).to_pyarrow().to_pandas()
    pd.testing.assert_frame_equal(found.drop(columns=marks.columns), wanted)
