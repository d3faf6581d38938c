"""The tables for a CRM in a real PostgreSQL."""

import itertools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from crm_rows import export, two
from postgres_server import PASSWORD, as_user, execute, new_database, rows
from segml import crm
from segml.schema import DataError, OutputError
from task_customers import AS_OF

COUNT = itertools.count()


@dataclass(frozen=True)
class Target:
    """Tables of a test's own."""

    url: str
    name: str

    @property
    def address(self) -> str:
        return f"{self.url}#public.{self.name}"

    def table(self, name: str) -> str:
        return f'public."{self.name}_{name}"'

    def present(self) -> dict[str, tuple[Any, ...]]:
        query = f"select customer_id, is_active, revenue_at_risk, name from {self.table('customers')}"
        return {row[0]: row[1:] for row in rows(self.url, query)}


@pytest.fixture(scope="module")
def url(postgres_url: str) -> str:
    return new_database(postgres_url, f"crm_{os.getpid()}")


@pytest.fixture
def target(url: str) -> Target:
    return Target(url, f"Клиент{next(COUNT)}")


def test_the_first_export_makes_the_tables_and_the_next_ones_bring_them_up_to_date(target: Target) -> None:
    first = crm.upsert(two(10.0, 20.0), target.address)
    assert [(table.count("new"), table.unchanged) for table in first] == [(2, 0), (2, 0)]
    again = crm.upsert(two(10.0, 20.0), target.address)
    assert [(len(table.rows), table.unchanged) for table in again] == [(0, 2), (0, 2)]
    second = crm.upsert(
        export(customer_id=["c1", "c2"], p_stagnation=[0.5, 0.5], revenue_at_risk=[25.0, 30.0]), target.address
    )
    assert second[0].rows.set_index("customer_id")["change"].to_dict() == {"c0": "gone", "c1": "changed", "c2": "new"}
    assert target.present() == {"c0": (False, 10.0, ""), "c1": (True, 25.0, ""), "c2": (True, 30.0, "")}
    back = crm.upsert(two(10.0, 20.0), target.address)
    assert back[0].rows.set_index("customer_id")["changed_columns"].to_dict() == {
        "c0": "is_active",
        "c1": "revenue_at_risk",
        "c2": "is_active",
    }


def test_types_unknown_values_and_awkward_text_arrive_as_they_are(target: Target) -> None:
    name = 'ООО "Клей"; drop table x;\t\\N \x00\'%s'
    made = export(names={"c0": name}, p_stagnation=[float("nan")], p_churn=[1e-4])
    crm.upsert(made, target.address)
    assert target.present()["c0"][2] == name.replace("\x00", "")
    query = (
        f"select column_name, data_type from information_schema.columns where table_name = '{target.name}_customers'"
    )
    kinds = dict(rows(target.url, query))
    assert (kinds["as_of"], kinds["p_churn"], kinds["open_tasks"]) == ("date", "double precision", "bigint")
    query = f"select as_of::text, p_stagnation, p_churn, next_task_on from {target.table('customers')}"
    assert rows(target.url, query) == [("2026-01-05", None, 0.0001, None)]
    assert all(len(table.rows) == 0 for table in crm.preview(made, target.address))


def test_a_date_alone_is_no_change_but_is_written(target: Target) -> None:
    crm.upsert(export(recency_days=[10.0]), target.address)
    later = crm.upsert(export(recency_days=[10.0], as_of=[AS_OF + pd.Timedelta(days=7)]), target.address)
    assert later[0].unchanged == 1
    assert rows(target.url, f"select as_of::text from {target.table('customers')}") == [("2026-01-12",)]


