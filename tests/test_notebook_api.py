"""The facade that notebooks use: the same as the functions of the pipeline, with the doors guarded."""

import copy
import gc
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import segml
from segml import config, features, labels, outputs, pipeline
from segml.data import GIVEN, connect, load_tables
from segml.pipeline import Training
from segml.schema import NOT_ENOUGH_DATA, ConfigError, DataError, ModelError, OutputError
from support import TODAY, orders

IN_JANUARY, IN_JULY = pd.Timestamp("2025-01-01"), pd.Timestamp("2025-07-01")
HEAVY = ("mlflow", "matplotlib", "sklearn", "scipy", "ibis", "duckdb", "pandas", "numpy", "pydantic", "yaml", "rich")


@pytest.fixture(scope="module")
def data(small_config: config.Config) -> segml.Dataset:
    """The small demo world."""
    return segml.prepare("demo", config=small_config, progress=False)


@pytest.fixture(scope="module")
def prepared(small_config: config.Config) -> pipeline.Prepared:
    """The same, by the functions of the pipeline."""
    return pipeline.prepare(load_tables(small_config, connect()), small_config, today=TODAY)


def fresh(statements: str) -> str:
    """Return what a new process prints."""
    ran = subprocess.run([sys.executable, "-c", statements], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_the_import_brings_nothing_heavy() -> None:
    shown = fresh(
        "import sys; before = set(sys.modules); import segml; "
        f"print(sorted(set({HEAVY}) & set(sys.modules)), len([m for m in set(sys.modules) - before if 'segml' in m]))"
    )
    assert shown == "[] 1"


def test_preparing_data_brings_neither_mlflow_nor_matplotlib() -> None:
    shown = fresh(
        "import sys, segml; data = segml.prepare('demo', settings={'demo.customers': 20}, progress=False); "
        "data.ledger._repr_html_(); print({'mlflow', 'matplotlib', 'IPython'} & set(sys.modules))"
    )
    assert shown == "set()"


def test_every_public_name_is_there_and_listed() -> None:
    assert [name for name in segml.__all__ if not hasattr(segml, name)] == []
    assert set(segml.__all__) <= set(dir(segml))
    assert "plot_ledger" in dir(segml.plots)


def test_no_name_hides_a_module_that_is_a_command() -> None:
    modules = {module.name for module in pkgutil.iter_modules(segml.__path__)}
    assert {"train", "backtest", "score", "features"} <= modules
    assert [
        name for name in segml.__all__ if name in modules and not isinstance(getattr(segml, name), ModuleType)
    ] == []


def test_the_lines_are_those_of_the_pipeline(data: segml.Dataset, prepared: pipeline.Prepared) -> None:
    theirs = prepared.lines.to_pyarrow().to_pandas()
    order = ["ordered_at", "customer_id", "order_id", "product_id", "amount", "quantity"]
    assert_frame_equal(data.to_pandas(), theirs.sort_values(order, ignore_index=True))
    assert data.ledger.to_dict() == prepared.ledger.to_dict()
    assert (data.as_of, data.notices) == (prepared.as_of, prepared.notices)


def test_features_and_labels_are_those_of_the_pipeline(data: segml.Dataset, prepared: pipeline.Prepared) -> None:
    expected = features.build(prepared.lines, [IN_JANUARY, IN_JULY])
    assert_frame_equal(data.features("2025-07-01", "2025-01-01"), expected)
    happened = labels.build(prepared.lines, expected, 90, known_until=prepared.observed_until)
    assert_frame_equal(data.labels("2025-01-01", "2025-07-01"), happened)


def test_labels_of_a_horizon_that_is_not_over_are_refused(data: segml.Dataset) -> None:
    with pytest.raises(DataError, match="is not known yet: the log ends at 2026-01-01"):
        data.labels("2025-12-01")
    with pytest.raises(DataError, match="is not known yet: the log ends at 2025-07-01"):
        data.at("2025-07-01").labels("2025-06-01")


def test_dates_that_are_none_are_told(data: segml.Dataset) -> None:
    with pytest.raises(DataError, match=r"as-of dates are given one by one, each as YYYY-MM-DD; found 'soon'"):
        data.features("soon")
    with pytest.raises(DataError, match=r"each as YYYY-MM-DD; found \['2025-07-01'\]"):
        data.labels(["2025-07-01"])  # type: ignore[arg-type]


def test_segments_are_ordered_categoricals_with_the_labels_of_the_decisions(
    data: segml.Dataset, small_training: Training
) -> None:
    found, decided = data.segments(), small_training.decisions
    assert list(found["lifecycle"].cat.categories) == ["new", "active", "stagnating", "inactive", NOT_ENOUGH_DATA]
    assert found["tier"].cat.ordered
    for scheme in ("lifecycle", "rfm_segment", "abc", "xyz", "tier"):
        assert found[scheme].astype("str").tolist() == decided[scheme].tolist()


@pytest.mark.slow
def test_training_is_that_of_the_pipeline(data: segml.Dataset, small_training: Training) -> None:
    training = data.train()
    assert_frame_equal(training.decisions, small_training.decisions)
    assert_frame_equal(training.profiles, small_training.profiles)
    assert_frame_equal(training.call_list(), small_training.call_list())
    assert training.metrics == small_training.metrics
    assert_frame_equal(data.clusters().table, small_training.found.table)
    assert_frame_equal(data.backtest().table, small_training.backtest.table)
    assert_frame_equal(training.scorer.score(data), training.decisions)


def test_a_backtest_may_have_dates_of_its_own(data: segml.Dataset) -> None:
    assert set(data.backtest("2025-07-01").table["as_of"]) == {IN_JULY}


def test_another_date_looks_back_on_the_same_lines(data: segml.Dataset, small_config: config.Config) -> None:
    earlier = data.at("2025-07-01")
    asked = config.looking_back_from(small_config, "2025-07-01")
    expected = pipeline.prepare(load_tables(asked, connect()), asked, today=TODAY)
    assert (earlier.config, earlier.as_of, earlier.notices) == (asked, IN_JULY, expected.notices)
    assert earlier.prepared.silent_days == expected.silent_days
    assert earlier.lines is data.lines
    assert_frame_equal(earlier.features(), data.features("2025-07-01"))
    assert data.as_of == pd.Timestamp("2026-01-01")


def test_what_is_handed_out_may_be_changed(data: segml.Dataset) -> None:
    first = data.features("2025-07-01")
    first.loc[:, "recency_days"] = -1.0
    assert (data.features("2025-07-01")["recency_days"] >= 0).all()


@pytest.mark.parametrize("library", [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas])
def test_tables_in_memory_are_read_under_their_own_names_and_stay_as_they_are(library: object) -> None:
    frame = orders(customers=30, days=400).rename(columns={"customer_id": "client"})
    given = library(frame)  # type: ignore[operator]
    before = copy.deepcopy(given)
    cards = pd.DataFrame({"customer_id": ["K001"], "name": ["Alfa"]})
    made = segml.prepare(given, customers=cards, columns={"customer_id": "client"}, as_of="2025-02-01", progress=False)
    assert made.config.data.transactions == made.config.data.customers == GIVEN
    assert len(made.features()) == 30
    assert made.prepared.customer_names == {"K001": "Alfa"}
    assert given.equals(before)


def test_two_data_sets_do_not_disturb_each_other() -> None:
    small = segml.prepare(orders(customers=5, days=300), progress=False)
    large = segml.prepare(orders(customers=9, days=300), progress=False)
    lines = small.lines
    del small
    gc.collect()
    assert lines.customer_id.nunique().to_pyarrow().as_py() == 5
    assert len(large.features()) == 9


def test_a_file_and_settings_are_combined(tmp_path: Path) -> None:
    orders(customers=5, days=300).to_csv(tmp_path / "orders.csv", index=False)
    (tmp_path / "own.yaml").write_text("horizon_days: 30\nchurn: {bootstrap: 7}\n", encoding="utf-8")
    made = segml.prepare(
        tmp_path / "orders.csv",
        config=tmp_path / "own.yaml",
        horizon_days=60,
        settings={"churn.max_snapshots": 6, "data.cleaning": {"non_product": False}},
        progress=False,
    )
    found = made.config
    assert (found.horizon_days, found.churn.bootstrap, found.churn.max_snapshots) == (60, 7, 6)
    assert (found.data.cleaning.non_product, found.data.cleaning.bad_price) == (False, True)
    assert repr(made) == f"Dataset('{tmp_path / 'orders.csv'}', as of 2024-10-22: 5 customers, 150 lines)"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"settings": {"churn.bootsrap": 9}}, ConfigError, r"churn\.bootsrap: unknown key; did you mean 'bootstrap'\?"),
        ({"settings": {"churn.bootstrap": "many"}}, ConfigError, r"churn\.bootstrap: .*; found 'many'"),
        ({"columns": {"customer": "x"}}, ConfigError, r"data\.columns\.customer: unknown key; did you mean"),
        ({"as_of": "12.03.2025 x"}, DataError, r"'12\.03\.2025 x' is not a date; write it as YYYY-MM-DD"),
        ({"as_of": pd.Timestamp("2025-03-12 11:00")}, DataError, r"an as-of date is a day, without a time"),
        ({"as_of": "1990-01-01"}, DataError, r"as-of date 1990-01-01 lies outside the data"),
        ({"config": "no.yaml"}, ConfigError, r"the file no\.yaml does not exist"),
        ({"transactions": 5}, DataError, r"a table is needed: pandas, polars, pyarrow, Ibis or a path; found int"),
        ({"horizon_day": 60}, TypeError, r"prepare\(\) has no argument 'horizon_day'; did you mean 'horizon_days'\?"),
    ],
)
def test_what_cannot_be_used_is_told_at_the_door(arguments: dict[str, object], error: type, message: str) -> None:
    given: dict[str, object] = {"transactions": orders(customers=3, days=200), **arguments}
    with pytest.raises(error, match=message):
        segml.prepare(**given, progress=False)  # type: ignore[arg-type]


