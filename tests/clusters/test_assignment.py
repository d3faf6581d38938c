import numpy as np
import pytest

from segml.clusters.assignment import Density, Neighbours, core_distances, neighbours
from segml.clusters.hierarchy import NOISE, Matrix

POINTS = np.array([[0.0], [1], [2], [10], [11], [12], [20]])
LABELS = np.array([0, 0, 0, 1, 1, 1, NOISE])
STRENGTHS = np.array([0.5, 1, 0.5, 0.5, 1, 0.5, 0])
MIN_SAMPLES = 2


@pytest.fixture
def density() -> Density:
    """Two segments of three points each, with core distances of 2 at most, and one point of noise."""
    cores = core_distances(POINTS, MIN_SAMPLES)
    return Density(POINTS, cores, LABELS, STRENGTHS, reaches=np.array([1.0, 1.0]))


def found_at(*places: float) -> tuple[Matrix, Neighbours]:
    rows = np.array(places)[:, None]
    return rows, neighbours(POINTS, rows, MIN_SAMPLES)


def test_core_distances_do_not_count_the_point_itself() -> None:
    assert core_distances(POINTS, MIN_SAMPLES).tolist() == [2, 1, 2, 2, 1, 2, 9]


def test_where_there_are_fewer_neighbours_than_wanted_the_farthest_counts() -> None:
    assert core_distances(POINTS[:2], 10).tolist() == [1, 1]
    assert core_distances(POINTS[:1], 10).tolist() == [0]
    assert neighbours(POINTS[:2], POINTS[2:3], 10).cores.tolist() == [2]


@pytest.mark.parametrize(
    ("place", "label", "why"),
    [
        (1, 0, "is a fitted point"),
        (0.5, 0, "lies between two of a segment"),
        (3, 0, "has its second neighbour at 2, as the thinnest point of the segment"),
        (3.1, NOISE, "has its second neighbour at 2.1"),
        (11.4, 1, "lies in the other segment"),
        (20, NOISE, "is a fitted point of noise"),
        (19, NOISE, "is nearest to noise"),
    ],
)
def test_labels_by_hand(density: Density, place: float, label: int, why: str) -> None:
    _, found = found_at(place)
    assert density.labels_of(found.places, found.own_cores).tolist() == [label], why


def test_a_fitted_point_keeps_its_label_however_thin_it_is_around_it() -> None:
    # No core distance but 0 is within the limits; where a fitted point is, none is asked for.
    thin = Density(POINTS, np.zeros(7), np.array([0, 0, 0, 1, 1, 1, 1]), STRENGTHS, np.ones(2))
    _, found = found_at(20, 20.1)
    assert thin.labels_of(found.places, found.own_cores).tolist() == [1, NOISE]


def test_noise_has_a_nearest_segment_and_members_have_their_own(density: Density) -> None:
    rows, found = found_at(0, 3.1, 7, 19, 20)
    near = density.nearest(rows, found)
    assert density.labels[near.places].tolist() == [0, 0, 1, 1, 1]
    assert near.distances.tolist() == pytest.approx([0, 1.1, 3, 7, 8])


def test_strengths_by_hand(density: Density) -> None:
    # Fitted: as in the fit. At 3 the largest of distance (1) and core distances (2, 2) is 2, of which 1 is the half.
    rows, found = found_at(1, 2, 3, 1.2)
    near = density.nearest(rows, found)
    assert density.strengths_of(near).tolist() == pytest.approx([1, 0.5, 0.5, 1])


def test_memberships_by_hand(density: Density) -> None:
    # At 3: distances to the segments are 1 and 7, the core distance is 2: shares 9 : 3 of a strength of a half.
    rows, found = found_at(3)
    assert density.memberships(rows, density.nearest(rows, found)).tolist() == [pytest.approx([0.375, 0.125])]


def test_the_largest_membership_of_a_member_is_its_own(density: Density) -> None:
    rows, found = found_at(*np.linspace(-1, 14, 301))
    labels = density.labels_of(found.places, found.own_cores)
    memberships = density.memberships(rows, density.nearest(rows, found))
    assert memberships.argmax(axis=1)[labels != NOISE].tolist() == labels[labels != NOISE].tolist()
    assert (memberships.sum(axis=1) <= 1 + 1e-12).all()
    assert (memberships >= 0).all()


def test_where_equal_points_leave_no_distance_the_membership_is_whole() -> None:
    points = np.repeat([[0.0], [5.0]], 5, axis=0)
    labels = np.repeat([0, 1], 5)
    crowds = Density(points, np.zeros(10), labels, np.ones(10), reaches=np.zeros(2))
    found = neighbours(points, points[[0, 9]], 3)
    assert crowds.memberships(points[[0, 9]], crowds.nearest(points[[0, 9]], found)).tolist() == [[1, 0], [0, 1]]


def test_without_segments_all_are_noise_and_belong_to_nothing() -> None:
    empty = Density(POINTS, np.ones(7), np.full(7, NOISE), np.zeros(7), reaches=np.zeros(0))
    rows, found = found_at(0, 3, 40)
    near = empty.nearest(rows, found)
    assert empty.labels_of(found.places, found.own_cores).tolist() == [NOISE] * 3
    assert empty.labels[near.places].tolist() == [NOISE] * 3
    assert empty.strengths_of(near).tolist() == [0] * 3
    assert empty.memberships(rows, near).shape == (3, 0)


def test_neither_threads_nor_company_change_a_neighbour() -> None:
    rng = np.random.default_rng(0)
    points, rows = rng.normal(size=(500, 3)), rng.normal(size=(2000, 3))
    one, two = (neighbours(points, rows, 10, workers) for workers in (1, 2))
    alone = neighbours(points, rows[:1], 10)
    for name in ("places", "distances", "cores"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
        assert getattr(one, name)[0] == getattr(alone, name)[0]
