"""Progress in a log file, and in a terminal; a notebook has its own test with a real kernel."""

import os
import pty
import re
import subprocess
import sys

import pytest

from segml.progress import Stages

SCRIPT = "from segml.progress import Stages\nwith Stages() as s:\n s('features'); s.detail('1 of 2'); s('scores')\n"


def test_a_log_file_gets_one_line_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with Stages() as stages:
        stages("features")
        stages.detail("1 of 2")
        stages.say("the store answers again")
        stages("scores")
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert [line.split()[0] for line in lines] == ["the", "features", "scores"]
    assert shown.out == ""
    assert "\x1b" not in shown.err


def test_a_terminal_gets_a_spinner_that_says_what_runs() -> None:
    reader, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    subprocess.run([sys.executable, "-c", SCRIPT], stderr=terminal, env=environment, check=True)
    os.close(terminal)
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "features …" in shown
    assert re.search(r"scores +\d+\.\d s", shown)


def test_nothing_is_shown_where_nothing_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with Stages(quiet=True) as stages:
        stages("features")
        stages.say("a word")
    assert capsys.readouterr().err == ""
    assert list(stages.seconds) == ["features"]


def test_a_stage_that_comes_back_adds_up() -> None:
    with Stages(quiet=True) as stages:
        for name in ("features", "scores", "features"):
            stages(name)
    assert list(stages.seconds) == ["features", "scores"]


def test_a_failed_stage_is_not_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="boom"), Stages() as stages:
        stages("features")
        raise RuntimeError("boom")
    assert capsys.readouterr().err == ""
    assert stages.seconds == {}