def test_a_table_that_lacks_columns_says_which_and_what_is_there() -> None:
    lacking = orders(customers=3, days=200).rename(columns={"ordered_at": "date_of_order"})
    with pytest.raises(DataError, match=r"lack.*'ordered_at'.*found \['customer_id', 'date_of_order', 'amount'\]"):
        segml.prepare(lacking, progress=False)


def test_a_model_scores_data_sets_only(small_training: Training) -> None:
    with pytest.raises(DataError, match=r"a model scores what segml\.prepare returns; found DataFrame"):
        small_training.scorer.score(orders(customers=3, days=200))  # type: ignore[arg-type]


def test_near_misses_name_the_nearest(data: segml.Dataset, small_training: Training) -> None:
    for owner, name, nearest in (
        (segml, "prepar", "prepare"),
        (segml, "featurs", "features"),
        (data, "feature", "features"),
        (data.config.churn, "bootsrap", "bootstrap"),
        (data.config, "horizon", "horizon_days"),
        (small_training, "decision", "decisions"),
        (small_training.backtest, "metric", "metrics"),
        (data.ledger, "reconcile", "reconciles"),
        (small_training.scorer, "scores", "score"),
    ):
        with pytest.raises(AttributeError, match=rf"has no attribute '{name}'; did you mean '{nearest}'\?"):
            getattr(owner, name)


