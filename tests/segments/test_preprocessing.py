from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from segml.segments import LogStandardClip


@parametrize_with_checks([LogStandardClip()])  # type: ignore[untyped-decorator]
def test_it_is_a_scikit_learn_transformer(estimator: Any, check: Any) -> None:
    check(estimator)


def test_logarithm_then_standard_score() -> None:
    logs = np.array([0.0, 1.0, 2.0, 5.0])
    scaled = LogStandardClip().fit_transform(np.expm1(logs)[:, None]).ravel()
    assert scaled == pytest.approx((logs - 2.0) / np.sqrt(3.5))


def test_what_lies_beyond_the_clip_is_cut() -> None:
    values = np.array([[1.0]] * 50 + [[1e9]] + [[-1e9]])
    scaled = LogStandardClip(clip=2.5).fit_transform(values)
    assert scaled[50:].ravel().tolist() == [2.5, -2.5]


def test_negative_values_keep_their_sign() -> None:
    scaled = LogStandardClip().fit_transform([[-99.0], [0.0], [99.0]]).ravel()
    assert scaled == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])


def test_an_unknown_value_takes_the_median_of_the_fit() -> None:
    transformer = LogStandardClip().fit([[1.0], [3.0], [50.0], [np.nan]])
    assert transformer.transform([[np.nan]]) == transformer.transform([[3.0]])
    new = transformer.transform([[np.nan], [1000.0], [2000.0]])
    assert new[0] == transformer.transform([[3.0]])


def test_a_column_without_variance_or_without_values_becomes_zero() -> None:
    scaled = LogStandardClip().fit_transform([[0.1, np.nan, 1.0]] * 7)
    assert not scaled.any()


def test_the_order_of_rows_changes_no_bit() -> None:
    values = np.random.default_rng(0).lognormal(3, 2, (501, 4))
    order = np.random.default_rng(1).permutation(501)
    first, second = LogStandardClip().fit(values), LogStandardClip().fit(values[order])
    assert np.array_equal(first.transform(values), second.transform(values))


def test_the_inverse_returns_what_was_not_clipped() -> None:
    values = np.random.default_rng(0).lognormal(3, 1, (200, 2)) - 5
    transformer = LogStandardClip(clip=100).fit(values)
    assert transformer.inverse_transform(transformer.transform(values)) == pytest.approx(values)


def test_it_stores_its_parameters_and_does_not_change_its_input() -> None:
    values = np.array([[1.0], [np.nan], [7.0]])
    copy = values.copy()
    transformer = clone(LogStandardClip(clip=2)).fit(values)
    transformer.transform(values)
    assert transformer.get_params() == {"clip": 2}
    assert np.array_equal(values, copy, equal_nan=True)
