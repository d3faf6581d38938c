"""Limits of memory, and the folders for what does not fit."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segml.data import connect, scratch
from segml.data.failures import explained
from segml.data.memory import bounded, connect_within, for_database, free_bytes, limit_in_bytes
from segml.schema import DataError, OutputError

MIB = 2**20


def system(root: Path, **files: object) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(content))
    return root


def test_free_memory_is_what_the_kernel_says(tmp_path: Path) -> None:
    assert free_bytes(system(tmp_path, proc__meminfo="MemTotal: 9 kB\nMemAvailable:    2048 kB\n")) == 2 * MIB


def test_a_container_has_no_more_than_its_group(tmp_path: Path) -> None:
    root = system(
        tmp_path,
        proc__meminfo="MemAvailable: 999999999 kB\n",
        sys__fs__cgroup__memory_DOT_max=100 * MIB,
        sys__fs__cgroup__memory_DOT_current=70 * MIB,
        sys__fs__cgroup__memory_DOT_stat=f"anon 1\ninactive_file {20 * MIB}\n",
    )
    assert free_bytes(root) == 50 * MIB  # files that were read are given back
    system(root, sys__fs__cgroup__memory_DOT_max="max")
    assert free_bytes(root) == 999999999 * 1024


def test_where_nothing_tells_duckdb_does(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 100 * MIB


def test_a_limit_is_as_written_or_a_share_of_what_is_free() -> None:
    assert limit_in_bytes("2GB") == 2_000_000_000
    assert 0 < limit_in_bytes(None) < free_bytes() * 2
    with pytest.raises(ValueError, match="'lots' is not a size in memory; write it as 4GB"):
        limit_in_bytes("lots")


def test_the_data_base_gets_what_the_process_leaves() -> None:
    shares = [for_database(limit) for limit in (10**8, 5 * 10**8, 10**9, 10**10)]
    assert shares == sorted(shares)
    assert shares[-1] == 10**10 - 350_000_000


def test_too_little_memory_is_told_with_the_way_to_more(tmp_path: Path) -> None:
    backend = connect(1)
    query = "SELECT list(range::VARCHAR || 'text of some length') FROM range(3000000)"
    with (
        pytest.raises(DataError, match=r"20 MB of memory are too little.*engine.memory_limit \(--memory-limit\)"),
        explained(tmp_path, 20_000_000),
        bounded(backend, 20_000_000, tmp_path),
    ):
        backend.raw_sql(query).fetchall()
    assert backend.raw_sql("SELECT 1").fetchall() == [(1,)]


def test_a_lower_limit_of_the_caller_stays(tmp_path: Path) -> None:
    backend = connect(1, memory_bytes=200 * MIB)
    with bounded(backend, 900 * MIB, tmp_path):
        assert backend.raw_sql("SELECT current_setting('memory_limit')").fetchall() == [("200.0 MiB",)]


def test_the_folder_of_a_backend_vanishes_with_it(tmp_path: Path) -> None:
    backend = connect_within("500MB", str(tmp_path))
    assert len(os.listdir(tmp_path)) == 1
    backend.disconnect()
    del backend
    assert os.listdir(tmp_path) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from segml.data import scratch
(scratch.claim(Path(sys.argv[1])).folder / "spilled").write_text("much")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    [left] = os.listdir(tmp_path)
    with scratch.temporary(tmp_path) as own, scratch.temporary(tmp_path) as other:
        assert own != other  # a living one is left alone
        assert set(os.listdir(tmp_path)) == {own.name, other.name}
        assert left not in (own.name, other.name)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot hold temporary files: .*engine\.scratch"):
        scratch.claim(tmp_path / "file" / "folder")
