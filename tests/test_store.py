"""A stored scorer decides as the one in memory did, and a changed file is refused."""

import json
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal

from segml import pipeline, store
from segml.schema import ModelError


@pytest.fixture
def folder(small_training: pipeline.Training, tmp_path: Path) -> Path:
    store.save(small_training.scorer, tmp_path)
    return tmp_path


def test_a_stored_scorer_makes_the_same_decisions(small_training: pipeline.Training, folder: Path) -> None:
    again = pipeline.score(small_training.prepared, store.load(folder))
    assert_frame_equal(again.decisions, small_training.decided.decisions, check_exact=True)


def test_the_files_hold_no_pickle(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["clusters.skops", "manifest.json", "risk.skops"]
    assert all(path.read_bytes()[:2] == b"PK" for path in folder.glob("*.skops"))  # zip archives of JSON and arrays


def test_a_changed_file_is_refused(folder: Path) -> None:
    path = folder / store.RISK
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"risk\.skops is not the file that was saved"):
        store.load(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / store.CLUSTERS).unlink()
    with pytest.raises(ModelError, match="no file, expected"):
        store.load(folder)


def test_a_model_of_a_newer_format_is_refused(folder: Path) -> None:
    path = folder / store.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(ModelError, match=r"has format 99, this segml .* reads format 1"):
        store.load(folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no segml model"):
        store.load(tmp_path)
