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
