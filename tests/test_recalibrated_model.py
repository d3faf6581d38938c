"""A model at the wrong level: the refresh leaves it at the right one, and a person makes that champion."""

import io
import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import segml
from segml import cli, config, pipeline, promises, refresh, refresh_outputs, registry, serving, tracking, train, upload
from segml.tracking.versions import Registry, Version
from support import SMALL

TRAINED, FIRST, SECOND = "2025-07-01", "2025-10-01", "2026-01-01"
OFF = 1.5
"""Constant in logits that the model of these tests is off by."""
CHAMPION = "models:/segml@champion"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class World:
    """A store whose champion expects far too many cases; the second refresh with it advises to recalibrate."""

    folder: Path
    store: config.TrackingConfig
    printed: str

    @property
    def output(self) -> Path:
        """What the refreshes left."""
        return self.folder / "refreshed"

    @property
    def told(self) -> Any:
        return json.loads(self.printed)

    @property
    def words(self) -> list[str]:
        """The arguments of every command."""
        return settings(self.store)

    def versions(self) -> dict[str, Version]:
        return {version.number: version for version in Registry(self.store, print).versions()}


def settings(store: config.TrackingConfig) -> list[str]:
    own = ("backtest.dates=1", "monitor.bootstrap=100", "monitor.min_cases=5", "tracking.retry_s=0")
    return [word for override in (*SMALL, *own, f"tracking.uri={store.uri}") for word in ("--set", override)]


