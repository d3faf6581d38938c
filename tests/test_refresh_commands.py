"""The refresh as people and schedulers run it: one refresh after the other on a real store, and what goes wrong."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.entities import Run
from pandas.testing import assert_frame_equal

from postgres_server import new_database
from segml import crm, refresh, refresh_outputs, train
from segml.artifacts import STAGING_PREFIX
from segml.state import INDEX, opened
from segml.state.folder import LOCK
from support import TINY

TRAINED, FIRST, SECOND = "2025-07-01", "2025-10-01", "2026-01-01"
SETTINGS = (*TINY, "backtest.dates=1", "monitor.bootstrap=100", "segments.interval_resamples=5")
CHAMPION = "models:/segml@champion"
Refused = Callable[..., str]


@dataclass(frozen=True)
class Place:
    """A folder with a tracking store, a training in ``trained``, and refreshes beside it."""

    folder: Path

    @property
    def previous(self) -> Path:
        """The decisions that the training left."""
        return self.folder / "trained" / "decisions.parquet"

    @property
    def settings(self) -> list[str]:
        uri = f"tracking.uri=sqlite:///{self.folder / 'mlflow.db'}"
        return [word for override in (*SETTINGS, uri) for word in ("--set", override)]

    def words(self, output: Path, as_of: str, *words: str) -> list[str]:
        """Return the arguments of a refresh."""
        model = [] if "--model" in words else ["--model", CHAMPION]
        return [*model, "--as-of", as_of, "--output", str(output), *self.settings, *words]

    def refresh(self, output: Path, as_of: str, *words: str) -> int:
        """Refresh in this process; return the exit code."""
        return refresh.main(self.words(output, as_of, *words))

    @cached_property
    def client(self) -> mlflow.MlflowClient:
        return mlflow.MlflowClient(f"sqlite:///{self.folder / 'mlflow.db'}")

    def runs(self, query: str) -> list[Run]:
        """Return the runs that a query of the store names."""
        experiment = self.client.get_experiment_by_name("segml")
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id], query))


@dataclass(frozen=True)
class First:
    """The first refresh: where it lies, its exit code, and what it printed."""

    folder: Path
    code: int
    printed: str


@dataclass(frozen=True)
class Second:
    """The second refresh, with all that can be asked for, run twice: exit codes, and the CRM's tables after each."""

    folder: Path
    codes: tuple[int, int]
    tasks: tuple[bytes, bytes]
    tables: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]


