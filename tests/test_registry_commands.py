"""The registry as people use it: trainings, the registry's commands and scoring, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segml.config import TrackingConfig
from support import SMALL


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ}, capture_output=True, text=True, check=False, timeout=900
    )


def compared_on_other_data(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Compare versions 2 and 1 on data that neither has seen."""
    file = folder / "other.yaml"
    file.write_text("as_of: 2026-01-01\ndemo: {customers: 300, seed: 5}\n", encoding="utf-8")
    words = ("compare", "--version", "2", "--with", "1", "--config", str(file), "--json")
    return run(folder, "segml.registry", *words, *options)


@pytest.mark.slow
def test_from_the_first_training_to_rolling_back(store: TrackingConfig, tmp_path: Path) -> None:
    to_store = ("--set", f"tracking.uri={store.uri}")
    small = [part for override in SMALL for part in ("--set", override)]

    first = run(tmp_path, "segml.train", "--json", "--as-of", "2025-10-01", *small, *to_store)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["promotion"]["decision"] == "Version 1 becomes champion."

    changed = ("--set", "churn.boosting.max_iter=20")
    second = run(tmp_path, "segml.train", "--as-of", "2026-01-01", *small, *changed, *to_store)
    assert second.returncode == 0, second.stderr
    assert "Churn: ROC-AUC" in second.stdout
    assert "of version 1 on the same customers" in second.stdout

    again = run(tmp_path, "segml.registry", "compare", "--version", "2", "--with", "1", "--json", *to_store)
    assert "compare --version 2 --config FILE" in json.loads(again.stdout)["reasons"][0]

    both = compared_on_other_data(tmp_path, *to_store)
    assert "these are not the data of version 2: both are evaluated on them" in both.stderr
    verdict = json.loads(both.stdout)
    assert (verdict["version"], verdict["with"]) == ("2", "1")
    assert "on the same customers" in " ".join(verdict["reasons"])

    assert run(tmp_path, "segml.registry", "promote", "2", "--reason", "newer", *to_store).returncode == 0
    listed = json.loads(run(tmp_path, "segml.registry", "list", "--json", *to_store).stdout)
    assert (listed["champion"], listed["champions"]) == ("2", ["1", "2"])
    back = run(tmp_path, "segml.registry", "rollback", *to_store)
    assert back.stdout.startswith("Version 1 is champion again in place of version 2")

    scored = run(tmp_path, "segml.score", "--model", "models:/segml@champion", "--output", "d.csv", *small, *to_store)
    assert scored.returncode == 0, scored.stderr
    assert "trained_at  2025-10-01" in scored.stdout
    wrong = run(tmp_path, "segml.score", "--model", "models:/segml@best", "--output", "e.csv", *small, *to_store)
    assert wrong.returncode == 2
    assert "@champion (1)" in wrong.stderr
