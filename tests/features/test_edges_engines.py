"""Edge cases told by hand, the same on every engine: instants, midnights, leap days, ties, ids and what lies ahead."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from engines import engine
from segml import features
from segml.data.engine import to_table
from segml.features.periods import revenue_by_period

__all__ = ["engine"]


Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]
Row = dict[str, Any]

NEW_YEAR, LEAP_DAY, AFTER_LEAP, NOON = "2024-01-01", "2024-02-29", "2025-03-01", "2023-06-15 12:00"
NAN = math.nan


def row(moment: str, amount: float = 10, order: str = "", cancelled: str | None = None, **others: Any) -> Row:
    """Return a line; an order of its own unless it is told which."""
    times = {"ordered_at": pd.Timestamp(moment), "cancelled_at": pd.Timestamp(cancelled) if cancelled else None}
    return {"order_id": order or moment, "amount": amount, **times, **others}


# what it is about: as-of date, lines, features by hand
CASES: dict[str, tuple[str, list[Row], dict[str, Any]]] = {
    "a line at the very instant is of the future": (
        NEW_YEAR,
        [row("2023-12-31 23:59:59"), row("2024-01-01", 99), row("2024-01-01 00:00:00.5", 99)],
        {"order_count": 1, "revenue_total": 10, "recency_days": 1 / 86_400},
    ),
    "a fraction of a second before the instant is the second before": (
        NEW_YEAR,
        [row("2023-12-31 23:59:59.999999")],
        {"order_count": 1, "recency_days": 1 / 86_400, "tenure_days": 1 / 86_400},
    ),
    "what is cancelled from the instant on stands": (
        NEW_YEAR,
        [
            row("2023-12-01", 1, "at once", "2024-01-01"),
            row("2023-12-01", 2, "later", "2024-01-01 00:00:00.5"),
            row("2023-12-01", 4, "a second before", "2023-12-31 23:59:59"),
            row("2023-12-01", 8, "a moment before", "2023-12-31 23:59:59.999999"),
        ],
        {"order_count": 2, "revenue_total": 3},
    ),
    "what was cancelled before it was placed never counts": (
        NEW_YEAR,
        [row("2023-12-01"), row("2023-12-02", 5, cancelled="2023-12-02"), row("2023-12-03", 5, cancelled="2023-11-01")],
        {"order_count": 1, "revenue_total": 10},
    ),
    "a window begins with its first second": (
        NEW_YEAR,  # 2023-12-02 is 30 days before, 2023-10-03 90
        [
            row("2023-12-02 00:00:00.9", 1),
            row("2023-12-01 23:59:59.999999", 2),
            row("2023-10-03", 4),
            row("2023-10-02 23:59:59", 8),
        ],
        {"revenue_30d": 1, "order_count_30d": 1, "revenue_90d": 7, "order_count_90d": 3},
    ),
    "a year that ends on a leap day began on the first of March": (
        LEAP_DAY,
        [row("2023-03-01", 1), row("2023-02-28 23:59:59", 2), row("2020-02-29", 4)],
        {"revenue_365d": 1, "revenue_365d_previous": 2, "tenure_days": 4 * 365 + 1},
    ),
    "a leap day is more than 365 days before the first of March": (
        AFTER_LEAP,
        [row("2024-02-29 23:59:59", 1), row("2024-03-01", 2)],
        {"revenue_365d": 2, "revenue_365d_previous": 1, "purchase_day_count": 2, "gap_mean_days": 1},
    ),
    "days before 1970 are days": (
        LEAP_DAY,
        [row("1969-12-31"), row("1969-12-31 23:59:59.5"), row("1970-01-01"), row("1968-02-29 12:00")],
        {"purchase_day_count": 3, "gap_mean_days": (671 + 1) / 2, "order_count": 4},
    ),
    "an order may span midnight": (
        NOON,
        [
            row("2023-05-31 23:59:59", 1, "n", product_id="P"),
            row("2023-06-01 00:00:01", 2, "n", product_id="P"),
        ],
        {
            "order_count": 1,
            "order_value_mean": 3,
            "purchase_day_count": 2,
            "gap_mean_days": 1,
            "lines_per_order": 2,
            "repeat_product_share": 1,
            "recency_days": 14.5 - 1 / 86_400,
            "tenure_days": 14.5 + 1 / 86_400,
        },
    ),
    "an order counts where its last line does, its money where it was spent": (
        NEW_YEAR,
        [row("2023-12-01", 1, "n"), row("2023-12-03", 2, "n")],
        {"order_count_30d": 1, "revenue_30d": 2, "order_value_mean": 3},
    ),
    "of an order that goes on after the instant only the beginning counts": (
        NOON,
        [row("2023-06-15 11:59:59", 1, "n"), row("2023-06-15 12:00", 2, "n"), row("2023-06-15 12:00:01", 4, "n")],
        {"order_count": 1, "order_value_mean": 1, "lines_per_order": 1},
    ),
    "an instant within a month and a day": (
        NOON,  # 30 days before: 2023-05-16 12:00
        [row("2023-05-16 12:00", 1), row("2023-05-16 11:59:59", 2), row("2023-06-15 11:00", 4)],
        {"revenue_30d": 5, "revenue_90d": 7, "recency_days": 1 / 24, "purchase_day_count": 2},
    ),
    "unknown categories are no category": (
        NEW_YEAR,
        [row("2023-12-01", product_id="P"), row("2023-12-02", product_id="Q")],
        {"category_count_365d": NAN, "product_count_365d": 2, "top_category": None},
    ),
    "a known category is one, whatever the others are": (
        NEW_YEAR,
        [row("2023-12-01", category="K"), row("2023-12-02", 99)],
        {"category_count_365d": 1, "product_count_365d": NAN, "top_category": "K", "top_product_share": NAN},
    ),
    "a product in two categories is one product": (
        NEW_YEAR,
        [
            row("2023-12-01", 10, "n", product_id="P", category="K"),
            row("2023-12-01", 30, "n", product_id="P", category="L"),
            row("2023-12-02", 10, product_id="Q", category="L"),
        ],
        {
            "product_count_365d": 2,
            "category_count_365d": 2,
            "top_product_share": 40 / 50,
            "top_category": "L",
            "repeat_product_share": 0,
            "products_last3_to_mean": 1,
            "lines_per_order": 3 / 2,
        },
    ),
    "orders of one moment follow each other by number, as text": (
        NEW_YEAR,
        [row("2023-12-01", 10, "10"), row("2023-12-01", 30, "9")],
        {"order_value_last_to_mean": 30 / 20},
    ),
    "small letters come after capitals": (
        NEW_YEAR,
        [
            row("2023-12-01", 10, "a", category="a", region="a"),
            row("2023-12-01", 30, "B", region="B"),
            row("2023-12-01", 10, "Z", category="B"),
        ],
        {"order_value_last_to_mean": 10 / (50 / 3), "top_category": "B", "region": "B"},
    ),
    "letters beyond English come last": (
        NEW_YEAR,
        [
            row("2023-12-01", 10, "Éa", category="Éa", region="Éa"),
            row("2023-12-01", 30, "Z", category="Z", region="Я"),
            row("2023-12-01", 20, "z", category="Éa"),
        ],
        {"order_value_last_to_mean": 10 / 20, "top_category": "Z", "region": "Éa"},
    ),
    "what is given for nothing is no purchase, but tells the region": (
        NEW_YEAR,
        [row("2023-12-01", region="old"), row("2023-12-05", 0, product_id="P", category="K", region="new")],
        {"order_count": 1, "product_count_365d": NAN, "category_count_365d": NAN, "region": "new", "recency_days": 31},
    ),
    "what came back before the first purchase is revenue, not a purchase": (
        NEW_YEAR,
        [row("2023-11-01", -4), row("2023-12-02")],
        {"revenue_total": 6, "tenure_days": 30, "run_rate_daily": 6 / 90, "return_share_365d": 0.4},
    ),
    "orders of one number on two days are one order": (
        NEW_YEAR,
        [row("2023-01-15", 10, "1"), row("2023-12-15", 30, "1"), row("2023-06-15", 20, "2")],
        {"order_count": 2, "order_value_mean": 30, "order_value_last_to_mean": 40 / 30, "recency_days": 17},
    ),
    "an order number is the customer's own": (
        NEW_YEAR,
        [row("2023-12-30", 7, "1")],
        {"order_count": 1, "order_value_mean": 7},
    ),
}
DATES = [AFTER_LEAP, NEW_YEAR, LEAP_DAY, NOON, NEW_YEAR]


@pytest.fixture(scope="module")
def lines(line_maker: Maker) -> pd.DataFrame:
    return line_maker([{"customer_id": name, **line} for name, (_, rows, _) in CASES.items() for line in rows])


@pytest.fixture(scope="module")
def built(engine: Any, lines: pd.DataFrame) -> pd.DataFrame:
    return features.build(to_table(lines, engine), DATES)


@pytest.mark.parametrize("case", CASES)
def test_the_case_is_as_told(built: pd.DataFrame, case: str) -> None:
    as_of, _, told = CASES[case]
    found = built[(built["customer_id"] == case) & (built["as_of"] == as_of)]
    assert len(found) == 1
    for name, value in told.items():
        if isinstance(value, float | int):
            np.testing.assert_allclose(found[name], [value], rtol=1e-12, err_msg=name)
        else:
            assert found[name].astype("object").where(found[name].notna(), None).tolist() == [value], name


@pytest.mark.parametrize("as_of", [NEW_YEAR, NOON])
def test_a_date_alone_tells_the_same(engine: Any, lines: pd.DataFrame, built: pd.DataFrame, as_of: str) -> None:
    together = built[built["as_of"] == as_of].reset_index(drop=True)
    assert_frame_equal(features.build(to_table(lines, engine), as_of), together, check_exact=True)


def test_numbers_for_ids_are_text(engine: Any, line_maker: Maker) -> None:
    rows = [
        {"customer_id": customer, **row(moment, 10, order, product_id=product)}
        for customer, moment, order, product in (
            ("7", "2023-12-01", "10", "1"),
            ("7", "2023-12-01", "9", "2"),
            ("10", "2023-11-01", "1", "1"),
            ("-1", "2023-11-01", "1", "1"),
        )
    ]
    text = line_maker(rows)
    numbers = text.astype(dict.fromkeys(("customer_id", "order_id", "product_id"), "int64"))
    built = features.build(to_table(numbers, engine), NEW_YEAR)
    assert built["customer_id"].tolist() == ["-1", "10", "7"]
    assert_frame_equal(built, features.build(to_table(text, engine), NEW_YEAR), check_exact=True)


def test_ids_that_look_alike_are_different(engine: Any, line_maker: Maker) -> None:
    names = ["7", "07", " 7", "7 ", "a", "A", "ss", "ß", "É", "E\u0301"]
    lines = line_maker([{"customer_id": name, **row("2023-12-01", 10)} for name in names])
    assert features.build(to_table(lines, engine), NEW_YEAR)["customer_id"].tolist() == sorted(names)


def test_before_the_first_line_nobody_is_known(engine: Any, lines: pd.DataFrame) -> None:
    table = to_table(lines, engine)
    some = features.build(table, ["1900-01-01", NOON])
    assert some["as_of"].unique().tolist() == [pd.Timestamp(NOON)]
    assert features.build(table, "1900-01-01").empty
    assert features.build(to_table(lines.head(0), engine), [NOON, NEW_YEAR]).columns.tolist() == some.columns.tolist()


def test_what_lies_ahead_changes_nothing(engine: Any, random_lines: pd.DataFrame) -> None:
    as_of = pd.Timestamp("2023-06-12 07:30")
    past = random_lines[random_lines["ordered_at"] < as_of]
    past = past.assign(cancelled_at=past["cancelled_at"].where(past["cancelled_at"] < as_of))
    later = past.assign(ordered_at=as_of + (past["ordered_at"] - past["ordered_at"].min()), region="moved", amount=1e9)
    ahead = [later, later.assign(customer_id="n" + later["customer_id"]), later.assign(amount=-1e9, ordered_at=as_of)]
    cancelled = past.assign(cancelled_at=past["cancelled_at"].fillna(as_of))
    known = features.build(to_table(past, engine), as_of)
    told = features.build(to_table(pd.concat([cancelled, *ahead], ignore_index=True), engine), as_of)
    assert len(known) > 50
    assert_frame_equal(told, known, check_exact=True)
    later_too = features.build(to_table(random_lines, engine), [as_of, as_of + pd.Timedelta(days=90)])
    assert_frame_equal(later_too[later_too["as_of"] == as_of], known, check_exact=True)


def test_the_time_zone_of_a_session_changes_nothing(engine: Any, lines: pd.DataFrame, built: pd.DataFrame) -> None:
    # An hour that Berlin skipped, and one that it lived twice; order lines bear the clock on the wall, and no zone.
    clock = [lines.assign(ordered_at=pd.Timestamp(hour)) for hour in ("2021-03-28 02:30", "2021-10-31 02:30")]
    more = pd.concat([lines, *clock], ignore_index=True)
    plain = features.build(to_table(more, engine), DATES)
    with session_zone(engine, "Europe/Berlin"):
        assert_frame_equal(features.build(to_table(more, engine), DATES), plain, check_exact=True)


class session_zone:  # noqa: N801 - reads as a word
    """A session of an engine in another time zone, for a while."""

    def __init__(self, engine: Any, zone: str) -> None:
        self.engine, self.zone = engine, zone

    def __enter__(self) -> None:
        self._set(self.zone)

    def __exit__(self, *_: object) -> None:
        self._set("UTC")

    def _set(self, zone: str) -> None:
        if self.engine.name == "pyspark":
            self.engine._session.conf.set("spark.sql.session.timeZone", zone)
        else:
            self.engine.raw_sql(f"set timezone = '{zone}'")


MONTH_ENDS = [
    ("month", "2024-03-31", ["2024-01-31", "2024-02-29"]),
    ("month", "2023-03-31 06:00", ["2023-01-31 06:00", "2023-02-28 06:00"]),
    ("month", "2024-01-01", ["2023-11-01", "2023-12-01"]),
    ("month", "2024-02-29", ["2023-12-29", "2024-01-29"]),
    ("quarter", "2024-05-31", ["2023-11-30", "2024-02-29"]),
    ("week", "2024-03-04 12:00", ["2024-02-19 12:00", "2024-02-26 12:00"]),
]


@pytest.mark.parametrize(("period", "as_of", "starts"), MONTH_ENDS)
def test_periods_end_where_months_do(
    engine: Any, line_maker: Maker, period: Any, as_of: str, starts: list[str]
) -> None:
    bounds = [*map(pd.Timestamp, starts), pd.Timestamp(as_of)]
    rows = [
        {"customer_id": "a", "order_id": str(place), "ordered_at": bound + nudge, "amount": 10.0 ** (2 * place + later)}
        for place, bound in enumerate(bounds)
        for later, nudge in enumerate((pd.Timedelta(microseconds=-1), pd.Timedelta(0)))
    ]
    found = revenue_by_period(to_table(line_maker(rows), engine), as_of, period, 2)
    assert found.columns.tolist() == bounds[:2]
    assert found.to_numpy().tolist() == [[10 + 100, 1_000 + 10_000]]
