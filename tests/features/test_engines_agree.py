"""Over generated logs, every engine gives the features that a slow loop over customers gives."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from pandas.testing import assert_frame_equal

from engines import engine
from features.logs import DATES, SAME_EACH_TIME, Log, logs, many
from features.reference import differences, reference
from segml import features
from segml.data.engine import connect, to_table

__all__ = ["engine"]

LOGS = 80
"""How many generated logs the normal run holds the engines to."""

pytestmark = pytest.mark.filterwarnings("ignore:.*pandas:FutureWarning")

SERIAL, PARALLEL = connect(threads=1), connect(threads=2)


def check(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    told = differences(found, expected.reindex(columns=found.columns))
    assert not told, told


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return many(LOGS)


@pytest.fixture(scope="module")
def expected(log: pd.DataFrame) -> pd.DataFrame:
    return reference(log, DATES)


def test_the_generated_logs_show_every_feature_often(expected: pd.DataFrame) -> None:
    numbers = expected.drop(columns=["customer_id", "as_of"])
    assert set(numbers) == {feature.name for feature in features.CATALOG}
    assert numbers.notna().sum().min() > 5
    assert numbers.nunique().min() > 2


def test_all_dates_together_agree(engine: Any, log: pd.DataFrame, expected: pd.DataFrame) -> None:
    check(features.build(to_table(log, engine), DATES), expected)


@pytest.mark.parametrize("as_of", [DATES[1], DATES[-2]])
def test_one_date_alone_agrees(engine: Any, log: pd.DataFrame, as_of: pd.Timestamp) -> None:
    check(features.build(to_table(log, engine), as_of), reference(log, [as_of]))


def test_threads_rows_in_any_order_and_the_company_of_dates_change_no_bit(log: pd.DataFrame) -> None:
    built = features.build(to_table(log, SERIAL), DATES)
    shuffled = [log.sample(frac=1, random_state=seed) for seed in (1, 2)]
    for lines, backend in zip(shuffled, (SERIAL, PARALLEL), strict=True):
        assert_frame_equal(features.build(to_table(lines, backend), DATES), built, check_exact=True)
    for dates in (DATES[-2:-1], DATES[1::2]):
        some = built[built["as_of"].isin(dates)].reset_index(drop=True)
        assert_frame_equal(features.build(to_table(log, PARALLEL), dates), some, check_exact=True)


@settings(SAME_EACH_TIME, max_examples=4)
@given(logs())
def test_any_log_agrees(log: Log) -> None:
    check(features.build(to_table(log.lines, SERIAL), log.as_of), reference(log.lines, log.as_of))


@pytest.mark.slow
@settings(SAME_EACH_TIME, max_examples=60)
@given(logs(most_orders=40))
def test_any_of_many_logs_agrees(log: Log) -> None:
    built = features.build(to_table(log.lines, SERIAL), log.as_of)
    check(built, reference(log.lines, log.as_of))
    shuffled = to_table(log.lines.sample(frac=1, random_state=1), PARALLEL)
    assert_frame_equal(features.build(shuffled, log.as_of), built, check_exact=True)
    last = max(log.as_of)
    alone = features.build(to_table(log.lines, PARALLEL), last)
    assert_frame_equal(alone, built[built["as_of"] == last].reset_index(drop=True), check_exact=True)


@pytest.mark.slow
def test_a_thousand_logs_agree(engine: Any) -> None:
    log = many(1000)
    check(features.build(to_table(log, engine), DATES), reference(log, DATES))
