"""What a customer prefers, from order lines of the last 365 days."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml.data import connect
from segml.features import build
from segml.features.preferences import PREFERENCES, preferences

AS_OF = pd.Timestamp("2025-01-01")

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]
nan = float("nan")


def bought(customer: str, moment: str, amount: float = 10, order: str | None = None, **rest: Any) -> dict[str, Any]:
    moment_ = pd.Timestamp(moment)
    return {"customer_id": customer, "order_id": order or moment, "ordered_at": moment_, "amount": amount, **rest}


def of(customer: str, lines: pd.DataFrame, as_of: pd.Timestamp = AS_OF) -> dict[str, Any]:
    found = preferences(lines, as_of).set_index("customer_id").loc[customer]
    return {str(name): value for name, value in found.items()}


def test_the_affinity_is_where_the_share_lies_furthest_above_the_bases(line_maker: Maker) -> None:
    lines = line_maker(
        [
            bought("a", "2024-05-01", 60, category="glue"),
            bought("a", "2024-06-01", 40, category="tape"),
            bought("b", "2024-06-01", 300, category="glue"),
            bought("b", "2024-06-02", -100, category="glue"),  # returns count for nothing
            bought("b", "2024-06-03", 500),  # nor do lines without a category
        ]
    )
    # The base buys 90 % glue and 10 % tape: for a, tape lies 30 points above it and glue 30 below.
    found = of("a", lines)
    assert (found["affinity_category"], found["affinity_share"]) == ("tape", 0.4)
    assert found["affinity_lift"] == pytest.approx(4.0)
    assert (of("b", lines)["affinity_category"], of("b", lines)["affinity_share"]) == ("glue", 1.0)


def test_who_buys_like_the_base_has_the_first_category_by_name_and_no_lift(line_maker: Maker) -> None:
    lines = line_maker(
        [
            bought(name, f"2024-05-0{day}", 0.1 * day, category=kind)
            for name in "ab"
            for day, kind in [(1, "y"), (3, "x")]
        ]
    )
    assert (of("a", lines)["affinity_category"], of("a", lines)["affinity_lift"]) == ("x", 1.0)


def test_the_channel_is_that_of_most_orders_not_of_most_lines_or_money(line_maker: Maker) -> None:
    lines = line_maker(
        [
            bought("a", "2024-05-01", 900, "o1", channel="rep"),
            bought("a", "2024-05-01", 900, "o1", channel="rep"),
            bought("a", "2024-05-01", 900, "o1", channel="rep"),
            bought("a", "2024-06-01", channel="web"),
            bought("a", "2024-07-01", channel="web"),
            bought("a", "2024-08-01"),
            bought("b", "2024-06-01", channel="web"),
            bought("b", "2024-07-01", channel="phone"),
        ]
    )
    assert (of("a", lines)["top_channel"], of("a", lines)["top_channel_share"]) == ("web", pytest.approx(2 / 3))
    assert (of("b", lines)["top_channel"], of("b", lines)["top_channel_share"]) == ("phone", 0.5)


@pytest.mark.parametrize(
    ("moment", "season"),
    [
        ("2024-02-29 23:59:59", "winter"),
        ("2024-03-01 00:00:00", "spring"),
        ("2024-05-31", "spring"),
        ("2024-06-01", "summer"),
        ("2024-08-31", "summer"),
        ("2024-09-01", "autumn"),
        ("2024-11-30", "autumn"),
        ("2024-12-01", "winter"),
    ],
)
def test_seasons_are_three_calendar_months_each(moment: str, season: str, line_maker: Maker) -> None:
    lines = line_maker([bought("a", "2023-01-01"), bought("a", moment)])
    assert (of("a", lines)["peak_season"], of("a", lines)["peak_season_share"]) == (season, 1.0)


def test_a_season_needs_a_year_of_history(line_maker: Maker) -> None:
    a_year_ago, later = AS_OF - pd.Timedelta(days=365), AS_OF - pd.Timedelta(days=365, seconds=-1)
    lines = line_maker([bought("a", str(a_year_ago)), bought("b", str(later))])
    assert of("a", lines)["peak_season"] == "winter"
    assert pd.isna(of("b", lines)["peak_season"])
    assert pd.isna(of("b", lines)["peak_season_share"])


def test_a_season_is_told_by_money(line_maker: Maker) -> None:
    lines = line_maker([bought("a", "2023-01-01"), bought("a", "2024-04-01", 70), bought("a", "2024-07-01", 30)])
    assert (of("a", lines)["peak_season"], of("a", lines)["peak_season_share"]) == ("spring", 0.7)


@pytest.mark.parametrize(
    ("story", "moments", "share"),
    [
        ("one order has none before it", ["2024-05-01"], nan),
        ("a weekly order tops up nothing", ["2024-05-01 18:00", "2024-05-08 09:00", "2024-05-15"], 0.0),
        ("six days later is a top-up", ["2024-05-01", "2024-05-07", "2024-05-20"], 0.5),
        ("two orders on a day", ["2024-05-01 09:00", "2024-05-01 17:00"], 1.0),
        ("the order before may be older than a year", ["2023-12-31", "2024-01-02"], 1.0),
        ("orders older than a year do not count", ["2023-05-01", "2023-05-02", "2024-05-01"], 0.0),
    ],
)
def test_top_ups(story: str, moments: list[str], share: float, line_maker: Maker) -> None:
    lines = line_maker([bought("a", moment) for moment in moments])
    assert of("a", lines)["top_up_order_share"] == pytest.approx(share, nan_ok=True), story


def test_the_lines_of_one_order_are_one_order(line_maker: Maker) -> None:
    lines = line_maker([bought("a", f"2024-05-0{day}", order="o1") for day in (1, 2, 3)] + [bought("a", "2024-05-20")])
    assert of("a", lines)["top_up_order_share"] == 0.0


def test_nothing_from_the_future_or_cancelled_in_time_counts(line_maker: Maker) -> None:
    past = [bought("a", "2023-05-01", category="glue", channel="web"), bought("a", "2024-05-01", category="glue")]
    unknown = [
        bought("a", "2024-06-01", 999, category="tape", channel="rep", cancelled_at=pd.Timestamp("2024-12-31")),
        bought("a", "2025-01-01", 999, category="tape", channel="rep"),
        bought("b", "2025-01-01"),
    ]
    assert_frame_equal(preferences(line_maker(past + unknown), AS_OF), preferences(line_maker(past), AS_OF))


def test_a_line_cancelled_at_the_as_of_date_still_counts(line_maker: Maker) -> None:
    lines = line_maker([bought("a", "2024-06-01", category="tape", cancelled_at=AS_OF)])
    assert of("a", lines)["affinity_category"] == "tape"


def test_the_window_is_365_days_its_first_moment_included(line_maker: Maker) -> None:
    start = AS_OF - pd.Timedelta(days=365)
    lines = line_maker(
        [
            bought("a", str(start), category="inside"),
            bought("b", str(start - pd.Timedelta(seconds=1)), category="outside"),
        ]
    )
    assert of("a", lines)["affinity_category"] == "inside"
    assert pd.isna(of("b", lines)["affinity_category"])


def test_there_is_a_row_a_customer_of_the_features_and_a_column_a_declaration(random_lines: pd.DataFrame) -> None:
    as_of = pd.Timestamp("2024-06-01")
    found = preferences(random_lines, as_of)
    assert found["customer_id"].tolist() == build(random_lines, as_of)["customer_id"].tolist()
    assert list(found.columns) == ["customer_id", *(column.name for column in PREFERENCES)]
    shares = found[[column.name for column in PREFERENCES if column.unit == "share"]]
    assert ((shares >= 0) & (shares <= 1) | shares.isna()).all(axis=None)


def test_without_a_purchase_there_is_no_row(line_maker: Maker) -> None:
    assert preferences(line_maker([bought("a", "2024-06-01", -5)]), AS_OF).empty


@pytest.mark.parametrize("threads", [1, 4])
def test_order_of_rows_and_threads_change_nothing(random_lines: pd.DataFrame, threads: int, tmp_path: Path) -> None:
    as_of = pd.Timestamp("2024-06-01")
    lines = random_lines.assign(channel=random_lines["region"])
    path = tmp_path / "lines.parquet"
    lines.sample(frac=1, random_state=2).to_parquet(path, row_group_size=500)  # row groups are what threads share
    found = preferences(connect(threads).read_parquet(path), as_of)
    assert_frame_equal(found, preferences(lines, as_of), check_exact=True)


def test_the_callers_lines_stay_as_they_are(random_lines: pd.DataFrame) -> None:
    before = random_lines.copy(deep=True)
    preferences(random_lines, "2024-06-01")
    assert_frame_equal(random_lines, before)
