"""A model in another environment than it was trained in: it scores the same, or says why not.

The other environments are made with what the package index gives: the oldest versions that ``pyproject.toml`` allows,
and a newer scikit-learn than the one installed here.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import sklearn

from segml import config, pipeline, serving, store
from segml.data import connect, load_tables
from support import TINY, TODAY

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")]

CHECKOUT = Path(__file__).resolve().parents[1]
AS_OF = "as_of=2026-01-01"
SETTINGS = (*TINY, "churn.max_snapshots=6", "backtest.dates=1", AS_OF)
"""Enough dates for the scores to be learnt."""
TRAINING = """
import sys
from datetime import date
from pathlib import Path
from segml import config, pipeline, serving
from segml.data import connect, load_tables

settings = config.load(None, sys.argv[2:])
prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=date(2026, 6, 1))
training = pipeline.train(prepared, settings)
serving.save(training.scorer, Path(sys.argv[1]) / "model")
training.decided.decisions.to_parquet(Path(sys.argv[1]) / "decisions.parquet")
"""


def environment(folder: Path, *requirements: str) -> Path:
    """Install the checkout beside other versions into a virtual environment; return its interpreter."""
    _package_index()
    source = folder / "source"
    shutil.copytree(CHECKOUT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    python = folder / "environment" / ("Scripts" if os.name == "nt" else "bin") / "python"
    wanted = [str(source), *requirements]
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if uv is not None:
        _done([uv, "venv", "--quiet", "--python", sys.executable, str(folder / "environment")])
        _done([uv, "pip", "install", "--quiet", "--python", str(python), *wanted])
    else:
        _done([sys.executable, "-m", "venv", str(folder / "environment")])
        _done([str(python), "-m", "pip", "install", "--quiet", *wanted])
    return python


def oldest() -> list[str]:
    """Return the requirements of segml, each at the oldest version that it allows."""
    requirements = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return [re.sub(r">=([\d.]+).*", r"==\1", requirement) for requirement in requirements]


def minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def _package_index() -> list[str]:
    """Return the versions of scikit-learn that there are."""
    asked = _run([sys.executable, "-m", "pip", "index", "versions", "scikit-learn"])
    found = re.search(r"Available versions: (.*)", asked.stdout)
    if found is None:
        pytest.skip(f"no package index can be asked: {asked.stderr.strip().splitlines()[-1]}")
    return found[1].split(", ")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=600)


def _done(command: list[str]) -> None:
    finished = _run(command)
    assert finished.returncode == 0, finished.stderr


def scored_there(python: Path, model: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Have another environment score the demo data by a model, into ``decisions.parquet``."""
    settings = ("demo.customers=300", AS_OF, f"tracking.uri=sqlite:///{folder}/mlflow.db")
    words = ["--model", str(model), "--output", str(folder / "decisions.parquet")]
    return _run([str(python), "-m", "segml.score", *words, *(word for value in settings for word in ("--set", value))])


def assert_the_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert expected["p_churn"].notna().sum() > 20
    assert found[["customer_id", "cluster", "risk_band"]].equals(expected[["customer_id", "cluster", "risk_band"]])
    for name in ("p_churn", "p_stagnation"):
        assert found[name].to_numpy() == pytest.approx(expected[name].to_numpy(), abs=1e-6, nan_ok=True)


def test_the_oldest_versions_train_for_these_and_refuse_what_these_trained(
    small_training: pipeline.Training, tmp_path: Path
) -> None:
    python = environment(tmp_path, *oldest())
    _done([str(python), "-c", TRAINING, str(tmp_path), *SETTINGS])
    with pytest.warns(store.ModelWarning, match=r"was trained with scikit-learn .* and scores with scikit-learn"):
        scorer = serving.load(str(tmp_path / "model"))
    assert scorer.risk is not None
    assert scorer.risk.churn_ is not None, "learnt, not fallen back"
    here = config.load(None, SETTINGS)
    prepared = pipeline.prepare(load_tables(here, connect()), here, today=TODAY)
    assert_the_same(pipeline.score(prepared, scorer).decisions, pd.read_parquet(tmp_path / "decisions.parquet"))

    serving.save(small_training.scorer, tmp_path / "newer")
    refused = scored_there(python, tmp_path / "newer", tmp_path)
    assert refused.returncode == 2
    assert f"was trained with scikit-learn {sklearn.__version__}" in refused.stderr
    assert f"pip install 'scikit-learn=={sklearn.__version__}'" in refused.stderr


def test_a_newer_scikit_learn_scores_the_same_and_warns(small_training: pipeline.Training, tmp_path: Path) -> None:
    newest = max(_package_index(), key=minor)
    if minor(newest) <= minor(sklearn.__version__):
        pytest.skip(f"there is no newer scikit-learn than {sklearn.__version__}")
    python = environment(tmp_path, f"scikit-learn=={newest}")
    serving.save(small_training.scorer, tmp_path / "model")
    scored = scored_there(python, tmp_path / "model", tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert f"was trained with scikit-learn {sklearn.__version__}" in scored.stdout
    here = config.load(None, ["demo.customers=300", AS_OF])
    prepared = pipeline.prepare(load_tables(here, connect()), here, today=TODAY)
    expected = pipeline.score(prepared, small_training.scorer).decisions
    assert_the_same(pd.read_parquet(tmp_path / "decisions.parquet"), expected)
