"""Price behaviour, order pattern, season, channel and needs: how and what for customers buy."""

from collections.abc import Callable

import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import BuyingSeason, Need, OrderPattern, PriceBehaviour, SalesChannel

Table = Callable[..., pd.DataFrame]
nan = float("nan")


def test_price_behaviour_at_its_lines(table: Table) -> None:
    features = table(discount_share_365d=[0.0, 0.0299, 0.03, 0.0999, 0.10, 0.5, nan])
    expected = ["full price", "full price", "mixed", "mixed", "price seeker", "price seeker", NOT_ENOUGH_DATA]
    assert PriceBehaviour().assign(features).tolist() == expected
    assert PriceBehaviour().rules()["price seeker"].startswith("discounts took 10% and more")


def test_lines_of_price_behaviour_may_meet_but_not_cross(table: Table) -> None:
    scheme = PriceBehaviour(seeker_from=0.1, full_price_below=0.1)
    assert scheme.assign(table(discount_share_365d=[0.1, 0.0999])).tolist() == ["price seeker", "full price"]
    with pytest.raises(ValidationError, match=r"full_price_below \(0.2\) must be at most seeker_from \(0.1\)"):
        PriceBehaviour(seeker_from=0.1, full_price_below=0.2)


def test_order_pattern_at_the_median_and_at_half_of_the_orders(table: Table) -> None:
    features = table(order_value_mean=[10, 20, 20, 5, 90, 1], top_up_order_share=[0.5, 0.5, 0.49, 0.0, nan, 1.0])
    assert OrderPattern().assign(features).tolist() == [
        "large and urgent",
        "large and urgent",
        "large and planned",
        "small and planned",
        NOT_ENOUGH_DATA,
        "small and urgent",
    ]


def test_the_median_is_that_of_the_customers_who_can_be_placed(table: Table) -> None:
    features = table(order_value_mean=[10, 20, 1000, 1000], top_up_order_share=[0, 0, nan, nan])
    assert OrderPattern().assign(features).tolist()[:2] == ["small and planned", "large and planned"]


def test_the_rule_of_an_order_pattern_tells_both_halves() -> None:
    assert OrderPattern(urgent_from=0.4).rules()["small and urgent"] == (
        "mean order below the base's median, 40% and more of orders less than a week after the one before"
    )


def test_a_season_that_holds_its_share_is_the_customers(table: Table) -> None:
    features = table(
        peak_season=["winter", "spring", "summer", "autumn", "winter", None],
        peak_season_share=[0.4, 0.41, 1.0, 0.4, 0.3999, nan],
        order_count_365d=[4, 9, 9, 9, 4, 9],
    )
    expected = ["winter", "spring", "summer", "autumn", "all year", NOT_ENOUGH_DATA]
    assert BuyingSeason().assign(features).tolist() == expected


def test_three_orders_make_no_season(table: Table) -> None:
    features = table(peak_season=["winter"] * 2, peak_season_share=[1.0, 0.3], order_count_365d=[3, 3])
    assert BuyingSeason().assign(features).tolist() == [NOT_ENOUGH_DATA] * 2
    assert BuyingSeason(min_orders=3).assign(features).tolist() == ["winter", "all year"]


def test_frequent_channels_go_by_name_and_rare_ones_together(table: Table) -> None:
    features = table(top_channel=["web", "web", "phone", "fax", "phone", None])
    scheme = SalesChannel(at_most=2)
    assert scheme.assign(features).tolist() == ["web", "web", "phone", "other", "phone", NOT_ENOUGH_DATA]
    assert list(scheme.declared(scheme.known(features))) == ["phone", "web", "other"]


def test_a_need_stands_out_from_its_lift_on(table: Table) -> None:
    features = table(affinity_category=["glue", "glue", "tape", None], affinity_lift=[1.2, 1.19, 3.0, nan])
    scheme = Need()
    assert scheme.assign(features).tolist() == ["glue", "mixed", "tape", NOT_ENOUGH_DATA]
    assert scheme.declared(scheme.known(features)) == {
        "glue": "affinity_category = glue",
        "tape": "affinity_category = tape",
        "mixed": "no category has 1.2 times its share of the base's spend",
    }


def test_rare_needs_share_a_label(table: Table) -> None:
    features = table(affinity_category=["a", "a", "b", "c", "c"], affinity_lift=[2.0, 2.0, 2.0, 2.0, 1.0])
    scheme = Need(at_most=1)
    assert scheme.assign(features).tolist() == ["a", "a", "other", "other", "mixed"]
    assert list(scheme.declared(scheme.known(features))) == ["a", "other", "mixed"]


def test_all_needs_may_be_mixed(table: Table) -> None:
    features = table(affinity_category=["glue", "glue"], affinity_lift=[1.0, 1.0])
    assert Need().assign(features).tolist() == ["mixed", "mixed"]
    assert list(Need().declared(features)) == ["mixed"]


def test_a_declared_need_is_taken_at_its_word(table: Table) -> None:
    features = table(task=["packing", "gluing", None], affinity_category=["glue"] * 3, affinity_lift=[9.0] * 3)
    scheme = Need(from_column="task")
    assert scheme.requires == ("task",)
    assert scheme.assign(features).tolist() == ["packing", "gluing", NOT_ENOUGH_DATA]
    assert scheme.declared(scheme.known(features)) == {"gluing": "task = gluing", "packing": "task = packing"}
