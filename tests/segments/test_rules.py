import numpy as np
import pandas as pd
import pytest

from segml.config import SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes import Abc, Scheme, Xyz
from segml.schemes.scheme import Labels, Rules
from segml.segments import assign_rules, label, profiles
from segml.segments.rules import CORE, schemes

CONFIG = SegmentsConfig()


def test_all_labels_stand_side_by_side_and_none_is_null(base: pd.DataFrame) -> None:
    result = assign_rules(base.sample(frac=1, random_state=3), CONFIG)
    assert result.table["customer_id"].tolist() == sorted(base["customer_id"])
    assert {"rfm_cell", *CORE} <= set(result.table.columns)
    assert result.table[list(result.rules)].notna().all(axis=None)


def test_a_scheme_is_either_on_or_off_with_a_reason(base: pd.DataFrame) -> None:
    result = assign_rules(base, CONFIG)
    names = [scheme.name for scheme in schemes(CONFIG)]
    assert sorted([*result.rules, *result.off]) == sorted(names)
    assert list(result.rules) == [scheme.name for scheme in result.schemes]
    assert "give data.columns.discount" in result.off["price_behaviour"]


def test_a_column_that_tells_nothing_turns_a_scheme_off_but_never_a_core_one(base: pd.DataFrame) -> None:
    silent = base.assign(margin_365d=np.nan, revenue_cv=np.nan)
    result = assign_rules(silent, CONFIG)
    assert "margin" in result.off["value"]
    assert (result.table["xyz"] == NOT_ENOUGH_DATA).all()
    assert "xyz" not in result.off


def test_a_scheme_that_rests_on_one_that_is_off_says_so(base: pd.DataFrame) -> None:
    nested = SegmentsConfig.model_validate(
        {"nested": {"approach": {"levels": {"who": "company_size", "what": "tier"}}}}
    )
    result = assign_rules(base, nested, is_strict=False)
    assert result.off["approach"].startswith("it rests on company_size, which is off: the data do not tell employees")
    with pytest.raises(DataError, match="cannot serve: 'approach': it rests on company_size"):
        assign_rules(base, nested)


def test_only_schemes_that_are_asked_for_are_on_beside_the_core_ones(base: pd.DataFrame) -> None:
    result = assign_rules(base, SegmentsConfig(schemes=("value",)))
    assert set(result.rules) == {*CORE, "value"}
    assert result.off == {}


def test_a_scheme_that_is_asked_for_must_have_its_columns(base: pd.DataFrame) -> None:
    wanted = SegmentsConfig(schemes=("company_size",))
    with pytest.raises(
        DataError, match=r"schemes that the data cannot serve: 'company_size': the data do not tell employees; give"
    ):
        assign_rules(base, wanted)
    assert "company_size" in assign_rules(base, wanted, is_strict=False).off


def test_labels_of_one_scheme_are_known_to_the_next(base: pd.DataFrame) -> None:
    table = assign_rules(base, SegmentsConfig(schemes=("abc_xyz",))).table
    known = table[table["abc_xyz"] != NOT_ENOUGH_DATA]
    assert (known["abc_xyz"] == known["abc"] + known["xyz"]).all()
    assert (table["abc_xyz"] == NOT_ENOUGH_DATA).sum() == (table["xyz"] == NOT_ENOUGH_DATA).sum()


def test_shuffled_input_gives_the_same_table_and_is_not_changed(base: pd.DataFrame) -> None:
    before = base.copy(deep=True)
    first = assign_rules(base, CONFIG).table
    second = assign_rules(base.sample(frac=1, random_state=3), CONFIG).table
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(base, before)


@pytest.mark.parametrize("customers", [0, 1, 19])
def test_few_customers_get_labels_too(customers: int, base: pd.DataFrame) -> None:
    assert len(assign_rules(base.iloc[:customers], CONFIG).table) == customers


def test_the_thresholds_of_the_configuration_reach_the_schemes(base: pd.DataFrame) -> None:
    strict = assign_rules(base, SegmentsConfig(xyz=Xyz(x_below=0.001, y_below=0.002))).table
    assert set(strict["xyz"]) == {"Z", NOT_ENOUGH_DATA}


def test_a_core_scheme_without_its_feature_is_named(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"scheme 'lifecycle' lacks columns \['revenue_90d'\]"):
        assign_rules(base.drop(columns="revenue_90d"), CONFIG)


def test_abc_by_a_margin_that_nobody_tells_is_refused_but_never_when_a_model_scores(base: pd.DataFrame) -> None:
    by_margin = SegmentsConfig(abc=Abc(by="margin"))
    silent = base.assign(margin_365d=np.nan)
    with pytest.raises(DataError, match="makes 'abc' read margin_365d, which the data do not tell"):
        assign_rules(silent, by_margin)
    assert set(assign_rules(silent, by_margin, is_strict=False).table["abc"]) == {NOT_ENOUGH_DATA}


def test_an_unknown_scheme_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'company_size'"):
        SegmentsConfig(schemes=("company_sizes",))


def test_one_scheme_in_one_line_is_an_ordered_categorical_on_the_index_of_the_frame(base: pd.DataFrame) -> None:
    frame = base.drop(columns="customer_id").set_index(base["customer_id"])
    labels = label(frame, "rfm_activity")
    assert labels.index.equals(frame.index)
    assert labels.cat.ordered
    assert labels.cat.categories.tolist() == ["active", "neutral", "sleeping", NOT_ENOUGH_DATA]
    assert labels.tolist() == assign_rules(base, CONFIG).table["rfm_activity"].tolist()


def test_a_scheme_that_there_is_not_is_named_with_the_nearest_one(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="there is no scheme 'abc_xzy'; did you mean 'abc_xyz'"):
        label(base, "abc_xzy")


def test_details_for_other_schemes_stay_out_of_the_table(base: pd.DataFrame) -> None:
    assert not [name for name in assign_rules(base, CONFIG).table.columns if name.startswith("_")]


def test_a_column_with_the_name_of_a_scheme_is_refused(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="a column of the features has the name of the scheme 'tier'"):
        assign_rules(base.assign(tier="gold"), CONFIG)


class Growth(Scheme):
    """What a new scheme's file holds."""

    column = "growth"
    title = "Growth"
    question = "Who grows?"
    labels = ("falling", "rising")

    rising_from: float = 1.0

    @property
    def requires(self) -> tuple[str, ...]:
        return ("revenue_365d", "revenue_365d_previous")

    def label(self, known: pd.DataFrame) -> Labels:
        rises = known["revenue_365d"] >= self.rising_from * known["revenue_365d_previous"]
        return np.where(rises, "rising", "falling").astype(object)

    def rules(self) -> Rules:
        return {
            "falling": "less than the year before",
            "rising": f"at least {self.rising_from:g} times the year before",
        }


class WithGrowth(SegmentsConfig):
    """The one line that a new scheme needs beside its file."""

    growth: Growth = Growth()


def test_a_new_scheme_is_one_file_and_one_line(base: pd.DataFrame) -> None:
    config = WithGrowth.model_validate({"growth": {"rising_from": 0.9}})
    labels = assign_rules(base, config)
    assert set(labels.table["growth"]) == {"falling", "rising"}
    assert labels.rules["growth"]["rising"] == "at least 0.9 times the year before"
    told = profiles(labels.table, base, labels.rules)
    assert told.loc[told["scheme"] == "growth", "customers"].sum() == len(base)
    assert "growth" in [scheme.name for scheme in labels.schemes]
    assert label(base, "growth", config).cat.categories.tolist() == ["falling", "rising", NOT_ENOUGH_DATA]
