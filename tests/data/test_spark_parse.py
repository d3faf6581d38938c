"""Text reads the same on Spark as on DuckDB: numbers, moments, flags and names."""

from typing import Any

import pandas as pd
import pytest

from sail import sail
from segml import schema
from segml.config import FormatConfig
from segml.data import connect, read_table, to_table

NUMBERS = [
    *("12.50", "1,234.5", "1 234.50 ₽", "(7.25)", "−5.5", "12.5-", "USD 3'000.5", "1,234,567", ".5", "1e3", "1.5E-2"),
    *("12k", "3 млн", "n/a", "—", "nan", "abc", "1.2.3", "1,23.5", "12d", "", " 8.5\t", "\u00a09.25\u200b", "007.5"),
]
MOMENTS = {
    None: [
        *(
            "2020-01-31",
            "2020-01-31 13:45",
            "2020-01-31T13:45:10.25",
            "2020-01-31T13:45:10,5Z",
            "2020-03-01 00:30+02:00",
        ),
        *("2020-07-01 00:30-0330", "2020-02-30", "2020-1-31", "31.01.2020", "2020-01-31 25:00", "", "n/a", "soon"),
    ],
    "%d.%m.%Y": ["31.01.2020", "1.2.2020", "30.02.2020", "31.01.20", "2020-01-31", "x", "31.01.2020 10:00"],
    "%d.%m.%Y %H:%M": ["31.01.2020 13:45", "1.2.2020 3:05", "31.01.2020 24:00", "31.01.2020"],
    "%m/%d/%y %I:%M %p": ["01/31/20 01:45 PM", "12/31/99 12:00 AM", "06/30/68 12:30 pm", "06/30/69 11:59 AM"],
    "%Y%m%d": ["20200131", "20201301", "202001", "2020-01-31"],
    "%d %b %Y": ["31 Jan 2020", "29 feb 2020", "30 feb 2020", "1 Foo 2020"],
    "%B %d, %Y": ["January 31, 2020", "may 1, 2021", "Mai 1, 2021"],
    "%Y-%j": ["2020-366", "2021-365", "2021-366", "2020-001"],
    "%d/%m/%Y %H:%M:%S %z": ["31/01/2020 13:45:10 +0100", "31/07/2020 23:45:10 -0330"],
}


def read(rows: pd.DataFrame, backend: Any, format: FormatConfig) -> pd.DataFrame:
    """Return what is read of rows that already lie in the data base, as text."""
    table = read_table(to_table(rows, backend), schema.TRANSACTIONS, {}, format, backend)
    found: pd.DataFrame = table.to_pyarrow().to_pandas()
    return found.sort_values("order_id", ignore_index=True)


def both(format: FormatConfig, **columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    size = max(map(len, columns.values()))
    rows = pd.DataFrame(
        {"customer_id": "c", "ordered_at": pd.Timestamp("2020-01-01"), "amount": 1.0}, index=range(size)
    )
    rows = rows.assign(order_id=[f"{place:03}" for place in range(size)], **columns)
    return read(rows, connect(), format), read(rows, sail(), format)


def test_numbers() -> None:
    pd.testing.assert_frame_equal(*both(FormatConfig(), amount=NUMBERS))


def test_numbers_with_a_decimal_comma() -> None:
    swapped = [text.translate(str.maketrans(",.", ".,")) for text in NUMBERS]
    pd.testing.assert_frame_equal(*both(FormatConfig(decimal=","), amount=swapped))


@pytest.mark.parametrize("spelled", MOMENTS)
def test_moments(spelled: str | None) -> None:
    good = MOMENTS[spelled][:1] * 8  # a column of which most cannot be read is refused
    format = FormatConfig(date_format=spelled, timezone="Europe/Berlin")
    duck, spark = both(format, ordered_at=MOMENTS[spelled] + good)
    pd.testing.assert_frame_equal(duck, spark)


def test_names_lose_the_blanks_around_them() -> None:
    names = ["a", " a", "a\t", "\u00a0a\u200b", "\n", "a b", "A"]
    duck, spark = both(FormatConfig(), customer_id=names)
    pd.testing.assert_frame_equal(duck, spark)
    assert spark["customer_id"].nunique() == 3
