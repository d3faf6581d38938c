from collections.abc import Callable

import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import DataError
from segml.schemes import Lifecycle

Table = Callable[..., pd.DataFrame]
nan = float("nan")

# As of 2025-07-01, three calendar months are 91 days and six are 181. One currency unit a day is the run rate.
CASES = [
    ("came and bought yesterday", 1, 1, 50, "new"),
    ("a day short of six months", 10, 180.9, 90, "new"),
    ("six months to the day", 10, 181, 90, "active"),
    ("new, and its volume fell", 10, 120, 10, "new"),
    ("came four months ago, silent for three and a half", 106, 122, 0, "inactive"),
    ("silent a moment short of three months", 90.9, 400, 90, "active"),
    ("silent for three months to the day", 91, 400, 90, "inactive"),
    ("half of the run rate", 20, 400, 45, "stagnating"),
    ("a little more than half", 20, 400, 45.1, "active"),
    ("returned more than it bought", 20, 400, -5, "stagnating"),
]


@pytest.mark.parametrize(("story", "recency", "tenure", "revenue", "stage"), CASES, ids=[case[0] for case in CASES])
def test_stages(story: str, recency: float, tenure: float, revenue: float, stage: str, table: Table) -> None:
    features = table(recency_days=[recency], tenure_days=[tenure], revenue_90d=[revenue], run_rate_daily=[1.0])
    assert Lifecycle().assign(features).tolist() == [stage]


def test_thresholds_come_from_the_configuration(table: Table) -> None:
    scheme = Lifecycle(new_months=2, inactive_months=1, stagnating_drop=0.2, stagnating_window_days=30)
    features = table(
        recency_days=[31, 29, 29], tenure_days=[400, 60, 400], revenue_30d=[30, 30, 24], run_rate_daily=[1.0, 1.0, 1.0]
    )
    assert scheme.assign(features).tolist() == ["inactive", "new", "stagnating"]
    assert "under 2 months" in scheme.rules()["new"]
    assert "last 30 days brought at most 80%" in scheme.rules()["stagnating"]


def regulars(table: Table, recency: list[float], **columns: list[object]) -> pd.DataFrame:
    """Return old customers who buy as usual, but for their silence."""
    usual = {"tenure_days": [2000.0] * len(recency), "revenue_90d": [90.0] * len(recency)}
    return table(recency_days=recency, **usual, run_rate_daily=[1.0] * len(recency), **columns)


CONSUMABLES = Lifecycle(threshold="category", inactive_months_by_category={"glue": 2, "presses": 6})


def test_consumables_are_missed_sooner_than_equipment(table: Table) -> None:
    # Two months before 2025-07-01 are 61 days, three 91, six 181.
    features = regulars(
        table,
        recency=[60.9, 61, 180.9, 181, 90.9, 91, 91],
        top_category=["glue", "glue", "presses", "presses", "tape", "tape", None],
    )
    stages = ["active", "inactive", "active", "inactive", "active", "inactive", "inactive"]
    assert CONSUMABLES.assign(features).tolist() == stages
    assert CONSUMABLES.rules()["inactive"] == (
        "no purchase for as long as the main category allows: glue 2, presses 6 months; any other 3"
    )


def test_without_categories_the_fixed_threshold_holds(table: Table) -> None:
    assert CONSUMABLES.assign(regulars(table, recency=[90.9, 91])).tolist() == ["active", "inactive"]


@pytest.mark.parametrize(
    ("story", "gap", "recency", "stage"),
    [
        ("a monthly buyer before three gaps", 30.0, 89.9, "active"),
        ("a monthly buyer at three gaps", 30.0, 90.0, "inactive"),
        ("a yearly buyer in month four", 365.0, 125.0, "active"),
        ("a yearly buyer short of the longest silence", 365.0, 546.9, "active"),
        ("a yearly buyer at the longest silence, 18 months", 365.0, 547.0, "inactive"),
        ("a weekly buyer short of the shortest silence", 7.0, 29.9, "active"),
        ("a weekly buyer at the shortest silence, a month", 7.0, 30.0, "inactive"),
        ("nobody's rhythm is known: three months", nan, 90.9, "active"),
        ("nobody's rhythm is known, three months to the day", nan, 91.0, "inactive"),
    ],
)
def test_the_own_rhythm_tells_who_is_inactive(story: str, gap: float, recency: float, stage: str, table: Table) -> None:
    scheme = Lifecycle(threshold="rhythm", rhythm_gaps=3.0, rhythm_min_months=1, rhythm_max_months=18)
    assert scheme.assign(regulars(table, [recency], gap_shrunk_days=[gap])).tolist() == [stage], story


def test_the_rule_tells_the_rhythm() -> None:
    scheme = Lifecycle(threshold="rhythm", rhythm_gaps=2.5, rhythm_min_months=2, rhythm_max_months=12)
    assert "2.5 times the own usual gap and more, but at least 2 and at most 12 months" in scheme.rules()["inactive"]


def test_the_threshold_is_told_in_days_on_the_index_of_the_features(table: Table) -> None:
    features = table(top_category=["glue", "tape"]).set_axis([7, 3])
    assert CONSUMABLES.inactive_after_days(features).to_dict() == {7: 61.0, 3: 91.0}
    assert Lifecycle().inactive_after_days(features).to_dict() == {7: 91.0, 3: 91.0}
    assert Lifecycle().inactive_after_days(features.iloc[:0]).empty
    assert Lifecycle(threshold="rhythm").inactive_after_days(features.iloc[:0].assign(gap_shrunk_days=1.0)).empty


def test_the_threshold_needs_its_columns_and_one_date(table: Table) -> None:
    with pytest.raises(DataError, match=r"inactive_after_days lacks columns \['gap_shrunk_days'\]"):
        Lifecycle(threshold="rhythm").inactive_after_days(table(top_category=["glue"]))
    two = table(top_category=["a", "b"]).assign(as_of=pd.to_datetime(["2025-01-01", "2025-02-01"]))
    with pytest.raises(DataError, match="one as-of date at a time"):
        Lifecycle().inactive_after_days(two)


def test_months_by_category_and_the_threshold_go_together() -> None:
    with pytest.raises(ValidationError, match="found threshold 'fixed' and some months by category"):
        Lifecycle(inactive_months_by_category={"glue": 2})
    with pytest.raises(ValidationError, match="found threshold 'category' and none"):
        Lifecycle(threshold="category")


def test_bounds_of_the_rhythm_must_rise() -> None:
    with pytest.raises(ValidationError, match=r"rhythm_min_months \(7\) must be at most rhythm_max_months \(6\)"):
        Lifecycle(rhythm_min_months=7, rhythm_max_months=6)
