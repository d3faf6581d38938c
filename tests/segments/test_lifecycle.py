from collections.abc import Callable

import pandas as pd
import pytest

from segml.config import LifecycleConfig
from segml.segments.lifecycle import Lifecycle

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
def test_stages(
    story: str, recency: float, tenure: float, revenue: float, stage: str, table: Callable[..., pd.DataFrame]
) -> None:
    features = table(recency_days=[recency], tenure_days=[tenure], revenue_90d=[revenue], run_rate_daily=[1.0])
    assert Lifecycle().assign(features).tolist() == [stage]


def test_thresholds_come_from_the_configuration(table: Callable[..., pd.DataFrame]) -> None:
    config = LifecycleConfig(new_months=2, inactive_months=1, stagnating_drop=0.2, stagnating_window_days=30)
    features = table(
        recency_days=[31, 29, 29], tenure_days=[400, 60, 400], revenue_30d=[30, 30, 24], run_rate_daily=[1.0, 1.0, 1.0]
    )
    scheme = Lifecycle(config)
    assert scheme.assign(features).tolist() == ["inactive", "new", "stagnating"]
    assert "under 2 months" in scheme.rules()["new"]
    assert "last 30 days at most 80%" in scheme.rules()["stagnating"]
