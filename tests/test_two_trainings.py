"""Two trainings at once, into a tracking store that is not there yet."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import TINY


def begun(folder: Path, name: str, *overrides: str) -> subprocess.Popen[str]:
    settings = [word for override in (*TINY, f"output={name}", *overrides) for word in ("--set", override)]
    words = [sys.executable, "-m", "segml.train", "--json", *settings]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_trainings_into_one_fresh_store_both_succeed_and_one_is_champion(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    both = [begun(tmp_path, "one", "tracking.uri=sqlite:///mlflow.db"), begun(tmp_path, "other", "seed=1")]
    told = [process.communicate(timeout=600) for process in both]
    assert [process.returncode for process in both] == [0, 0], [errors for _, errors in told]
    facts = [json.loads(out) for out, _ in told]
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert {client.get_run(found["run_id"]).info.status for found in facts} == {"FINISHED"}
    assert {found["model_version"] for found in facts} == {"1", "2"}
    champion = client.get_model_version_by_alias("segml", "champion")
    assert champion.run_id in {found["run_id"] for found in facts}
    assert "first" in {found["promotion"]["outcome"] for found in facts}
