"""The scores under scrutiny, as the page tells it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.report import ReportContent, build
from segml.report.sections.scrutiny import scrutiny


def with_ends(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    for name in names:
        table = table.assign(**{f"{name}_low": table[name] - 0.01, f"{name}_high": table[name] + 0.01})
    return table


SLICES = with_ends(
    pd.DataFrame(
        {
            "dimension": ["tier", "tier", "trend", "trend"],
            "slice": ["key", "key", "already declining", "already declining"],
            "target": ["churn", "stagnation"] * 2,
            "customers": [120, 120, 30, 30],
            "cases": [40, 60, 2, 25],
            "is_enough": [True, True, False, True],
            "roc_auc": [0.801, 0.702, np.nan, 0.603],
            "base_rate": [0.33, 0.5, 0.067, 0.83],
            "predicted": [0.31, 0.52, 0.1, 0.8],
        }
    ),
    "roc_auc",
)
SIGNALS = with_ends(
    pd.DataFrame(
        {
            "signal": ["silent_60d", "silent_60d", "own <sign>", "own <sign>"],
            "target": ["churn", "stagnation"] * 2,
            "customers": [1234, 1234, 0, 0],
            "coverage": [0.2, 0.2, 0.0, 0.0],
            "lift": [1.42, 1.25, np.nan, np.nan],
            "recall": [0.28, 0.25, 0.0, 0.0],
            "model_recall": [0.4, 0.31, 0.0, 0.0],
            "lost_share": [0.146, 0.146, 0.0, 0.0],
        }
    ),
    "lift",
    "recall",
    "model_recall",
)
LEAD_TIME = with_ends(
    pd.DataFrame(
        {
            "strategy": ["model", "model", "silent_60d", "silent_60d"],
            "within_days": [30, 60, 30, 60],
            "leavers": [300, 380, 300, 380],
            "list_share": [0.2, 0.2, 0.21, 0.21],
            "caught": [0.53, 0.57, 0.0, 0.11],
        }
    ),
    "caught",
)
IMPORTANCE = with_ends(
    pd.DataFrame({"group": ["rhythm", "silence"], "target": "churn", "auc_drop": [0.16, 0.01]}), "auc_drop"
)


@pytest.fixture(scope="module")
def tested(content: ReportContent) -> ReportContent:
    return replace(content, slices=SLICES, signals=SIGNALS, lead_time=LEAD_TIME, importance=IMPORTANCE)


@pytest.fixture(scope="module")
def told(tested: ReportContent) -> dict[str, Any]:
    return scrutiny(tested)


def values(cells: list[Any]) -> list[str]:
    return [cell.value for cell in cells]


def test_a_slice_tells_what_happened_what_was_predicted_and_how_well_it_ranks(told: dict[str, Any]) -> None:
    key, declining = told["slices"]
    assert (key["dimension"], key["name"], key["customers"]) == ("tier", "key", "120")
    assert values(key["cells"]) == ["33%", "31%", "0.801", "50%", "52%", "0.702"]
    assert key["cells"][2].interval == "0.791 to 0.811"
    assert values(declining["cells"])[2] == "too few"
    assert declining["cells"][2].interval == ""


def test_a_sign_stands_beside_a_list_of_the_model_as_long(told: dict[str, Any]) -> None:
    silent, own = told["signals"]
    assert silent["name"] == "silent for more than 60 days"
    assert (silent["customers"], silent["coverage"], silent["lost"]) == ("1\u202f234", "20%", "15%")
    assert values(silent["cells"]) == ["1.42", "28%", "40%", "1.25", "25%", "31%"]
    assert own["name"] == "own <sign>"
    assert values(own["cells"])[0] == "–"


def test_lead_time_has_a_column_a_number_of_days(told: dict[str, Any]) -> None:
    assert told["lead_days"] == [30, 60]
    model, rule = told["lead_time"]
    assert (model["name"], model["length"], values(model["cells"])) == ("model", "20%", ["53%", "57%"])
    assert (rule["name"], values(rule["cells"])) == ("rule: silent for more than 60 days", ["0%", "11%"])


def test_the_page_shows_all_of_it_and_escapes_names(tested: ReportContent) -> None:
    html = build(tested)
    for words in ("Warning signs against the model", "How early the score alarms", "The scores by kind of customer"):
        assert words in html
    assert 'aria-label="What the scores rest on' in html
    assert "own &lt;sign&gt;" in html
    assert "own <sign>" not in html


def test_without_a_backtest_nothing_is_shown(content: ReportContent) -> None:
    told = scrutiny(content)
    assert not any(told.values())
    assert "Warning signs against the model" not in build(content)
