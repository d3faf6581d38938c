from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from segml import config
from segml.schema import NOT_ENOUGH_DATA, ConfigError, DataError
from segml.schemes import Nested, NestedLevels
from segml.segments.rules import schemes

Table = Callable[..., pd.DataFrame]


def nested(least: int = 2, **levels: str | tuple[str, ...]) -> Nested:
    given = NestedLevels.model_validate({"levels": levels, "min_customers": least})
    return Nested(key="approach", given=given)


def labelled(frame: pd.DataFrame, least: int = 2) -> list[str]:
    return nested(least, operating="channel", purchasing="tier").assign(frame).tolist()


def test_each_level_splits_the_one_before(table: Table) -> None:
    frame = table(channel=["web"] * 4 + ["fax"] * 2, tier=["key", "small"] * 2 + ["key"] * 2)
    expected = ["web > key", "web > small", "web > key", "web > small", "fax > key", "fax > key"]
    assert labelled(frame) == expected


def test_a_branch_of_exactly_the_fewest_customers_is_split_off_and_one_fewer_is_not(table: Table) -> None:
    frame = table(channel=["web"] * 5, tier=["key"] * 3 + ["small"] * 2)
    assert labelled(frame, least=2) == ["web > key"] * 3 + ["web > small"] * 2
    assert labelled(frame, least=3) == ["web > key"] * 3 + ["web > other"] * 2


def test_small_branches_share_one_other_within_their_parent(table: Table) -> None:
    frame = table(
        channel=["web"] * 6 + ["fax", "post"], tier=["key"] * 2 + ["new"] * 2 + ["small", "odd"] + ["key"] * 2
    )
    expected = ["web > key"] * 2 + ["web > new"] * 2 + ["web > other"] * 2 + ["other > key"] * 2
    assert labelled(frame) == expected


def test_a_branch_without_a_large_enough_value_ends_there(table: Table) -> None:
    frame = table(channel=["web"] * 3 + ["fax"], tier=["key", "new", "small", "key"])
    assert labelled(frame) == ["web", "web", "web", "other"]


def test_where_no_branch_is_large_enough_all_are_other(table: Table) -> None:
    assert labelled(table(channel=["web"], tier=["key"])) == ["other"]


def test_a_value_called_other_is_the_rest(table: Table) -> None:
    frame = table(channel=["other"] * 3 + ["web"] * 2 + ["fax"], tier=["key"] * 6)
    assert labelled(frame) == ["other > key"] * 3 + ["web > key"] * 2 + ["other > key"]


def test_an_unknown_value_at_any_level_is_not_enough_data_and_does_not_count(table: Table) -> None:
    frame = table(channel=["web", "web", "web", None], tier=["key", "key", NOT_ENOUGH_DATA, "key"])
    assert labelled(frame, least=2) == ["web > key", "web > key", NOT_ENOUGH_DATA, NOT_ENOUGH_DATA]
    assert labelled(frame, least=3) == ["other", "other", NOT_ENOUGH_DATA, NOT_ENOUGH_DATA]


def test_labels_follow_the_order_of_the_levels_own_labels_and_text_follows_its_name(table: Table) -> None:
    tier = pd.Categorical(["small", "key", "small", "key"], ["key", "small", NOT_ENOUGH_DATA], ordered=True)
    frame = table(channel=["web", "web", "fax", "fax"]).assign(tier=tier)
    expected = ["fax > key", "fax > small", "web > key", "web > small", NOT_ENOUGH_DATA]
    labels = nested(1, operating="channel", purchasing="tier").assign(frame)
    assert labels.cat.categories.tolist() == expected


def test_a_level_may_hold_several_columns_and_criteria_count_columns(table: Table) -> None:
    scheme = nested(1, personal=("channel", "tier"), need="need")
    assert (scheme.criteria, scheme.requires) == (3, ("channel", "tier", "need"))
    frame = table(channel=["web", "web"], tier=["key", "key"], need=["glue", "tape"])
    assert scheme.assign(frame).tolist() == ["web > key > glue", "web > key > tape"]


def test_every_path_is_told_in_words(table: Table) -> None:
    frame = table(channel=["web"] * 3 + ["fax"], tier=["key", "key", "small", "key"])
    scheme = nested(operating="channel", purchasing="tier")
    assert scheme.declared(scheme.known(frame)) == {
        "web > key": "operating: channel = web; purchasing: tier = key",
        "web > other": "operating: channel = web; purchasing: tier other than key",
        "other": "operating: channel other than web",
    }
    assert scheme.rules() == {"other": "values of fewer than 2 customers"}
    one = frame.iloc[:1]
    assert scheme.declared(scheme.known(one)) == scheme.rules()


def test_the_order_of_rows_is_irrelevant(base: pd.DataFrame) -> None:
    scheme = nested(20, where="region", what="top_category")
    labels = scheme.assign(base)
    assert labels.nunique() == 3
    shuffled = scheme.assign(base.sample(frac=1, random_state=3)).sort_index()
    pd.testing.assert_series_equal(shuffled, labels)


def test_numbers_are_no_level(table: Table) -> None:
    with pytest.raises(DataError, match=r"level 'size' of scheme 'approach' reads 'employees'.*by a custom scheme"):
        nested(size="employees").assign(table(employees=[1.0, 2.0]))


def test_the_configuration_makes_nested_schemes_after_the_custom_ones() -> None:
    custom = {"worth": {"rules": {"much": "revenue_365d > 1"}, "otherwise": "little"}}
    levels = {"demographics": "company_size", "purchasing": ["tier", "worth"]}
    segments = config.from_mapping(
        {"segments": {"nested": {"approach": {"levels": levels}}, "custom": custom}}
    ).segments
    last, approach = schemes(segments)[-2:]
    assert (last.name, approach.name, approach.criteria) == ("worth", "approach", 3)
    assert approach.requires == ("company_size", "tier", "worth")


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({}, "nested.approach.levels: .*at least 1 item"),
        ({"a": []}, "nested.approach.levels.a: .*at least 1 item"),
        ({"a": "tier", "b": ["abc", "tier"]}, r"levels name \['tier'\] more than once"),
        ({"a": 3}, "nested.approach.levels.a: this should be a valid"),
        ({"a": "approach"}, "'approach' reads 'approach', which is not applied before it"),
    ],
)
def test_bad_levels_are_an_error_of_the_configuration(levels: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config.from_mapping({"segments": {"nested": {"approach": {"levels": levels}}}})


def test_a_custom_and_a_nested_scheme_do_not_share_a_name() -> None:
    custom = {"approach": {"rules": {"much": "revenue_365d > 1"}, "otherwise": "little"}}
    with pytest.raises(ConfigError, match="the name 'approach' is taken"):
        config.from_mapping({"segments": {"custom": custom, "nested": {"approach": {"levels": {"a": "tier"}}}}})
