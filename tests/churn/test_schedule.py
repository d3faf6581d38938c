from datetime import date

import pandas as pd
import pytest

from segml.churn import Split, backevaluation_splits, split_at
from segml.config import BacktestConfig, ChurnConfig
from segml.schema import ConfigError

START, END = pd.Timestamp("2009-12-01 07:45"), pd.Timestamp("2011-12-10")


def splits(**backtest: object) -> tuple[Split, ...]:
    return backevaluation_splits(START, END, config=ChurnConfig(), backtest=BacktestConfig(**backtest), horizon_days=90)  # type: ignore[arg-type]


def days(moments: tuple[pd.Timestamp, ...]) -> list[str]:
    return [str(moment.date()) for moment in moments]


def test_by_default_the_last_dates_are_tested_one_horizon_apart() -> None:
    assert days(tuple(split.test for split in splits())) == ["2011-03-15", "2011-06-13", "2011-09-11"]


def test_given_dates_are_tested_in_order() -> None:
    given = splits(as_of=(date(2011, 9, 11), date(2011, 3, 13)))
    assert days(tuple(split.test for split in given)) == ["2011-03-13", "2011-09-11"]


def test_training_ends_one_horizon_before_and_begins_with_enough_history() -> None:
    split = split_at(pd.Timestamp("2011-03-13"), START, config=ChurnConfig(), horizon_days=90)
    assert days(split.training)[0] == "2010-06-16"
    assert days(split.training)[-1] == "2010-12-13"
    assert len(split.training) == 7
    split.check(90)


def test_a_test_date_with_just_enough_history_counts() -> None:
    start = pd.Timestamp("2011-03-15")
    found = backevaluation_splits(start, END, config=ChurnConfig(), backtest=BacktestConfig(dates=2), horizon_days=90)
    assert days(tuple(split.test for split in found)) == ["2011-09-11"]
    assert found[0].training == ()


def test_a_missing_embargo_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2011-03-01.*end after the test date 2011-03-13"):
        Split(pd.Timestamp("2011-03-13"), (pd.Timestamp("2011-03-01"),)).check(90)


@pytest.mark.parametrize("moment", [date(2011, 9, 12), date(2009, 12, 1)])
def test_a_date_without_history_or_outcome_is_explained(moment: date) -> None:
    with pytest.raises(ConfigError, match=rf"{moment} cannot be tested.*2009-12-01.*not after 2011-09-11"):
        splits(as_of=(moment,))


def test_a_short_log_has_nothing_to_test() -> None:
    assert (
        backevaluation_splits(
            START, pd.Timestamp("2010-03-01"), config=ChurnConfig(), backtest=BacktestConfig(), horizon_days=90
        )
        == ()
    )


def test_recent_dates_follow_at_the_same_spacing_while_one_period_is_over() -> None:
    split = split_at(pd.Timestamp("2011-03-13"), START, config=ChurnConfig(), horizon_days=90)
    assert days(split.recent) == ["2011-01-12", "2011-02-11"]
    assert split.dates == (*split.training, *split.recent, split.test)
    split.check(90)


def test_learning_the_whole_horizon_at_once_needs_no_recent_dates() -> None:
    split = split_at(pd.Timestamp("2011-03-13"), START, config=ChurnConfig(model="direct"), horizon_days=90)
    assert split.recent == ()
    assert len(split.training) == 7


def test_a_recent_date_whose_first_period_is_not_over_is_refused() -> None:
    late = Split(pd.Timestamp("2011-03-13"), (), (pd.Timestamp("2011-02-12"),))
    with pytest.raises(ValueError, match=r"2011-02-12.*end after the test date 2011-03-13"):
        late.check(90)
