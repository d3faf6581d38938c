"""Features by buckets of customers: the same bits, whatever happens on the way."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from segml import features
from segml.config import FeaturesConfig
from segml.data import connect, to_table
from segml.features import outofcore, workfolder
from segml.features.snapshots import LINE_TYPES
from segml.schema import OutputError

ONE = ["2024-06-01"]
THREE = ["2023-05-15", "2024-01-01", "2024-06-01"]


@pytest.fixture
def split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few lines count as too many for one query: three buckets."""
    into(3, monkeypatch)


def into(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outofcore, "bucket_count", lambda lines, dates, memory: buckets)


def assert_file_holds(path: Path, frame: pd.DataFrame) -> None:
    expected = path.with_name("expected.parquet")
    frame.to_parquet(expected, index=False)
    assert_frame_equal(pd.read_parquet(path), pd.read_parquet(expected), check_exact=True)
    assert_frame_equal(pd.read_parquet(path), frame, check_exact=True)


@pytest.mark.parametrize(
    ("buckets", "threads", "dates"), [(1, 1, ONE), (1, 2, THREE), (2, 1, THREE), (7, 1, ONE), (3, 2, THREE)]
)
def test_buckets_and_threads_change_no_bit(
    buckets: int,
    threads: int,
    dates: list[str],
    random_lines: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = features.build(random_lines, dates)
    into(buckets, monkeypatch)
    lines = to_table(random_lines, connect(threads))
    written = features.write(lines, dates, tmp_path / "features.parquet")
    assert (written.rows, written.columns, written.buckets) == (*whole.shape, buckets)
    assert_file_holds(tmp_path / "features.parquet", whole)
    assert_frame_equal(features.build(lines, dates), whole, check_exact=True)


@pytest.mark.slow
def test_chunks_that_cut_through_buckets_change_no_bit(
    split: None, random_lines: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segml.features.runs.CHUNK_ROWS", 24)
    features.write(random_lines, THREE, tmp_path / "features.parquet")
    with monkeypatch.context() as unsplit:
        into(1, unsplit)
        assert_file_holds(tmp_path / "features.parquet", features.build(random_lines, THREE))


def test_nothing_but_the_file_is_left(split: None, random_lines: pd.DataFrame, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    features.write(random_lines, ONE, tmp_path / "out" / "features.parquet", scratch=scratch)
    assert os.listdir(tmp_path / "out") == ["features.parquet"]
    assert os.listdir(scratch) == []


def test_the_backend_of_the_caller_is_left_as_it_was(split: None, random_lines: pd.DataFrame, tmp_path: Path) -> None:
    backend = connect()
    lines = to_table(random_lines, backend)
    settings = "SELECT current_setting('memory_limit'), current_setting('preserve_insertion_order')"
    before = [backend.raw_sql(query).fetchall() for query in (settings, "SHOW ALL TABLES")]
    features.write(lines, ONE, tmp_path / "features.parquet")
    assert [backend.raw_sql(query).fetchall() for query in (settings, "SHOW ALL TABLES")] == before


def test_a_date_before_all_lines_gives_a_table_without_rows(
    random_lines: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = features.build(random_lines, "2001-01-01")
    into(2, monkeypatch)
    assert features.write(random_lines, "2001-01-01", tmp_path / "features.parquet").rows == 0
    assert_file_holds(tmp_path / "features.parquet", whole)


def test_one_customer_leaves_the_other_buckets_empty(
    random_lines: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = random_lines[random_lines["customer_id"] == "c7"]
    whole = features.build(own, ONE)
    into(3, monkeypatch)
    features.write(own, ONE, tmp_path / "features.parquet")
    assert_file_holds(tmp_path / "features.parquet", whole)


def test_until_the_end_the_old_file_stands(split: None, random_lines: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"
    path.write_text("old")
    seen = []
    features.write(random_lines, ONE, path, progress=lambda done, of: seen.append((done, of, path.read_text())))
    assert seen == [(done, 3, "old") for done in range(4)]
    assert len(pd.read_parquet(path)) > 0


KILLED = """
import os, signal, sys
import pandas as pd
from segml import features
from segml.features import outofcore
outofcore.bucket_count = lambda lines, dates, memory: 4
def told(done, of):
    if done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
features.write(pd.read_parquet(sys.argv[1]), ["2024-06-01"], sys.argv[2], progress=told)
"""


@pytest.fixture(scope="module")
def killed(random_lines: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a build that was killed after the second of four buckets."""
    folder = tmp_path_factory.mktemp("killed")
    lines = tmp_path_factory.mktemp("lines") / "lines.parquet"
    random_lines.to_parquet(lines, index=False)
    words = [sys.executable, "-c", KILLED, str(lines), str(folder / "features.parquet")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert os.listdir(folder) == [".features.parquet.building"]
    return folder


@pytest.fixture
def stopped(killed: Path, tmp_path: Path) -> Path:
    """Return the output of a build that was killed, in a copy of its folder."""
    return shutil.copytree(killed, tmp_path / "out") / "features.parquet"


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.arrow")}


def test_a_killed_build_goes_on_at_its_finished_buckets(stopped: Path, split: None, random_lines: pd.DataFrame) -> None:
    finished = times(workfolder.beside(stopped))
    seen: list[tuple[int, int]] = []
    found: dict[str, int] = {}

    def told(done: int, of: int) -> None:
        seen.append((done, of))
        found.update(times(workfolder.beside(stopped)))

    shuffled = random_lines.sample(frac=1, random_state=1)
    written = features.write(shuffled, ONE, stopped, progress=told)
    assert seen == [(2, 4), (3, 4), (4, 4)]
    assert len(finished) == 2
    assert finished.items() <= found.items()
    assert written.buckets == 4  # those that are there count, not the three it would be now
    assert not workfolder.beside(stopped).exists()
    assert_file_holds(stopped, features.build(random_lines, ONE))


@pytest.mark.slow
@pytest.mark.parametrize("change", ["dates", "windows", "lines", "limit"])
def test_what_a_killed_build_of_something_else_left_is_removed(
    change: str, stopped: Path, split: None, random_lines: pd.DataFrame
) -> None:
    dates = THREE if change == "dates" else ONE
    config = FeaturesConfig(gap_prior_orders=5.0 if change == "windows" else 3.0)
    lines = random_lines.iloc[1:] if change == "lines" else random_lines
    limit = "5GB" if change == "limit" else None
    seen: list[tuple[int, int]] = []
    features.write(lines, dates, stopped, config, memory_limit=limit, progress=lambda done, of: seen.append((done, of)))
    assert seen[0] == (0, 3)
    assert_file_holds(stopped, features.build(lines, dates, config))


def test_a_second_build_of_the_same_output_is_refused(split: None, random_lines: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "features.parquet"

    def told(done: int, of: int) -> None:
        if done == 1:
            with pytest.raises(OutputError, match="being built by another process"):
                features.write(random_lines, ONE, path)

    features.write(random_lines, ONE, path, progress=told)
    assert path.exists()


def test_a_stopped_build_keeps_finished_buckets_and_nothing_else(
    split: None, random_lines: pd.DataFrame, tmp_path: Path
) -> None:
    def stop_after(bucket: int) -> list[str]:
        def told(done: int, of: int) -> None:
            if done == bucket:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            features.write(random_lines, ONE, tmp_path / "features.parquet", progress=told)
        return sorted(os.listdir(tmp_path))

    assert stop_after(0) == []
    assert stop_after(1) == [".features.parquet.building"]
    left = os.listdir(tmp_path / ".features.parquet.building")
    assert sorted(left) == ["bucket-00000.arrow", "lines", "lock", "manifest.json"]


def test_outputs_of_one_name_do_not_meet_in_a_common_folder() -> None:
    scratch = Path("scratch")
    one, two = (workfolder.beside(Path(folder) / "features.parquet", scratch) for folder in ("a", "b"))
    assert one.parent == two.parent == scratch
    assert one != two


@pytest.mark.parametrize("dates", [1, 12])
def test_more_lines_dates_and_less_memory_make_more_buckets(dates: int) -> None:
    sizes = [outofcore.needed_bytes(lines, dates) for lines in (0, 1_000, 10**6, 10**9)]
    assert sizes == sorted(sizes)
    assert outofcore.needed_bytes(1_000, dates) < outofcore.needed_bytes(1_000, dates + 1)
    by_memory = [outofcore.bucket_count(10**7, dates, memory) for memory in (10**8, 10**9, 10**10, 10**12)]
    assert by_memory == sorted(by_memory, reverse=True)
    assert by_memory[-1] == 1
    assert outofcore.bucket_count(0, dates, 33_000_000) == 1


def test_lines_are_told_from_others_in_any_order(random_lines: pd.DataFrame) -> None:
    def told(lines: pd.DataFrame) -> str:
        return outofcore.fingerprint(to_table(lines))

    own = told(random_lines)
    assert told(random_lines.sample(frac=1, random_state=1)) == own
    swapped = {
        name: random_lines[name].iloc[::-1].to_numpy()
        for name in [name for name in LINE_TYPES if name not in outofcore.UNREAD]
    }
    others = [random_lines.assign(**{name: values}) for name, values in swapped.items()]  # the same values elsewhere
    others += [random_lines.iloc[1:], pd.concat([random_lines, random_lines.iloc[:1]])]
    assert len({own, *map(told, others)}) == len(others) + 1


def test_pieces_of_many_runs_are_worked_on_together(
    split: None, random_lines: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into(40, monkeypatch)
    monkeypatch.setattr("segml.features.runs.CHUNK_ROWS", 100)
    features.write(random_lines, THREE, tmp_path / "features.parquet")
    written = pq.ParquetFile(tmp_path / "features.parquet").metadata
    sizes = [written.row_group(place).num_rows for place in range(written.num_row_groups)]
    assert len(sizes) > 1
    assert min(sizes[:-1]) >= 100


def test_an_output_that_cannot_be_written_is_told(split: None, random_lines: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(OutputError, match="is a folder; a file name is needed"):
        features.write(random_lines, ONE, tmp_path / "folder.parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"features\.parquet cannot be written: "):
        features.write(random_lines, ONE, tmp_path / "file" / "features.parquet")


def test_columns_that_buckets_leave_out_are_read_by_no_feature(random_lines: pd.DataFrame) -> None:
    without = random_lines.assign(**dict.fromkeys(outofcore.UNREAD))
    assert_frame_equal(features.build(without, THREE), features.build(random_lines, THREE), check_exact=True)
