"""A study's file: what it may say, and that all that is wrong with it is told at once, before anything runs."""

from datetime import date
from pathlib import Path

import pytest

from segml import config
from segml.experiment import Study, load
from segml.experiment.metrics import known
from segml.experiment.naming import combinations
from segml.pipeline import Training
from segml.schema import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def study(folder: Path, text: str, *overrides: str) -> Study:
    return load(written(folder, f"question: q\n{text}"), overrides)


def test_a_study_of_few_lines_has_its_defaults(tmp_path: Path) -> None:
    made = study(tmp_path, "variants:\n  plain:\n  direct: {churn.model: direct}")
    assert [variant.name for variant in made.variants] == ["plain", "direct"]
    assert [variant.configs[0].churn.model for variant in made.variants] == ["hazard", "direct"]
    assert (made.name, made.command, made.reference, made.answer) == ("study", "backtest", "plain", "")
    assert made.metrics[0] == "churn/roc_auc"
    assert made.folder == tmp_path / "study"


def test_what_is_nearer_to_the_variant_wins_and_the_command_line_over_all(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "base.yaml").write_text(
        "churn: {bootstrap: 1, max_snapshots: 2, spacing_days: 3, min_snapshots: 4}", encoding="utf-8"
    )
    text = """
config: configs/base.yaml
set: {churn.max_snapshots: 20, churn.spacing_days: 30, churn.min_snapshots: 40}
variants: {a: {churn.spacing_days: 300, churn.min_snapshots: 400}}
"""
    churn = study(tmp_path, text, "churn.min_snapshots=4000").variants[0].configs[0].churn
    assert (churn.bootstrap, churn.max_snapshots, churn.spacing_days, churn.min_snapshots) == (1, 20, 300, 4000)


def test_seeds_and_dates_reach_every_configuration(tmp_path: Path) -> None:
    made = study(tmp_path, "variants: {a: }\nseeds: [3, 4]\ndates: [2025-04-01, 2025-07-01]")
    assert [settings.seed for settings in made.variants[0].configs] == [3, 4]
    assert {settings.backtest.as_of for settings in made.variants[0].configs} == {(date(2025, 4, 1), date(2025, 7, 1))}
    assert made.base.backtest.as_of == (date(2025, 4, 1), date(2025, 7, 1))


def test_a_grid_is_the_product_of_its_lists_and_named_by_what_differs() -> None:
    named, problems = combinations({}, {"segments.clusters.kmeans.k": [3, 4], "churn.model": ["hazard", "direct"]})
    assert list(named) == ["k=3, model=hazard", "k=3, model=direct", "k=4, model=hazard", "k=4, model=direct"]
    assert named["k=4, model=hazard"] == {"segments.clusters.kmeans.k": 4, "churn.model": "hazard"}
    assert problems == []


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
set: {churn.bootstrap: many}
variants:
  good: {churn.model: direct}
  twin: {churn.model: direct}
  typo: {churn.modle: direct}
  wrong: {horizon_days: 3}
reference: godo
metrics: [churn/roc_au, nothing/like_it]
"""
    with pytest.raises(ConfigError) as caught:
        study(tmp_path, text.replace("many", "100"))
    assert str(caught.value).splitlines() == [
        f"6 errors in {tmp_path / 'study.yaml'}",
        "  variant 'typo': churn.modle: unknown key; did you mean 'model'?",
        "  variant 'wrong': horizon_days: this should be greater than or equal to 7; found 3",
        "  variant 'twin' gives what 'good' gives: no key that changes results differs",
        "  reference: there is no variant 'godo'; did you mean 'good'?",
        "  metrics: 'churn/roc_au' is no metric of backtest; did you mean 'churn/roc_auc'?",
        "  metrics: 'nothing/like_it' is no metric of backtest; there are churn/roc_auc, churn/average_precision, "
        "churn/brier, churn/ece, churn/lift_at_10, …",
    ]
    with pytest.raises(ConfigError, match=r"(?s)churn\.bootstrap: .* found 'many'\n  variant 'typo': churn\.modle"):
        study(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: {a: }\nvariant: {}", r"variant: unknown key; did you mean 'variants'\?"),
        ("variants: {a: }\ncommand: score", r"command: this should be 'backtest' or 'train'; found 'score'"),
        ("variants: {a: }\nvariants: {b: }", r"line 3: the key 'variants' is given twice"),
        ("variants:\n  a:\n  a: {churn.model: direct}", r"line 4: the key 'a' is given twice"),
        ("set: {seed: 1}", r"variants: there are none; name some, or give a grid"),
        ("grid: {horizon_days: []}", r"grid\.horizon_days: .* at least 1 item"),
        ("grid: {horizon_days: [30, 30]}", r"grid: two combinations are called 'horizon_days=30'"),
        ("variants: {a: {seed: 1}}\ngrid: {seed: [2]}", r"grid: 'seed' is set by variants too; keep one"),
        ("variants: {a: }\nconfig: nowhere.yaml", r"nowhere\.yaml does not exist"),
        ("variants: {a: }\nmetrics: [segments/agreement]", r"'segments/agreement' is no metric of backtest"),
    ],
)
def test_what_is_wrong_is_told_with_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        study(tmp_path, text)


def test_a_study_without_a_question_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"question: Field required"):
        load(written(tmp_path, "variants: {a: }"))


def test_an_unknown_variant_is_refused_by_its_near_miss(tmp_path: Path) -> None:
    made = study(tmp_path, "variants: {plain: , direct: {churn.model: direct}}")
    assert [variant.name for variant in made.chosen(["direct"])] == ["direct"]
    with pytest.raises(ConfigError, match=r"--only: .* has no variant 'dirct'; did you mean 'direct'\?"):
        made.chosen(["dirct"])


def test_every_metric_of_a_training_may_be_compared(small_training: Training) -> None:
    points = {name for name in small_training.metrics if not name.endswith(("_low", "_high"))}
    assert points <= set(known("train"))
    assert set(known("backtest")) < set(known("train"))


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "experiments").glob("*.yaml")), ids=lambda p: p.name
)
def test_the_studies_that_come_with_the_project_are_valid(path: Path) -> None:
    made = load(path)
    assert made.answer
    assert len({config.digest(settings) for variant in made.variants for settings in variant.configs}) == len(
        made.variants
    )
