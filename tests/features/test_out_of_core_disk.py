"""A disk that is full, for real: a small file system in memory, where the system lets us mount one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from segml import features
from segml.features import outofcore
from segml.schema import OutputError


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of 300 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(autouse=True)
def several_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outofcore, "bucket_count", lambda lines, dates, memory: 3)


def test_a_full_disk_ends_in_one_message_and_half_of_nothing(random_lines: pd.DataFrame, small_disk: Path) -> None:
    many = pd.concat([random_lines.assign(customer_id=random_lines["customer_id"] + str(copy)) for copy in range(5)])
    with pytest.raises(OutputError, match=r"the disk of .* is full: some .* MB are needed .*--scratch"):
        features.write(many, ["2024-06-01"], small_disk / "features.parquet")
    assert [name for name in os.listdir(small_disk) if not name.startswith(".")] == []


def test_temporary_files_may_lie_on_another_disk(random_lines: pd.DataFrame, small_disk: Path, tmp_path: Path) -> None:
    features.write(random_lines, ["2024-06-01"], small_disk / "features.parquet", scratch=tmp_path / "large")
    assert os.listdir(small_disk) == ["features.parquet"]
