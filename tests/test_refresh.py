"""The quarterly refresh as a whole: three refreshes of a small demo world, one after the other."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import segml.views  # noqa: F401 - registers the cards
from segml import config, crm, refresh_outputs
from segml.pipeline import Memory, Past, Promise, Refresh, Training, refresh
from segml.report.refreshed import build_refresh
from segml.report.refreshed.migration import migration as moves_part
from segml.state import opened

DATES = tuple(pd.Timestamp(day) for day in ("2025-07-01", "2025-10-01", "2026-01-01"))
MODEL = "m-1"


def refreshed(training: Training, as_of: pd.Timestamp, past: Past, **settings: object) -> Refresh:
    """Return a refresh by the model of a training."""
    values = training.config.model_dump(mode="json")
    for key, value in settings.items():
        config.place(values, key.replace("__", "."), value)
    scorer = replace(training.scorer, config=config.from_mapping(values))
    promise = Promise(MODEL, training.backtest.table, training.backtest.importance)
    return refresh(replace(training.prepared, as_of=as_of), scorer, past=past, promise=promise)


@pytest.fixture(scope="module")
def three(small_training: Training) -> list[Refresh]:
    """Return three refreshes, each remembering those before it."""
    found: list[Refresh] = []
    for as_of in DATES:
        past = Past(tuple(one.memory() for one in reversed(found)))
        found.append(refreshed(small_training, as_of, past))
    return found


def test_the_first_has_nothing_to_compare_with_and_says_so(three: list[Refresh]) -> None:
    first = three[0]
    assert first.moves is None
    assert first.quality is None
    assert first.watch.matured is None
    page = build_refresh(first)
    assert "the next one will tell who moved" in page
    assert "As of 1\u00a0Jul\u00a02025, the first refresh" in page


@pytest.mark.parametrize("place", [1, 2])
def test_every_matrix_adds_up_to_both_bases_in_customers_and_money(three: list[Refresh], place: int) -> None:
    then, now = three[place - 1], three[place]
    assert now.moves is not None
    for moved in now.moves.schemes.values():
        matrix = moved.matrix
        assert matrix.dropna(subset=["from"])["customers"].sum() == len(then.decisions)
        assert matrix.dropna(subset=["to"])["customers"].sum() == len(now.decisions)
        for end, base in (("then", then), ("now", now)):
            money = math.fsum(base.decided.features["revenue_365d"])
            assert math.fsum(matrix[f"revenue_365d_{end}"].dropna()) == pytest.approx(money, rel=1e-12)


def test_rows_and_columns_of_a_matrix_stand_in_the_same_order(three: list[Refresh]) -> None:
    moves = three[2].moves
    assert moves is not None
    for part in moves_part(three[2]).parts:
        (grid,) = part.tables
        segments = moves.schemes[part.key.removeprefix("moves-")].segments
        rows = [row[0] for row in grid.rows if row[0] in segments]
        columns = [name for name in grid.columns if name in segments]
        for shown in (rows, columns):
            assert shown == [name for name in segments if name in shown]


def test_the_base_adds_up_from_those_who_bought_to_those_who_buy(three: list[Refresh]) -> None:
    moves = three[2].moves
    assert moves is not None
    steps = moves.base.statement()
    assert steps["customers"].iloc[:-1].sum() == steps["customers"].iloc[-1]
    assert math.fsum(steps["money"].iloc[:-1]) == pytest.approx(steps["money"].iloc[-1])
    buying = three[2].decisions["lifecycle"] != "inactive"
    assert steps["customers"].iloc[-1] == buying.sum()


def test_revenue_of_the_period_adds_up_over_the_segments_of_every_scheme(three: list[Refresh]) -> None:
    found = three[2].effect
    lines = three[2].prepared.lines.to_pyarrow().to_pandas()
    span = found.spans["since"]
    inside = lines[(lines["ordered_at"] >= span.start) & (lines["ordered_at"] < span.end)]
    stands = inside[~(inside["cancelled_at"] < span.end)]
    since = found.segments[found.segments["period"] == "since"]
    for _scheme, rows in since.groupby("scheme"):
        assert math.fsum(rows["revenue"]) == pytest.approx(float(stands["amount"].sum()))


def test_one_model_moves_nobody_between_risk_bands_or_found_segments(three: list[Refresh]) -> None:
    moves = three[2].moves
    assert moves is not None
    assert moves.same_names is None
    for scheme in ("risk_band", "cluster_name", "lifecycle"):
        causes = moves.schemes[scheme].by_cause.set_index("cause")["customers"]
        assert causes["rules"] == causes["both"] == causes["unknown"] == 0


def test_previous_segment_and_date_of_change_are_kept_over_refreshes(three: list[Refresh]) -> None:
    by_date = [one.decisions.set_index("customer_id") for one in three]
    last = by_date[2]
    common = by_date[0].index.intersection(by_date[1].index)
    stage = [table.loc[common, "lifecycle"] for table in by_date]
    moved_first = (stage[0] != stage[1]) & (stage[1] == stage[2])
    assert moved_first.any()
    assert (last.loc[common, "lifecycle_changed_on"][moved_first] == DATES[1]).all()
    assert (last.loc[common, "lifecycle_previous"][moved_first] == stage[0][moved_first]).all()
    moved_last = stage[1] != stage[2]
    assert (last.loc[common, "lifecycle_changed_on"][moved_last] == DATES[2]).all()


def test_scores_are_judged_once_their_horizon_is_over(three: list[Refresh]) -> None:
    assert three[1].watch.matured is not None
    matured = three[2].watch.matured
    assert matured is not None
    assert set(matured.table["as_of"]) == set(DATES[:2])
    scored = sum(int(one.decisions["p_churn"].notna().sum()) for one in three[:2])
    assert len(matured.table) == scored


def test_a_model_is_not_judged_by_the_scores_of_another(small_training: Training, three: list[Refresh]) -> None:
    memory = replace(three[1].memory(), model="m-0")
    assert refreshed(small_training, DATES[2], Past((memory,))).watch.matured is None


def test_no_task_is_issued_twice_within_its_cool_down(three: list[Refresh]) -> None:
    issued = pd.concat([one.tasks.issued for one in three])
    assert not issued["task_id"].duplicated().any()
    days = {name: trigger.cool_down_days for name, trigger in three[0].config.tasks.rows()}
    asked = issued[issued["trigger"] == "upgrade"].sort_values("due_on")
    apart = asked.groupby(["customer_id", "subject"])["due_on"].diff().dropna().dt.days
    assert (apart >= days["upgrade"]).all()


def test_a_state_folder_between_refreshes_changes_nothing(
    small_training: Training, three: list[Refresh], tmp_path: Path
) -> None:
    with opened(tmp_path) as state:
        for one in three[:2]:
            state.keep(one.memory())
    with opened(tmp_path) as state:
        again = refreshed(small_training, DATES[2], state.past(DATES[2]))
    for name, table in refresh_outputs.tables(three[2]).items():
        pd.testing.assert_frame_equal(refresh_outputs.tables(again)[name], table, check_dtype=False, obj=name)
    assert build_refresh(again) == build_refresh(three[2])


def test_a_customer_with_a_new_name_has_changed_for_the_crm(three: list[Refresh]) -> None:
    then = three[1].memory()
    assert then.names
    before = {**then.names, min(then.names): "ООО Прежнее"}
    changed = {}
    for names in (then.names, before, None):  # None: a state of an earlier version does not tell them
        found = replace(three[2], past=Past((replace(then, names=names), three[0].memory())))
        customers, _tasks = crm.changes(refresh_outputs.export(found), refresh_outputs.last_export(found))
        changed[names == before] = customers.by_column().get("name", 0)
    assert changed == {False: 0, True: 1}


def test_decisions_alone_are_enough_to_compare_with(small_training: Training, three: list[Refresh]) -> None:
    bare = Memory(DATES[1], three[1].decided.decisions)
    found = refreshed(small_training, DATES[2], Past((bare,)))
    assert found.moves is not None
    full = three[2].moves
    assert full is not None
    for scheme in ("lifecycle", "tier"):
        assert found.moves.schemes[scheme].moved == full.schemes[scheme].moved
        assert set(found.moves.schemes[scheme].customers["cause"].dropna()) == {"unknown"}


def test_an_old_model_is_to_be_replaced(small_training: Training) -> None:
    found = refreshed(small_training, DATES[2], Past(), monitor__max_age_days=1)
    assert found.verdict.decision == "keep"  # trained at that very date
    later = replace(small_training.scorer, trained_at=DATES[0])
    old = replace(small_training, scorer=later)
    assert refreshed(old, DATES[2], Past(), monitor__max_age_days=30).verdict.exit_code == 10


def test_the_page_speaks_russian(small_training: Training, three: list[Refresh]) -> None:
    past = Past((three[1].memory(),))
    page = build_refresh(refreshed(small_training, DATES[2], past, report__language="ru"))
    assert '<html lang="ru">' in page
    for english in ("What to do", "Who moved", "Does the model hold", "Key accounts"):
        assert english not in page


def test_a_notebook_shows_the_verdict_who_moved_and_what_to_do(three: list[Refresh]) -> None:
    shown = str(three[2])
    assert "As of 2026-01-01, compared with 2025-10-01." in shown
    assert three[2].verdict.headline in shown
    for scheme in three[2].config.refresh.shown:
        assert scheme in shown
    assert "reorder due" in shown
    assert "<table" in str(three[2]._repr_html_())
    assert "the first refresh" in str(three[0])


def test_a_feature_that_nobody_has_any_more_is_shown_without_a_median(three: list[Refresh]) -> None:
    found = three[2]
    drift = found.watch.drift.assign(median_now=math.nan)
    page = build_refresh(replace(found, watch=replace(found.watch, drift=drift)))
    assert "\u00a0→\u00a0–" in page


def test_the_page_escapes_what_comes_from_the_data(three: list[Refresh]) -> None:
    found = three[2]
    issued = found.tasks.table.assign(reason="<script>alert(1)</script>")
    page = build_refresh(replace(found, tasks=replace(found.tasks, table=issued)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_all_tables_are_written_and_read_back(three: list[Refresh], tmp_path: Path) -> None:
    refresh_outputs.write(three[2], tmp_path, run_id="r1")
    assert three[2].recalibrated is not None
    left = {*refresh_outputs.files(three[2]), refresh_outputs.RECALIBRATED}
    assert {path.name for path in tmp_path.iterdir()} == left
    tasks = pd.read_csv(tmp_path / refresh_outputs.TASKS, encoding="utf-8-sig")
    assert len(tasks) == len(three[2].tasks.issued)
