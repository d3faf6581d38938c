"""Labels at their edges: over generated logs a slow loop agrees on every engine, and cases told by hand."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from engines import engine
from features.logs import DATES, SAME_EACH_TIME, Log, frame, logs, many
from features.reference import differences
from features.reference_labels import outcomes, silences
from segml import labels
from segml.config import LabelsConfig
from segml.data.engine import connect, to_table

__all__ = ["engine"]

BACKEND = connect(threads=1)
LATER = pd.Timestamp("2040-01-01")
LENGTHS = (1, 30, 90)
RATES = (0.25, 1.0, 0.0, 100.0, -1.0)
"""Money a day that customers are taken to have spent, in turn."""


def keys(lines: pd.DataFrame, dates: Any) -> pd.DataFrame:
    """Return every customer at each date, and one of whom no line tells, with a run rate."""
    customers = sorted({*lines["customer_id"].astype("str"), "nobody"})
    rows = [(customer, moment) for moment in sorted(set(dates)) for customer in customers]
    table = pd.DataFrame(rows, columns=["customer_id", "as_of"])
    return table.assign(run_rate_daily=[RATES[place % len(RATES)] for place in range(len(table))])


def check(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    told = differences(found, expected[found.columns])
    assert not told, told


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return many(60)


@pytest.mark.parametrize("season_adjusted", [False, True])
def test_outcomes_of_generated_logs_agree(engine: Any, log: pd.DataFrame, season_adjusted: bool) -> None:
    known, config = keys(log, DATES), LabelsConfig(season_adjusted=season_adjusted)
    built = labels.build(to_table(log, engine), known, 90, config, known_until=LATER)
    check(built, outcomes(log, known, 90, season_adjusted=season_adjusted))


def test_silence_in_generated_logs_agrees(engine: Any, log: pd.DataFrame) -> None:
    known, until = keys(log, DATES), pd.Timestamp("2024-05-29")  # the last moment of 90 days from the leap day on
    check(
        labels.silence(to_table(log, engine), known, LENGTHS, known_until=until), silences(log, known, LENGTHS, until)
    )


@settings(SAME_EACH_TIME, max_examples=10)
@given(logs(), st.sampled_from([1, 7, 90, 366]), st.booleans())
def test_any_log_agrees(log: Log, horizon_days: int, season_adjusted: bool) -> None:
    known = keys(log.lines, log.as_of)
    table = to_table(log.lines, BACKEND)
    config = LabelsConfig(season_adjusted=season_adjusted, stagnation_drop=0.25)
    built = labels.build(table, known, horizon_days, config, known_until=LATER)
    check(built, outcomes(log.lines, known, horizon_days, drop=0.25, season_adjusted=season_adjusted))
    until = max(log.as_of)
    silent = labels.silence(table, known, LENGTHS, known_until=until)
    check(silent, silences(log.lines, known, LENGTHS, until))


LEAP_DAY = pd.Timestamp("2024-02-29")


def row(customer: str, moment: str, amount: float = 10, cancelled: str | None = None) -> dict[str, Any]:
    times = {"ordered_at": pd.Timestamp(moment), "cancelled_at": pd.Timestamp(cancelled) if cancelled else None}
    return {"customer_id": customer, "order_id": moment, "amount": amount, **times}


# In the 30 days from the leap day on, to 2024-03-30: churned, next revenue, days to the next purchase (None: none).
TRUTH: dict[str, tuple[list[dict[str, Any]], tuple[bool, float, float | None]]] = {
    "a moment before": ([row("", "2024-02-28 23:59:59.999999")], (True, 0, None)),
    "at once": ([row("", "2024-02-29")], (False, 10, 0)),
    "within the first second": ([row("", "2024-02-29 00:00:00.9")], (False, 10, 0)),
    "in the last second": ([row("", "2024-03-29 23:59:59.999999")], (False, 10, 30 - 1 / 86_400)),
    "when it is over": ([row("", "2024-03-30")], (True, 0, None)),
    "in the hour that clocks skipped": ([row("", "2024-03-10 02:30")], (False, 10, 10 + 2.5 / 24)),
    "cancelled in time": ([row("", "2024-03-01", 10, "2024-03-29 23:59:59.999999")], (True, 0, None)),
    "cancelled when it is over": ([row("", "2024-03-01", 10, "2024-03-30")], (False, 10, 1)),
    "cancelled before it was placed": ([row("", "2024-03-01", 10, "2024-02-01")], (True, 0, None)),
    "a gift and a return": ([row("", "2024-03-01", 0), row("", "2024-03-02", -3)], (True, -3, None)),
    "an order that spans midnight": (
        [row("", "2024-02-28 23:59:59", 100), row("", "2024-02-29 00:00:01", 7)],
        (False, 7, 1 / 86_400),
    ),
    "half the run rate": ([row("", "2024-03-01", 15)], (False, 15, 1)),
}


def truth() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the lines of the table, and its customers with a run rate of 1 a day."""
    lines = frame([{**line, "customer_id": name} for name, (rows, _) in TRUTH.items() for line in rows])
    return lines, pd.DataFrame({"customer_id": list(TRUTH), "as_of": LEAP_DAY, "run_rate_daily": 1.0})


