from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.stats import yeojohnson
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from segml.clusters.preprocessing import TRUSTED_TYPES, CustomerScaler

ESTIMATORS = [CustomerScaler(), CustomerScaler(power="yeo-johnson")]
POWERS = pytest.mark.parametrize("power", ["log", "yeo-johnson"])


@parametrize_with_checks(ESTIMATORS)  # type: ignore[untyped-decorator]
def test_it_is_a_scikit_learn_transformer(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def values() -> np.ndarray[Any, Any]:
    values = np.random.default_rng(0).lognormal(3, 2, (501, 4)) - 5
    values[::50, 1] = np.nan
    return values


@pytest.fixture
def companies() -> pd.DataFrame:
    """Twenty companies: North 10, South 8, West 1, one unknown; sizes 1 (15) and 2 (5)."""
    return pd.DataFrame(
        {
            "region": [*["North"] * 10, *["South"] * 8, "West", None],
            "revenue": np.arange(20.0),
            "size": [1] * 15 + [2] * 5,
        }
    )


def test_logarithm_then_standard_score() -> None:
    logs = np.array([0.0, 1.0, 2.0, 5.0])
    scaled = CustomerScaler().fit_transform(np.expm1(logs)[:, None]).ravel()
    assert scaled == pytest.approx((logs - 2.0) / np.sqrt(3.5))


def test_yeo_johnson_then_standard_score(values: np.ndarray[Any, Any]) -> None:
    column = values[:, 0]
    powered = yeojohnson(column)[0]
    scaled = CustomerScaler(power="yeo-johnson", clip=np.inf).fit_transform(column[:, None]).ravel()
    assert scaled == pytest.approx((powered - powered.mean()) / powered.std())


def test_what_lies_beyond_the_clip_is_cut() -> None:
    giants = np.array([[1.0]] * 50 + [[1e9]] + [[-1e9]])
    scaled = CustomerScaler(clip=2.5).fit_transform(giants)
    assert scaled[50:].ravel().tolist() == [2.5, -2.5]
    assert CustomerScaler(clip=np.inf).fit_transform(giants)[50] > 4


def test_negative_values_keep_their_sign() -> None:
    scaled = CustomerScaler().fit_transform([[-99.0], [0.0], [99.0]]).ravel()
    assert scaled == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])


@POWERS
def test_a_missing_number_takes_the_median_of_the_fit(power: Any) -> None:
    scaler = CustomerScaler(power=power).fit([[1.0], [3.0], [50.0], [np.nan]])
    new = scaler.transform([[np.nan], [1000.0], [2000.0]])
    assert new[0] == scaler.transform([[3.0]])


@POWERS
def test_a_column_without_variance_or_without_values_is_zero_whatever_comes_later(power: Any) -> None:
    scaler = CustomerScaler(power=power).fit([[0.1, np.nan, 0.0, 1.0]] * 7)
    assert not scaler.transform([[0.1, np.nan, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0]]).any()
    assert scaler.inverse_transform(np.ones((1, 4))) == pytest.approx(np.array([[0.1, 0.0, 0.0, 1.0]]))


def test_a_column_that_varies_by_rounding_only_is_without_variance() -> None:
    sums = np.array([[0.1 + 0.2], [0.3], [0.3]])
    assert not CustomerScaler().fit_transform(sums).any()
    assert not CustomerScaler().fit_transform(-sums).any()
    vanishing = np.array([[1e-300], [2e-300]])
    assert not CustomerScaler().fit_transform(vanishing).any()


def test_a_single_row_is_all_zero() -> None:
    assert CustomerScaler().fit_transform([[5.0, -3.0]]).tolist() == [[0.0, 0.0]]


@POWERS
def test_the_order_of_rows_changes_no_bit(values: np.ndarray[Any, Any], power: Any) -> None:
    order = np.random.default_rng(1).permutation(len(values))
    first = CustomerScaler(power=power).fit(values)
    second = CustomerScaler(power=power).fit(np.asfortranarray(values[order]))
    assert np.array_equal(first.transform(values), second.transform(values))


@POWERS
def test_the_company_of_a_row_changes_no_bit(values: np.ndarray[Any, Any], power: Any) -> None:
    scaler = CustomerScaler(power=power).fit(values)
    alone = [scaler.transform(row[None])[0] for row in values[:100]]
    assert np.array_equal(scaler.transform(values)[:100], alone)


