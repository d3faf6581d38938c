import json
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from crm_rows import export, two
from segml import config, crm
from segml.actions.triggers import find_tasks
from segml.crm import words
from segml.crm.schema import DTYPES, SHAPES
from segml.schema import DataError
from task_customers import AS_OF, customers

nan = float("nan")

PROMISED = {
    "customers": "crm_schema:whole customer_id:text name:text as_of:day is_active:flag lifecycle:text tier:text "
    "abc:text xyz:text rfm_segment:text cluster_name:text further_labels:text risk_band:text p_churn:number "
    "p_stagnation:number run_rate:number revenue_365d:number revenue_at_risk:number reasons:text "
    "next_order_expected:day action:text tags:text open_tasks:whole "
    "next_task_id:text next_task:text next_task_on:day next_task_owner:text",
    "tasks": "crm_schema:whole task_id:text customer_id:text name:text is_active:flag trigger:text title:text "
    "subject:text owner:text due_on:day issued_on:day priority:whole money:number reason:text",
}


def test_columns_of_schema_1_are_those_promised() -> None:
    """Who changes them makes a new version: CRM_SCHEMA, and this test, and a line in CHANGELOG."""
    assert crm.CRM_SCHEMA == 1
    for shape in SHAPES:
        assert " ".join(f"{name}:{kind}" for name, kind in shape.columns.items()) == PROMISED[shape.name]


def test_one_row_a_customer_with_labels_scores_tags_and_the_next_task() -> None:
    table = export(
        names={"c0": "ООО Клей"},
        further={"health": ["low", "not enough data"], "health_score": [12.0, nan]},
        p_stagnation=[0.51239, nan],
        revenue_at_risk=[500.129, 0.0],
        tier=["key", "small"],
        days_to_renewal=[100.0, nan],
    ).customers
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {k: DTYPES[v] for k, v in crm.CUSTOMERS.items()}
    first, second = table.iloc[0], table.iloc[1]
    assert (first["name"], second["name"]) == ("ООО Клей", "")
    assert (first["p_stagnation"], first["revenue_at_risk"]) == (0.5124, 500.13)
    assert json.loads(first["further_labels"]) == {"health": "low"}
    assert json.loads(second["further_labels"]) == {"health": "not enough data"}
    assert first["tags"] == (
        "lifecycle: active; tier: key; risk_band: medium; task: at_risk; task: key_account_care; task: renewal"
    )
    assert (first["open_tasks"], first["next_task"]) == (3, "key account meeting")  # the same day, more money
    assert first["next_task_on"] == AS_OF
    assert (second["open_tasks"], second["next_task"], second["next_task_id"]) == (0, "", "")
    assert pd.isna(second["next_task_on"])
    assert pd.isna(second["p_stagnation"])


def test_only_issued_tasks_leave_and_earlier_ones_until_they_are_due() -> None:
    features, decisions = customers(tenure_days=[1.0], lifecycle=["new"])
    found = config.load(None, ["tasks.owners.customer success=1"])
    history = find_tasks(features, decisions, found).table
    assert sorted(history["subject"]) == ["day 1", "day 3", "day 30", "day 7", "day 90"]
    later = export(history=history, tenure_days=[29.0], lifecycle=["new"], as_of=[AS_OF + pd.Timedelta(days=28)])
    assert sorted(later.tasks["subject"]) == ["day 30", "day 90"]
    assert set(later.tasks["issued_on"]) == {AS_OF}
    assert later.customers["open_tasks"].tolist() == [2]


def test_order_of_rows_is_irrelevant_and_inputs_stay(tmp_path: Path) -> None:
    one = two(10.0, 20.0, 30.0)
    assert one.customers["customer_id"].tolist() == ["c0", "c1", "c2"]
    assert one.tasks["task_id"].is_monotonic_increasing
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        crm.write_files(two(10.0, 20.0, 30.0), tmp_path / name, config.CrmConfig().formats)
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


