from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml import config
from segml.actions.decisions import DECISIONS
from segml.config import SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA, ConfigError, DataError
from segml.schemes import Custom, CustomRules, Scheme
from segml.schemes.named import RESERVED
from segml.segments.rules import assign_rules, schemes

Table = Callable[..., pd.DataFrame]

WIN_BACK = {
    "rules": {
        "worth a visit": 'lifecycle == "inactive" and revenue_365d > 50000',
        "worth a letter": 'lifecycle == "inactive"',
    },
    "otherwise": "leave alone",
}


def win_back() -> Custom:
    return Custom(key="win_back_value", given=CustomRules(**WIN_BACK))  # type: ignore[arg-type]


def configured(**custom: Any) -> SegmentsConfig:
    return config.from_mapping({"segments": {"custom": custom}}).segments


@pytest.mark.parametrize(
    ("lifecycle", "revenue", "label"),
    [
        ("inactive", 50_000.01, "worth a visit"),
        ("inactive", 50_000, "worth a letter"),
        ("active", 90_000, "leave alone"),
        ("active", np.nan, "leave alone"),
        ("inactive", np.nan, NOT_ENOUGH_DATA),
        (NOT_ENOUGH_DATA, 90_000, NOT_ENOUGH_DATA),
        (NOT_ENOUGH_DATA, 10, NOT_ENOUGH_DATA),
        (None, np.nan, NOT_ENOUGH_DATA),
    ],
)
def test_the_first_rule_that_holds_wins(table: Table, lifecycle: str | None, revenue: float, label: str) -> None:
    assert win_back().assign(table(lifecycle=[lifecycle], revenue_365d=[revenue])).tolist() == [label]


def test_a_true_rule_after_an_unknown_one_does_not_count_and_before_it_does(table: Table) -> None:
    rules = CustomRules(rules={"low": "b < 0", "high": "a > 1", "odd": "b > 1"}, otherwise="rest")
    frame = table(a=[2.0, np.nan, np.nan, np.nan, 0.0, 0.0], b=[np.nan, 2.0, -1.0, 0.0, 0.0, 2.0])
    expected = [NOT_ENOUGH_DATA, NOT_ENOUGH_DATA, "low", NOT_ENOUGH_DATA, "rest", "odd"]
    assert Custom(key="mine", given=rules).assign(frame).tolist() == expected


def test_a_rule_may_ask_whether_a_value_is_known(table: Table) -> None:
    rules = CustomRules(rules={"to ask": "not is_known(potential)"}, otherwise="known")
    mine = Custom(key="mine", given=rules)
    assert mine.assign(table(potential=[None, None])).tolist() == ["to ask", "to ask"]
    assert mine.assign(table(potential=[3.0, None])).tolist() == ["known", "to ask"]


def test_it_is_a_scheme_with_words_of_its_own() -> None:
    scheme: Scheme = win_back()
    assert scheme.name == "win_back_value"
    assert scheme.labels == ("worth a visit", "worth a letter", "leave alone")
    assert scheme.requires == ("lifecycle", "revenue_365d")
    assert scheme.rules() == {**WIN_BACK["rules"], "leave alone": "everyone else"}  # type: ignore[dict-item]
    assert (scheme.title, scheme.question, scheme.criteria) == ("Win back value", "Win back value", 1)
    named = Custom(key="x", given=CustomRules(title="T", question="Q?", rules={"a": "b"}, otherwise="c"))
    assert (named.title, named.question) == ("T", "Q?")


def test_labels_are_ordered_also_without_customers(table: Table) -> None:
    labels = win_back().assign(table(lifecycle=[], revenue_365d=[]))
    assert labels.cat.categories.tolist() == ["worth a visit", "worth a letter", "leave alone", NOT_ENOUGH_DATA]


@pytest.mark.parametrize("customers", [0, 1])
def test_a_missing_column_is_an_error_that_names_its_place(table: Table, customers: int) -> None:
    frame = table(lifecycle=["new"] * customers, revenue_356d=[1.0] * customers)
    with pytest.raises(DataError, match=r"column 29, near 'revenue_365d > 50000'.*did you mean 'revenue_356d'"):
        win_back().assign(frame)


def test_a_customer_twice_is_refused(table: Table) -> None:
    frame = table(lifecycle=["new", "new"], revenue_365d=[1.0, 2.0]).assign(customer_id="ACME")
    with pytest.raises(DataError, match=r"scheme 'win_back_value'.*'ACME' comes more than once"):
        win_back().assign(frame)


def test_the_configuration_makes_schemes_that_come_last_in_their_order() -> None:
    second = {"rules": {"yes": 'win_back_value == "worth a visit"'}, "otherwise": "no"}
    segments = configured(win_back_value=WIN_BACK, to_visit=second)
    assert [scheme.name for scheme in schemes(segments)[-2:]] == ["win_back_value", "to_visit"]
    assert schemes(segments)[-2] == win_back()


