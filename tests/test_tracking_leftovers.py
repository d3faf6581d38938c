"""Runs that a killed process left RUNNING, and trainings that begin together in a store that is not there yet."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from segml import tracking
from segml.config import TrackingConfig
from segml.tracking.leftovers import REASON
from segml.tracking.process import PROCESS_TAG, is_gone, process_tag

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

HELD_S = 15
"""For how long a store is locked: longer than SQLite waits by itself."""

BEGIN = """
import sys, time
from segml import config, tracking
with tracking.Run(config.TrackingConfig(uri=sys.argv[1], retry_s=60), name=sys.argv[2], tags={}, say=print) as run:
    print("begun", run.run_id, flush=True)
    time.sleep(float(sys.argv[3]))
    run.log(metrics={"x": 1.0})
"""


def process(uri: str, name: str, seconds: float, folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", BEGIN, uri, name, str(seconds)]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def runs_of(store: TrackingConfig) -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name("segml")
    assert experiment is not None
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def told(**different: object) -> dict[str, str]:
    """Return the tag of this very process, but for what is told differently."""
    ours = json.loads(process_tag("a key")[PROCESS_TAG])
    return {PROCESS_TAG: json.dumps({**ours, **different})}


def test_a_run_whose_process_was_killed_is_failed_at_the_next_start(store: TrackingConfig, tmp_path: Path) -> None:
    with process(str(store.uri), "killed", 60, tmp_path) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().startswith("begun")
        said: list[str] = []
        with tracking.Run(store, name="while it lives", tags={}, say=said.append):
            assert runs_of(store)["killed"].info.status == "RUNNING"
        killed.send_signal(signal.SIGKILL)
    assert said == []
    with tracking.Run(store, name="next", tags={}, say=said.append):
        pass
    assert said == ["runs that a killed process left RUNNING, now set FAILED: 1"]
    found = runs_of(store)
    assert (found["killed"].info.status, found["killed"].data.tags["segml.error"]) == ("FAILED", REASON)
    assert {found[name].info.status for name in ("while it lives", "next")} == {"FINISHED"}


def test_only_what_is_ours_here_and_gone_is_failed(store: TrackingConfig) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(store.uri)
    left = {
        "a number used again": told(start="another start"),
        "of another host": told(start="another start", host="another"),
        "of another tool": {},
        "alive": told(),
        "of nobody known": told(pid=None, start="another start"),
        "begun nobody knows when": told(start=""),
        "with a tag of somebody's own": {PROCESS_TAG: "mine"},
        "with a number as tag": {PROCESS_TAG: "4"},
    }
    with tracking.Run(store, name="first", tags={}) as run:
        for name, tags in left.items():
            client.create_run(run.experiment_id, run_name=name, tags=tags)
    with tracking.Run(store, name="next", tags={}):
        statuses = {name: found.info.status for name, found in runs_of(store).items() if name in left}
    assert statuses == {name: "FAILED" if name == "a number used again" else "RUNNING" for name in left}


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    ours = json.loads(told()[PROCESS_TAG])
    assert ours["host"].split()[0] == socket.gethostname()
    assert ours["pid"] == os.getpid()
    assert not is_gone(told())
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        while Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        assert is_gone(told(pid=ended.pid)), "nobody has asked yet how it ended"
    assert is_gone(told(pid=ended.pid))


@pytest.mark.slow
@pytest.mark.parametrize("is_locked", [False, True], ids=["free", "locked for a while"])
def test_two_begin_together_in_a_store_that_is_not_there_yet(is_locked: bool, tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    both = [process(f"sqlite:///{file}", name, 0, tmp_path) for name in ("one", "other")]
    if is_locked:
        with sqlite3.connect(file) as holder:  # before they have imported what they need
            holder.execute("begin exclusive")
            time.sleep(HELD_S)
        holder.close()
    for one in both:
        _, errors = one.communicate(timeout=120)
        assert one.returncode == 0, errors
    store = TrackingConfig(uri=f"sqlite:///{file}")
    assert {name: run.info.status for name, run in runs_of(store).items()} == {"one": "FINISHED", "other": "FINISHED"}