@POWERS
def test_the_inverse_returns_what_was_not_clipped(values: np.ndarray[Any, Any], power: Any) -> None:
    known = values[:, [0, 2]]
    scaler = CustomerScaler(power=power, clip=100, weights=[0.5, 2.0]).fit(known)
    assert scaler.inverse_transform(scaler.transform(known)) == pytest.approx(known)


def test_weights_multiply_after_the_clip(values: np.ndarray[Any, Any]) -> None:
    plain = CustomerScaler(clip=1.0).fit_transform(values)
    weighted = CustomerScaler(clip=1.0, weights=[1, 0.5, 0, 3]).fit_transform(values)
    assert np.array_equal(weighted, plain * [1, 0.5, 0, 3])


def test_nothing_is_left_of_a_column_of_weight_zero() -> None:
    scaler = CustomerScaler(weights=[1, 0]).fit([[1.0, 2.0], [3.0, 4.0]])
    units = scaler.inverse_transform(scaler.transform([[1.0, 2.0]]))
    assert units == pytest.approx(np.array([[1.0, np.nan]]), nan_ok=True)


@pytest.mark.parametrize("container", [dict, pd.Series])
def test_weights_go_by_name(companies: pd.DataFrame, container: Any) -> None:
    numbers = companies[["revenue", "size"]]
    by_name = CustomerScaler(weights=container({"size": 0.5, "revenue": 1.0})).fit(numbers)
    assert by_name.weights_.tolist() == [1.0, 0.5]


def test_weights_of_columns_without_names_go_by_x0() -> None:
    assert CustomerScaler(weights={"x1": 2.0, "x0": 1.0}).fit([[1, 2], [3, 4]]).weights_.tolist() == [1.0, 2.0]


def test_categories_become_columns_of_zero_and_one_beside_the_numbers(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["region", "size"]).fit(companies)
    names = ["revenue", "region_North", "region_South", "region_West", "region_unknown", "size_1", "size_2"]
    assert scaler.get_feature_names_out().tolist() == names
    scaled = pd.DataFrame(scaler.transform(companies), columns=names)
    assert scaled["region_North"].tolist() == [1.0] * 10 + [0.0] * 10
    assert scaled["region_unknown"].tolist() == [0.0] * 19 + [1.0]
    assert scaled["size_2"].tolist() == [0.0] * 15 + [1.0] * 5
    assert scaled["revenue"].tolist() == CustomerScaler().fit_transform(companies[["revenue"]]).ravel().tolist()


def test_rare_and_unseen_levels_are_other(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["region"], min_category_share=0.4).fit(companies)
    assert scaler.levels_ == {"region": ["North", "South", "other"]}
    new = companies.head(4).assign(region=["South", "West", "Atlantis", np.nan])
    assert scaler.transform(new)[:, 2:].tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


def test_a_level_of_the_name_other_is_the_one_of_the_rare() -> None:
    regions = pd.DataFrame({"a": np.arange(100), "region": ["x"] * 50 + ["other"] * 49 + ["y"]})
    scaler = CustomerScaler(categories=["region"]).fit(regions)
    assert scaler.levels_ == {"region": ["x", "other"]}
    assert scaler.transform(regions)[:, 2].tolist() == [0.0] * 50 + [1.0] * 50


def test_three_categories_are_enough(companies: pd.DataFrame) -> None:
    features = companies.assign(channel="web")
    names = CustomerScaler(categories=["region", "size", "channel"]).fit(features).get_feature_names_out()
    assert names.tolist()[-3:] == ["size_1", "size_2", "channel_web"]


def test_unseen_levels_are_zero_everywhere_where_nothing_was_merged(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["region"]).fit(companies)
    assert "other" not in scaler.levels_["region"]
    assert not scaler.transform(companies.head(1).assign(region="Atlantis"))[:, 2:].any()


def test_a_share_exactly_at_the_threshold_keeps_its_level() -> None:
    regions = pd.DataFrame({"a": np.arange(100), "region": ["x"] * 93 + ["y"] * 7})
    assert CustomerScaler(categories=["region"], min_category_share=0.07).fit(regions).levels_ == {"region": ["x", "y"]}


