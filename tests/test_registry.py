"""The registry on a real store: who becomes champion, who was it before, and what a kill or a rival leaves."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pandas as pd
import pytest

from contenders import DATES, backtest
from segml import config, contest, registry, tracking
from segml.config import TrackingConfig
from segml.promotion import Verdict
from segml.schema import DataError
from segml.tracking.versions import CHAMPION, Registry, in_line

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

BETTER = "churn.boosting.max_iter=300"
Register = Callable[..., str]


@pytest.fixture
def register(store: TrackingConfig, tmp_path: Path) -> Register:
    """Return what sends a run with a hand-made backtest and registers its model; gives the version."""
    count = iter(range(100))

    def registered(
        *overrides: str, noise: float = 1.0, as_of: str = "2026-01-01", data: str = "data", jaccard: float = 0.8
    ) -> str:
        folder = tmp_path / f"run{next(count)}"
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "MLmodel").write_text("flavors: {}\n")
        settings = config.load(None, ["promotion.bootstrap=100", *overrides])
        (folder / "config.yaml").write_text(settings.to_yaml())
        backtest(noise).to_parquet(folder / "backtest.parquet")
        tags = {"segml.data_digest": data, "segml.as_of": as_of, "segml.data": "demo"}
        metrics = {"churn/roc_auc": 0.79, "churn/roc_auc_low": 0.77, "churn/roc_auc_high": 0.81}
        record = tracking.Record(
            "hand-made",
            store.experiment,
            tags,
            metrics={**metrics, "segments/min_jaccard": jaccard},
            files=("config.yaml", "backtest.parquet"),
            model="model",
            registered_model=store.model_name,
        )
        with tracking.Run(store, name=record.name, tags=tags) as run:
            run.send(record, folder)
        return run.model_version

    return registered


@pytest.fixture
def settle(store: TrackingConfig) -> Callable[..., Verdict]:
    def settled(version: str, evaluate: Any = None) -> Verdict:
        return contest.settle(store, version, say=lambda text: None, evaluate=evaluate)

    return settled


def opened(store: TrackingConfig) -> Registry:
    return Registry(store, lambda text: None)


def promote(store: TrackingConfig, version: str, **given: Any) -> str:
    return opened(store).promote(version, reason="for the test", at=datetime.now(UTC), **given)


def aliases(store: TrackingConfig) -> dict[str, str]:
    return {alias: version.number for version in opened(store).versions() for alias in version.aliases}


def command(capsys: pytest.CaptureFixture[str], store: TrackingConfig, *words: str) -> tuple[int, str, str]:
    code = registry.main([*words, "--set", f"tracking.uri={store.uri}"])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_life_of_a_model(store: TrackingConfig, register: Register, settle: Callable[..., Verdict]) -> None:
    verdicts = [
        settle(register()),
        settle(register()),
        settle(register(BETTER, noise=0.5)),
        settle(register("churn.boosting.max_iter=5", noise=3.0)),
        settle(register(BETTER, noise=0.5, as_of="2026-04-01", data="more")),
    ]
    assert [verdict.outcome for verdict in verdicts] == ["first", "nothing new", "better", "worse", "newer"]
    assert opened(store).champions() == ("1", "3", "5")
    assert aliases(store) == {"champion": "5", "challenger": "4"}


def test_a_version_tells_what_it_is_and_why(
    store: TrackingConfig, register: Register, settle: Callable[..., Verdict]
) -> None:
    from mlflow import MlflowClient

    settle(register())
    verdict = settle(register(BETTER, noise=0.5))
    version: Any = MlflowClient(store.uri).get_model_version("segml", "2")
    settings = config.load(None, [BETTER])
    expected = {
        "segml.data": "demo",
        "segml.data_digest": "data",
        "segml.as_of": "2026-01-01",
        "segml.horizon_days": "90",
        "segml.recipe_digest": config.recipe_digest(settings),
        "segml.config_digest": config.digest(settings),
        "churn/roc_auc": "0.790 [0.770, 0.810]",
        "segments/min_jaccard": "0.800",
        "segml.verdict": "champion: better",
        "segml.previous_champion": "1",
    }
    assert {name: version.tags[name] for name in expected} == expected
    assert version.tags["segml.promotion_reason"].startswith("Version 2 becomes champion in place of version 1. Churn:")
    assert version.description.startswith("Version 2 becomes champion in place of version 1.\n\n- Churn: ROC-AUC")
    assert "| churn/roc_auc&emsp; | 0.790 [0.770, 0.810] |" in version.description
    run = MlflowClient(store.uri).get_run(version.run_id)
    assert run.data.tags["segml.verdict"] == "champion: better"
    assert run.data.metrics["promotion/churn_roc_auc_difference"] == pytest.approx(
        verdict.figures["promotion/churn_roc_auc_difference"]
    )


def test_settling_again_changes_nothing(
    store: TrackingConfig, register: Register, settle: Callable[..., Verdict]
) -> None:
    version = register()
    settle(version)
    verdict = settle(version)
    assert (verdict.is_promoted, verdict.decision) == (False, "Version 1 is champion already.")
    assert opened(store).version("1").tags["segml.verdict"] == "champion: first"
    assert opened(store).champions() == ("1",)


def test_on_other_data_the_champion_is_evaluated_again_at_the_same_dates(
    register: Register, settle: Callable[..., Verdict]
) -> None:
    asked: list[tuple[Any, Any]] = []

    def evaluate(made_by: config.Config, dates: Any) -> pd.DataFrame:
        asked.append((made_by, dates))
        return backtest(1.0)

    settle(register("churn.boosting.max_iter=77"))
    verdict = settle(register(BETTER, noise=0.5, data="more"), evaluate)
    assert verdict.outcome == "better"
    [(made_by, dates)] = asked
    assert made_by.churn.boosting.max_iter == 77
    assert [str(moment) for moment in dates] == list(DATES)


def test_without_the_data_it_stays_challenger_and_the_way_is_named(
    register: Register, settle: Callable[..., Verdict]
) -> None:
    settle(register())
    verdict = settle(register(BETTER, noise=0.5, data="more"))
    assert verdict.outcome == "not comparable"
    assert "python -m segml.registry compare --version 2 --config FILE" in verdict.reasons[0]


def test_a_recipe_that_cannot_be_evaluated_is_told(register: Register, settle: Callable[..., Verdict]) -> None:
    def evaluate(made_by: config.Config, dates: Any) -> pd.DataFrame:
        raise DataError("there is no margin")

    settle(register())
    verdict = settle(register(BETTER, data="more"), evaluate)
    assert "the recipe of version 1 cannot be evaluated on these data: there is no margin" in verdict.reasons[0]


def test_a_champion_whose_run_lost_its_files_is_not_comparable(
    store: TrackingConfig, register: Register, settle: Callable[..., Verdict], tmp_path: Path
) -> None:
    settle(register())
    for path in (tmp_path / "mlartifacts").rglob("config.yaml"):
        path.unlink()
    verdict = settle(register(BETTER, noise=0.5))
    assert verdict.outcome == "not comparable"
    assert "what version 1 was made from cannot be read" in verdict.reasons[0]
    assert aliases(store) == {"champion": "1", "challenger": "2"}


def test_a_configuration_of_another_version_is_told(
    register: Register, settle: Callable[..., Verdict], tmp_path: Path
) -> None:
    settle(register())
    for path in (tmp_path / "mlartifacts").rglob("config.yaml"):
        path.write_text("churn: {crystal_ball: true}\n")
    verdict = settle(register(BETTER, noise=0.5))
    assert "configuration of version 1" in verdict.reasons[0]
    assert "crystal_ball: unknown key" in verdict.reasons[0]


def test_rolling_back_twice(store: TrackingConfig, register: Register, capsys: pytest.CaptureFixture[str]) -> None:
    for _number in range(3):
        promote(store, register())
    code, out, _ = command(capsys, store, "rollback")
    assert (code, out.strip()) == (
        0,
        "Version 2 is champion again in place of version 3; a model of that recipe is not promoted again but by hand.",
    )
    assert command(capsys, store, "rollback")[0] == 0
    assert aliases(store) == {"champion": "1"}
    code, _, err = command(capsys, store, "rollback")
    assert code == 2
    assert "nothing to roll back to: no version of 'segml' was champion before version 1" in err


def test_a_version_that_comes_back_can_be_rolled_back_again(store: TrackingConfig, register: Register) -> None:
    for version in (register(), register(), "1"):
        promote(store, version)
    assert opened(store).champions() == ("1", "2", "1")
    assert opened(store).roll_back() == ("2", "1")
    assert opened(store).roll_back() == ("1", "2")
    assert opened(store).champions() == ("1",)


def test_a_recipe_that_was_rolled_back_is_not_promoted_again_but_by_hand(
    store: TrackingConfig, register: Register, settle: Callable[..., Verdict]
) -> None:
    settle(register())
    settle(register(BETTER, noise=0.5))
    opened(store).roll_back()
    assert opened(store).version("2").tags["segml.rolled_back"] == "in favour of version 1"
    assert settle(register(BETTER, noise=0.5)).outcome == "taken back"
    promote(store, "3")
    opened(store).roll_back()
    promote(store, "2")
    assert "segml.rolled_back" not in opened(store).version("2").tags
    assert settle(register(BETTER, noise=0.5, as_of="2026-04-01")).outcome == "newer"


@pytest.mark.parametrize(
    ("listed", "now", "kept", "left"),
    [
        ("", "", "", ""),
        ("", "1", "1", ""),
        ("1 2", "2", "1 2", ""),
        ("1 2", "3", "1 2 3", ""),
        ("1 2 3", "1", "1", "2 3"),
        ("1 2 1", "2", "1 2", "1"),
        ("1 2 1", "1", "1 2 1", ""),
        ("1 2", "", "1 2", ""),
        ("1 9 2", "2", "1 2", ""),
        ("1 9", "1", "1", ""),
    ],
)
def test_the_list_follows_the_alias(listed: str, now: str, kept: str, left: str) -> None:
    assert in_line(listed.split(), now, "1234") == (tuple(kept.split()), tuple(left.split()))


@pytest.mark.parametrize(
    ("version", "champions", "words"), [("3", ("1", "2", "3"), "1 2 3"), ("1", ("1",), "is now 1")]
)
def test_a_kill_between_alias_and_list_is_mended_and_told(
    store: TrackingConfig,
    register: Register,
    capsys: pytest.CaptureFixture[str],
    version: str,
    champions: tuple[str, ...],
    words: str,
) -> None:
    from mlflow import MlflowClient

    for made in (register(), register()):
        promote(store, made)
    register()
    MlflowClient(store.uri).set_registered_model_alias("segml", CHAMPION, version)  # and here the command was killed
    code, out, _ = command(capsys, store, "list")
    assert code == 0
    assert "note: the list of champions was 1 2, but version" in out
    assert words in out
    assert opened(store).champions() == champions
    assert "note" not in command(capsys, store, "list")[1]


def test_a_promotion_that_rests_on_another_champion_is_not_made(store: TrackingConfig, register: Register) -> None:
    from segml.tracking.versions import ChampionChangedError

    for made in (register(), register(), register()):
        promote(store, made)
    with pytest.raises(ChampionChangedError):
        promote(store, "1", in_place_of="2")
    assert aliases(store) == {"champion": "3"}


def test_rivals_leave_one_champion_and_a_list_that_ends_with_it(store: TrackingConfig, register: Register) -> None:
    versions = [register() for _number in range(4)]
    together = Barrier(len(versions))

    def rival(version: str) -> None:
        together.wait()
        promote(store, version)

    threads = [Thread(target=rival, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    champions = opened(store).champions()
    assert sorted(champions) == versions
    assert aliases(store) == {"champion": champions[-1]}
    assert opened(store).mend() == ""


def test_the_list_is_a_table_and_a_json(
    store: TrackingConfig,
    register: Register,
    settle: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settle(register())
    settle(register())
    register()
    code, out, _ = command(capsys, store, "list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[2:5]] == [
        ["3", "not", "judged"],
        ["2", "challenger", "nothing"],
        ["1", "champion", "first"],
    ]
    assert "Champions so far: 1" in out
    told = json.loads(command(capsys, store, "list", "--json")[1])
    assert (told["champion"], told["challenger"], told["champions"]) == ("1", "2", ["1"])
    assert [version["standing"] for version in told["versions"]] == ["not judged", "nothing new", "first"]


def test_compare_tells_and_changes_nothing(
    store: TrackingConfig,
    register: Register,
    settle: Callable[..., Verdict],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settle(register())
    register(BETTER, noise=0.5)
    code, out, _ = command(capsys, store, "compare")
    assert code == 0
    assert "By the rule: Version 2 becomes champion in place of version 1." in out
    assert "churn roc auc" in out
    assert "Nothing was changed. To promote it: python -m segml.registry promote 2" in out
    assert aliases(store) == {"champion": "1"}
    told = json.loads(command(capsys, store, "compare", "--version", "1", "--with", "2", "--json")[1])
    assert (told["version"], told["with"], told["outcome"]) == ("1", "2", "worse")


def test_a_promotion_by_hand_keeps_its_reason(
    store: TrackingConfig, register: Register, capsys: pytest.CaptureFixture[str]
) -> None:
    promote(store, register())
    register()
    code, out, _ = command(capsys, store, "promote", "2", "--reason", "the new catalogue")
    assert (code, out) == (0, "Version 2 is champion now; before it was version 1.\n")
    assert opened(store).version("2").tags["segml.promotion_reason"] == "the new catalogue"
    told = json.loads(command(capsys, store, "promote", "champion", "--json")[1])
    assert told["said"] == "Version 2 is champion already; nothing was changed."
    assert opened(store).version("2").tags["segml.promotion_reason"] == "the new catalogue"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("promote", "9"), r"has no version '9'; there are versions 1; aliases champion \(version 1\)"),
        (("compare", "--version", "best"), "has no version 'best'"),
        (("compare",), "version 1 is the only one, and champion"),
        (("compare", "--version", "1"), "version 1 cannot be compared with itself"),
    ],
)
def test_what_there_is_not_is_told(
    store: TrackingConfig,
    register: Register,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    message: str,
) -> None:
    promote(store, register())
    code, out, err = command(capsys, store, *words)
    assert (code, out) == (2, "")
    assert pd.Series([err]).str.contains(message).all(), err


@pytest.mark.parametrize("words", [("list",), ("compare",), ("promote", "1"), ("rollback",)])
def test_an_empty_registry_is_told(
    store: TrackingConfig, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, _, err = command(capsys, store, *words)
    assert code == 2
    assert "holds no version of the model 'segml'; train first" in err


def test_a_store_that_there_is_not_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = command(capsys, TrackingConfig(uri=f"sqlite:///{tmp_path}/none.db"), "list")
    assert code == 2
    assert "there is no tracking store at" in err
    assert list(tmp_path.iterdir()) == []


def test_asking_for_help_does_not_import_mlflow() -> None:
    code = "import sys, segml.registry; sys.exit('mlflow' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
