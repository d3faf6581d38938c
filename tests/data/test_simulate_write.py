"""The world as files: complete or absent, the same bytes for the same world."""

from pathlib import Path

import pandas as pd
import pytest

from segml.config import DemoConfig
from segml.data.simulate import World, simulate, write
from segml.schema import OutputError

NAMES = [
    "transactions",
    "customers",
    "usage",
    "contracts",
    "touches",
    "truth/customers",
    "truth/lines",
    "truth/errors",
    "truth/cards",
    "truth/campaigns",
    "truth/families",
    "truth/pairs",
]


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(DemoConfig(customers=60, days=200))


def test_every_table_becomes_one_file_that_reads_back_equal(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    files = write(world, folder)
    assert files == [folder / f"{name}.parquet" for name in NAMES]
    pd.testing.assert_frame_equal(pd.read_parquet(files[0]), world.transactions)
    pd.testing.assert_frame_equal(pd.read_parquet(files[5]), world.truth)


def test_nothing_but_the_tables_is_left(world: World, tmp_path: Path) -> None:
    write(world, tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {f"{name}.parquet" for name in NAMES}


def test_writing_twice_gives_the_same_bytes_and_replaces_what_was_there(world: World, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write(world, tmp_path)]
    (tmp_path / "transactions.parquet").write_bytes(b"something older")
    assert [path.read_bytes() for path in write(world, tmp_path)] == first


def test_a_folder_that_is_a_file_is_refused_in_words(world: World, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match=r"taken/transactions\.parquet cannot be written.*give a folder"):
        write(world, tmp_path / "taken")


def test_a_failure_half_way_leaves_no_half_file(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(frame: pd.DataFrame, path: Path, **options: object) -> None:
        Path(path).write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", half)
    with pytest.raises(OutputError, match="No space left on device"):
        write(world, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