def test_whole_numbers_stay_the_same_level_beside_missing_ones(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["size"]).fit(companies[["revenue", "size"]])
    new = pd.DataFrame({"revenue": [1.0, 1.0], "size": [2, np.nan]})
    assert scaler.transform(new)[:, 1:].tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_the_type_of_a_category_does_not_matter(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["region"]).fit(companies)
    categorical = companies.astype({"region": "category"})
    assert np.array_equal(scaler.transform(categorical), scaler.transform(companies))


def test_the_inverse_leaves_categories_out(companies: pd.DataFrame) -> None:
    scaler = CustomerScaler(categories=["region"]).fit(companies)
    units = scaler.inverse_transform(scaler.transform(companies))
    assert units == pytest.approx(companies[["revenue", "size"]].to_numpy())


def test_nullable_columns_are_read(companies: pd.DataFrame) -> None:
    numbers = companies[["revenue", "size"]].astype("Float64")
    numbers.iloc[0, 0] = pd.NA
    assert np.isfinite(CustomerScaler().fit_transform(numbers)).all()


def test_the_output_can_be_a_frame(companies: pd.DataFrame) -> None:
    scaled = CustomerScaler(categories=["region"]).set_output(transform="pandas").fit_transform(companies)
    assert scaled.columns.tolist()[:2] == ["revenue", "size"]
    assert scaled.index.equals(companies.index)


def test_it_stores_its_parameters_and_does_not_change_its_input(companies: pd.DataFrame) -> None:
    copy = companies.copy(deep=True)
    scaler = clone(CustomerScaler(clip=2, categories=("region",))).fit(companies)
    scaler.transform(companies)
    assert scaler.get_params()["categories"] == ("region",)
    pd.testing.assert_frame_equal(companies, copy)


@POWERS
def test_a_stored_scaler_loads_with_the_types_we_trust(companies: pd.DataFrame, power: Any) -> None:
    weights = {"revenue": 1.0, "size": 0.5}
    scaler = CustomerScaler(power=power, weights=weights, categories=("region",)).fit(companies)
    stored = skops.io.dumps(scaler)
    assert set(skops.io.get_untrusted_types(data=stored)) <= set(TRUSTED_TYPES)
    loaded = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    assert np.array_equal(loaded.transform(companies), scaler.transform(companies))
    assert loaded.get_params() == scaler.get_params()


def test_infinite_values_are_refused(companies: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="infinity"):
        CustomerScaler().fit([[1.0], [np.inf]])
    with pytest.raises(ValueError, match="infinity"):
        CustomerScaler(categories=["region"]).fit(companies.assign(revenue=-np.inf))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"power": "sqrt"}, "power is 'sqrt'; it can be"),
        ({"clip": 0}, "clip is 0; it must be above 0"),
        ({"clip": np.nan}, "clip is nan; it must be above 0"),
        ({"min_category_share": 2}, "min_category_share is 2; it is a share"),
        ({"categories": "region"}, r"categories is the text 'region'; pass a list of column names, \['region'\]"),
        ({"categories": ["region", "region"]}, "name a column twice"),
        ({"categories": list("abcd")}, "more than 3 make segments that only repeat the categories"),
        ({"categories": ["branch"]}, r"categories \['branch'\] are not among the columns"),
        ({"categories": ["size"]}, r"columns \['region'\] are no numbers; name them in categories"),
        ({"categories": ["region"], "weights": [1]}, r"shape \(1,\); there are 2 numeric columns"),
        ({"categories": ["region"], "weights": [1, -1]}, "each must be a finite number, 0 or more"),
        ({"categories": ["region"], "weights": [1, np.nan]}, "each must be a finite number, 0 or more"),
        ({"categories": ["region"], "weights": [0, 0]}, "weights are all 0"),
        ({"categories": ["region"], "weights": {"revenue": 1}}, r"\['size'\] are in one of them only"),
    ],
)
def test_what_cannot_be_meant_is_refused(companies: pd.DataFrame, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CustomerScaler(**parameters).fit(companies)


def test_categories_need_a_frame() -> None:
    with pytest.raises(ValueError, match=r"categories are \['region'\], but X is no data frame"):
        CustomerScaler(categories=["region"]).fit([[1.0, 2.0]])
