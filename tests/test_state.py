"""The state folder: whole after every refresh, whatever happens in between."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from segml.actions import DECISIONS
from segml.monitor.delivery import Delivery
from segml.pipeline import Memory, Training
from segml.schema import DataError, StateError
from segml.state import INDEX, compared, opened, previous_of

AUTUMN, WINTER, SPRING = (pd.Timestamp(day) for day in ("2025-10-01", "2026-01-01", "2026-04-01"))


def memory(as_of: pd.Timestamp, segment: str = "A") -> Memory:
    """Return what a small refresh leaves."""
    customers = pd.DataFrame({"customer_id": ["c1", "c2"], "as_of": as_of, "lifecycle": "active", "tier": segment})
    tasks = pd.DataFrame({"task_id": ["t1"], "customer_id": ["c1"], "issued_on": [as_of]})
    delivery = Delivery(
        as_of, {"reconciles": True}, 5, 2, 0.5, 3, 2, {"margin": 1}, {"region": ("N",)}, {"2025-09": 10.5}
    )
    features = customers.assign(revenue_365d=1.0)
    return Memory(as_of, customers, features, tasks, delivery, names={"c1": "ООО Клей"}, facts={"a": 1})


def same(one: Memory, other: Memory) -> bool:
    """Tell whether two memories hold the same."""
    tables = ((one.decisions, other.decisions), (one.features, other.features), (one.tasks, other.tasks))
    for left, right in tables:
        assert left is not None
        assert right is not None
        pd.testing.assert_frame_equal(left, right)
    return all(getattr(one, name) == getattr(other, name) for name in ("as_of", "delivery", "names", "facts"))


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
    with opened(tmp_path) as state:
        (entry,) = state.before(WINTER)
        assert same(state.read(entry), memory(AUTUMN))


@pytest.mark.parametrize("names", [{}, None])
def test_no_names_and_unknown_names_are_told_apart(tmp_path: Path, names: dict[str, str] | None) -> None:
    """States of earlier versions hold none: what the CRM got is not known then."""
    kept = replace(memory(AUTUMN), names=names)
    with opened(tmp_path) as state:
        state.keep(kept)
        assert (tmp_path / "refreshes" / state.entries[0].folder / "names.parquet").exists() == (names is not None)
    with opened(tmp_path) as state:
        assert same(state.read(state.entries[0]), kept)


def test_a_model_is_kept_once_and_decides_as_before(tmp_path: Path, small_training: Training) -> None:
    training = small_training
    kept = replace(memory(AUTUMN), scorer=training.scorer, model="m-1")
    with opened(tmp_path) as state:
        state.keep(kept)
        state.keep(replace(memory(WINTER), scorer=training.scorer, model="m-1"))
    with opened(tmp_path) as state:
        assert len(list((tmp_path / "models").iterdir())) == 1
        assert len(state.past(SPRING).by("m-1")) == 2
        scorer = state.read(state.entries[0]).scorer
        assert scorer is not None
        pd.testing.assert_frame_equal(scorer.score(training), training.decisions)


def test_refreshes_come_back_the_latest_first_and_without_the_date_itself(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        for as_of in (AUTUMN, WINTER, SPRING):
            state.keep(memory(as_of))
        assert [str(entry.as_of) for entry in state.before(SPRING)] == ["2026-01-01", "2025-10-01"]


def test_a_refresh_of_the_same_date_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN, "A"))
        state.keep(memory(AUTUMN, "B"))
        (entry,) = state.entries
        assert set(state.read(entry).decisions["tier"]) == {"B"}
        assert len(list((tmp_path / "refreshes").iterdir())) == 1


def test_a_refresh_cannot_be_put_before_a_later_one(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(WINTER))
        with pytest.raises(StateError, match="holds a refresh of 2026-01-01, later than 2025-10-01; refreshes go forw"):
            state.before(AUTUMN)


def test_a_second_refresh_at_the_same_time_is_told_so(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from segml.state import opened\nwith opened(Path(sys.argv[1])): pass"
    )
    with opened(tmp_path):
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert "another refresh is at work" in done.stderr


KILLED = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    import pandas as pd
    from segml import artifacts
    from segml.pipeline import Memory
    from segml.state import opened

    folder, step = Path(sys.argv[1]), int(sys.argv[2])
    calls, real = [], os.replace

    def dying(*paths):
        calls.append(paths)
        if len(calls) == step:
            os._exit(9)
        real(*paths)

    os.replace = dying
    as_of = pd.Timestamp("2026-01-01")
    customers = pd.DataFrame({"customer_id": ["c1"], "as_of": as_of, "lifecycle": "active", "tier": "new"})
    with opened(folder) as state:
        state.keep(Memory(as_of, customers))
        if step < 0:
            os._exit(9)
    """
)


