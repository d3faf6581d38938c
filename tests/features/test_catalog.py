"""The list of features is complete, unambiguous and documented."""

from pathlib import Path
from typing import get_args

import pytest

from segml import features
from segml.features.catalog import FAMILIES, definitions
from segml.features.docs import render
from segml.features.spec import Group

# fmt: off
RELIED_UPON = {
    "recency_days", "tenure_days", "order_count", "purchase_day_count", "order_count_30d", "order_count_90d",
    "order_count_180d", "order_count_365d", "gap_mean_days", "gap_cv", "gap_shrunk_days", "recency_to_gap",
    "active_month_share", "revenue_total", "revenue_30d", "revenue_90d", "revenue_180d", "revenue_365d",
    "order_value_mean", "order_value_cv", "order_value_last_to_mean", "margin_365d", "margin_share_365d",
    "discount_share_365d", "run_rate_daily", "revenue_30d_to_run_rate", "revenue_90d_to_run_rate",
    "revenue_180d_to_run_rate", "revenue_90d_last_year", "revenue_365d_previous", "revenue_slope",
    "product_count_365d", "category_count_365d", "repeat_product_share", "new_product_share_90d",
    "top_product_share", "lines_per_order", "lines_last3_to_mean", "products_last3_to_mean", "return_share_365d",
    "return_line_count_365d", "order_intensity", "top_category", "region",
}
# fmt: on


def test_the_features_that_others_rest_on_are_there() -> None:
    assert {feature.name for feature in features.CATALOG} >= RELIED_UPON


def test_no_name_is_given_twice() -> None:
    names = [definition.name for definition in definitions()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("feature", features.CATALOG, ids=lambda feature: feature.name)
def test_a_feature_says_what_it_is(feature: features.Feature) -> None:
    assert feature.group in get_args(Group)
    assert feature.family in {family.FAMILY for family in FAMILIES}
    assert feature.unit
    assert len(feature.meaning) > 10
    assert not feature.meaning.endswith(".")
    assert "|" not in feature.meaning


def test_models_read_all_features_but_these() -> None:
    told = {feature.name for feature in features.CATALOG} - set(features.model_inputs())
    assert told == {"top_category", "region", "product_count_365d_to_previous", "category_count_365d_to_previous"}


def test_the_page_of_features_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    assert page.read_text(encoding="utf-8") == render(), "python -m segml.features.docs > docs/features.md"
