"""Edge cases of reading and cleaning as truth tables: clocks, calendars, numbers that are names, equal lines."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from engines import engine
from segml import schema
from segml.config import CleaningConfig, FormatConfig
from segml.data import clean, connect, deduplicate, prepare_extra, to_table
from segml.data.read import read_table
from segml.windows import known

__all__ = ["engine"]


BACKEND = connect()
NO = None


def read(column: str, values: Any, **format: str) -> list[Any]:
    """Return a column of transactions as it is read from a pandas or pyarrow column, or a list."""
    given = {
        "customer_id": ["a"] * len(values),
        "ordered_at": ["2024-01-01"] * len(values),
        "amount": [1.0] * len(values),
    }
    is_arrow = isinstance(values, pa.Array)
    source = pa.table(given | {column: values}) if is_arrow else pd.DataFrame(given | {column: values})
    table = read_table(source, schema.TRANSACTIONS, {}, FormatConfig.model_validate(format), BACKEND)
    return list(table.to_pyarrow()[column].to_pylist())


# --- reading: clocks and calendars

LAST = datetime(2024, 12, 31, 23, 59, 59, 999999)
BERLIN, TOKYO, NEW_YORK = "Europe/Berlin", "Asia/Tokyo", "America/New_York"
CLOCKS: list[tuple[str, str | None, str, datetime | None]] = [
    ("the last second of winter", BERLIN, "2024-03-31T00:59:59Z", datetime(2024, 3, 31, 1, 59, 59)),
    ("the next one: an hour is left out", BERLIN, "2024-03-31T01:00:00Z", datetime(2024, 3, 31, 3)),
    ("half past two, in summer time", BERLIN, "2024-10-27T00:30:00Z", datetime(2024, 10, 27, 2, 30)),
    ("half past two again, in winter time", BERLIN, "2024-10-27T01:30:00Z", datetime(2024, 10, 27, 2, 30)),
    ("an offset is one whatever the zone's own", BERLIN, "2024-10-27 02:30:00+05:30", datetime(2024, 10, 26, 23)),
    ("an offset without a colon", BERLIN, "2024-07-01 12:00-0400", datetime(2024, 7, 1, 18)),
    ("an offset of hours", BERLIN, "2024-01-01 12:00-04", datetime(2024, 1, 1, 17)),
    ("a local time that no clock showed stands", BERLIN, "2024-03-31 02:30:00", datetime(2024, 3, 31, 2, 30)),
    ("a local time that clocks showed twice stands", BERLIN, "2024-10-27 02:30:00", datetime(2024, 10, 27, 2, 30)),
    ("a day has no zone", NEW_YORK, "2024-01-01", datetime(2024, 1, 1)),
    ("a moment may fall on another day", TOKYO, "2023-12-31T15:00:00Z", datetime(2024, 1, 1)),
    ("and another year", NEW_YORK, "2024-01-01T04:59:59Z", datetime(2023, 12, 31, 23, 59, 59)),
    ("without a zone of ours, UTC", NO, "2024-07-01T12:00:00+02:00", datetime(2024, 7, 1, 10)),
    ("before 1970", NEW_YORK, "1969-12-31T23:59:59Z", datetime(1969, 12, 31, 18, 59, 59)),
    ("leap day", NO, "2024-02-29", datetime(2024, 2, 29)),
    ("leap day of a full century", NO, "2000-02-29 23:59", datetime(2000, 2, 29, 23, 59)),
    ("no leap day", NO, "2023-02-29", None),
    ("no leap day of other centuries", NO, "2100-02-29", None),
    ("no such end of month", NO, "2024-04-31", None),
    ("no such month", NO, "2024-13-01", None),
    ("the end of the day is the next", NO, "2024-12-31 24:00:00", datetime(2025, 1, 1)),
    ("the last microsecond", NO, "2024-12-31T23:59:59.999999", LAST),
    ("digits beyond it never round up into the new year", NO, "2024-12-31T23:59:59.9999999", LAST),
    ("a leap second is no time of clocks", NO, "2016-12-31T23:59:60", None),
]


@pytest.mark.parametrize("zone", [BERLIN, TOKYO, NEW_YORK, NO])
def test_texts_of_moments(zone: str | None) -> None:
    cases = [case for case in CLOCKS if case[1] == zone]
    format = {"timezone": zone} if zone else {}
    found = read("ordered_at", [text for _, _, text, _ in cases], **format)
    assert dict(zip([story for story, *_ in cases], found, strict=True)) == {
        story: moment for story, *_, moment in cases
    }


NOON = datetime(2024, 3, 31, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("story", "values", "zone", "expected"),
    [
        ("a typed column in UTC", pd.to_datetime([NOON]), BERLIN, datetime(2024, 3, 31, 3)),
        ("in a zone of its own", pd.to_datetime([NOON]).tz_convert(TOKYO), BERLIN, datetime(2024, 3, 31, 3)),
        ("read as UTC where no zone is said", pd.to_datetime([NOON]).tz_convert(TOKYO), NO, datetime(2024, 3, 31, 1)),
        ("nanoseconds", pa.array([NOON], pa.timestamp("ns", "UTC")), NEW_YORK, datetime(2024, 3, 30, 21)),
        (
            "seconds without a zone are local",
            pa.array([NOON.replace(tzinfo=None)], pa.timestamp("s")),
            TOKYO,
            datetime(2024, 3, 31, 1),
        ),
        ("days are local", pa.array([date(2024, 2, 29)], pa.date32()), NEW_YORK, datetime(2024, 2, 29)),
        ("nanoseconds are cut off", pa.array([1735689599_999999999], pa.timestamp("ns")), NO, LAST),
    ],
)
def test_typed_moments(story: str, values: Any, zone: str | None, expected: datetime) -> None:
    assert read("ordered_at", values, **({"timezone": zone} if zone else {})) == [expected], story


def test_moments_with_and_without_a_zone_in_one_column() -> None:
    mixed = [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)]
    assert read("ordered_at", mixed, timezone=TOKYO) == [datetime(2024, 1, 1, 9), datetime(2024, 1, 1)]


def test_a_format_with_an_offset_and_one_without() -> None:
    zoned = read("ordered_at", ["31.12.2024 23:30 +0000"], date_format="%d.%m.%Y %H:%M %z", timezone=TOKYO)
    plain = read("ordered_at", ["29.02.2024", "29.02.2023", "31.12.2024"], date_format="%d.%m.%Y", timezone=TOKYO)
    assert zoned == [datetime(2025, 1, 1, 8, 30)]
    assert plain == [datetime(2024, 2, 29), None, datetime(2024, 12, 31)]


# --- reading: numbers that are names


@pytest.mark.parametrize("column", ["customer_id", "order_id", "product_id"])
@pytest.mark.parametrize(
    ("story", "values", "expected"),
    [
        ("integers", [7, 8], ["7", "8"]),
        ("floats because of a gap", [7.0, None, 13085.0], ["7", None, "13085"]),
        ("large floats are not written with an exponent", [1e6, 123456789012.0], ["1000000", "123456789012"]),
        ("nullable integers", pd.Series([7, None], dtype="Int64"), ["7", None]),
        ("32-bit floats", pd.Series([7.0, None, 65537.0], dtype="float32"), ["7", None, "65537"]),
        ("texts keep their zeros", ["7", "007", " 7 ", "7\u00a0"], ["7", "007", "7", "7"]),
        ("objects of all kinds", [7, "7", "007", 7.0, None, Decimal("7.00")], ["7", "7", "007", "7", None, "7"]),
        ("integers beyond 64 bits", [10**20, 7], [str(10**20), "7"]),
        ("categories", pd.Categorical(["7", "007"]), ["7", "007"]),
        ("a dictionary of integers", pa.array([7, 8, 7]).dictionary_encode(), ["7", "8", "7"]),
        ("decimals", pa.array([Decimal("7.00"), None], pa.decimal128(10, 2)), ["7", None]),
        ("minus zero is zero", [-0.0, 1.0], ["0", "1"]),
    ],
)
def test_names_written_as_numbers(column: str, story: str, values: Any, expected: list[str | None]) -> None:
    assert read(column, values) == expected, story


def test_a_text_file_keeps_leading_zeros(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        "customer_id,ordered_at,amount\n7,2024-01-01,1\n007,2024-01-01,1\n,2024-01-01,1\n"
    )
    table = read_table(tmp_path / "orders.csv", schema.TRANSACTIONS, {}, FormatConfig(), BACKEND)
    assert table.to_pyarrow()["customer_id"].to_pylist() == ["7", "007", None]


# --- cleaning, on every engine

TYPES = {
    "customer_id": pa.string(),
    "order_id": pa.string(),
    "ordered_at": pa.timestamp("us"),
    "amount": pa.float64(),
    "product_id": pa.string(),
    "category": pa.string(),
    "quantity": pa.float64(),
}
LEAP, AS_OF = datetime(2024, 2, 29, 9), datetime(2024, 3, 1)
DAYS = ("2023-02-28", "2024-01-31", "2024-02-01", "2024-02-29", "2024-02-29")
JUST_BEFORE = datetime(2024, 2, 29, 23, 59, 59, 999999)


def line(case: str, **changes: Any) -> dict[str, Any]:
    """Return a line of a customer who is named by the case."""
    row = {"customer_id": case, "order_id": f"{case} 1", "ordered_at": LEAP, "product_id": "X", "category": "paint"}
    return row | {"quantity": 2.0, "amount": 10.0} | changes


CASES = [
    line("midnight", ordered_at=JUST_BEFORE),
    line("midnight", ordered_at=AS_OF, product_id="Y"),
    line("midnight without number", order_id=None, ordered_at=JUST_BEFORE),
    line("midnight without number", order_id=None, ordered_at=AS_OF, product_id="Y"),
    line("days without number", order_id=None, ordered_at=datetime(2023, 2, 28)),
    line("days without number", order_id=" ", ordered_at=LEAP),
    line("days without number", order_id=None, ordered_at=datetime(2024, 2, 29, 18), product_id="Y"),
    line("days without number", order_id=None, ordered_at=datetime(2024, 1, 31, 23, 59)),
    line("days without number", order_id=None, ordered_at=datetime(2024, 2, 1)),
    line("one order number, two customers", order_id="shared"),
    line("the other customer", order_id="shared"),
    line("unknown categories", category=None),
    line("unknown categories", category="", product_id="Y"),
    line("unknown categories", category="n/a", product_id="Z"),
    line("two categories", category="paint"),
    line("two categories", category="tools"),
    line("two categories", category=None),
    line("two categories", category="paint"),
    line("repeats at the as-of date", ordered_at=AS_OF),
    line("repeats at the as-of date", ordered_at=AS_OF),
    line("repeats just before it", ordered_at=JUST_BEFORE),
    line("repeats just before it", ordered_at=JUST_BEFORE),
    line("cancelled at once"),
    line("cancelled at once", order_id="C", quantity=-2.0, amount=-10.0),
    line("cancelled at once, told first", order_id="C", quantity=-2.0, amount=-10.0),
    line("cancelled at once, told first"),
    line("cancelled at the as-of date"),
    line("cancelled at the as-of date", order_id="C", quantity=-2.0, amount=-10.0, ordered_at=AS_OF),
    line("cancelled just before it"),
    line("cancelled just before it", order_id="C", quantity=-2.0, amount=-10.0, ordered_at=JUST_BEFORE),
    line("cancelled in another category"),
    line("cancelled in another category", order_id="C", quantity=-2.0, amount=-10.0, category="tools"),
    line("007"),
    line("7"),
    line("8.0"),
]


@pytest.fixture(scope="module")
def result(engine: Any) -> Any:
    log = pa.Table.from_pylist(CASES, pa.schema(TYPES))
    return clean(to_table(log, engine), CleaningConfig(), today=date(2024, 6, 30))


@pytest.fixture(scope="module")
def kept(result: Any) -> pd.DataFrame:
    """Every line that stands or stood, with whether it is known at the as-of date."""
    lines = result.lines
    rows = lines.mutate(is_known=known(lines.ordered_at, lines.cancelled_at, ibis.timestamp(AS_OF))).to_pyarrow()
    frame: pd.DataFrame = rows.to_pandas().sort_values(["customer_id", "ordered_at", "product_id", "category"])
    return frame.set_index("customer_id")


@pytest.mark.parametrize(
    ("case", "orders"),
    [
        ("midnight", ["midnight 1", "midnight 1"]),
        ("midnight without number", [f"midnight without number|2024-0{day}" for day in ("2-29", "3-01")]),
        ("days without number", [f"days without number|{day}" for day in DAYS]),
        ("one order number, two customers", ["shared"]),
        ("the other customer", ["shared"]),
    ],
)
def test_orders(kept: pd.DataFrame, case: str, orders: list[str]) -> None:
    assert kept.loc[[case], "order_id"].tolist() == orders


def test_a_made_up_order_belongs_to_one_day_and_so_to_one_side_of_the_as_of_date(kept: pd.DataFrame) -> None:
    assert kept.loc[["midnight without number"], "is_known"].tolist() == [True, False]
    assert kept.loc[["midnight"], "is_known"].tolist() == [True, False], "of a numbered order the lines before it"


def test_empty_categories_are_unknown(kept: pd.DataFrame) -> None:
    assert kept.loc[["unknown categories"], "category"].isna().tolist() == [True] * 3


def test_lines_that_differ_in_category_alone_are_no_repeats(kept: pd.DataFrame) -> None:
    assert kept.loc[["two categories"], "category"].fillna("?").tolist() == ["paint", "tools", "?"]
    assert set(kept.loc[["two categories"], "product_id"]) == {"X"}


def test_of_repeats_one_is_kept_on_either_side_of_the_as_of_date(result: Any, kept: pd.DataFrame) -> None:
    assert kept.loc[["repeats at the as-of date"], "is_known"].tolist() == [False]
    assert kept.loc[["repeats just before it"], "is_known"].tolist() == [True]
    assert result.ledger["exact_repeats"].tally.lines == 3


@pytest.mark.parametrize(
    ("case", "is_known"),
    [
        ("cancelled at once", False),
        ("cancelled at once, told first", False),
        ("cancelled at the as-of date", True),
        ("cancelled just before it", False),
        ("cancelled in another category", False),
    ],
)
def test_cancelled_purchases(kept: pd.DataFrame, case: str, is_known: bool) -> None:
    [row] = kept.loc[[case]].to_dict("records")
    assert row["cancelled_at"] >= row["ordered_at"]
    assert row["is_known"] is is_known


def test_pairs_and_all_lines_reconcile(result: Any) -> None:
    assert result.ledger["cancellations"].items == 5
    assert result.ledger["cancellations"].tally.amount == 0
    assert result.ledger.came_in.lines == len(CASES) == result.ledger.kept.lines + 3 + 10


def test_leading_zeros_make_another_customer_and_a_zero_behind_the_point_does_not(kept: pd.DataFrame) -> None:
    assert {"7", "007", "8"} <= set(kept.index)


# --- customers of several tables

IDS: dict[str, Any] = {
    "integers": [7, 8],
    "floats because of a gap": [7.0, 8.0],
    "texts": ["7", "8"],
    "texts with blanks": [" 7", "8\u00a0"],
    "texts of floats": ["7.0", "8.0"],
    "objects": [7, "8"],
    "decimals": pd.Series([Decimal("7.00"), Decimal("8.00")], dtype=object),
}
FURTHER = {
    "usage": {"used_at": ["2024-01-05", "2024-01-06", "2024-01-07"]},
    "contracts": {"renews_on": ["2025-01-01", "2025-01-02", "2025-01-03"]},
    "touches": {"touched_at": ["2024-01-05", "2024-01-06", "2024-01-07"]},
}


def table_of(name: str, ids: Any, /, **columns: Any) -> Any:
    frame = pd.DataFrame({"customer_id": ids, **columns})
    return read_table(frame, schema.TABLES[name], {}, FormatConfig(), BACKEND)


@pytest.mark.parametrize("story", IDS)
def test_customers_of_all_tables_meet_however_their_numbers_are_written(story: str) -> None:
    """Nobody but 10, who never ordered, is unknown."""
    orders = table_of("transactions", [7, 8], ordered_at=["2024-01-01", "2024-01-02"], amount=[1.0, 2.0])
    ids = [*IDS[story], 10]
    names = {"name": ["Seven", "Eight", "Eight"]}
    cards = deduplicate(table_of("customers", [*IDS[story], 9], **names))
    cleaned = clean(orders, CleaningConfig(), today=date(2024, 6, 30), aliases=cards.aliases)
    buyers = cleaned.lines.customer_id.to_pyarrow().to_pylist()
    assert sorted(buyers) == sorted(cards.customers["customer_id"]) == ["7", "8"]
    tables = {name: table_of(name, ids, **columns) for name, columns in FURTHER.items()}
    known_rows, rows = prepare_extra(tables, cards.aliases, buyers)
    for name in FURTHER:
        assert sorted(known_rows[name].customer_id.to_pyarrow().to_pylist()) == ["7", "8"], name
    assert [row.items for row in rows if row.items] == [1, 1, 1]


def test_a_point_and_zero_behind_a_whole_number_are_taken_off_and_counted() -> None:
    ids = ["7", "7.0", "007.0", "7.10", "7.00", "A.0", "1.7.0", "-7.0"]
    log = pa.Table.from_pylist([line(name, order_id=str(place)) for place, name in enumerate(ids)], pa.schema(TYPES))
    result = clean(to_table(log, BACKEND), CleaningConfig(), today=date(2024, 6, 30))
    found = {row["order_id"]: row["customer_id"] for row in result.lines.to_pyarrow().to_pylist()}
    assert [found[str(place)] for place in range(len(ids))] == ["7", "7", "007", "7.10", "7.00", "A.0", "1.7.0", "-7.0"]
    assert result.ledger["customer_id_blanks"].items == 2