@pytest.fixture(scope="module")
def place(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A training at an earlier date, whose model is champion."""
    found = Place(tmp_path_factory.mktemp("refreshes"))
    shutil.copy(migrated_store, found.folder / "mlflow.db")
    assert train.main(["--as-of", TRAINED, "--output", str(found.folder / "trained"), *found.settings]) == 0
    return found


@pytest.fixture(scope="module")
def first(place: Place) -> First:
    """The first refresh compares with the decisions of the training."""
    folder, printed = place.folder / "first", io.StringIO()
    with redirect_stdout(printed):
        code = place.refresh(folder, FIRST, "--previous", str(place.previous), "--json")
    return First(folder, code, printed.getvalue())


@pytest.fixture(scope="module")
def second(place: Place, first: First, postgres_url: str) -> Second:
    """The second refresh compares with what the first left."""
    folder = Path(shutil.copytree(first.folder, place.folder / "second"))
    decisions = pd.read_parquet(folder / "decisions.parquet")
    plan = place.folder / "plan.csv"
    decisions[["customer_id"]].assign(revenue_plan=1_000_000.0).to_csv(plan, index=False)
    address = f"{new_database(postgres_url, f'refresh_{os.getpid()}')}#public.segml"
    asked = ("monitor.max_age_days=1", f"refresh.plan={plan}", f"crm.postgres={address}", "crm.changes_only=true")
    words = [word for override in asked for word in ("--set", override)]
    found = [
        (place.refresh(folder, SECOND, *words), (folder / refresh_outputs.TASKS).read_bytes(), in_database(address))
        for _ in range(2)
    ]
    codes, tasks, tables = zip(*found, strict=True)
    return Second(folder, codes, tasks, tables)


def in_database(address: str) -> dict[str, pd.DataFrame]:
    """Return the tables of the CRM."""
    import psycopg

    url, _, prefix = address.partition("#")
    with psycopg.connect(url) as connection:
        return {
            shape.name: crm.schema.shaped(
                pd.DataFrame(
                    connection.execute(f"select {', '.join(shape.columns)} from {prefix}_{shape.name}").fetchall(),
                    columns=list(shape.columns),
                ),
                shape,
            )
            for shape in crm.SHAPES
        }


@pytest.fixture
def output(first: First, tmp_path: Path) -> Path:
    """A copy of what the first refresh left."""
    return Path(shutil.copytree(first.folder, tmp_path / "out"))


def entries(output: Path) -> list[str]:
    """Return the dates of the refreshes that count."""
    with opened(output / refresh.STATE) as state:
        return [str(entry.as_of) for entry in state.entries]


def issued(output: Path) -> pd.DataFrame:
    """Return all tasks that the refreshes of a state have issued."""
    with opened(output / refresh.STATE) as state:
        return pd.concat([state.read(entry).tasks for entry in state.entries])


def files(folder: Path) -> set[str]:
    """Return the names of the files in a folder."""
    return {path.name for path in folder.iterdir() if path.is_file()} if folder.exists() else set()


def expected_files() -> set[str]:
    sent = {f"{crm.PREFIX}{shape.name}.{one}" for shape in crm.SHAPES for one in ("csv", "parquet", "jsonl")}
    return {*refresh_outputs.FILES, *sent}


def said(captured: str) -> list[str]:
    """Return the messages, without the stages."""
    return [line for line in captured.splitlines() if line.startswith("segml: ")]


def same_results(one: Path, other: Path) -> None:
    """Raise unless two refreshes left the same decisions, tasks and rows for the CRM."""
    for name in ("decisions.parquet", "features.parquet", "crm_customers.parquet", "crm_tasks.parquet"):
        assert_frame_equal(pd.read_parquet(one / name), pd.read_parquet(other / name), check_exact=True, obj=name)
    for name in (refresh_outputs.TASKS, refresh_outputs.MIGRATION, refresh_outputs.DRIFT, refresh_outputs.BASE):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


# What a refresh leaves


def test_a_refresh_leaves_every_file_and_keeps_the_model(first: First) -> None:
    assert first.code == 0
    assert files(first.folder) == expected_files()
    assert entries(first.folder) == [FIRST]


def test_json_is_one_object_with_the_verdict_and_where_to_look(first: First) -> None:
    told = json.loads(first.printed)
    assert (told["as_of"], told["last_refresh"]) == (FIRST, TRAINED)
    assert told["verdict"] == json.loads((first.folder / refresh_outputs.VERDICT).read_text())
    assert told["verdict"]["exit_code"] == 0
    assert Path(told["page"]).is_file()
    assert told["tasks"] == len(pd.read_csv(first.folder / refresh_outputs.TASKS, encoding="utf-8-sig"))


def was_told_where_it_was(before: Path, folder: Path) -> None:
    """Raise unless each customer who moved has the segment that it had at the refresh before."""
    then = pd.read_parquet(before / "decisions.parquet").set_index("customer_id")["lifecycle"]
    now = pd.read_parquet(folder / "decisions.parquet").set_index("customer_id")
    known = now[now.index.isin(then.index)]
    moved = known[known["lifecycle"] != then.reindex(known.index)]
    assert len(moved) > 0
    assert (moved["lifecycle_previous"] == then.reindex(moved.index)).all()
    assert (moved["lifecycle_changed_on"] == moved["as_of"]).all()


def test_the_first_refresh_compares_with_the_training(place: Place, first: First) -> None:
    was_told_where_it_was(place.previous.parent, first.folder)
    moves = pd.read_csv(first.folder / refresh_outputs.MOVES, encoding="utf-8-sig")
    assert set(moves["cause"]) <= {"customer", "rules", "both"}


def test_the_run_in_mlflow_names_the_training_and_the_verdict_and_holds_every_file(place: Place, first: First) -> None:
    (training,) = place.runs("tags.`segml.command` = 'train'")
    run = place.client.get_run(json.loads(first.printed)["run_id"])
    assert run.info.status == "FINISHED"
    tags = run.data.tags
    assert tags["segml.training_run"] == training.info.run_id
    assert (tags["segml.verdict"], tags["segml.last_refresh"], tags["segml.as_of"]) == ("keep", TRAINED, FIRST)
    assert {"tasks/issued", "drift/large", "migration/lifecycle_kept_share"} <= set(run.data.metrics)
    assert {artifact.path for artifact in place.client.list_artifacts(run.info.run_id)} >= expected_files()


# What is refused


def test_a_date_before_the_last_refresh_is_refused(
    place: Place, first: First, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (first.folder / name).read_bytes() for name in files(first.folder)}
    assert place.refresh(first.folder, "2025-09-01") == 2
    (message,) = said(capsys.readouterr().err)
    assert f"holds a refresh of {FIRST}, later than 2025-09-01; refreshes go forward" in message
    assert {name: (first.folder / name).read_bytes() for name in files(first.folder)} == before
    assert entries(first.folder) == [FIRST]


def test_a_state_that_another_refresh_holds_is_left_alone(
    place: Place, first: First, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(first.folder / refresh.STATE):
        assert place.refresh(first.folder, FIRST) == 2
    (message,) = said(capsys.readouterr().err)
    assert "another refresh is at work" in message


@pytest.fixture
def refused(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """A refresh that cannot be met: it ends with exit code 2 and one message, before the data, without a trace."""

    def run(*words: str, as_of: str = FIRST, output: Path | None = None) -> str:
        before, runs = paths(tmp_path), len(place.runs(""))
        assert place.refresh(output or tmp_path / "new" / "out", as_of, *words) == 2
        told = capsys.readouterr().err
        assert len(said(told)) == 1
        assert "reading data" not in told
        assert paths(tmp_path) == before
        assert len(place.runs("")) == runs
        return told

    return run


def paths(folder: Path) -> set[Path]:
    """Return the files and folders below a folder, but for the lock of a state, which its first reader makes."""
    return {path for path in folder.rglob("*") if path.name != LOCK}


def previous_without_columns(decisions: pd.DataFrame) -> pd.DataFrame:
    return decisions.drop(columns="tier")


def previous_of_two_dates(decisions: pd.DataFrame) -> pd.DataFrame:
    later = pd.Timestamp(FIRST)
    return decisions.assign(as_of=decisions["as_of"].where(decisions.index > 0, later))


def previous_of_the_same_date(decisions: pd.DataFrame) -> pd.DataFrame:
    return decisions.assign(as_of=pd.Timestamp(FIRST))


def previous_with_words_for_money(decisions: pd.DataFrame) -> pd.DataFrame:
    return decisions.assign(run_rate="much")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (previous_without_columns, r"lacks columns ['tier']"),
        (previous_of_two_dates, "must be of one as-of date; found 2"),
        (previous_of_the_same_date, f"is of {FIRST}; the last decisions must be earlier than {FIRST}"),
        (previous_with_words_for_money, "column 'run_rate': string found, numbers were expected"),
        (None, "does not exist; give the file that holds decisions"),
    ],
)
def test_last_decisions_that_cannot_be_compared_with_are_refused(
    changed: Any, message: str, place: Place, tmp_path: Path, refused: Refused
) -> None:
    file = tmp_path / "previous.parquet"
    if changed is not None:
        changed(pd.read_parquet(place.previous)).to_parquet(file, index=False)
    for words in ((), ("--dry-run",)):
        assert message in refused("--previous", str(file), *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--previous", "."), "is a folder; give the file that holds decisions"),
        (("--model", "models:/segml@nobody"), "@nobody"),
        (("--model", "no/such/folder"), "no/such/folder"),
        (("--set", "refresh.plam=plan.csv"), "did you mean 'plan'"),
        (("--set", "refresh.plan=plan.csv"), "plan.csv does not exist; give the file that holds a plan"),
        (("--set", "crm.postgres=postgresql://segml@127.0.0.1:1/crm#crm.segml"), "nothing was changed"),
        (("--set", "crm.postgres=postgresql://segml@127.0.0.1:1/crm"), "address must end in a table"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_any_work(
    words: tuple[str, ...], message: str, refused: Refused
) -> None:
    assert message in refused(*words)


def test_a_model_that_was_changed_is_refused_before_any_work(place: Place, tmp_path: Path, refused: Refused) -> None:
    model = Path(shutil.copytree(place.previous.parent / "model", tmp_path / "model"))
    (stored,) = model.rglob("risk.skops")
    stored.write_bytes(stored.read_bytes() + b" ")
    assert "risk.skops is not the file that was saved" in refused("--model", str(model))


def test_an_output_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "file").touch()
    assert "is a file; a folder is needed" in refused(output=tmp_path / "file")
    assert "is a file; a folder is needed" in refused(output=tmp_path / "file" / "out")
    assert "is not writable" in refused(output=Path("/proc/nowhere/out"))


def without_an_index(state: Path) -> None:
    (state / INDEX).write_text("{")


def of_a_later_version(state: Path) -> None:
    index = state / INDEX
    index.write_text(json.dumps(json.loads(index.read_text()) | {"format": 99}))


def with_other_decisions(state: Path) -> None:
    (decisions,) = state.rglob("decisions.parquet")
    decisions.write_bytes(decisions.read_bytes() + b" ")


def without_the_model(state: Path) -> None:
    (manifest,) = state.rglob("manifest.json")
    manifest.unlink()


def with_a_file_in_its_place(state: Path) -> None:
    shutil.rmtree(state)
    state.touch()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_an_index, "is no index of refreshes"),
        (of_a_later_version, "has format 99, this segml reads format 1; install the segml that wrote it"),
        (with_other_decisions, "decisions.parquet was changed; what a refresh left must stay as it is"),
        (without_the_model, "holds no segml model"),
        (with_a_file_in_its_place, "cannot be written"),
    ],
)
def test_a_state_that_is_not_whole_is_refused_before_any_work(
    change: Any, message: str, first: First, tmp_path: Path, refused: Refused
) -> None:
    state = Path(shutil.copytree(first.folder / refresh.STATE, tmp_path / "state"))
    change(state)
    for words in ((), ("--dry-run",)):
        assert message in refused("--set", f"refresh.state={state}", *words, as_of=SECOND)


def test_a_plan_without_its_columns_is_refused(tmp_path: Path, refused: Refused) -> None:
    plan = tmp_path / "plan.csv"
    pd.DataFrame({"customer_id": ["C00001"], "plan": [1.0]}).to_csv(plan, index=False)
    assert "the plan lacks columns ['revenue_plan']" in refused("--set", f"refresh.plan={plan}")


def test_a_refresh_that_fails_on_its_data_leaves_no_folder(place: Place, tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    assert place.refresh(output, FIRST, "--set", "data.transactions=none.csv") == 2
    assert not output.parent.exists()


# The second refresh, with all that can be asked for


@pytest.mark.slow
def test_an_old_model_ends_with_code_10(second: Second) -> None:
    assert second.codes == (10, 10)
    verdict = json.loads((second.folder / refresh_outputs.VERDICT).read_text())
    assert (verdict["decision"], verdict["exit_code"]) == ("retrain", 10)


@pytest.mark.slow
def test_the_tables_of_the_crm_hold_the_rows_of_the_files_and_a_second_run_changes_none(second: Second) -> None:
    sent = crm.read_files(second.folder)
    assert sent is not None
    for shape in crm.SHAPES:
        first, again = (tables[shape.name] for tables in second.tables)
        assert_frame_equal(first, again)
        assert_frame_equal(first, sent[shape.name], check_exact=True)


@pytest.mark.slow
def test_changes_only_sends_what_differs_from_what_was_sent_last(first: First, second: Second) -> None:
    now, then = crm.read_files(second.folder), crm.read_files(first.folder)
    assert now is not None
    for changed in crm.changes(now, then):
        told = pd.read_csv(second.folder / f"crm_{changed.name}.csv", encoding="utf-8-sig", keep_default_na=False)
        assert told[changed.key].tolist() == changed.rows[changed.key].tolist()
        assert told["change"].tolist() == changed.rows["change"].tolist()
        assert told["changed_columns"].tolist() == changed.rows["changed_columns"].tolist()
        assert changed.unchanged == 0 or len(told) < len(now[changed.name]) + changed.count("gone")


@pytest.mark.slow
def test_key_accounts_stand_against_their_plan(second: Second) -> None:
    sheet = pd.read_csv(second.folder / refresh_outputs.ACCOUNTS, encoding="utf-8-sig")
    assert len(sheet) > 0
    assert (sheet["revenue_plan"] == 1_000_000.0).all()
    assert sheet["plan_share"].tolist() == pytest.approx((sheet["revenue_done"] / sheet["revenue_due"]).tolist())


@pytest.mark.slow
def test_the_second_refresh_compares_with_the_first(first: First, second: Second) -> None:
    was_told_where_it_was(first.folder, second.folder)
    assert files(second.folder) == expected_files()


@pytest.mark.slow
def test_a_second_run_of_a_date_takes_the_place_of_the_first(second: Second) -> None:
    assert entries(second.folder) == [FIRST, SECOND]
    assert second.tasks[0] == second.tasks[1]
    assert not issued(second.folder)["task_id"].duplicated().any()


# A dry run


@pytest.mark.slow
def test_a_dry_run_tells_what_would_change_and_leaves_no_trace(
    place: Place, first: First, second: Second, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = Path(shutil.copytree(first.folder / refresh.STATE, tmp_path / "state"))
    before, runs = contents(state), len(place.runs(""))
    output = tmp_path / "out"
    assert place.refresh(output, SECOND, "--dry-run", "--json", "--set", f"refresh.state={state}") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["as_of"] == SECOND
    now, then = crm.read_files(second.folder), crm.read_files(first.folder)
    assert now is not None
    assert told["verdict"]["decision"] == "keep"
    assert told["would_change"] == crm.figures(crm.changes(now, then))
    assert not output.exists()
    assert contents(state) == before
    assert len(place.runs("")) == runs


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Kills, and two at once


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from segml import crm, pipeline, promises, records, refresh, refresh_outputs, serving, session, state, summary

    def dying(name, moment):
        real = os.replace

        def replace(source, target):
            is_here = os.path.basename(target) == name
            if is_here and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            real(source, target)
            if is_here:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = replace

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            dying(*line.split())
            os._exit(refresh.main(sys.argv[1:]))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    """
)
"""Refreshes, one a line of the input, that die before or after a file or folder of this name is put in its place."""
KILLS = (
    (f"before {refresh_outputs.DRIFT}", [FIRST]),  # the first half of the output files is new
    (f"before {INDEX}", [FIRST]),  # all of them are, and what the state keeps is written, but does not count yet
    (f"after {INDEX}", [FIRST, SECOND]),  # it counts, and MLflow does not know
)


