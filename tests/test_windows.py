import pandas as pd
import pytest

from segml import windows

T = pd.Timestamp("2011-03-13")


def test_a_purchase_on_the_as_of_date_belongs_to_the_future() -> None:
    moments = pd.Series(
        pd.to_datetime(["2011-03-12 23:59:59.999999", "2011-03-13 00:00:00.000000", "2011-03-13 12:00:00.000000"])
    )
    assert windows.before(moments, T).tolist() == [True, False, False]
    assert windows.within(moments, T, windows.shift(T, days=1)).tolist() == [False, True, True]


def test_a_window_includes_its_start_and_excludes_its_end() -> None:
    moments = pd.Series(pd.to_datetime(["2011-03-13", "2011-06-11"]))
    assert windows.within(moments, T, T + pd.Timedelta(days=90)).tolist() == [True, False]


def test_a_line_cancelled_later_still_stands_at_the_as_of_date() -> None:
    ordered = pd.Series(pd.to_datetime(["2011-03-01"] * 3))
    cancelled = pd.to_datetime(pd.Series(["2011-03-12", "2011-03-13", None]))
    assert windows.known(ordered, cancelled, T).tolist() == [False, True, True]


def test_training_dates_leave_one_horizon_before_the_test_date() -> None:
    dates = windows.training_dates(T, pd.Timestamp("2010-06-01"), horizon_days=90, spacing_days=30, at_most=4)
    assert [str(moment.date()) for moment in dates] == ["2010-09-14", "2010-10-14", "2010-11-13", "2010-12-13"]
    windows.check_embargo(dates, T, horizon_days=90)


def test_a_missing_embargo_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2011-01-01.*end after the test date 2011-03-13"):
        windows.check_embargo([pd.Timestamp("2011-01-01")], T, horizon_days=90)


def test_months_are_calendar_months() -> None:
    assert windows.shift(T, months=-1) == pd.Timestamp("2011-02-13")
    assert windows.months_in_days(T, 12) == 365


def test_an_as_of_date_with_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="carries no time zone"):
        windows.as_timestamp("2011-03-13T00:00:00+03:00")


def test_ages_in_seconds_tell_the_same_windows_as_moments() -> None:
    moments = pd.Series(pd.to_datetime(["2011-02-10 23:59:59.9", "2011-02-11 00:00:00.0", "2011-03-12 23:59:59.9"]))
    ages = pd.Series([windows.epoch_seconds(T) - windows.epoch_seconds(moment) for moment in moments])
    expected = windows.within(moments, windows.shift(T, days=-30), T).tolist()
    assert windows.in_last(ages, 30).tolist() == expected == [False, True, True]
    assert windows.in_ages(ages, 31, 30).tolist() == [True, False, False]


def test_seconds_are_rounded_down_before_1970_too() -> None:
    assert windows.epoch_seconds(pd.Timestamp("1969-12-31 23:59:59.5")) == -1
    assert windows.from_epoch_seconds(pd.Series([-1])).tolist() == [pd.Timestamp("1969-12-31 23:59:59")]


def test_several_as_of_dates_stand_once_each_and_in_order() -> None:
    assert windows.as_timestamps([T, "2010-01-01", T]) == [pd.Timestamp("2010-01-01"), T]
    assert windows.as_timestamps(T) == [T]


def test_a_label_window_past_the_end_of_the_log_is_refused() -> None:
    windows.check_complete([T], windows.shift(T, days=90), horizon_days=90)
    with pytest.raises(ValueError, match=r"in the 90 days from .*2011-03-13.* the log ends at 2011-06-10"):
        windows.check_complete([T], windows.shift(T, days=89), horizon_days=90)