def test_a_configuration_with_rules_survives_yaml() -> None:
    whole = config.from_mapping({"segments": {"custom": {"win_back_value": WIN_BACK}}})
    assert config.from_mapping(whole.model_dump(mode="json")) == whole
    assert whole.flat()["segments.custom"]["win_back_value"]["rules"]["worth a letter"] == 'lifecycle == "inactive"'


@pytest.mark.parametrize(
    ("custom", "message"),
    [
        ({"mine": {"rules": {"a": "x.y"}, "otherwise": "b"}}, "custom.mine.rules.a: cannot read 'x.y' at column 1"),
        ({"mine": {"rules": {"a": True}, "otherwise": "b"}}, "custom.mine.rules.a: this should be a valid string"),
        ({"mine": {"rules": {}, "otherwise": "b"}}, r"custom.mine.rules: .*at least 1 item"),
        ({"mine": {"rules": {"a": "x"}}}, "custom.mine.otherwise: Field required"),
        ({"mine": {"rules": {"a": "x"}, "otherwise": "a"}}, "otherwise is 'a', which has a rule already"),
        ({"mine": {"rules": {" ": "x"}, "otherwise": "a"}}, "the label ' ' must be one line of 1 to 60"),
        ({"mine": {"rules": {"a\nb": "x"}, "otherwise": "a"}}, r"the label 'a\\nb' must be one line"),
        ({"mine": {"rules": {"a": "x"}, "otherwise": "b" * 61}}, "must be one line of 1 to 60"),
        ({"mine": {"rules": {"a": "x"}, "otherwise": NOT_ENOUGH_DATA}}, "rests on an unknown value; choose another"),
        ({"Mine": WIN_BACK}, "'Mine' is to be a column: up to 63 lower-case letters"),
        ({"1st": WIN_BACK}, "'1st' is to be a column"),
        ({"tier": WIN_BACK}, "the name 'tier' is taken"),
        ({"rfm": WIN_BACK}, "the name 'rfm' is taken"),
        ({"rfm_segment": WIN_BACK}, "the name 'rfm_segment' is taken"),
        ({"action": WIN_BACK}, "the name 'action' is taken"),
        ({"mine": {"rules": {"a": "mine > 1"}, "otherwise": "b"}}, "'mine' reads 'mine', which is not applied before"),
        (
            {"mine": {"rules": {"a": 'late == "x"'}, "otherwise": "b"}, "late": WIN_BACK},
            "'mine' reads 'late', which is not applied before it",
        ),
    ],
)
def test_a_bad_scheme_is_an_error_of_the_configuration(custom: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configured(**custom)


def test_every_column_of_decisions_is_a_scheme_or_reserved() -> None:
    assert set(DECISIONS) <= RESERVED | {scheme.name for scheme in schemes(SegmentsConfig())}


KEY = {"rules": {"keep": 'tier == "key" and not p_churn > 0.5', "rest": 'tier != "key"'}, "otherwise": "watch"}


def test_rules_read_labels_of_other_schemes_and_scores_that_nobody_has_yet(base: pd.DataFrame) -> None:
    result = assign_rules(base.assign(revenue_cv=0.4, p_churn=np.nan), configured(mine=KEY))
    is_key = result.table["tier"] == "key"
    assert set(result.table.loc[is_key, "mine"]) == {NOT_ENOUGH_DATA}
    assert set(result.table.loc[~is_key, "mine"]) == {"rest"}
    assert list(result.rules["mine"]) == ["keep", "rest", "watch"]


def test_a_misspelt_name_is_refused_with_its_place_and_other_columns_with_what_to_give(base: pd.DataFrame) -> None:
    base = base.assign(revenue_cv=0.4)
    misspelt = configured(mine={"rules": {"a": "0 < revenu_365d"}, "otherwise": "b"})
    with pytest.raises(DataError, match=r"column 5, near 'revenu_365d'.*did you mean 'revenue_365d'"):
        assign_rules(base, misspelt)
    sized = configured(mine={"rules": {"a": "employees > 3"}, "otherwise": "b"})
    with pytest.raises(DataError, match=r"'mine': the data do not tell employees; give data\.customers"):
        assign_rules(base, sized)
    assert "mine" in assign_rules(base, sized, is_strict=False).off


def test_the_name_of_a_feature_is_taken(base: pd.DataFrame) -> None:
    rules = {"rules": {"a": 'lifecycle == "new"'}, "otherwise": "b"}
    with pytest.raises(DataError, match="a column of the features has the name of the scheme 'revenue_365d'"):
        assign_rules(base.assign(revenue_cv=0.4), configured(revenue_365d=rules))