@pytest.mark.slow
def test_a_refresh_after_kills_is_the_one_that_would_have_been(
    place: Place, first: First, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = Path(shutil.copytree(first.folder, tmp_path / "calm"))
    assert place.refresh(calm, SECOND) == 0
    words = [sys.executable, "-c", KILLED, *place.words(output, SECOND)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, text=True, cwd=place.folder, **pipes) as killed:  # type: ignore[call-overload]
        for moment, counting in KILLS:
            place_of_death, name = moment.split()
            print(name, place_of_death, file=killed.stdin, flush=True)
            assert int(killed.stdout.readline()) == -signal.SIGKILL, moment
            assert entries(output) == counting, moment
            assert is_old_or_new(output, first.folder, calm), moment
        killed.stdin.close()
    (left,) = place.runs("attributes.status = 'RUNNING'")

    capsys.readouterr()
    assert place.refresh(output, SECOND) == 0
    assert "runs that a killed process left RUNNING, now set FAILED: 1" in capsys.readouterr().err
    assert place.client.get_run(left.info.run_id).info.status == "FAILED"
    assert told_by(output) == told_by(calm)
    assert [path.name for path in output.iterdir() if path.name.startswith(STAGING_PREFIX)] == []
    assert entries(output) == [FIRST, SECOND]
    assert len(list((output / refresh.STATE / "refreshes").iterdir())) == 2
    assert remembered(output) == remembered(calm)
    assert not issued(output)["task_id"].duplicated().any()


def is_old_or_new(output: Path, old: Path, new: Path) -> bool:
    """Tell whether each file of an output is whole: as it was, or as it will be."""
    found, before, after = (told_by(folder) for folder in (output, old, new))
    return found.keys() == before.keys() and all(found[name] in (before[name], after[name]) for name in found)


def told_by(output: Path) -> dict[str, bytes]:
    """Return what the files of an output hold, but for the run in MLflow and the name of the folder."""
    files = {path.name: path.read_bytes() for path in output.iterdir() if path.is_file()}
    own = re.compile(rb"\b[0-9a-f]{32}\b|^output: .*$", re.MULTILINE)
    return {name: own.sub(b"", held) for name, held in files.items()}


def remembered(output: Path) -> list[tuple[dict[str, str], Any]]:
    """Return of each refresh that counts the checksums of its tables, and the facts without the run in MLflow."""
    folder = output / refresh.STATE
    with opened(folder) as state:
        return [
            (
                {name: sha256 for name, sha256 in entry.sha256.items() if name != "facts.json"},
                {**state.read(entry).facts, "run_id": ""},
            )
            for entry in state.entries
        ]


@pytest.fixture
def at_work(place: Place, output: Path) -> Iterator["subprocess.Popen[str]"]:
    """A refresh in a process of its own that has begun to read the data."""
    words = [sys.executable, "-m", "segml.refresh", *place.words(output, SECOND)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=place.folder) as process:
        assert process.stderr is not None
        while "reading data" not in process.stderr.readline():
            assert process.poll() is None
        yield process


@pytest.mark.slow
def test_of_two_refreshes_at_once_one_is_told_to_wait(
    place: Place,
    first: First,
    second: Second,
    output: Path,
    at_work: "subprocess.Popen[str]",
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert place.refresh(output, SECOND) == 2
    (message,) = said(capsys.readouterr().err)
    assert "another refresh is at work" in message
    _, rest = at_work.communicate(timeout=600)
    assert at_work.returncode == 0, rest
    same_results(output, second.folder)
    assert entries(output) == [FIRST, SECOND]