def test_the_outcomes_are_those_told_by_hand(engine: Any) -> None:
    lines, known = truth()
    built = labels.build(to_table(lines, engine), known, 30, known_until=pd.Timestamp("2024-03-30"))
    assert built["customer_id"].tolist() == list(TRUTH)
    told = [told for _, told in TRUTH.values()]
    assert built["churned"].tolist() == [churned for churned, _, _ in told]
    assert built["next_revenue"].tolist() == [revenue for _, revenue, _ in told]
    days = built["next_purchase_days"].astype("object").where(built["next_purchase_days"].notna(), None)
    assert days.tolist() == [pytest.approx(next_days) for _, _, next_days in told]
    assert built["stagnated"].all()  # 15, the most that anybody spent, is half of 30
    silent = labels.silence(to_table(lines, engine), known, (30,), known_until=pd.Timestamp("2024-03-30"))
    assert silent["silent_30d"].tolist() == [float(churned) for churned, _, _ in told]


def test_what_comes_after_the_window_changes_no_label(engine: Any, log: pd.DataFrame) -> None:
    as_of, end = LEAP_DAY, LEAP_DAY + pd.Timedelta(days=90)
    known = keys(log, [as_of])
    past = log[log["ordered_at"] < end]
    past = past.assign(cancelled_at=past["cancelled_at"].where(past["cancelled_at"] < end))
    later = past.assign(ordered_at=end + (past["ordered_at"] - past["ordered_at"].min()), amount=1e9)
    more = pd.concat([past.assign(cancelled_at=past["cancelled_at"].fillna(end)), later], ignore_index=True)
    told, plain = (
        labels.build(to_table(lines, engine), known, 90, LabelsConfig(season_adjusted=True), known_until=LATER)
        for lines in (more, past)
    )
    assert_frame_equal(told, plain, check_exact=True)


def test_numbers_for_customers_are_text(engine: Any) -> None:
    lines = frame([{**row("", "2024-03-01"), "customer_id": 7}])
    assert lines["customer_id"].dtype == "int64"
    known = pd.DataFrame({"customer_id": ["7", "07"], "as_of": LEAP_DAY, "run_rate_daily": 1.0})
    built = labels.build(to_table(lines, engine), known, 30, known_until=LATER)
    assert built["churned"].tolist() == [False, True]


@pytest.mark.slow
@settings(SAME_EACH_TIME, max_examples=300)
@given(logs(most_orders=40), st.integers(1, 400), st.booleans())
def test_any_of_many_logs_agrees(log: Log, horizon_days: int, season_adjusted: bool) -> None:
    known = keys(log.lines, log.as_of)
    config = LabelsConfig(season_adjusted=season_adjusted)
    built = labels.build(to_table(log.lines, BACKEND), known, horizon_days, config, known_until=LATER)
    check(built, outcomes(log.lines, known, horizon_days, season_adjusted=season_adjusted))
