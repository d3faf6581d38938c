"""One recipe serves any one date, and money is added up in the cheaper type only where nothing can exceed it."""

import importlib
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.conftest import Maker
from segml import features
from segml.config import FeaturesConfig
from segml.data.engine import connect, to_table
from segml.features import recipe as recipes
from segml.features.dates import AsOfDates
from segml.features.snapshots import collect, typed

built = importlib.import_module("segml.features.build")
AS_OF = pd.Timestamp("2023-06-12 07:08:09")


def order(day: str, amount: float) -> dict[str, Any]:
    return {"customer_id": "a", "order_id": day, "ordered_at": pd.Timestamp(day), "amount": amount}


def test_features_at_another_date_write_no_other_recipe(
    random_lines: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    features.build(random_lines, "2023-06-12")
    monkeypatch.setattr(recipes, "write", None)
    assert len(features.build(random_lines, AS_OF)) > 0


def test_a_recipe_for_any_date_gives_what_one_for_this_date_gives(random_lines: pd.DataFrame) -> None:
    dates, config, lines = AsOfDates.of(AS_OF), FeaturesConfig(), typed(to_table(random_lines))
    with recipes.follow(built._recipe(dates, config), lines, dates) as aggregated:
        own = collect(aggregated).sort_values("customer_id", ignore_index=True)
    with built.aggregates(random_lines, AS_OF, config) as aggregated:
        assert_frame_equal(collect(aggregated).sort_values("customer_id", ignore_index=True), own, check_exact=True)


@pytest.fixture
def types_used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether money was added up in the short type, build by build."""
    used: list[bool] = []
    decide = recipes._is_short

    def recorded(*arguments: Any) -> bool:
        used.append(decide(*arguments))
        return used[-1]

    monkeypatch.setattr(recipes, "_is_short", recorded)
    return used


@pytest.mark.parametrize("dates", [[AS_OF], ["2022-09-01", "2023-03-13", AS_OF]])
@pytest.mark.parametrize("huge", [6e11, 1e18])
def test_the_type_of_money_changes_no_bit(
    random_lines: pd.DataFrame, types_used: list[bool], dates: list[Any], huge: float
) -> None:
    short = features.build(random_lines, dates)
    later = random_lines.head(1).assign(ordered_at=AS_OF, amount=huge)
    assert_frame_equal(features.build(pd.concat([random_lines, later]), dates), short, check_exact=True)
    assert types_used == [True, False]


@pytest.mark.parametrize("column", ["amount", "margin", "discount"])
def test_any_column_of_money_may_be_too_large_for_the_short_type(
    line_maker: Maker, types_used: list[bool], column: str
) -> None:
    lines = line_maker([order("2023-01-01", 5.0), order("2023-02-01", -7.0)])
    features.build(lines, AS_OF)
    features.build(lines.assign(**{column: -4e11}), AS_OF)
    assert types_used == [True, False]


def test_money_just_below_the_limit_fits_into_the_short_type(line_maker: Maker, types_used: list[bool]) -> None:
    lines = line_maker([order(f"2023-01-0{day}", 4.99e11 / 4) for day in (1, 2, 3, 4)])
    table = features.build(to_table(lines, connect(threads=1)), AS_OF).iloc[0]
    assert types_used == [True]
    assert table["revenue_total"] == 4.99e11
    assert table["revenue_365d"] == 4.99e11