@pytest.mark.parametrize(("step", "is_there"), [(1, False), (2, False), (-1, True)])
def test_a_kill_between_any_two_writes_leaves_the_old_state_or_the_new(
    tmp_path: Path, step: int, is_there: bool
) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(step)], capture_output=True, text=True)
    assert died.returncode == 9, died.stderr
    with opened(tmp_path) as state:
        assert [entry.as_of == WINTER.date() for entry in state.entries] == [False, *([True] if is_there else [])]
        assert same(state.read(state.entries[0]), memory(AUTUMN))
        assert {path.name for path in (tmp_path / "refreshes").iterdir()} == {entry.folder for entry in state.entries}
        state.keep(memory(WINTER))


def test_a_changed_file_is_told_by_name(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
        entry = state.entries[0]
    changed = tmp_path / "refreshes" / entry.folder / "decisions.parquet"
    changed.write_bytes(changed.read_bytes() + b" ")
    with opened(tmp_path) as state, pytest.raises(StateError, match=r"decisions\.parquet was changed; .* backup"):
        state.read(entry)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: {**values, "refreshes": []}, "was changed by hand"),
        (lambda values: {**values, "format": 99}, "has format 99, this segml reads format 1"),
        (lambda values: {"format": "x"}, "names no format"),
        (lambda values: [], "names no format"),
    ],
)
def test_an_index_that_is_not_ours_is_refused(tmp_path: Path, change, message: str) -> None:  # type: ignore[no-untyped-def]
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
    index = tmp_path / INDEX
    index.write_text(json.dumps(change(json.loads(index.read_text()))))
    with pytest.raises(StateError, match=message), opened(tmp_path):
        pass


def test_an_index_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text('{"format": 1, "refr')
    with pytest.raises(StateError, match="no index of refreshes"), opened(tmp_path):
        pass


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StateError, match=r"cannot be written: .*refresh\.state=FOLDER"), opened(tmp_path / "state"):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="cannot be written"), opened(tmp_path / "state"):
        pass


def test_a_folder_where_nothing_was_kept_goes_again(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    folder = tmp_path / "there" / "new" / "state"
    with pytest.raises(RuntimeError, match="boom"), opened(folder):
        raise RuntimeError("boom")
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]
    with opened(folder) as state:
        (folder.parent / "mine").touch()
        state.keep(memory(AUTUMN))
    with pytest.raises(RuntimeError, match="boom"), opened(folder):
        raise RuntimeError("boom")
    assert (folder / INDEX).exists()


# What is compared with, before there is any work to lose


def test_what_is_wrong_with_any_refresh_is_told_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
        state.keep(memory(WINTER))
        first, last = (tmp_path / "refreshes" / entry.folder / "tasks.parquet" for entry in state.entries)
    first.write_bytes(b"")
    for as_of in (None, WINTER, SPRING):
        with opened(tmp_path) as state, pytest.raises(StateError, match=r"tasks\.parquet was changed"):
            compared(state, None, as_of)
    with opened(tmp_path) as state, pytest.raises(StateError, match="refreshes go forward"):
        compared(state, None, AUTUMN)
    assert last.exists()


def test_a_refresh_that_gives_way_need_not_be_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
        state.keep(memory(WINTER))
        (tmp_path / "refreshes" / state.entries[1].folder / "tasks.parquet").unlink()
    with opened(tmp_path) as state:
        assert len(compared(state, None, WINTER).past(WINTER, print).memories) == 1


