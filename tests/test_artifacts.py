import os
import subprocess
import sys
from pathlib import Path

import pytest

from segml import artifacts
from segml.schema import OutputError


def test_files_appear_only_when_everything_is_written(tmp_path: Path) -> None:
    with artifacts.staged(tmp_path) as folder:
        (folder / "a.txt").write_text("new")
        assert not (tmp_path / "a.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_earlier_files_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError, match="boom"), artifacts.staged(tmp_path) as folder:
        (folder / "a.txt").write_text("new")
        raise RuntimeError("boom")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_folders_are_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "stale").touch()
    with artifacts.staged(tmp_path) as folder:
        (folder / "model").mkdir()
        (folder / "model" / "fresh").touch()
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["fresh"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = tmp_path / f"{artifacts.STAGING_PREFIX}{gone.pid}-x"
    namesake = tmp_path / f"{artifacts.STAGING_PREFIX}{os.getpid()}-x"  # in a container all may have one number
    living = tmp_path / f"{artifacts.STAGING_PREFIX}{os.getppid()}-x"
    for folder in (dead, namesake, living):
        folder.mkdir()
    with artifacts.staged(tmp_path):
        pass
    assert living.exists()
    assert not dead.exists()
    assert not namesake.exists()


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(OutputError, match="is a file; a folder is needed"), artifacts.staged(tmp_path / "out"):
        pass


def test_an_output_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"is not writable|is a file"),
        artifacts.staged(Path("/proc/nowhere")),
    ):
        pass


def test_a_place_is_checked_without_making_it(tmp_path: Path) -> None:
    artifacts.check_place(tmp_path / "a" / "b")
    artifacts.check_place(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for output in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match=r"file is a file; a folder is needed"):
            artifacts.check_place(output)
    with pytest.raises(OutputError, match="is not writable"):
        artifacts.check_place(Path("/proc/nowhere/out"))


def test_one_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        artifacts.write_file(tmp_path / "a.txt", fail)
    assert list(tmp_path.iterdir()) == []
    artifacts.write_file(tmp_path / "a.txt", lambda path: path.write_text("whole"))
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_folder_is_no_file_name(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; a file name is needed"):
        artifacts.write_file(tmp_path, lambda path: path.write_text("x"))


def test_what_this_process_is_writing_is_no_leftover(tmp_path: Path) -> None:
    with artifacts.staged(tmp_path) as first:
        (first / "a").touch()
        with artifacts.staged(tmp_path) as second:
            (second / "b").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
