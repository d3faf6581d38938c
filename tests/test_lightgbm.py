"""A whole run with LightGBM's trees, what is stored and served of it, and what is said without the package."""

import sys
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import config, pipeline, score, serving, train
from segml import store as storage
from segml.data import connect, load_tables
from segml.schema import ConfigError
from support import SMALL, TODAY

ASKED = "churn.boosting.library=lightgbm"
ANSWER = "churn.boosting.library: needs lightgbm: pip install 'segml[lightgbm]'"
mlflow_warns = pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:.*:FutureWarning")


@pytest.fixture
def scorer() -> pipeline.Scorer:
    """A scorer that was trained under LightGBM and found too little to learn from."""
    return pipeline.Scorer(config.load(None, [ASKED]), None, None, pd.Timestamp(TODAY))


@pytest.fixture
def no_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)


@pytest.mark.slow
@mlflow_warns
def test_a_run_by_lightgbm_is_stored_and_served(tmp_path: Path) -> None:
    settings = config.load(None, [*SMALL, ASKED, "backtest.dates=1"])
    prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY)
    training = pipeline.train(prepared, settings)
    assert training.scorer.risk is not None
    assert training.scorer.risk.stagnation_ is not None
    assert training.scorer.risk.stagnation_.boosting_.model_text_.startswith("tree\n")
    assert training.decided.decisions["p_churn"].notna().any()
    serving.save(training.scorer, tmp_path / "model")
    again = pipeline.score(prepared, serving.load(str(tmp_path / "model")))
    assert_frame_equal(again.decisions, training.decided.decisions, check_exact=True)


@mlflow_warns
def test_a_served_model_requires_the_package(scorer: pipeline.Scorer, tmp_path: Path) -> None:
    serving.save(scorer, tmp_path / "model")
    required = (tmp_path / "model" / "requirements.txt").read_text().split()
    assert f"lightgbm=={metadata.version('lightgbm')}" in required


def test_only_its_own_models_rest_on_the_package(scorer: pipeline.Scorer) -> None:
    assert storage.versions(scorer.config)["lightgbm"] == metadata.version("lightgbm")
    assert "lightgbm" not in storage.versions(config.Config())
    assert config.Config().churn.boosting.packages() == ()


def test_a_stored_scorer_says_what_to_install(
    scorer: pipeline.Scorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    storage.save(scorer, tmp_path)
    assert storage.load(tmp_path).config == scorer.config
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ConfigError, match="1 error in the model in") as caught:
        storage.load(tmp_path)
    assert ANSWER in str(caught.value)


@mlflow_warns
def test_the_score_command_says_what_to_install(
    scorer: pipeline.Scorer,
    store: config.TrackingConfig,
    no_lightgbm: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serving.save(scorer, tmp_path / "model")
    words = ["--model", str(tmp_path / "model"), "--output", str(tmp_path / "decisions.csv")]
    assert score.main([*words, "--set", f"tracking.uri={store.uri}"]) == 2
    assert ANSWER in capsys.readouterr().err


def test_the_train_command_says_what_to_install_before_it_begins(
    no_lightgbm: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "outputs"
    assert train.main(["--output", str(output), "--set", ASKED]) == 2
    assert ANSWER in capsys.readouterr().err
    assert not output.exists()


def test_another_library_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"churn\.boosting\.library: this should be 'sklearn' or 'lightgbm'"):
        config.load(None, ["churn.boosting.library=xgboost"])
