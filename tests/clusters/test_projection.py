"""The sheet on which customers are drawn: known directions, no flips, any order of rows."""

import numpy as np
import pandas as pd
import pytest

from segml.clusters.projection import projection
from segml.schema import DataError


def cloud(customers: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(customers, 3)) * [3.0, 1.0, 0.1]


LABELS = np.arange(200) % 3 - 1


def test_the_first_direction_is_where_customers_differ_most() -> None:
    scaled = np.array([[-2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = projection(scaled, [0, 0, 1, 1])
    assert found.explained == pytest.approx((0.8, 0.2))
    assert sorted(map(tuple, found.points.to_numpy().round(9).tolist())) == [
        (-2.0, 0.0, 0.0),
        (0.0, -1.0, 1.0),
        (0.0, 1.0, 1.0),
        (2.0, 0.0, 0.0),
    ]


def test_the_sheet_does_not_flip_with_the_sign_or_order_of_customers() -> None:
    found = projection(cloud(), LABELS)
    order = np.random.default_rng(1).permutation(200)
    shuffled = projection(cloud()[order], LABELS[order])
    pd.testing.assert_frame_equal(found.points, shuffled.points)
    pd.testing.assert_frame_equal(found.centres, shuffled.centres)
    first = cloud()[:, 0] - cloud()[:, 0].mean()
    drawn = projection(cloud(), np.arange(200)).points.sort_values("segment")["x"]
    assert np.corrcoef(drawn, first)[0, 1] > 0.9


def test_centres_are_the_means_of_all_customers_and_noise_has_none() -> None:
    found, few = projection(cloud(), LABELS), projection(cloud(), LABELS, at_most=20)
    assert found.centres["segment"].tolist() == [0, 1]
    own = found.points[found.points["segment"] == 1]
    expected = own[["x", "y"]].to_numpy().mean(axis=0)
    assert found.centres[["x", "y"]].to_numpy()[1] == pytest.approx(expected)
    assert len(few.points) == 20
    pd.testing.assert_frame_equal(few.centres, found.centres)
    assert set(map(tuple, few.points.to_numpy())) <= set(map(tuple, found.points.to_numpy()))


def test_the_seed_decides_which_customers_are_drawn() -> None:
    one, two = (projection(cloud(), LABELS, seed=seed, at_most=20).points for seed in (0, 1))
    assert not one.equals(two)


def test_one_feature_or_customers_all_alike_still_make_a_sheet() -> None:
    single = projection(cloud()[:, :1], LABELS)
    assert single.explained == (1.0, 0.0)
    assert (single.points["y"] == 0).all()
    alike = projection(np.ones((5, 3)), [0] * 5)
    assert alike.explained == (0.0, 0.0)
    assert (alike.points[["x", "y"]].to_numpy() == 0).all()


@pytest.mark.parametrize("labels", [[], [0, 1]])
def test_labels_of_other_customers_are_refused(labels: list[int]) -> None:
    with pytest.raises(DataError, match="one label a customer"):
        projection(cloud(), labels)
