"""The charts of a run are files: pictures that repeat to the byte, and the tables behind them."""

import struct
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import charts, config, outputs, pipeline
from segml.churn import areas_by_date
from segml.data import connect, load_tables
from segml.pipeline import Training
from support import SMALL, TODAY, orders

EVALUATION = {
    "roc_auc_by_date_churn",
    "roc_auc_by_date_stagnation",
    "calibration_churn",
    "calibration_stagnation",
    "gains_churn",
    "gains_stagnation",
    "lost_revenue_reached",
    "importance",
}


@pytest.fixture(scope="module")
def drawn(small_training: Training) -> list[charts.Chart]:
    return charts.of_training(small_training)


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """One customer: nothing is clustered, and the evaluation tells nothing."""
    path = tmp_path_factory.mktemp("thin") / "orders.csv"
    orders(1, 400).to_csv(path, index=False)
    settings = config.load(None, [*SMALL, f"data.transactions={path}"])
    return pipeline.train(pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY), settings)


def test_a_training_has_charts_of_its_scores_its_stages_its_segments_and_its_months(drawn: list[charts.Chart]) -> None:
    of_segments = {"lifecycle", "cluster_profiles", "cluster_candidates_kmeans", "cluster_migration"}
    assert {chart.name for chart in drawn} == EVALUATION | of_segments | {"revenue_by_month"}


def test_an_evaluation_has_the_charts_of_its_scores(small_training: Training) -> None:
    found = charts.of_backtest(small_training.backtest, small_training.config)
    assert {chart.name for chart in found} == EVALUATION


def test_pictures_repeat_to_the_byte_and_are_readable_in_size(drawn: list[charts.Chart], tmp_path: Path) -> None:
    for chart in drawn:
        first, again = tmp_path / f"{chart.name}.png", tmp_path / f"{chart.name}-again.png"
        chart.save(first)
        chart.save(again)
        content = first.read_bytes()
        assert content == again.read_bytes()
        assert b"matplotlib" not in content.lower()
        width, height = struct.unpack(">II", content[16:24])
        assert 400 <= width <= 1700, chart.name
        assert 200 <= height <= 1200, chart.name


def test_every_picture_lies_beside_its_table(
    small_training: Training, drawn: list[charts.Chart], tmp_path: Path
) -> None:
    outputs.write_backtest(small_training.backtest, small_training.config, tmp_path)
    names = sorted(path.name for path in (tmp_path / outputs.CHARTS).iterdir())
    assert names == sorted(f"{name}.{kind}" for name in EVALUATION for kind in ("csv", "png"))
    tables = {chart.name: chart.table for chart in drawn}
    read = pd.read_csv(tmp_path / outputs.CHARTS / "calibration_churn.csv")
    assert_frame_equal(read, tables["calibration_churn"], check_dtype=False)


def test_a_run_of_one_customer_has_the_charts_that_there_is_data_for(thin: Training, tmp_path: Path) -> None:
    drawn = charts.of_training(thin)
    names = {chart.name for chart in drawn}
    assert {"lifecycle", "revenue_by_month"} <= names <= EVALUATION | {"lifecycle", "revenue_by_month"}
    for chart in drawn:
        chart.save(tmp_path / f"{chart.name}.png")


def test_charts_speak_the_language_of_the_report(small_training: Training) -> None:
    settings = small_training.config
    report = settings.report.model_copy(update={"language": "ru"})
    drawn = charts.of_backtest(small_training.backtest, settings.model_copy(update={"report": report}))
    assert all(set(chart.title) & set("абвгдежзиклмнопрстуя") for chart in drawn)


def test_areas_by_date_are_those_of_the_evaluation_and_lie_within_their_intervals(small_training: Training) -> None:
    found = small_training.backtest
    areas = areas_by_date(found.table, resamples=50, seed=0)
    assert len(areas) == 2 * 4 * len(found.by_date)
    for target in ("churn", "stagnation"):
        own = areas[(areas["target"] == target) & (areas["strategy"] == "model")]
        expected = found.by_date.set_index("as_of")[f"{target}_roc_auc"]
        assert own.set_index("as_of")["roc_auc"].to_dict() == pytest.approx(expected.to_dict())
    assert (areas["roc_auc_low"] <= areas["roc_auc"]).all()
    assert (areas["roc_auc"] <= areas["roc_auc_high"]).all()


def test_areas_by_date_do_not_depend_on_the_order_of_the_rows(small_training: Training) -> None:
    table = small_training.backtest.table
    shuffled = table.sample(frac=1, random_state=1)
    one, other = (areas_by_date(part, resamples=0, seed=0) for part in (table, shuffled))
    assert_frame_equal(one, other)


def test_an_area_is_unknown_where_everybody_left(small_training: Training) -> None:
    table = small_training.backtest.table.assign(churned=True)
    areas = areas_by_date(table, resamples=5, seed=0)
    assert areas.loc[areas["target"] == "churn", "roc_auc"].isna().all()
    assert areas.loc[areas["target"] == "stagnation", "roc_auc"].notna().all()
