import pandas as pd
import pytest

from segml.config import SegmentsConfig, XyzConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import assign_rules

COLUMNS = ["customer_id", "lifecycle", "rfm_cell", "rfm_segment", "abc", "xyz", "tier"]


def test_all_labels_stand_side_by_side_and_none_is_null(base: pd.DataFrame, months: pd.DataFrame) -> None:
    result = assign_rules(base.sample(frac=1, random_state=3), months, SegmentsConfig())
    assert list(result.table.columns) == COLUMNS
    assert result.table["customer_id"].tolist() == sorted(base["customer_id"])
    assert result.table.notna().all(axis=None)
    assert result.notices == ()


def test_shuffled_input_gives_the_same_table(base: pd.DataFrame, months: pd.DataFrame) -> None:
    first = assign_rules(base, months, SegmentsConfig()).table
    second = assign_rules(
        base.sample(frac=1, random_state=3), months.sample(frac=1, random_state=4), SegmentsConfig()
    ).table
    pd.testing.assert_frame_equal(first, second)


def test_the_input_is_not_changed(base: pd.DataFrame, months: pd.DataFrame) -> None:
    copies = base.copy(deep=True), months.copy(deep=True)
    assign_rules(base, months, SegmentsConfig())
    pd.testing.assert_frame_equal(base, copies[0])
    pd.testing.assert_frame_equal(months, copies[1])


def test_enough_customers_get_no_notice(base: pd.DataFrame, months: pd.DataFrame) -> None:
    assert assign_rules(base.iloc[:20], months, SegmentsConfig()).notices == ()


@pytest.mark.parametrize("customers", [0, 1, 19])
def test_few_customers_get_labels_and_a_notice(customers: int, base: pd.DataFrame, months: pd.DataFrame) -> None:
    result = assign_rules(base.iloc[:customers], months, SegmentsConfig())
    assert len(result.table) == customers
    assert f"{customers} customer" in result.notices[0]
    assert "rfm_segment, abc, tier compare customers" in result.notices[0]


def test_the_thresholds_of_the_configuration_reach_the_schemes(base: pd.DataFrame, months: pd.DataFrame) -> None:
    strict = SegmentsConfig(xyz=XyzConfig(min_months=12))
    assert (assign_rules(base, months, strict).table["xyz"] == NOT_ENOUGH_DATA).all()


def test_a_window_without_its_feature_is_named(base: pd.DataFrame, months: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"scheme 'lifecycle' lacks columns \['revenue_90d'\]"):
        assign_rules(base.drop(columns="revenue_90d"), months, SegmentsConfig())
