"""A stored scorer decides as the one in memory did; what was changed, and what is no scorer, is refused in words."""

import functools
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import skops.io
from pandas.testing import assert_frame_equal

import segml
from model_folder import changed, with_versions
from segml import pipeline, store
from segml.schema import ModelError


@pytest.fixture
def folder(small_training: pipeline.Training, tmp_path: Path) -> Path:
    place = tmp_path / "scorer"
    place.mkdir()
    store.save(small_training.scorer, place)
    return place


def accepted(folder: Path, name: str) -> None:
    """Write the checksum of a changed file into the manifest."""
    sums = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))["sha256"]
    changed(folder, sha256=sums | {name: store._sha256((folder / name).read_bytes())})


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
    with pytest.raises(ModelError, match=r"clusters\.skops cannot be read \(No such file"):
        store.load(folder)


def test_a_changed_threshold_in_the_manifest_is_refused(small_training: pipeline.Training, tmp_path: Path) -> None:
    as_saved = store.save(small_training.scorer, tmp_path)
    assert store.load(tmp_path, manifest_sha256=as_saved).config == small_training.scorer.config
    values = json.loads((tmp_path / store.MANIFEST).read_text(encoding="utf-8"))["config"]
    changed(tmp_path, config=values | {"horizon_days": 30})
    with pytest.raises(ModelError, match=r"manifest\.json is not the file that was saved"):
        store.load(tmp_path, manifest_sha256=as_saved)


def test_an_untrusted_type_is_not_restored(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "it_ran"
    skops.io.dump(functools.partial(os.system, f"touch {trace}"), folder / store.RISK)
    accepted(folder, store.RISK)
    with pytest.raises(ModelError, match=r"risk\.skops holds what no segml model holds, and is not read: .*system"):
        store.load(folder)
    assert not trace.exists()


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("it_ran",)


def test_a_pickle_under_the_name_of_a_part_is_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / store.RISK).write_bytes(pickle.dumps(Evil()))
    accepted(folder, store.RISK)
    with pytest.raises(ModelError, match=r"risk\.skops is no skops file"):
        store.load(folder)
    assert not (tmp_path / "it_ran").exists()


def test_a_file_that_was_cut_short_is_no_skops_file(folder: Path) -> None:
    path = folder / store.RISK
    path.write_bytes(path.read_bytes()[:-100])
    accepted(folder, store.RISK)
    with pytest.raises(ModelError, match=r"risk\.skops is no skops file"):
        store.load(folder)


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LIMIT_BYTES", 20_000_000)
    with zipfile.ZipFile(folder / store.RISK, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(20_000_001))
    assert (folder / store.RISK).stat().st_size < 100_000
    accepted(folder, store.RISK)
    with pytest.raises(ModelError, match=r"would unpack to 20,000,001 bytes; .* at most 20,000,000"):
        store.load(folder)


def test_a_huge_file_is_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LIMIT_BYTES", 50_000)
    with pytest.raises(ModelError, match=r"risk\.skops has [\d,]+ bytes; a segml model's files have at most 50,000"):
        store.load(folder)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    path = folder / store.RISK
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"risk\.skops is a link"):
        store.load(folder)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"sha256": {"../../secret.skops": "0" * 64}},
            r"sha256\.\.\./\.\./secret\.skops.*Input should be 'risk\.skops'",
        ),
        ({"sha256": {"risk.skops": "short"}}, r"sha256\.risk\.skops: String should match pattern"),
        ({"trained_at": "yesterday"}, "trained_at: Input should be a valid datetime"),
        ({"config": []}, "config: Input should be"),
        ({"run": "rm"}, "run: Extra inputs are not permitted"),
        ({"format": None}, "names no format"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(folder: Path, changes: dict[str, object], told: str) -> None:
    changed(folder, **changes)
    with pytest.raises(ModelError, match=rf"manifest\.json is no manifest of a segml model: .*{told}"):
        store.load(folder)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[" * 100_000, b"[]"])
def test_what_is_no_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / store.MANIFEST).write_bytes(content)
    with pytest.raises(ModelError, match="is no manifest of a segml model"):
        store.load(folder)


def test_a_model_of_a_newer_format_names_the_segml_to_install(folder: Path) -> None:
    with_versions(folder, segml="9.8.7")
    changed(folder, format=99)
    with pytest.raises(
        ModelError, match=r"has format 99, this segml .* reads format 2; install segml 9\.8\.7 or newer"
    ):
        store.load(folder)


def test_a_model_of_an_older_format_is_trained_anew(folder: Path) -> None:
    changed(folder, format=1)
    with pytest.raises(ModelError, match=r"has format 1, .* reads format 2; install segml .*, or train anew"):
        store.load(folder)


def test_a_model_of_a_newer_package_names_the_command_that_installs_it(folder: Path) -> None:
    with_versions(folder, scikit_learn="99.1.2")
    with pytest.raises(
        ModelError, match=r"trained with scikit-learn 99\.1\.2; here is .* pip install 'scikit-learn==99"
    ):
        store.load(folder)


def test_a_model_of_an_older_package_loads_with_a_warning(small_training: pipeline.Training, folder: Path) -> None:
    with_versions(folder, scikit_learn="1.0.2")
    with pytest.warns(store.ModelWarning, match=r"trained with scikit-learn 1\.0\.2 and scores with scikit-learn"):
        scorer = store.load(folder)
    assert scorer.config == small_training.scorer.config


def test_modules_that_an_older_scikit_learn_called_otherwise_are_found(
    small_training: pipeline.Training, folder: Path
) -> None:
    with zipfile.ZipFile(folder / store.RISK) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    now = b'"sklearn._loss._loss"'
    assert now in members["schema.json"]
    with zipfile.ZipFile(folder / store.RISK, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member.replace(now, b'"_loss"') if name == "schema.json" else member)
    accepted(folder, store.RISK)
    again = pipeline.score(small_training.prepared, store.load(folder))
    assert_frame_equal(again.decisions, small_training.decided.decisions, check_exact=True)


def test_another_patch_release_is_no_matter(folder: Path) -> None:
    versions = store.versions(store.load(folder).config)
    with_versions(folder, **{"scikit-learn": f"{versions['scikit-learn'].rsplit('.', 1)[0]}.99"})
    store.load(folder)


def test_a_configuration_of_a_newer_segml_is_explained(folder: Path) -> None:
    with_versions(folder, segml="9.8.7")
    values = json.loads((folder / store.MANIFEST).read_text(encoding="utf-8"))["config"]
    changed(folder, config=values | {"telepathy": True})
    told = rf"trained by segml 9\.8\.7, and {segml.__version__} does not know its configuration; install segml 9\.8\.7"
    with pytest.raises(ModelError, match=told):
        store.load(folder)


def test_a_part_that_cannot_be_restored_names_the_versions_of_then_and_now(folder: Path) -> None:
    with zipfile.ZipFile(folder / store.RISK) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(folder / store.RISK, "w") as archive:
        archive.writestr("schema.json", members["schema.json"])  # and none of the arrays that it names
    accepted(folder, store.RISK)
    with pytest.raises(
        ModelError, match=r"risk\.skops cannot be restored here .*; it was trained with segml .*; here is"
    ):
        store.load(folder)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no segml model: there is no manifest\.json"):
        store.load(tmp_path)
