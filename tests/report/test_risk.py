from dataclasses import replace

import pytest

from segml.report import ReportContent
from segml.report.sections.risk import risk, verdict


def figures(**values: float) -> dict[str, float]:
    return {name.replace("__", "/"): value for name, value in values.items()}


AHEAD = figures(
    churn__roc_auc=0.79,
    churn__roc_auc_low=0.78,
    churn__roc_auc_high=0.80,
    baseline__pareto_nbd_churn_roc_auc=0.77,
    baseline__recency_churn_roc_auc=0.59,
    baseline__pareto_nbd_stagnation_roc_auc=0.99,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "The model is ahead of every baseline. The best of them is “Pareto/NBD” (0.790 against 0.770)."),
        ({"baseline/pareto_nbd_churn_roc_auc": 0.785}, "but within the margin of error: it may be luck."),
        ({"baseline/pareto_nbd_churn_roc_auc": 0.78}, "but within the margin of error: it may be luck."),
        ({"baseline/pareto_nbd_churn_roc_auc": 0.79}, "ranks at least as well as the model (0.790 against 0.790)"),
        ({"baseline/own_rule_churn_roc_auc": 0.85}, "The baseline “own rule” ranks at least as well as the model"),
        ({"churn/roc_auc_low": 0.49}, "It can hardly be told from a coin toss."),
    ],
)
def test_the_verdict_is_honest_about_baselines(change: dict[str, float], words: str) -> None:
    assert words in verdict(AHEAD | change, "churn")


def test_a_paired_interval_decides_where_there_is_one() -> None:
    close = AHEAD | {"baseline/pareto_nbd_churn_roc_auc": 0.785}
    assert "ahead of every baseline" in verdict(close | {"churn/roc_auc_minus_pareto_nbd_low": 0.001}, "churn")
    assert "it may be luck" in verdict(AHEAD | {"churn/roc_auc_minus_pareto_nbd_low": -0.001}, "churn")


def test_without_an_interval_a_lead_proves_nothing() -> None:
    bare = {name: value for name, value in AHEAD.items() if not name.endswith(("_low", "_high"))}
    assert "it may be luck" in verdict(bare, "churn")


def test_without_a_baseline_nothing_is_claimed() -> None:
    assert "No baseline was computed" in verdict({"churn/roc_auc": 0.9}, "churn")


CALLED = {
    f"conformal/{target}_{name}": value
    for target in ("churn", "stagnation")
    for name, value in {
        "coverage_cases": 0.93,
        "coverage_others": 0.88,
        "called_will": 0.11,
        "called_safe": 0.2,
    }.items()
}


def test_calls_are_told_with_what_they_held_to(content: ReportContent) -> None:
    churn = content.config.churn.model_copy(update={"conformal_error": 0.1})
    config = content.config.model_copy(update={"churn": churn})
    told = risk(replace(content, config=config, metrics={**content.metrics, **CALLED}))["calls"]
    assert told[0] == (
        "Calls of churn, with an error of 10% allowed: out of time 93% of those who left had not been called safe, and "
        "88% of those who stayed had not been called to leave; 31% of all were called either."
    )
    assert told[1].startswith("Calls of stagnation, with an error of 10% allowed")
    assert risk(content)["calls"] == []
