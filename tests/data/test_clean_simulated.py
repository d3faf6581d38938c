"""Known truth: every error that the simulator plants is found, and nothing else."""

from datetime import date

import pandas as pd
import pytest

from segml.config import CleaningConfig, DemoConfig
from segml.data.clean import Cleaned, clean
from segml.data.customers import Deduplicated, deduplicate
from segml.data.simulate import World, simulate


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(DemoConfig(customers=300, days=600))


@pytest.fixture(scope="module")
def cards(world: World) -> Deduplicated:
    return deduplicate(world.customers)


@pytest.fixture(scope="module")
def cleaned(world: World, cards: Deduplicated) -> Cleaned:
    return clean(world.transactions, CleaningConfig(), today=date(2026, 1, 1), aliases=cards.aliases)


def test_every_planted_error_is_taken_by_its_rule_and_nothing_else_is(world: World, cleaned: Cleaned) -> None:
    errors = world.truth_errors[world.truth_errors["table"] == "transactions"]
    planted = errors.groupby("rule")["lines"].sum().to_dict()
    planted["cancellations"] *= 2  # the ledger counts the purchase and the line that cancels it
    found = {row.rule: row.tally.lines for row in cleaned.ledger.rows if row.kind == "taken" and row.tally.lines}
    assert found == {rule: planted[rule] for rule in found}
    rules = {row.rule for row in cleaned.ledger.rows if row.kind == "taken"}
    assert rules - set(found) <= {"bad_exchange_rate", "excluded_order"}


def test_the_lines_are_the_true_ones(world: World, cleaned: Cleaned) -> None:
    true = world.truth_lines[world.truth_lines["spoilt"].isna()]
    columns = ["customer_id", "order_id", "ordered_at", "amount", "product_id", "quantity", "cancelled_at"]
    found = cleaned.lines.select(*columns).to_pyarrow().to_pandas()
    pd.testing.assert_frame_equal(_sorted(found), _sorted(true[columns]), check_dtype=False)


def test_second_cards_and_only_they_are_merged_into_the_first(world: World, cards: Deduplicated) -> None:
    second = world.truth_cards[world.truth_cards["card_id"] != world.truth_cards["customer_id"]]
    assert len(second) > 5
    merged: dict[str, str] = dict(cards.aliases.itertuples(index=False))
    assert merged == dict(zip(second["card_id"], second["customer_id"], strict=True))


def _sorted(lines: pd.DataFrame) -> pd.DataFrame:
    return lines.sort_values(list(lines.columns), ignore_index=True)
