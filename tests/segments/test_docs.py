"""The page on schemes says what the code does."""

import re
from pathlib import Path

import pandas as pd
import yaml

from segml import config
from segml.segments import assign_rules
from segml.segments.docs import render

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schemes.md"


def test_the_page_is_what_the_command_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "python -m segml.segments.docs > docs/schemes.md"


def test_the_example_of_own_schemes_runs(base: pd.DataFrame) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert example is not None
    settings = config.from_mapping(yaml.safe_load(example[1])).segments
    known = base.assign(
        revenue_total=base["revenue_365d"] * 1000,
        employees=20.0,
        discount_share_365d=0.05,
        top_channel=["web", "phone", "manager"] * 100,
    )
    labels = assign_rules(known, settings)
    assert set(labels.table["win_back_value"]) == {"worth a visit", "worth a letter", "leave alone"}
    assert labels.rules["win_back_value"]["worth a letter"] == 'lifecycle == "inactive"'
    assert all(path.count(" > ") == 2 for path in labels.table["approach"])
