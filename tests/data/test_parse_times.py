"""Moments as people write them."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import Column, ConfigError, DataError, TableSchema

BACKEND = connect(threads=1)
MOMENTS = TableSchema("visits", (Column("at", "time", "when"),))
NOON = datetime(2010, 12, 29, 12)


def read(cells: Any, **format: Any) -> tuple[list[datetime | None], list[bool]]:
    frame = pa.table({"at": cells if isinstance(cells, pa.Array) else pa.array(cells)})
    rows = read_table(frame, MOMENTS, {}, FormatConfig(**format), BACKEND).to_pyarrow()
    assert rows.schema.field("at").type == pa.timestamp("us")
    marks = rows.column("at__unparsable").to_pylist() if "at__unparsable" in rows.column_names else []
    return rows.column("at").to_pylist(), marks


ISO = {
    "2010-12-29": datetime(2010, 12, 29),
    "2010-12-29T12:00": NOON,
    "2010-12-29 12:00:00": NOON,
    "2010-12-29 12:00:00.25": NOON.replace(microsecond=250_000),
    "2010-12-29T12:00:00,25": NOON.replace(microsecond=250_000),
    "2010-12-29 12:00:00.123456789": NOON.replace(microsecond=123_456),
    "2010-12-29T12:00:00Z": NOON,
    "2010-12-29T12:00Z": NOON,
    "2010-12-29t12:00:00z": NOON,
    "2010-12-29T14:00:00+02:00": NOON,
    "2010-12-29 14:00:00+0200": NOON,
    "2010-12-29 14:00:00+02": NOON,
    "2010-12-29 06:30:00 -05:30": NOON,
    " \u00a02010-12-29 ": datetime(2010, 12, 29),
}


def test_iso_8601_is_read_without_asking() -> None:
    values, marks = read(list(ISO))
    assert dict(zip(ISO, values, strict=True)) == ISO
    assert not any(marks)


def test_a_moment_with_an_offset_becomes_local_time_and_one_without_stays() -> None:
    texts = ["2020-07-01T10:00:00Z", "2020-01-01T10:00:00Z", "2020-07-01 10:00:00"]
    local = [datetime(2020, 7, 1, 12), datetime(2020, 1, 1, 11), datetime(2020, 7, 1, 10)]
    assert read(texts, timezone="Europe/Berlin") == (local, [False] * 3)


def test_a_typed_moment_with_a_zone_becomes_local_time_whatever_the_zone_of_the_session() -> None:
    summer = datetime(2020, 7, 1, 10, tzinfo=timezone(timedelta(hours=0)))
    for zone, session in (("UTC", "America/New_York"), ("Asia/Tokyo", "Europe/Moscow")):
        BACKEND.raw_sql(f"set timezone = '{session}'")
        for stored in ("UTC", "Europe/Berlin"):
            cells = pa.array([summer, None], pa.timestamp("ms", stored))
            hour = {"UTC": 10, "Asia/Tokyo": 19}[zone]
            assert read(cells, timezone=zone) == ([datetime(2020, 7, 1, hour), None], [])
    BACKEND.raw_sql("reset timezone")


def test_local_time_goes_through_the_change_of_clocks() -> None:
    texts = ["2021-10-31T00:30:00Z", "2021-10-31T01:30:00Z", "2021-10-31T02:30:00Z"]
    hours = [moment.hour for moment in read(texts, timezone="Europe/Berlin")[0] if moment]
    assert hours == [2, 2, 3]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_typed_moments_without_a_zone_are_taken_as_they_are(unit: str) -> None:
    assert read(pa.array([NOON, None], pa.timestamp(unit)), timezone="Asia/Tokyo") == ([NOON, None], [])


def test_typed_dates_become_midnight() -> None:
    assert read([date(2010, 12, 29)]) == ([datetime(2010, 12, 29)], [])


@pytest.mark.parametrize(
    ("text", "format", "moment"),
    [
        ("29.12.2010", "%d.%m.%Y", datetime(2010, 12, 29)),
        ("1.2.2010", "%d.%m.%Y", datetime(2010, 2, 1)),
        ("29.12.10", "%d.%m.%y", datetime(2010, 12, 29)),
        ("12/29/2010 12:00", "%m/%d/%Y %H:%M", NOON),
        ("12/29/2010 12:00 PM", "%m/%d/%Y %I:%M %p", NOON),
        ("29 Dec 2010", "%d %b %Y", datetime(2010, 12, 29)),
        ("20101229", "%Y%m%d", datetime(2010, 12, 29)),
        ("2010-29-12", "%Y-%d-%m", datetime(2010, 12, 29)),
        ("29.12.2010 14:00 +0200", "%d.%m.%Y %H:%M %z", NOON),
    ],
)
def test_other_spellings_are_read_by_the_given_format(text: str, format: str, moment: datetime) -> None:
    assert read([text], date_format=format) == ([moment], [False])


def test_beside_a_given_format_iso_is_still_read() -> None:
    assert read(["29.12.2010", "2010-12-30"], date_format="%d.%m.%Y")[0] == [
        datetime(2010, 12, 29),
        datetime(2010, 12, 30),
    ]


def test_a_format_that_looks_like_iso_is_never_mixed_with_it() -> None:
    texts = ["2010-29-12", "2010-05-06", "2010-01-30"]
    assert read(texts, date_format="%Y-%d-%m") == (
        [datetime(2010, 12, 29), datetime(2010, 6, 5), None],
        [False, False, True],
    )


def test_a_two_digit_year_is_not_taken_for_the_first_century() -> None:
    values, marks = read(["29.12.2010", "28.12.2010", "29.12.10"], date_format="%d.%m.%Y")
    assert (values[2], marks) == (None, [False, False, True])


def test_a_few_bad_dates_are_marked() -> None:
    texts = ["2010-12-29", "2010-02-30", "soon", None, "", "null", "2010-12-30", "2010-12-31"]
    values, marks = read(texts)
    assert [value.day if value else None for value in values] == [29, None, None, None, None, None, 30, 31]
    assert marks == [False, True, True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("29.12.2010", '"%d.%m.%Y"'),
        ("03.04.2010 10:30", '"%d.%m.%Y %H:%M"'),
        ("03/04/2010", '"%d/%m/%Y" or "%m/%d/%Y"'),
        ("29/12/2010 10:30:00", '"%d/%m/%Y %H:%M:%S"'),
        ("12/29/10 1:05 PM", '"%m/%d/%y %I:%M %p"'),
        ("2010/12/29", '"%Y/%m/%d"'),
        ("20101229", '"%Y%m%d"'),
    ],
)
def test_dates_in_another_spelling_are_an_error_that_suggests_the_format(text: str, suggestion: str) -> None:
    message = (
        f"1 of 1 values are not ISO 8601.* but '{text}'; set data.format.date_format: {suggestion} .*never guessed"
    )
    with pytest.raises(DataError, match=message):
        read([text])


@pytest.mark.parametrize("cell", ["December", 1293580800])
def test_what_is_in_no_known_spelling_is_an_error(cell: Any) -> None:
    message = f"but '{cell}'; set data.format.date_format to their spelling, or make them dates first"
    with pytest.raises(DataError, match=message):
        read([cell])


def test_a_format_that_most_dates_do_not_fit_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"2 of 3 values do not fit data\.format\.date_format '%m/%d/%Y', as '13/01/2010'"
    ):
        read(["13/01/2010", "14/01/2010", "01/02/2010"], date_format="%m/%d/%Y")


def test_whole_numbers_are_dates_only_where_the_format_says_so() -> None:
    assert read([20101229, None], date_format="%Y%m%d") == ([datetime(2010, 12, 29), None], [False, False])
    assert read([20101229.0, None], date_format="%Y%m%d")[0] == [datetime(2010, 12, 29), None]
    for format in (None, "%d%m%Y"):  # a number has lost the zero of 01022020
        with pytest.raises(DataError, match=r"but '20101229'; set data\.format\.date_format: \"%Y%m%d\""):
            read([20101229], date_format=format)


def test_an_unknown_time_zone_is_an_error_even_where_no_moment_has_one() -> None:
    with pytest.raises(ConfigError, match=r"data\.format\.timezone: 'Europe/Moskow'.*did you mean 'Europe/Moscow'\?"):
        read(["2010-12-29"], timezone="Europe/Moskow")


@pytest.mark.parametrize(
    ("format", "message"),
    [
        ("dd.mm.yyyy", r'must spell day, month and year, as "%d.%m.%Y" does; found \'dd.mm.yyyy\''),
        ("%d.%m", "must spell day, month and year"),
        ("%d.%m.%Q", "'%d.%m.%Q' holds %Q, which is not understood; known: %d %m"),
        ("%d.%m.%", "holds %, which is not understood"),
    ],
)
def test_a_date_format_that_is_none_is_explained(format: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(["29.12.2010"], date_format=format)


def test_every_directive_that_is_promised_is_understood() -> None:
    text = "Wed Wednesday 29 363 12 Dec December 10 2010 12 12 00 00 000000 PM +0000 %"
    format = "%a %A %d %j %m %b %B %y %Y %H %I %M %S %f %p %z %%"
    assert read([text], date_format=format) == ([NOON], [False])


def test_agrees_with_pandas_on_a_thousand_moments() -> None:
    moments = pd.Series(pd.date_range("1995-01-01", periods=1000, freq="8h7min13s"))
    for format in ("%d.%m.%Y %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%Y%m%d %H%M%S"):
        texts = moments.dt.strftime(format).tolist()
        assert (
            read(texts, date_format=format)[0]
            == pd.to_datetime(pd.Series(texts), format=format).dt.to_pydatetime().tolist()
        )


BERLIN = {  # moments as given: on the clock of Berlin
    "2021-10-31 02:30": datetime(2021, 10, 31, 2, 30),  # an hour lived twice: without a zone it is taken as it stands
    "2021-10-31T02:30:00+02:00": datetime(2021, 10, 31, 2, 30),  # its first time
    "2021-10-31T02:30:00+01:00": datetime(2021, 10, 31, 2, 30),  # and its second
    "2021-10-31T01:00:00Z": datetime(2021, 10, 31, 2),
    "2021-03-28 02:30": datetime(2021, 3, 28, 2, 30),  # an hour that was skipped, written on the wall all the same
    "2021-03-28T02:30:00+01:00": datetime(2021, 3, 28, 3, 30),  # that moment there was half past three
    "2021-03-28T00:59:59.999999Z": datetime(2021, 3, 28, 1, 59, 59, 999_999),
    "2021-03-28T01:00:00Z": datetime(2021, 3, 28, 3),
    "1960-02-29T23:30:00Z": datetime(1960, 3, 1, 0, 30),
}


def test_an_hour_that_occurs_twice_and_one_that_is_skipped_have_one_reading() -> None:
    values, marks = read(list(BERLIN), timezone="Europe/Berlin")
    assert dict(zip(BERLIN, values, strict=True)) == BERLIN
    assert not any(marks)
    told = [text for text in BERLIN if "T" in text]
    spelled = [pd.Timestamp(text).strftime("%d.%m.%Y %H:%M:%S.%f %z") for text in told]
    by_format = read(spelled, timezone="Europe/Berlin", date_format="%d.%m.%Y %H:%M:%S.%f %z")[0]
    assert by_format == [BERLIN[text] for text in told]
    for stored in ("UTC", "America/New_York"):
        typed = pa.array([pd.Timestamp(text).to_pydatetime() for text in told], pa.timestamp("us", stored))
        assert read(typed, timezone="Europe/Berlin")[0] == [BERLIN[text] for text in told]


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T14:00:00+14:00",
        "2019-12-31T12:00:00-12:00",
        "2020-01-01 05:30:00+05:30",
        "2020-01-01T05:45+0545",
        "2019-12-31T20:30:00-0330",
        "2019-12-31T23:59:59.999999-00:00",
    ],
)
def test_offsets_of_half_hours_and_beyond_half_a_day_are_read(text: str) -> None:
    expected = datetime(2020, 1, 1) if "59" not in text else datetime(2019, 12, 31, 23, 59, 59, 999_999)
    assert read([text]) == ([expected], [False])


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Pacific/Kiritimati", datetime(2020, 2, 29, 14)),
        ("Etc/GMT+12", datetime(2020, 2, 28, 12)),
        ("Asia/Kathmandu", datetime(2020, 2, 29, 5, 45)),
        ("America/St_Johns", datetime(2020, 2, 28, 20, 30)),
    ],
)
def test_a_leap_day_begins_at_its_own_time_everywhere(zone: str, moment: datetime) -> None:
    assert read(["2020-02-29T00:00:00Z"], timezone=zone) == ([moment], [False])


def test_a_clock_may_change_by_half_an_hour() -> None:
    texts = ["2020-10-03T15:29:59Z", "2020-10-03T15:30:00Z"]
    clock = [datetime(2020, 10, 4, 1, 59, 59), datetime(2020, 10, 4, 2, 30)]
    assert read(texts, timezone="Australia/Lord_Howe") == (clock, [False, False])
