"""What the report says of profit, of silent categories and of next orders."""

from dataclasses import replace

import pandas as pd
import pytest

from segml.config import Config
from segml.language import speaking
from segml.report import ReportContent
from segml.report.sections.money import money

PROFIT = {
    "profit/listed": 5_000.0,
    "profit/listed_low": 4_000.0,
    "profit/listed_high": 6_000.0,
    "profit/listed_share": 0.25,
    "profit/everyone": -700.0,
    "profit/run_rate": 3_000.0,
    "profit/p_stagnation": 1_000.0,
    "profit/perfect": 8_000.0,
    "profit/margin_rate": 0.3,
}


def with_cost(config: Config) -> Config:
    actions = config.actions.model_copy(update={"contact_cost": 40.0, "success_rate": 0.15})
    return config.model_copy(update={"actions": actions})


@pytest.fixture
def costed(content: ReportContent) -> ReportContent:
    backtest = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "as_of": pd.Timestamp("2025-01-01"),
            "p_churn": [0.1, 0.2],
            "p_stagnation": [0.6, 0.5],
            "run_rate": [1000.0, 100.0],
            "lost_revenue": [200.0, 100.0],
        }
    )
    metrics = {**content.metrics, **PROFIT, "next_order/coverage_80": 0.76}
    return replace(content, config=with_cost(content.config), metrics=metrics, backtest=backtest)


def test_without_a_cost_it_says_what_to_set(content: ReportContent) -> None:
    section = money(content)
    assert "set actions.contact_cost" in section["profit"][0]
    assert section["pictures"] == []


def test_with_a_cost_it_tells_terms_profit_interval_and_rivals(costed: ReportContent) -> None:
    terms, earned, compared = money(costed)["profit"]
    assert "costs €40" in terms
    assert "saves 15%" in terms
    assert "30% of that is margin" in terms
    told = "25% of the scored customers were worth it, and contacting them would have earned €5\u202f000"
    assert f"{told} (€4\u202f000 to €6\u202f000)." in earned
    assert "€3\u202f000 by size of account alone, €1\u202f000 by probability alone" in compared
    assert "contacting everybody −€700" in compared
    assert len(money(costed)["pictures"]) == 1


def test_with_a_cost_and_nobody_scored_it_says_so(costed: ReportContent, content: ReportContent) -> None:
    section = money(replace(costed, metrics=content.metrics))
    assert section["profit"] == ["The profit of contacts could not be checked against the past; see the notices."]
    assert section["pictures"] == []


def test_silent_categories_are_counted_and_the_largest_shown(content: ReportContent) -> None:
    section = money(content)
    assert section["silent_told"].startswith("2 customers still buy")
    assert "2 cases, €1\u202f234 of revenue" in section["silent_told"]
    assert [(row["name"], row["category"]) for row in section["silent"]] == [
        ("Müller & <Söhne>", "glue & <tape>"),
        ("", "nails"),
    ]


def test_nothing_silent_is_told_too(content: ReportContent) -> None:
    for silent in (None, content.silent.iloc[:0] if content.silent is not None else None):
        section = money(replace(content, silent=silent))
        assert section["silent"] == []
        assert section["silent_told"].startswith("No customer that still buys")


def test_the_coverage_of_the_next_order_is_told_where_it_was_measured(
    content: ReportContent, costed: ReportContent
) -> None:
    assert money(content)["next_order"] == ""
    assert "it held in 76%" in money(costed)["next_order"]


def test_it_speaks_russian(costed: ReportContent) -> None:
    with speaking("ru"):
        section = money(costed)
    assert "стоит" in section["profit"][0]
    assert "клиента" in section["silent_told"]