def test_a_dry_run_tells_what_would_change_and_writes_nothing(target: Target) -> None:
    told = crm.preview(two(10.0, 20.0), target.address)
    assert [(table.count("new"), table.unchanged) for table in told] == [(2, 0), (2, 0)]
    assert rows(target.url, f"select count(*) from pg_tables where tablename like '{target.name}%'") == [(0,)]
    crm.upsert(two(10.0, 20.0), target.address)
    before = target.present()
    would = crm.preview(two(11.0), target.address)
    assert target.present() == before
    did = crm.upsert(two(11.0), target.address)
    for one, other in zip(would, did, strict=True):
        assert_frame_equal(one.rows, other.rows)


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("segml CRM export, schema 0", "is of schema 0, and this segml writes schema 1; rename or drop it"),
        ("somebody else's", "is not ours"),
        (None, "is not ours"),
    ],
)
def test_tables_of_another_schema_or_owner_are_refused_and_stay(target: Target, comment: Any, message: str) -> None:
    crm.upsert(two(10.0), target.address)
    text = "null" if comment is None else "'" + comment.replace("'", "''") + "'"
    execute(target.url, f"comment on table {target.table('tasks')} is {text}")
    before = target.present()
    for write in (crm.upsert, crm.preview):
        with pytest.raises(OutputError, match=message):
            write(two(20.0), target.address)
    assert target.present() == before


def test_what_cannot_be_written_is_told_without_the_password(target: Target) -> None:
    stranger = as_user(target.url, f"stranger_{os.getpid()}_{next(COUNT)}")
    wrong = target.url.replace("@", "x@", 1)
    cases = {
        f"{stranger}#public.segml": "permission denied for schema public",
        f"{target.url}#nowhere.segml": 'schema "nowhere" does not exist',
        f"{wrong}#public.segml": "password authentication failed",
    }
    for address, message in cases.items():
        with pytest.raises(OutputError, match=message) as caught:
            crm.upsert(two(10.0), address)
        assert "nothing was changed" in str(caught.value)
        assert not any(secret in str(caught.value) for secret in (PASSWORD, "its-own", "s3cr"))
    with pytest.raises(OutputError, match=r"name tables to write, as #crm\.segml, rather than a query"):
        crm.upsert(two(10.0), f"{target.url}#select 1")
    with pytest.raises(DataError, match="must end in a table"):
        crm.upsert(two(10.0), target.url)


def test_one_table_without_the_other_is_refused(target: Target) -> None:
    crm.upsert(two(10.0), target.address)
    execute(target.url, f"drop table {target.table('tasks')}")
    with pytest.raises(OutputError, match=f"{target.name}_customers is there without the other table"):
        crm.upsert(two(10.0), target.address)


WRITE = "import sys; from crm_rows import two; from segml import crm; crm.upsert(two(99.0), sys.argv[1])"


def test_a_kill_in_the_middle_leaves_the_tables_as_they_were(target: Target) -> None:
    crm.upsert(two(10.0, 20.0), target.address)
    before = target.present()
    import psycopg

    with psycopg.connect(target.url) as other, other.transaction():
        other.execute(f"lock table {target.table('tasks')} in exclusive mode")  # readers pass, writers wait
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        writer = subprocess.Popen([sys.executable, "-c", WRITE, target.address], env=environment)
        _wait_for_the_second_table(target)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert target.present() == before
    assert target.present()["c0"] == (True, 10.0, "")
    crm.upsert(two(99.0), target.address)  # nothing is locked any more
    assert target.present() == {"c0": (True, 99.0, ""), "c1": (False, 20.0, "")}


def _wait_for_the_second_table(target: Target) -> None:
    """Return when the writer has written the customers and waits for the tasks."""
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
    waits = f"{waiting} and query like 'insert into%{target.name}_tasks%'"
    for _ in range(600):
        if rows(target.url, waits) == [(1,)]:
            return
        time.sleep(0.1)
    raise AssertionError("the writer never came to the second table")


def test_two_exports_at_once_wait_for_each_other(target: Target) -> None:
    made = two(99.0)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: crm.upsert(made, target.address), range(2)))
    assert sorted(table[0].count("new") for table in found) == [0, 1]
    assert target.present() == {"c0": (True, 99.0, "")}
