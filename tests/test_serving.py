"""The registered model: raw transactions in, the decisions of the training run out."""

import ast
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import config, pipeline, score, serving, tracking
from segml.actions import DECISIONS
from segml.data.simulate import simulate
from segml.schema import ModelError
from support import SMALL

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning")


def lone_transactions(training: pipeline.Training) -> pd.DataFrame:
    """The order lines that training kept, as a table that needs no customer cards."""
    table: pd.DataFrame = training.prepared.lines.to_pyarrow().to_pandas()
    standing = table[table["cancelled_at"].isna()].drop(columns="cancelled_at")
    return standing.sample(frac=1.0, random_state=0)


def test_the_registered_model_decides_from_transactions_alone(
    small_training: pipeline.Training, store: config.TrackingConfig
) -> None:
    import mlflow

    with tracking.Run(store, name="model", tags={}) as run:
        run.log_model(serving.logger(small_training.scorer), register=True)
    assert run.model_version == "1"
    mlflow.set_tracking_uri(str(store.uri))
    model = mlflow.pyfunc.load_model("models:/segml/1")
    served = model.predict(lone_transactions(small_training), params={"as_of": "2025-12-01"})
    expected = small_training.decided.decisions
    assert list(served.columns) == [name for name in expected.columns if name in served.columns]
    assert list(served.columns)[: len(DECISIONS)] == list(DECISIONS)
    assert {"abc_xyz", "price_behaviour"} < set(served.columns), "schemes that transactions alone can serve are on"
    assert served["customer_id"].is_unique
    assert set(served["as_of"]) == {pd.Timestamp("2025-12-01")}
    assert served["p_churn"].notna().any()


def test_a_folder_and_the_training_run_agree(small_training: pipeline.Training, tmp_path: Path) -> None:
    serving.save(small_training.scorer, tmp_path / "model")
    scorer = serving.load(str(tmp_path / "model"))
    again = pipeline.score(small_training.prepared, scorer)
    assert_frame_equal(again.decisions, small_training.decided.decisions, check_exact=True)


def test_what_is_no_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded .*; give a folder that training left"):
        serving.load(str(tmp_path))


def test_the_score_command_writes_the_decisions_of_the_training_run(
    small_training: pipeline.Training, store: config.TrackingConfig, tmp_path: Path
) -> None:
    serving.save(small_training.scorer, tmp_path / "model")
    world = simulate(config.load(None, SMALL).demo)
    world.transactions.to_parquet(tmp_path / "orders.parquet")
    extra = {name: getattr(world, name) for name in ("customers", "usage", "contracts", "touches")}
    for name, table in extra.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    overrides = [
        f"tracking.uri={store.uri}",
        f"data.transactions={tmp_path / 'orders.parquet'}",
        *(f"data.{name}={tmp_path / f'{name}.parquet'}" for name in extra),
    ]
    arguments = ["--model", str(tmp_path / "model"), "--output", str(tmp_path / "decisions.parquet")]
    assert score.main([*arguments, *(part for value in overrides for part in ("--set", value))]) == 0
    written = pd.read_parquet(tmp_path / "decisions.parquet")
    assert_frame_equal(written, small_training.decided.decisions, check_dtype=False, check_exact=True)


def test_the_score_command_names_the_formats_it_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert score.main(["--model", "nowhere", "--output", "decisions.docx"]) == 2
    assert "must end in .parquet or .csv; found '.docx'" in capsys.readouterr().err


def imported_at_once(module: str) -> Iterator[str]:
    """The modules that a module imports while it is imported itself."""
    tree = ast.parse(Path(str(import_module(module).__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in sys.modules)


def test_a_served_model_asks_for_all_packages_that_its_code_imports() -> None:
    seen, waiting = set(), ["segml.serving"]
    while waiting:
        module = waiting.pop()
        seen.add(module)
        waiting += [name for name in imported_at_once(module) if name.startswith("segml") and name not in seen]
    packages = {name.partition(".")[0] for module in seen for name in imported_at_once(module)}
    distributions = metadata.packages_distributions()
    needed = {distributions[package][0].lower() for package in packages - {"segml"} if package in distributions}
    assert needed <= {name.lower() for name in serving.REQUIRED} | {"mlflow-skinny", "mlflow-tracing"}
    assert "scikit-learn" in needed
