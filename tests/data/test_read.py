"""Frames, names of columns, and what a source string may be."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from segml import config, schema
from segml.config import FormatConfig
from segml.data.engine import connect, to_table
from segml.data.read import read_customers, read_table, read_transactions
from segml.schema import DataError

BACKEND = connect(threads=1)
DAYS = [datetime(2010, 12, 29), datetime(2010, 12, 30)]
LINES = {"customer_id": ["a", "b"], "ordered_at": DAYS, "amount": [1.5, -2.0], "Note": ["x", "y"]}


def read(
    source: Any, columns: dict[str, Any] | None = None, table: schema.TableSchema = schema.TRANSACTIONS
) -> pa.Table:
    return read_table(source, table, columns or {}, FormatConfig(), BACKEND).to_pyarrow()


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, pa.table, lambda lines: to_table(pa.table(lines), BACKEND)],
    ids=["pandas", "polars", "arrow", "ibis"],
)
def test_every_kind_of_frame_gives_the_same_table(make: Any) -> None:
    wanted = pa.table({"customer_id": ["a", "b"], "ordered_at": DAYS, "amount": [1.5, -2.0]})
    assert read(make(LINES)).equals(wanted)


def test_the_callers_frame_is_not_changed() -> None:
    frame = pd.DataFrame({**LINES, "amount": ["1", 2.5]}, index=[5, 7])
    before = frame.copy(deep=True)
    read(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_columns_of_mixed_objects_are_read() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": [13085, "C13086", 13087.0, None, pd.NA],
            "ordered_at": [DAYS[0], date(2010, 12, 30), "2010-12-31", pd.NaT, datetime(2010, 12, 29, tzinfo=UTC)],
            "amount": [1, 2.5, Decimal("3.25"), "1 234,5", float("nan")],
            "order_id": [2**70, 1, 2, 3, 4],
        },
        dtype=object,
    )
    rows = read(frame).to_pydict()
    assert rows["customer_id"] == ["13085", "C13086", "13087", None, None]
    assert rows["ordered_at"] == [*DAYS, datetime(2010, 12, 31), None, DAYS[0]]
    assert rows["amount"] == [1, 2.5, 3.25, 1234.5, None]
    assert rows["order_id"] == [str(2**70), "1", "2", "3", "4"]
    assert rows["amount__unparsable"] == rows["ordered_at__unparsable"] == [False] * 5


def test_moments_with_and_without_a_zone_in_one_column_are_told_apart() -> None:
    aware = datetime(2010, 12, 29, 10, tzinfo=timezone(timedelta(hours=3)))
    for cells in ([aware, aware.replace(tzinfo=None)], [aware.replace(tzinfo=None), aware]):
        frame = pd.DataFrame(LINES | {"ordered_at": pd.Series(cells, dtype=object)})
        table = read_table(frame, schema.TRANSACTIONS, {}, FormatConfig(timezone="Asia/Tokyo"), BACKEND).to_pyarrow()
        hours = [moment.hour for moment in table.column("ordered_at").to_pylist()]
        assert hours == [10 if cell.tzinfo is None else 16 for cell in cells]


def test_pandas_columns_of_every_usual_type_are_read() -> None:
    frame = pd.DataFrame(
        {
            "customer_id": pd.array([13085, None], "Int64"),
            "ordered_at": pd.Series(DAYS).dt.tz_localize("Europe/Berlin"),
            "amount": pd.array([1.5, None], "Float64"),
            "category": pd.Categorical(["a", None]),
            "region": [None, None],
            "channel": ["web", float("nan")],
        }
    )
    rows = read(frame).to_pydict()
    assert rows["customer_id"] == ["13085", None]
    assert rows["ordered_at"] == [datetime(2010, 12, 28, 23), datetime(2010, 12, 29, 23)]
    assert (rows["amount"], rows["category"], rows["region"]) == ([1.5, None], ["a", None], [None, None])
    assert rows["channel"] == ["web", None]


def test_a_column_that_no_table_can_hold_is_an_error() -> None:
    with pytest.raises(DataError, match=r"2 of 2 values are not ISO 8601.* but '2010-01' and '2010-02'"):
        read(pd.DataFrame(LINES | {"ordered_at": pd.PeriodIndex(["2010-01", "2010-02"], freq="M")}))
    with pytest.raises(DataError, match="column 'amount' of type complex128 cannot be read"):
        read(pd.DataFrame(LINES | {"amount": [1j, 2j]}))
    with pytest.raises(
        DataError, match=r"the given table has a column of a type that cannot be read, among .*decimal256"
    ):
        read(pa.table(LINES | {"amount": pa.array([1, 2]).cast(pa.decimal256(50, 0))}))
    with pytest.raises(DataError, match="column 'customer_id' holds text that is not Unicode"):
        read(pd.DataFrame(LINES | {"customer_id": pd.Series(["\ud800", "b"], dtype=object)}))


@pytest.mark.parametrize("source", [None, 5, [1, 2], {"a": 1}, pl.LazyFrame(LINES)])
def test_what_is_no_table_is_an_error(source: Any) -> None:
    with pytest.raises(
        DataError, match=f"a table is needed: pandas, polars, pyarrow, Ibis or a path; found {type(source).__name__}"
    ):
        read(source)


def test_a_frame_without_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="transactions in the given table has no rows"):
        read(pd.DataFrame(LINES).head(0))


def test_intermediate_tables_are_let_go() -> None:
    backend = connect(threads=1)
    read_table(pd.DataFrame(LINES | {"amount": ["1", "2"]}), schema.TRANSACTIONS, {}, FormatConfig(), backend)
    assert len(backend.raw_sql("select * from information_schema.tables").fetchall()) == 1


def test_a_mapping_renames_and_unmapped_columns_are_left_behind() -> None:
    frame = pa.table(
        {"Kunde": ["a"], "ordered_at": DAYS[:1], "Preis": [2.0], "quantity": [3], "amount": ["zwei"], "x": [1]}
    )
    found = read(frame, {"customer_id": "Kunde", "amount": "Preis", "order_id": None})
    assert found.to_pylist() == [{"customer_id": "a", "ordered_at": DAYS[0], "amount": 2.0, "quantity": 3.0}]


def test_a_source_column_that_is_mapped_elsewhere_is_not_taken_twice() -> None:
    frame = pa.table({"region": ["a"], "ordered_at": DAYS[:1], "amount": [2.0]})
    assert read(frame, {"customer_id": "region"}).column_names == ["customer_id", "ordered_at", "amount"]


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        (
            ["customer_id", "order_date", "amount"],
            {},
            r"transactions in the given table: lacks columns \['ordered_at'\]; "
            r"found \['customer_id', 'order_date', 'amount'\]; did you mean 'order_date'\? map it under data\.columns",
        ),
        (
            ["Customer ID", "order_date", "amount"],
            {},
            r"lacks columns \['customer_id', 'ordered_at'\].*; did you mean 'Customer ID' for 'customer_id', "
            r"or 'order_date' for 'ordered_at'\? map it under data\.columns",
        ),
        (["Customer_ID", "ordered_at", "amount"], {}, r"lacks columns \['customer_id'\].*did you mean 'Customer_ID'\?"),
        (["x", "y", "amount"], {}, r"lacks columns .*found \['x', 'y', 'amount'\]; map it under data\.columns"),
        (
            ["customer_id", "ordered_at", "quantity"],
            {},
            r"needs 'amount', or 'quantity' and 'unit_price'; found \['customer_id', 'ordered_at', 'quantity'\]; map",
        ),
        (
            ["customer_id", "ordered_at", "Sum"],
            {"amount": "Summ"},
            r"data\.columns takes 'amount' from 'Summ', which is not there; found .*; did you mean 'Sum'\?",
        ),
        (
            ["customer_id", "ordered_at", "amount"],
            {"amuont": "x"},
            r"'amuont' is not one of its columns; did you mean 'amount'\?",
        ),
    ],
)
def test_columns_that_do_not_fit_are_explained(names: list[str], columns: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(pa.table({name: ["1"] for name in names}), columns)


def test_all_problems_with_columns_come_at_once() -> None:
    with pytest.raises(DataError) as caught:
        read(pa.table({"x": ["1"]}), {"amount": "Sum"})
    assert [line.partition(": ")[2].split(" ")[0] for line in str(caught.value).splitlines()] == [
        "data.columns",
        "lacks",
    ]


def test_many_column_names_are_cut_short() -> None:
    with pytest.raises(DataError, match=r"'c29'\] and 70 more; map"):
        read(pa.table({f"c{number}": ["1"] for number in range(100)}))


def test_the_customers_table_has_its_own_mapping() -> None:
    cards = pa.table(
        {"Code": [1, 2], "Company": [" Acme ", ""], "Strategic": ["да", "no"], "employees": ["1 000", "7"]}
    )
    data = config.DataConfig(
        customer_columns=config.CustomerColumns(customer_id="Code", name="Company", is_strategic="Strategic")
    )
    rows = read_customers(cards, data, BACKEND).to_pyarrow().to_pydict()
    assert (rows["customer_id"], rows["name"], rows["is_strategic"]) == (["1", "2"], ["Acme", None], [True, False])
    assert rows["employees"] == [1000, 7]
    with pytest.raises(
        DataError, match=r"customers in .*lacks columns \['customer_id'\].*map it under data\.customer_columns"
    ):
        read_customers(cards, config.DataConfig(), BACKEND)


def test_transactions_are_read_by_the_configuration() -> None:
    data = config.DataConfig(
        columns=config.TransactionColumns(amount="Sum"), format=FormatConfig(decimal=",", date_format="%d.%m.%Y")
    )
    frame = pd.DataFrame({"customer_id": ["a"], "ordered_at": ["29.12.2010"], "Sum": ["1.234"]})
    rows = read_transactions(frame, data).to_pyarrow().to_pylist()
    assert (rows[0]["ordered_at"], rows[0]["amount"]) == (DAYS[0], 1234.0)


def test_a_table_without_its_time_says_where_to_map_it() -> None:
    with pytest.raises(
        DataError, match=r"contracts in .*lacks columns \['renews_on'\].*; map it under data.contract_columns"
    ):
        read(pa.table({"customer_id": ["a"]}), table=schema.CONTRACTS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("sale.csv", r"sale\.csv does not exist; did you mean 'sales\.csv'\?"),
        ("zzzzzz", r"zzzzzz does not exist$"),
        ("dat/sales.csv", r"does not exist: there is no folder 'dat' in .*; did you mean 'data'\?"),
        ("*.parquet", r"no file matches .*\*\.parquet"),
        ("data", r"the folder .*data holds no data files; supported: \.parquet, \.csv, .*postgresql://"),
        ("notes.docx", r"notes\.docx is of an unknown type; supported: \.parquet, \.csv"),
        ("old.xls", r"old\.xls is of an unknown type \(save it as \.xlsx\); supported"),
        (".", r"holds files of several types, as .*sales\.csv.*; choose one type"),
    ],
)
def test_a_source_that_is_not_there_or_not_data_is_explained(tmp_path: Path, source: str, message: str) -> None:
    for name in ("sales.csv", "b.parquet1", "notes.docx", "old.xls", "data/readme.md", "more/b.xlsx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(DataError, match=message):
        read(str(tmp_path / source))


def test_unknown_addresses_are_refused() -> None:
    with pytest.raises(DataError, match=r"s4:// addresses cannot be read.*; known: s3, https"):
        read("s4://bucket/sales.parquet")


def test_paths_below_the_home_folder_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_text("customer_id,ordered_at,amount\n1,2010-12-29,5\n")
    assert read("~/a.csv").num_rows == 1
