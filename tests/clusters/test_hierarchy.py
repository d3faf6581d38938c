from typing import Any

import numpy as np
import pytest
from hdbscan import hdbscan

from segml.clusters.hierarchy import NOISE, Matrix, Selection, cut, linkage


def sorted_points(values: Any) -> Matrix:
    points = np.asarray(values, dtype=float).reshape(len(values), -1)
    return points[np.lexsort(points.T)]


def groups_and_noise(seed: int, count: int = 600) -> Matrix:
    rng = np.random.default_rng(seed)
    columns = int(rng.integers(1, 4))
    groups = [rng.normal(rng.uniform(-3, 3, columns), rng.uniform(0.05, 0.6), (count // 5, columns)) for _ in range(4)]
    return sorted_points(np.vstack([*groups, rng.uniform(-4, 4, (count // 5, columns))]))


def numbered_by_first(labels: Any) -> list[int]:
    numbers = {NOISE: NOISE}
    return [numbers.setdefault(label, len(numbers) - 1) for label in labels]


def from_library(points: Matrix, size: int, selection: Selection) -> Any:
    return hdbscan(
        points,
        min_cluster_size=size,
        min_samples=5,
        metric="euclidean",
        cluster_selection_method=selection,
        approx_min_span_tree=False,
        core_dist_n_jobs=1,
        gen_min_span_tree=True,
    )


def test_the_linkage_of_three_points_by_hand() -> None:
    # Distances to the nearest neighbour are 1, 1 and 2; 0 and 1 join at 1, 3 joins at 2.
    assert linkage(sorted_points([0, 1, 3]), min_samples=1).tolist() == [[0, 1, 1, 2], [2, 3, 2, 3]]


def test_two_groups_and_an_outlier_by_hand() -> None:
    points = sorted_points([0, 1, 2, 3, 10, 12, 14, 16, 40])
    found = cut(linkage(points, min_samples=1), 3, "eom")
    assert numbered_by_first(found.labels) == [0, 0, 0, 0, 1, 1, 1, 1, NOISE]
    assert found.strengths.tolist() == [1] * 8 + [0]
    assert found.reaches[found.labels[:8]].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_a_straggler_has_the_strength_of_its_distance() -> None:
    # 7 joins the first group at a distance of 4, where the group itself holds together at 1; 20 is 7 from the second.
    points = sorted_points([0, 1, 2, 3, 7, 30, 31, 32, 33])
    assert cut(linkage(points, min_samples=1), 3, "eom").strengths.tolist() == [1, 1, 1, 1, 0.25, 1, 1, 1, 1]


def test_leaves_are_the_finest_groups() -> None:
    # Two halves of one group: together they persist from a distance of 92.7 to one of 1.3, apart from there to 1 only.
    halves = [0, 1, 2, 3, 4.3, 5.3, 6.3, 7.3]
    tree = linkage(sorted_points([*halves, *(100 + place for place in halves)]), min_samples=1)
    assert numbered_by_first(cut(tree, 4, "eom").labels) == [0] * 8 + [1] * 8
    assert len(cut(tree, 4, "leaf").reaches) == 4


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_the_cut_is_the_library_s_label_for_label(seed: int, selection: Selection) -> None:
    points = groups_and_noise(seed)
    tree = linkage(points, min_samples=5)
    for size in (2, 5, 20, 60):
        labels, strengths, *_ = from_library(points, size, selection)
        found = cut(tree, size, selection)
        assert numbered_by_first(found.labels) == numbered_by_first(labels)
        assert found.strengths == pytest.approx(strengths)


@pytest.mark.parametrize("size", [2, 10, 41])
@pytest.mark.parametrize("selection", ["eom", "leaf"])
def test_equal_points_are_never_parted(size: int, selection: Selection) -> None:
    rng = np.random.default_rng(3)
    points = sorted_points(np.vstack([rng.integers(0, 5, (400, 2)), rng.normal(2, 0.5, (100, 2))]))
    found = cut(linkage(points, min_samples=5), size, selection)
    _, places = np.unique(points, axis=0, return_inverse=True)
    for place in range(places.max() + 1):
        assert len(set(found.labels[places == place])) == 1
        assert len(set(found.strengths[places == place])) == 1


def test_with_equal_points_the_tree_is_still_an_exact_one() -> None:
    points = sorted_points(np.random.default_rng(4).integers(0, 9, (300, 2)))
    *_, theirs, _ = from_library(points, 10, "eom")
    ours = linkage(points, min_samples=5)
    assert ours[:, 2].tolist() == theirs[:, 2].tolist()
    assert ours[-1, 3] == 300


def test_beside_a_crowd_of_equal_points_others_still_have_strength() -> None:
    rng = np.random.default_rng(5)
    crowded = np.vstack([np.zeros((50, 2)), rng.normal(0, 0.3, (100, 2)), rng.normal(5, 0.3, (100, 2))])
    found = cut(linkage(sorted_points(crowded), min_samples=5), 20, "eom")
    assert len(found.reaches) == 2
    assert (found.reaches > 0).all()
    assert (found.strengths[found.labels != NOISE] > 0).all()


@pytest.mark.parametrize("selection", ["eom", "leaf"])
@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_points_all_alike_are_no_segment(count: int, selection: Selection) -> None:
    found = cut(linkage(np.ones((count, 2)), min_samples=5), 10, selection)
    assert found.labels.tolist() == [NOISE] * count
    assert found.strengths.tolist() == [0] * count
    assert found.reaches.size == 0
