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

from segml.monitor.delivery import Delivery
from segml.pipeline import Memory, Training
from segml.schema import DataError, StateError
from segml.state import INDEX, opened, previous_of

AUTUMN, WINTER, SPRING = (pd.Timestamp(day) for day in ("2025-10-01", "2026-01-01", "2026-04-01"))


def memory(as_of: pd.Timestamp, segment: str = "A") -> Memory:
    """Return what a small refresh leaves."""
    customers = pd.DataFrame({"customer_id": ["c1", "c2"], "as_of": as_of, "lifecycle": "active", "tier": segment})
    tasks = pd.DataFrame({"task_id": ["t1"], "customer_id": ["c1"], "issued_on": [as_of]})
    delivery = Delivery(
        as_of, {"reconciles": True}, 5, 2, 0.5, 3, 2, {"margin": 1}, {"region": ("N",)}, {"2025-09": 10.5}
    )
    features = customers.assign(revenue_365d=1.0)
    return Memory(as_of, customers, features, tasks, delivery, facts={"a": 1})


def same(one: Memory, other: Memory) -> bool:
    """Tell whether two memories hold the same."""
    tables = ((one.decisions, other.decisions), (one.features, other.features), (one.tasks, other.tasks))
    for left, right in tables:
        assert left is not None
        assert right is not None
        pd.testing.assert_frame_equal(left, right)
    return (one.as_of, one.delivery, one.facts) == (other.as_of, other.delivery, other.facts)


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    with opened(tmp_path) as state:
        state.keep(memory(AUTUMN))
    with opened(tmp_path) as state:
        (entry,) = state.before(WINTER)
        assert same(state.read(entry), memory(AUTUMN))


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