def test_near_misses_break_nothing(data: segml.Dataset, small_training: Training) -> None:
    settings = data.config
    assert copy.deepcopy(settings) == pickle.loads(pickle.dumps(settings)) == settings.model_copy() == settings
    assert not hasattr(data, "_repr_png_")
    assert not hasattr(settings, "nothing_like_it")
    assert_frame_equal(copy.copy(small_training).decisions, small_training.decisions)


def test_an_error_inside_a_property_is_told_as_it_is() -> None:
    class Broken(segml.Dataset):
        @property
        def config(self) -> config.Config:  # type: ignore[override]
            raise AttributeError("the real reason")

    with pytest.raises(AttributeError, match="the real reason"):
        _ = object.__new__(Broken).config


@pytest.mark.slow
def test_a_saved_training_holds_what_the_command_leaves(small_training: Training, tmp_path: Path) -> None:
    folder = segml.save(small_training, tmp_path / "out", progress=False)
    assert [name for name in outputs.FILES if not (folder / name).exists()] == []
    assert_frame_equal(pd.read_parquet(folder / outputs.DECISIONS), small_training.decisions)
    scorer = segml.load_model(folder / "model")
    assert_frame_equal(scorer.score(small_training), small_training.decisions)


@pytest.mark.slow
def test_a_model_alone_is_saved_beside_what_its_training_left(small_training: Training, tmp_path: Path) -> None:
    moved = small_training.scorer.recalibrated(small_training.backtest.table)
    for _again in range(2):
        folder = segml.save(moved, tmp_path / "recalibrated", progress=False)
    assert folder == tmp_path / "recalibrated"
    assert_frame_equal(segml.load_model(folder).score(small_training), moved.score(small_training))
    assert [path.name for path in tmp_path.iterdir()] == ["recalibrated"]


def test_a_model_takes_no_other_folders_place(small_training: Training, tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "report.html").touch()
    with pytest.raises(OutputError, match="is there, and is no model"):
        segml.save(small_training.scorer, tmp_path / "outputs")
    assert (tmp_path / "outputs" / "report.html").exists()


def test_what_is_neither_a_training_nor_a_model_is_not_saved(small_training: Training, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found DataFrame"):
        segml.save(small_training.decisions, tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(small_training: Training, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file; a folder is needed"):
        segml.save(small_training, tmp_path / "file", progress=False)


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        segml.load_model(tmp_path / "nothing")


@pytest.mark.slow
def test_a_tracked_training_is_in_the_store(
    small_training: Training, store: config.TrackingConfig, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    tracked = segml.track(small_training, "notebook", "by hand", uri=store.uri, folder=tmp_path / "out", progress=False)
    run = MlflowClient(store.uri).get_run(tracked.run_id)
    assert (run.info.run_name, run.info.status) == ("by hand", "FINISHED")
    assert run.data.metrics["churn/roc_auc"] == small_training.metrics["churn/roc_auc"]
    assert tracked.run_id in tracked.run_page
    assert tracked.run_id in str(tracked)
    assert "mlflow ui" in tracked.ui_command
    assert not (tmp_path / "out" / "unsent.json").exists()
