from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from segml.config import AbcConfig, XyzConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import abc_classes, abc_xyz_matrix, month_variation
from segml.segments.abc_xyz import Abc, Xyz


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
    assert "".join(abc_classes(money, AbcConfig())) == classes, story


def test_without_any_money_there_is_not_enough_data() -> None:
    assert abc_classes([0, -1], AbcConfig()).tolist() == [NOT_ENOUGH_DATA] * 2


def test_the_window_and_the_shares_come_from_the_configuration(table: Callable[..., pd.DataFrame]) -> None:
    scheme = Abc(AbcConfig(a_share=0.5, b_share=0.6, window_days=90))
    assert scheme.assign(table(revenue_90d=[50, 10, 40])).tolist() == ["A", "C", "B"]
    assert "50% of the revenue of the last 90 days" in scheme.rules()["A"]


def test_class_a_makes_its_share_and_not_without_its_last_customer(base: pd.DataFrame) -> None:
    base = base.assign(label=Abc().assign(base))
    a = base.loc[base["label"] == "A", "revenue_365d"]
    total = base["revenue_365d"].sum()
    assert a.sum() / total >= 0.8 > (a.sum() - a.min()) / total


def by_month(*customers: list[float]) -> pd.DataFrame:
    months = pd.date_range("2024-07-01", periods=len(customers[0]), freq="MS", name="month")
    index = pd.Index([f"c{place:02}" for place in range(len(customers))], name="customer_id")
    return pd.DataFrame(customers, index=index, columns=months)


@pytest.mark.parametrize(
    ("story", "revenue", "cv"),
    [
        ("the same every month", [50] * 6, 0),
        ("empty months are zero", [0, 0, 0, 0, 0, 60], np.sqrt(5)),
        ("months before the first purchase do not count", [np.nan, np.nan, np.nan, 100, 0, 200], np.sqrt(2 / 3)),
        ("three months are the fewest", [np.nan, np.nan, np.nan, 10, 10, 10], 0),
        ("two are too few", [np.nan, np.nan, np.nan, np.nan, 10, 10], np.nan),
        ("nothing was bought", [0] * 6, np.nan),
        ("all was returned", [0, 0, 0, 0, 50, -50], np.nan),
    ],
)
def test_variation(story: str, revenue: list[float], cv: float, table: Callable[..., pd.DataFrame]) -> None:
    features = month_variation(table(tenure_days=[400]), by_month(revenue), XyzConfig())
    assert features["revenue_month_cv"][0] == pytest.approx(cv, nan_ok=True), story


def test_only_the_last_months_count(table: Callable[..., pd.DataFrame]) -> None:
    features = month_variation(table(tenure_days=[400]), by_month([999, 5, 5, 5, 5]), XyzConfig(months=4))
    assert features["revenue_month_cv"].tolist() == [0.0]


def test_variation_finds_customers_by_name_not_by_place(table: Callable[..., pd.DataFrame]) -> None:
    revenue = by_month([1, 1, 1], [1, 2, 3], [0, 0, 9]).iloc[::-1]
    features = month_variation(table(tenure_days=[400, 400]), revenue, XyzConfig())
    assert features["revenue_month_cv"].tolist() == pytest.approx([0, np.sqrt(2 / 3) / 2])


def test_variation_of_no_customers_is_empty(table: Callable[..., pd.DataFrame]) -> None:
    assert month_variation(table(tenure_days=[]), by_month([1.0]), XyzConfig()).empty


def test_customers_without_their_months_are_named(table: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(DataError, match="revenue_by_month lacks 1 customers of the features, such as 'c01'"):
        month_variation(table(tenure_days=[4, 5]), by_month([1.0, 2.0]), XyzConfig())


def test_classes_of_variation(table: Callable[..., pd.DataFrame]) -> None:
    features = table(revenue_month_cv=[0.0, 0.499, 0.5, 0.999, 1.0, 3.3, np.nan])
    assert Xyz().assign(features).tolist() == ["X", "X", "Y", "Y", "Z", "Z", NOT_ENOUGH_DATA]


def test_the_matrix_has_nine_cells_and_adds_up_to_the_base() -> None:
    labels = pd.DataFrame({"abc": list("AACB"), "xyz": ["X", "X", "Z", NOT_ENOUGH_DATA]})
    matrix = abc_xyz_matrix(labels, [70.0, 10.0, 5.0, 15.0])
    assert [*matrix["abc"] + matrix["xyz"]][:9] == ["AX", "AY", "AZ", "BX", "BY", "BZ", "CX", "CY", "CZ"]
    filled = matrix[matrix["customers"] > 0].set_index(["abc", "xyz"])
    assert filled["customers"].to_dict() == {("A", "X"): 2, ("C", "Z"): 1, ("B", NOT_ENOUGH_DATA): 1}
    assert filled["revenue"].to_dict() == {("A", "X"): 80.0, ("C", "Z"): 5.0, ("B", NOT_ENOUGH_DATA): 15.0}
    assert (matrix["customers"].sum(), matrix["revenue"].sum()) == (4, 100.0)
