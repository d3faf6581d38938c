"""A replay: refreshes at one date after the other, on what was known by then."""

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from segml import replay
from segml.config import DemoConfig
from segml.data.simulate import simulate
from support import TINY

SETTINGS = [part for override in TINY for part in ("--set", override)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "2025-10-01", "--to", "2025-07-01"], "--to must not lie before --from"),
        (["--from", "2025-07-01", "--to", "2025-10-01", "--every-months", "0"], "--every-months must be 1 or more"),
    ],
)
def test_dates_that_make_no_sense_are_told(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main([*arguments, "--output", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def log_until(day: date) -> pd.DataFrame:
    """Return the order lines of a small demo world before a day."""
    lines = simulate(DemoConfig(customers=120)).transactions
    return lines[pd.to_datetime(lines["ordered_at"], errors="coerce") < pd.Timestamp(day)]


@pytest.mark.slow
def test_what_came_later_changes_no_refresh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = {"full": date(2026, 1, 1), "cut": date(2025, 10, 1)}
    for name, end in ends.items():
        log_until(end).to_parquet(tmp_path / f"{name}.parquet")
        arguments = ["--from", "2025-04-01", "--to", "2025-10-01", "--output", str(tmp_path / name), "--json"]
        source = ["--set", f"data.transactions={tmp_path / name}.parquet"]
        assert replay.main([*arguments, *SETTINGS, *source]) == 0
        found = json.loads(capsys.readouterr().out)["refreshes"]
        assert [row["as_of"] for row in found] == ["2025-04-01", "2025-07-01", "2025-10-01"]
    for day in ("2025-04-01", "2025-07-01", "2025-10-01"):
        for table in ("decisions.parquet", "features.parquet"):
            one, other = (pd.read_parquet(tmp_path / name / day / table) for name in ends)
            pd.testing.assert_frame_equal(one, other)
        assert (tmp_path / "full" / day / "tasks.csv").read_text() == (tmp_path / "cut" / day / "tasks.csv").read_text()
    page = (tmp_path / "full" / "replay.html").read_text(encoding="utf-8")
    assert 'href="2025-07-01/refresh.html"' in page