def test_what_was_read_early_is_not_read_again(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
    with opened(tmp_path) as state:
        found = compared(state, None, None)
    (tmp_path / INDEX).unlink()
    last = found.past(SPRING, print).last
    assert last is not None
    assert same(last, memory(AUTUMN))


def written(folder: Path, as_of: pd.Timestamp) -> Path:
    """Return a file of the last decisions."""
    file = folder / "decisions.parquet"
    memory(as_of).decisions.to_parquet(file, index=False)
    return file


@pytest.mark.parametrize("as_of", [WINTER, None])
def test_the_file_is_compared_with_where_there_was_no_refresh(tmp_path: Path, as_of: pd.Timestamp | None) -> None:
    file = written(tmp_path, AUTUMN)
    found = compared(None, file, as_of)
    file.unlink()
    last = found.past(WINTER, print).last
    assert last is not None
    assert last.as_of == AUTUMN


def test_a_file_of_a_later_date_is_told_as_soon_as_the_date_is_known(tmp_path: Path) -> None:
    file = written(tmp_path, SPRING)
    with pytest.raises(DataError, match="is of 2026-04-01; the last decisions must be earlier than 2026-01-01"):
        compared(None, file, WINTER)
    found = compared(None, file, None)
    with pytest.raises(DataError, match="is of 2026-04-01; the last decisions must be earlier than 2026-01-01"):
        found.past(WINTER, print)


@pytest.mark.parametrize("as_of", [WINTER, None])
def test_the_file_is_not_even_read_after_a_refresh(tmp_path: Path, as_of: pd.Timestamp | None) -> None:
    said: list[str] = []
    with opened(tmp_path / "state") as state:
        state.keep(memory(AUTUMN))
        last = compared(state, tmp_path / "gone.parquet", as_of).past(WINTER, said.append).last
    assert last is not None
    assert said == [f"there was a refresh of 2025-10-01; {tmp_path / 'gone.parquet'} is not used"]


def test_the_file_is_compared_with_when_the_first_refresh_is_run_again(tmp_path: Path) -> None:
    file = written(tmp_path, AUTUMN)
    with opened(tmp_path / "state") as state:
        state.keep(memory(WINTER))
        for as_of in (WINTER, None):
            last = compared(state, file, as_of).past(WINTER, print).last
            assert last is not None
            assert last.as_of == AUTUMN


# The last decisions as a file


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_decisions_of_a_file_are_a_memory(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"decisions.{ending}"
    table = memory(AUTUMN).decisions
    table.to_parquet(file, index=False) if ending == "parquet" else table.to_csv(file, index=False)
    found = previous_of(file, SPRING)
    assert found.as_of == AUTUMN
    assert found.decisions["tier"].tolist() == ["A", "A"]
    assert found.features is None
    assert found.scorer is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="tier"), r"lacks columns \['tier'\]"),
        (lambda table: table.rename(columns={"customer_id": "customer"}), "did you mean 'customer'"),
        (lambda table: table.iloc[:0], "holds no customers"),
        (lambda table: pd.concat([table, table]), "customer 'c1' more than once"),
        (lambda table: table.assign(as_of=[AUTUMN, WINTER]), "one as-of date; found 2"),
        (lambda table: table.assign(as_of=[AUTUMN, pd.NaT]), "one as-of date; found 2"),
        (lambda table: table.assign(as_of="autumn"), "column 'as_of': .*autumn"),
        (lambda table: table.assign(as_of=20251001), "column 'as_of': integer found, dates were expected"),
        (lambda table: table.assign(as_of=AUTUMN.tz_localize("UTC")), "column 'as_of': dates carry a time zone"),
        (lambda table: table.assign(customer_id=[1, 2]), "column 'customer_id': integer found, text was expected"),
        (lambda table: table.assign(customer_id=["c1", None]), "rows without customer_id"),
        (lambda table: table.assign(tier=1.5), "column 'tier': floating found, text was expected"),
        (lambda table: table.assign(run_rate="much"), "column 'run_rate': string found, numbers were expected"),
    ],
)
def test_a_file_that_holds_no_decisions_is_refused(tmp_path: Path, change, message: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "decisions.parquet"
    change(memory(AUTUMN).decisions).to_parquet(file, index=False)
    with pytest.raises(DataError, match=message):
        previous_of(file, SPRING)


def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        previous_of(tmp_path / "decisions.parquet", SPRING)
    with pytest.raises(DataError, match=r"a \.parquet or \.csv file"):
        previous_of(tmp_path / "decisions.txt", SPRING)
    (tmp_path / "broken.parquet").write_text("no")
    with pytest.raises(DataError, match="cannot be read as decisions"):
        previous_of(tmp_path / "broken.parquet", SPRING)
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(DataError, match=r"folder\.parquet is a folder; give the file that holds decisions"):
        previous_of(tmp_path / "folder.parquet", SPRING)


def test_what_csv_does_not_tell_is_as_a_training_leaves_it(tmp_path: Path, small_training: Training) -> None:
    file, decisions = tmp_path / "decisions.csv", small_training.decisions
    decisions.to_csv(file, index=False)
    told = previous_of(file).decisions
    for name, kind in DECISIONS.items():
        expected = decisions[name].astype("str").replace("", None) if kind == "str" else decisions[name]
        pd.testing.assert_series_equal(told[name], expected)


def test_features_that_cannot_be_read_are_told_and_those_of_others_left_aside(tmp_path: Path) -> None:
    file, features = written(tmp_path, AUTUMN), tmp_path / "features.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(features)
    assert previous_of(file).features is None
    features.write_text("no")
    with pytest.raises(DataError, match=r"features\.parquet, beside the last decisions, cannot be read"):
        previous_of(file)
