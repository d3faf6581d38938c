"""What tells runs apart, and what they tell on the screen."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segml import config, summary
from segml.pipeline import Training


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "demo"),
        (["horizon_days=60"], "horizon=60, demo"),
        (["churn.boosting.max_leaf_nodes=12", "as_of=2025-10-01"], "2025-10-01, max_leaf_nodes=12, demo"),
        (["segments.clusters.candidates=[kmeans]"], "candidates=kmeans, demo"),
        (["backtest.as_of=[2025-01-01, 2025-04-01, 2025-07-01]"], "as_of=2025-01-01+2025-04-01+2…, demo"),
        (
            ["seed=1", "horizon_days=60", "churn.model=direct", "churn.bootstrap=9"],
            "seed=1, horizon=60, direct, 1 more, demo",
        ),
        (["data.transactions=logs/orders.csv", "data.columns.amount=total"], "orders.csv"),
        (["tracking.run_name=Mine", "seed=1"], "Mine"),
    ],
)
def test_a_run_is_called_after_its_data_and_what_was_changed(overrides: list[str], name: str) -> None:
    assert summary.identity(config.load(None, overrides), None)[0] == name


def test_an_evaluation_is_named_like_a_training_and_says_that_it_is_one() -> None:
    settings = config.load(None, ["horizon_days=60"])
    assert summary.identity(settings, None, prefix="backtest ")[0] == "horizon=60, backtest demo"
    given = config.load(None, ["tracking.run_name=Mine"])
    assert summary.identity(given, None, prefix="backtest ")[0] == "backtest Mine"


def test_what_the_configuration_file_says_is_not_in_the_name_but_in_the_tag(tmp_path: Path) -> None:
    path = tmp_path / "base.yaml"
    path.write_text("churn: {bootstrap: 50}\nsegments: {min_customers: 30}\n")
    name, tags = summary.identity(config.load(path, ["horizon_days=60"]), str(path))
    assert name == "horizon=60, demo"
    assert tags["segml.changed"] == "horizon_days=60, segments.min_customers=30, churn.bootstrap=50"
    assert tags["segml.config_file"] == str(path)


def test_tags_tell_the_data_the_engine_and_the_digest_of_the_configuration() -> None:
    settings = config.load(None, ["seed=1"])
    tags = summary.identity(settings, None)[1]
    assert tags["segml.data"] == "demo"
    assert tags["segml.engine"] == "duckdb"
    assert tags["segml.config_digest"] == config.digest(settings)
    assert "segml.config_file" not in tags


def test_each_test_date_is_a_step_of_a_series_and_unknown_values_are_left_out() -> None:
    by_date = pd.DataFrame(
        {
            "as_of": pd.to_datetime(["2025-01-01", "2025-04-01"]),
            "training_dates": [3, 4],
            "customers": [10, 12],
            "churn_rate": [0.2, 0.3],
            "churn_roc_auc": [np.nan, 0.8],
            "stagnation_roc_auc": [np.nan, np.nan],
        }
    )
    assert summary.series(by_date) == {
        "by_date/customers": ((1, 10.0), (2, 12.0)),
        "by_date/churn_rate": ((1, 0.2), (2, 0.3)),
        "by_date/churn_roc_auc": ((2, 0.8),),
    }
    assert summary.series(pd.DataFrame()) == {}


def test_metrics_begin_with_what_tells_most_and_end_with_times() -> None:
    names = ["time/a_s", "data/lines_in", "churn/roc_auc", "segments/gap", "churn/brier", "other/x"]
    ordered = summary.in_order(dict.fromkeys(names, 0.0))
    assert list(ordered) == ["churn/roc_auc", "churn/brier", "segments/gap", "data/lines_in", "time/a_s", "other/x"]


def test_metrics_and_series_share_no_name_and_all_are_numbers(small_training: Training) -> None:
    series = summary.series(small_training.backtest.by_date)
    assert not set(series) & set(small_training.metrics)
    assert np.isfinite([value for points in series.values() for _, value in points]).all()
    assert np.isfinite(list(small_training.metrics.values())).all()


FACTS = {
    "scored": 1,
    "report": "out/report.html",
    "run_id": "0123",
    "model_version": "",
    "tracking_uri": "sqlite:///mlflow.db",
    "promotion": None,
    "run_page": "http://127.0.0.1:5000/#/x",
}


def test_the_console_speaks_the_language_of_the_report(
    small_training: Training, capsys: pytest.CaptureFixture[str]
) -> None:
    summary.show(small_training, FACTS)
    english = capsys.readouterr().out
    for word in ("Lifecycle", "Call first", "Pareto/NBD", "not registered", "mlflow ui --backend-store-uri"):
        assert word in english
    settings = small_training.config
    russian = settings.model_copy(update={"report": settings.report.model_copy(update={"language": "ru"})})
    summary.show_backtest(small_training.backtest, {"output": "out", "run_id": "0123"}, russian)
    told = capsys.readouterr().out
    assert "Pareto/NBD" in told
    assert "By test date" not in told
