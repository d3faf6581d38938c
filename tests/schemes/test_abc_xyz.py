from collections.abc import Callable
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Abc, AbcXyz, Xyz, abc_classes, abc_xyz_matrix, variation

Table = Callable[..., pd.DataFrame]
nan = float("nan")


@pytest.mark.parametrize(
    ("story", "money", "classes"),
    [
        ("who crosses the line belongs to A", [50, 31, 15, 4], "AABC"),
        ("who begins on the line does not", [80, 15, 5], "ABC"),
        ("equals share a class", [60, 10, 10, 10, 10], "AAAAA"),
        ("non-positive money is C and takes nothing off", [80, 15, 5, 0, -40], "ABCCC"),
        ("one customer is A", [3], "A"),
        ("4.8 of 6.0 is 80 percent, whatever its last bit", [4.8, 1.1, 0.1], "ABC"),
    ],
)
def test_classes(story: str, money: list[float], classes: str) -> None:
    assert "".join(abc_classes(money)) == classes, story


def test_a_customer_exactly_at_80_percent_of_revenue_is_the_last_a() -> None:
    assert abc_classes([50, 30, 10, 5, 5]).tolist() == ["A", "A", "B", "B", "B"]
    assert abc_classes([50, 30, 10, 5, 4, 1]).tolist() == ["A", "A", "B", "B", "C", "C"]


def test_without_any_money_there_is_not_enough_data() -> None:
    assert abc_classes([0, -1]).tolist() == [NOT_ENOUGH_DATA] * 2


def test_the_window_and_the_shares_come_from_the_configuration(table: Table) -> None:
    scheme = Abc(a_share=0.5, b_share=0.6, window_days=90)
    assert scheme.assign(table(revenue_90d=[50, 10, 40])).tolist() == ["A", "C", "B"]
    assert "50% of the revenue of the last 90 days" in scheme.rules()["A"]


def test_by_margin_a_large_customer_with_a_thin_margin_is_not_a(table: Table) -> None:
    features = table(revenue_365d=[900, 80, 20, 10], margin_365d=[10, 80, 10, nan])
    assert Abc().assign(features).tolist() == ["A", "B", "C", "C"]
    assert Abc(by="margin").assign(features).tolist() == ["B", "A", "B", NOT_ENOUGH_DATA]
    assert "80% of the margin of the last 365 days" in Abc(by="margin").rules()["A"]


def test_margin_is_known_of_one_window_only() -> None:
    with pytest.raises(ValidationError, match="by margin, window_days must be 365; found 90"):
        Abc(by="margin", window_days=90)


def test_shares_must_rise() -> None:
    with pytest.raises(ValidationError, match=r"a_share \(0.9\) must lie below b_share \(0.9\)"):
        Abc(a_share=0.9, b_share=0.9)


def test_class_a_makes_its_share_and_not_without_its_last_customer(base: pd.DataFrame) -> None:
    base = base.assign(label=Abc().assign(base))
    a = base.loc[base["label"] == "A", "revenue_365d"]
    total = base["revenue_365d"].sum()
    assert a.sum() / total >= 0.8 > (a.sum() - a.min()) / total


@pytest.mark.parametrize(
    ("story", "revenue", "cv"),
    [
        ("the same every period", [50] * 6, 0),
        ("empty periods are zero", [0, 0, 0, 0, 0, 60], np.sqrt(5)),
        ("periods before the first purchase do not count", [nan, nan, nan, 100, 0, 200], np.sqrt(2 / 3)),
        ("three periods are the fewest", [nan, nan, nan, 10, 10, 10], 0),
        ("two are too few", [nan, nan, nan, nan, 10, 10], nan),
        ("nothing was bought", [0] * 6, nan),
        ("all was returned", [0, 0, 0, 0, 50, -50], nan),
    ],
)
def test_variation(story: str, revenue: list[float], cv: float) -> None:
    assert variation([revenue], 3)[0] == pytest.approx(cv, nan_ok=True), story


def test_variation_of_nobody_is_empty() -> None:
    assert variation(np.empty((0, 12)), 3).shape == (0,)


def test_classes_of_variation(table: Table) -> None:
    features = table(revenue_cv=[0.0, 0.499, 0.5, 0.999, 1.0, 3.3, np.nan])
    assert Xyz().assign(features).tolist() == ["X", "X", "Y", "Y", "Z", "Z", NOT_ENOUGH_DATA]


@pytest.mark.parametrize(
    ("period", "words"),
    [("week", "week by week over the last 8 weeks"), ("quarter", "quarter by quarter over the last 8 quarters")],
)
def test_the_rule_of_x_tells_its_periods(period: str, words: str) -> None:
    assert words in Xyz.model_validate({"period": period, "periods": 8}).rules()["X"]


def test_thresholds_of_xyz_must_make_sense() -> None:
    with pytest.raises(ValidationError, match=r"x_below \(1.0\) must lie below y_below \(1.0\)"):
        Xyz(x_below=1.0)
    with pytest.raises(ValidationError, match=r"min_periods \(13\) must be at most periods \(12\)"):
        Xyz(min_periods=13)


def test_cells_join_the_classes_and_need_both(table: Table) -> None:
    features = table(abc=["A", "C", "B", NOT_ENOUGH_DATA], xyz=["X", "Z", NOT_ENOUGH_DATA, "X"])
    assert AbcXyz().assign(features).tolist() == ["AX", "CZ", NOT_ENOUGH_DATA, NOT_ENOUGH_DATA]


def test_cells_are_the_same_from_text_and_from_categoricals(table: Table) -> None:
    features = table(revenue_365d=[80, 15, 5], revenue_cv=[0.1, 0.7, nan])
    labelled = features.assign(abc=Abc().assign(features), xyz=Xyz().assign(features))
    assert AbcXyz().assign(labelled).tolist() == ["AX", "BY", NOT_ENOUGH_DATA]


def test_there_are_nine_cells_in_order() -> None:
    assert AbcXyz.labels == ("AX", "AY", "AZ", "BX", "BY", "BZ", "CX", "CY", "CZ")
    assert AbcXyz().rules()["AZ"] == "much money (ABC A), erratic (XYZ Z)"


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_the_matrix_has_nine_cells_and_adds_up_to_the_base(dtype: Literal["object", "category"]) -> None:
    labels = pd.DataFrame({"abc": list("AACB"), "xyz": ["X", "X", "Z", NOT_ENOUGH_DATA]}).astype(dtype)
    matrix = abc_xyz_matrix(labels, [70.0, 10.0, 5.0, 15.0])
    assert [*matrix["abc"] + matrix["xyz"]][:9] == list(AbcXyz.labels)
    filled = matrix[matrix["customers"] > 0].set_index(["abc", "xyz"])
    assert filled["customers"].to_dict() == {("A", "X"): 2, ("C", "Z"): 1, ("B", NOT_ENOUGH_DATA): 1}
    assert filled["revenue"].to_dict() == {("A", "X"): 80.0, ("C", "Z"): 5.0, ("B", NOT_ENOUGH_DATA): 15.0}
    assert (matrix["customers"].sum(), matrix["revenue"].sum()) == (4, 100.0)