def printed(command: Any, words: Sequence[str], code: int = 0) -> str:
    """Run a command in this process; return what it printed."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        found = command.main(list(words))
    assert found == code, error.getvalue()
    return out.getvalue() if code == 0 else error.getvalue()


def off(scorer: pipeline.Scorer) -> pipeline.Scorer:
    """Return a model that ranks as it did and expects far too many cases."""
    assert scorer.risk is not None
    risk = copy(scorer.risk)
    risk.shifts_ = {target: scorer.risk.shifts_.get(target, 0.0) + OFF for target in ("churn", "stagnation")}
    return replace(scorer, risk=risk)


@pytest.fixture(scope="module")
def world(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("recalibrated")
    shutil.copy(migrated_store, folder / "mlflow.db")
    store = config.TrackingConfig(uri=f"sqlite:///{folder / 'mlflow.db'}")
    overrides = [word for word in settings(store) if word != "--set"]
    asked = config.load(None, [*overrides, f"as_of={TRAINED}"])
    with cli.Stages(quiet=True) as stages, cli.open_data(asked, stages) as prepared:
        training = pipeline.train(prepared, asked)
        segml.track(replace(training, scorer=off(training.scorer)), folder=folder / "trained", progress=False)
    words = ["--model", CHAMPION, "--output", str(folder / "refreshed"), "--json", *settings(store)]
    assert json.loads(printed(refresh, [*words, "--as-of", FIRST]))["recalibrated"] is None
    assert not (folder / "refreshed" / refresh_outputs.RECALIBRATED).exists()
    return World(folder, store, printed(refresh, [*words, "--as-of", SECOND]))


def expected(scorer: pipeline.Scorer, world: World) -> pd.DataFrame:
    """Return the probabilities of the customers of the second refresh by a model."""
    features = pd.read_parquet(world.output / "features.parquet")
    assert scorer.risk is not None
    return pd.DataFrame(scorer.risk.predict(features))


def test_the_refresh_leaves_the_model_nearer_to_what_came(world: World) -> None:
    assert world.told["verdict"]["decision"] == "recalibrate"
    moved = serving.load(str(world.output / refresh_outputs.MODEL))
    before, after = expected(serving.load(str(world.folder / "trained/model")), world), expected(moved, world)
    assert (after < before).all(axis=None)
    assert after["p_churn"].rank().equals(before["p_churn"].rank())
    promise = promises.promise_of(str(world.output / refresh_outputs.MODEL))
    assert promise.backtest is not None
    assert promise.importance is not None


def test_it_is_registered_as_challenger_and_nobody_is_promoted(world: World) -> None:
    versions = world.versions()
    assert {number: version.aliases for number, version in versions.items()} == {
        "1": ("champion",),
        "2": ("challenger",),
    }
    assert world.told["model_version"] == "2"
    assert "python -m segml.registry promote 2" in world.told["recalibrated"]
    tags = versions["2"].tags
    assert tags["segml.verdict"] == "challenger: recalibrated"
    assert tags["segml.as_of"] == versions["1"].tags["segml.as_of"]
    assert "segml.recipe_digest" not in tags
    with tracking.default_store(str(world.store.uri)):
        promise, own = promises.promise_of("models:/segml/2"), promises.promise_of("models:/segml/1")
    assert promise.run_id == own.run_id == versions["1"].run_id
    assert promise.model != own.model
    assert promise.backtest is not None


def test_the_rule_leaves_the_level_to_a_person(world: World) -> None:
    told = json.loads(printed(registry, ["compare", "--json", *world.words]))
    assert (told["version"], told["with"], told["is_promoted"]) == ("2", "1", False)
    (reason,) = told["reasons"]
    assert reason.startswith("It comes from the training of version 1 and ranks alike")
    assert "recalibrated" in printed(registry, ["list", *world.words])


def test_the_summary_for_people_says_what_to_do(world: World, tmp_path: Path) -> None:
    """The model alone, from a folder: no version of it is registered, and the next refresh can decide by it."""
    for name, day in ((FIRST, FIRST), (SECOND, SECOND)):
        words = ["--model", str(world.folder / "trained/model"), "--output", str(tmp_path / "out"), "--as-of", day]
        said = printed(refresh, [*words, *world.words])
        assert (str(tmp_path / "out" / refresh_outputs.MODEL) in said) == (name == SECOND)
    assert set(world.versions()) == {"1", "2"}
    words = ["--model", str(tmp_path / "out" / refresh_outputs.MODEL), "--as-of", "2026-02-01", "--json"]
    told = json.loads(printed(refresh, [*words, "--output", str(tmp_path / "out"), *world.words]))
    assert told["verdict"]["decision"] == "keep"
    assert told["recalibrated"] is None
    assert not (tmp_path / "out" / refresh_outputs.RECALIBRATED).exists()


def test_once_champion_it_gives_way_to_the_next_training(world: World, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(world.folder, tmp_path / "world"))
    store = world.store.model_copy(update={"uri": f"sqlite:///{copied / 'mlflow.db'}"})
    words = settings(store)
    assert "Version 2 is champion now" in printed(registry, ["promote", "2", *words])
    told = json.loads(printed(train, ["--as-of", SECOND, "--output", str(tmp_path / "anew"), "--json", *words]))
    assert "version 2" in told["promotion"]["decision"]
    assert told["promotion"]["outcome"] in ("newer", "less stable")


def test_a_store_that_was_away_gets_it_later(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = Path(shutil.copytree(world.folder, tmp_path / "world"))
    store = world.store.model_copy(update={"uri": f"sqlite:///{copied / 'mlflow.db'}"})
    words = ["--model", "models:/segml/1", "--output", str(copied / "refreshed"), "--as-of", SECOND, *settings(store)]
    send = tracking.Run.send

    def away(run: tracking.Run, record: tracking.Record, folder: Path) -> None:
        shutil.move(copied / "mlflow.db", copied / "away.db")
        (copied / "mlflow.db").mkdir()
        send(run, record, folder)

    monkeypatch.setattr(tracking.Run, "send", away)
    assert f"segml.upload {copied / 'refreshed'}" in printed(refresh, words, code=2)
    monkeypatch.undo()
    (copied / "mlflow.db").rmdir()
    shutil.move(copied / "away.db", copied / "mlflow.db")
    told = json.loads(printed(upload, [str(copied / "refreshed"), "--json", *settings(store)]))
    assert told["model_version"] == "3"
    found = {version.number: version for version in Registry(store, print).versions()}
    assert found["3"].aliases == ("challenger",)
    assert found["3"].tags["segml.verdict"] == "challenger: recalibrated"
