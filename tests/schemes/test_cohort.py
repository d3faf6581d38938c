from collections.abc import Callable

import pandas as pd
import pytest

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Cohort

Table = Callable[..., pd.DataFrame]
AS_OF = pd.Timestamp("2025-07-01")


def came(table: Table, *moments: str) -> pd.DataFrame:
    seconds = [(AS_OF - pd.Timestamp(moment)).total_seconds() for moment in moments]
    return table(tenure_days=[second / 86_400 for second in seconds])


@pytest.mark.parametrize(
    ("moment", "month", "quarter", "year"),
    [
        ("2025-01-01 00:00:00", "2025-01", "2025-Q1", "2025"),
        ("2024-12-31 23:59:59", "2024-12", "2024-Q4", "2024"),
        ("2024-07-01 00:00:01", "2024-07", "2024-Q3", "2024"),
        ("2024-06-30 23:59:59", "2024-06", "2024-Q2", "2024"),
    ],
)
def test_a_cohort_is_the_calendar_period_of_the_first_purchase(
    moment: str, month: str, quarter: str, year: str, table: Table
) -> None:
    features = came(table, moment)
    assert Cohort(period="month").assign(features).tolist() == [month]
    assert Cohort().assign(features).tolist() == [quarter]
    assert Cohort(period="year").assign(features).tolist() == [year]


def test_as_many_cohorts_as_may_be_go_by_name(table: Table) -> None:
    features = came(table, "2023-05-01", "2024-05-01", "2025-05-01")
    assert Cohort(period="year", at_most=3).assign(features).tolist() == ["2023", "2024", "2025"]


def test_of_more_the_older_ones_share_a_label_that_comes_first(table: Table) -> None:
    features = came(table, "2025-05-01", "2022-05-01", "2023-05-01", "2024-05-01")
    scheme = Cohort(period="year", at_most=3)
    assert scheme.assign(features).tolist() == ["2025", "before 2024", "before 2024", "2024"]
    assert list(scheme.declared(features)) == ["before 2024", "2024", "2025"]
    assert list(scheme.assign(features).cat.categories) == ["before 2024", "2024", "2025", NOT_ENOUGH_DATA]


def test_the_order_is_that_of_time(table: Table) -> None:
    features = came(table, "2025-05-01", "2024-05-01", "2024-11-01")
    assert list(Cohort().declared(features)) == ["2024-Q2", "2024-Q4", "2025-Q2"]
    assert Cohort().declared(features)["2024-Q4"] == "first purchase in 2024-Q4"


def test_an_unknown_tenure_is_not_enough_data(table: Table) -> None:
    features = table(tenure_days=[10.0, float("nan")])
    assert Cohort().assign(features).tolist() == ["2025-Q2", NOT_ENOUGH_DATA]