# Files


def test_files_in_every_format_hold_the_same(tmp_path: Path) -> None:
    made = export(p_stagnation=[0.5, nan], names={"c0": "=cmd()", "c1": " +7 495", "c2": "x"})
    crm.write_files(made, tmp_path, ("csv", "parquet", "jsonl"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"crm_{table}.{ending}" for table in ("customers", "tasks") for ending in ("csv", "parquet", "jsonl")
    )
    back = crm.read_files(tmp_path)
    assert back is not None
    assert_frame_equal(back.customers, made.customers)
    assert_frame_equal(back.tasks, made.tasks)
    csv = pd.read_csv(tmp_path / "crm_customers.csv", encoding="utf-8-sig", keep_default_na=False)
    assert csv["name"].tolist() == ["'=cmd()", "' +7 495"]
    assert csv["as_of"].tolist() == ["2026-01-05"] * 2
    assert csv["next_task_on"].tolist() == ["2026-01-05", ""]
    assert csv["p_stagnation"].tolist() == ["0.5", ""]
    assert csv["revenue_at_risk"].tolist() == [90.0, 90.0]
    lines = [json.loads(line) for line in (tmp_path / "crm_customers.jsonl").read_text("utf-8").splitlines()]
    assert lines[0]["name"] == "=cmd()"
    assert (lines[0]["as_of"], lines[1]["next_task_on"], lines[1]["p_stagnation"]) == ("2026-01-05", None, None)
    assert (lines[0]["is_active"], lines[0]["crm_schema"]) == (True, 1)


def test_files_of_another_schema_or_half_an_export_are_refused(tmp_path: Path) -> None:
    assert crm.read_files(tmp_path) is None
    made = two(10.0)
    crm.write_files(made, tmp_path, ("parquet",))
    made.customers.assign(crm_schema=0).to_parquet(tmp_path / "crm_customers.parquet")
    with pytest.raises(DataError, match=r"crm_customers\.parquet is no export of schema 1 \(it holds \[0\]\)"):
        crm.read_files(tmp_path)
    made.customers.drop(columns="tags").to_parquet(tmp_path / "crm_customers.parquet")
    with pytest.raises(DataError, match="is no export of schema 1"):
        crm.read_files(tmp_path)
    (tmp_path / "crm_customers.parquet").unlink()
    with pytest.raises(DataError, match=r"crm_customers\.parquet is missing beside the other table"):
        crm.read_files(tmp_path)


def test_an_export_without_tasks_has_its_columns_too(tmp_path: Path) -> None:
    made = export(recency_days=[10.0])
    crm.write_files(made, tmp_path, ("csv", "parquet", "jsonl"))
    back = crm.read_files(tmp_path)
    assert back is not None
    assert_frame_equal(back.tasks, made.tasks)
    assert len(back.tasks) == 0
    assert (tmp_path / "crm_tasks.csv").read_text("utf-8-sig").strip() == ",".join(crm.TASKS)


# Changes


def test_changes_are_new_changed_and_gone_rows_and_add_up() -> None:
    then = export(customer_id=["a", "b", "c", "d"], run_rate=[1.0, 2.0, nan, 4.0])
    now = export(
        customer_id=["e", "d", "c", "b"], run_rate=[5.0, 4.5, nan, 2.0], as_of=[AS_OF + pd.Timedelta(days=1)] * 4
    )
    customers_, tasks = crm.changes(now, then)
    rows = customers_.rows.set_index("customer_id")
    assert rows["change"].to_dict() == {"a": "gone", "d": "changed", "e": "new"}
    assert rows["changed_columns"].to_dict() == {"a": "is_active", "d": "run_rate", "e": ""}
    assert rows["is_active"].to_dict() == {"a": False, "d": True, "e": True}
    assert customers_.unchanged == 2
    assert len(tasks.rows) == 0
    none = {"new": 0, "changed": 0, "gone": 0, "unchanged": 0, "changed_columns": {}}
    assert crm.figures((customers_, tasks)) == {
        "customers": {"new": 1, "changed": 1, "gone": 1, "unchanged": 2, "changed_columns": {"run_rate": 1}},
        "tasks": none,
    }


def test_who_is_gone_is_told_once() -> None:
    then = two(10.0, 20.0)
    left = then.customers.assign(is_active=[False, True])
    now = export(customer_id=["c1"], p_stagnation=[0.5], revenue_at_risk=[20.0])
    customers_, _tasks = crm.changes(now, crm.Export(left, then.tasks))
    assert len(customers_.rows) == 0
    assert customers_.unchanged == 1


def test_without_an_earlier_export_all_is_new_and_the_same_again_changes_nothing() -> None:
    made = two(*range(1, 8))
    assert [table.count("new") for table in crm.changes(made, None)] == [7, 7]
    assert [len(table.rows) for table in crm.changes(made, made)] == [0, 0]


def test_a_new_name_is_a_change_of_the_customer_and_of_its_tasks() -> None:
    then, now = (
        export(p_stagnation=[0.5], revenue_at_risk=[9.0], names={"c0": name}) for name in ("ООО Клей", "ООО Лак")
    )
    changed = [table.rows[["change", "changed_columns"]].to_numpy().tolist() for table in crm.changes(now, then)]
    assert changed == [[["changed", "name"]], [["changed", "name"]]]


def test_changes_are_told_in_tables_that_fit_a_terminal() -> None:
    then = export(customer_id=["a", "b", "c"], run_rate=[1.0, 2.0, 3.0], names={"a": "ООО Клей"})
    made = export(customer_id=["b", "d"], run_rate=[5.0, 1.0], names={"d": "ООО Лак"})
    now = crm.Export(made.customers.assign(tier="key", tags="tier: key", action="visit", reasons="why"), made.tasks)
    counts, columns, first = words.tables(crm.changes(now, then))  # there are no tasks, and no table of them
    assert counts.rows == (("customers", "1", "1", "2", "0"), ("tasks", "0", "0", "0", "0"))
    assert columns.rows == tuple(("customers", name, "1") for name in ("action", "reasons", "run_rate", "tags", "tier"))
    assert first.rows == (
        ("d", "new", "ООО Лак"),
        ("b", "changed", "tier, run_rate, reasons, 2 more"),
        ("a", "gone", "ООО Клей"),
        ("c", "gone", ""),
    )


def test_of_many_changed_rows_the_first_are_shown() -> None:
    customers_, tasks = words.tables(crm.changes(two(*range(1, 8)), None))[1:]
    assert [row[0] for row in customers_.rows] == ["c0", "c1", "c2", "c3", "c4"]
    assert {row[2] for row in tasks.rows} <= {f"c{number}, keep a customer at risk" for number in range(7)}


def test_only_changes_leave_on_request(tmp_path: Path) -> None:
    then, now = two(10.0, 20.0), two(10.0, 25.0, 30.0)
    crm.write_files(now, tmp_path, ("csv", "parquet", "jsonl"), changed=crm.changes(now, then))
    csv = pd.read_csv(tmp_path / "crm_customers.csv", encoding="utf-8-sig")
    assert csv["customer_id"].tolist() == ["c1", "c2"]
    assert csv["change"].tolist() == ["changed", "new"]
    assert csv["changed_columns"].tolist()[0] == "revenue_at_risk"
    assert len((tmp_path / "crm_customers.jsonl").read_text("utf-8").splitlines()) == 2
    back = crm.read_files(tmp_path)
    assert back is not None
    assert len(back.customers) == 3  # everything, for the next comparison


def test_a_password_in_the_address_is_not_shown() -> None:
    assert "s3cret" not in config.load(None, ["crm.postgres=postgresql://a:s3cret@db/x#crm.segml"]).to_yaml()
