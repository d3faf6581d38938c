"""The hierarchy of HDBSCAN: one exact spanning tree, cut for any smallest size.

Definitions: Campello, Moulavi & Sander (2013), "Density-based clustering based on hierarchical density estimates", as
the hdbscan library understands them. The tree is the library's; the cut is our own, because it is vectorised (some
milliseconds instead of a sixth of a fit) and tells the reach that a segment's strengths are measured by.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from hdbscan import hdbscan
from hdbscan.hdbscan_ import label as linkage_of_edges
from numpy.typing import NDArray
from scipy.cluster.hierarchy import DisjointSet

Matrix = NDArray[np.float64]
Numbers = NDArray[np.intp]
Selection = Literal["eom", "leaf"]

NOISE = -1
"""The label of customers whom a clusterer counts to no segment."""


class Cut(NamedTuple):
    """Segments of a hierarchy.

    Attributes
    ----------
    labels : segment of each point, from 0, noise −1
    strengths : of each point in its segment, 0 to 1, noise 0
    reaches : per segment, the reach (distance) within which a point belongs to it with strength 1
    """

    labels: Numbers
    strengths: Matrix
    reaches: Matrix


def linkage(points: Matrix, min_samples: int) -> Matrix:
    """Return the single linkage of the mutual reachability distances, (points − 1, 4), as in scipy.

    Parameters
    ----------
    points : (points, features), sorted, so that equal points are neighbours
    min_samples : neighbours that a core distance reaches out for, the point itself not counted
    """
    count = len(points)
    if count == 1:
        return np.empty((0, 4))
    # The library's own cut is not used: at the largest size it costs nothing.
    *_, tree, edges = hdbscan(
        points,
        min_cluster_size=count,
        min_samples=min_samples,
        metric="euclidean",
        approx_min_span_tree=False,
        core_dist_n_jobs=1,
        gen_min_span_tree=True,
    )
    is_repeat = np.append(False, (points[1:] == points[:-1]).all(axis=1))
    return np.asarray(_joined_first(edges, is_repeat) if is_repeat.any() else tree)


def cut(tree: Matrix, min_cluster_size: int, selection: Selection) -> Cut:
    """Return the segments of at least ``min_cluster_size`` points that the linkage tells.

    Parameters
    ----------
    tree : see ``linkage``
    min_cluster_size : groups of fewer points are not segments, 2 or more
    selection : ``"eom"`` (excess of mass: what persists longest) or ``"leaf"`` (the finest groups)
    """
    count = len(tree) + 1
    if count < 2 * min_cluster_size:
        return Cut(np.full(count, NOISE), np.zeros(count), np.zeros(0))
    condensed = _condensed(tree, min_cluster_size)
    chosen = condensed.leaves() if selection == "leaf" else condensed.persistent()
    return condensed.labelled(chosen)


class _Condensed(NamedTuple):
    # What is left of a linkage when groups that are too small count as points falling out of larger ones. Groups are
    # numbered from the root (0) down, so that a parent comes before its children.
    parents: Numbers  # of each group; the root is its own
    stabilities: Matrix
    point_groups: Numbers  # the group that each point falls out of
    point_reaches: Matrix  # and the distance at which it does
    splits: Matrix  # distance at which each group splits in two, inf where it does not

    def leaves(self) -> NDArray[np.bool_]:
        chosen = np.isinf(self.splits)
        chosen[0] = False
        return chosen

    def persistent(self) -> NDArray[np.bool_]:
        best = self.stabilities.copy()
        below = np.zeros(len(best))
        chosen = np.ones(len(best), dtype=bool)
        for group in range(len(best) - 1, 0, -1):
            chosen[group] = below[group] <= best[group]
            best[group] = max(best[group], below[group])
            below[self.parents[group]] += best[group]
        chosen[0] = False  # the root is everybody, and no segment
        return chosen

    def labelled(self, chosen: NDArray[np.bool_]) -> Cut:
        segments = np.full(len(chosen), NOISE)
        tops: list[int] = []
        for group in range(1, len(chosen)):
            segments[group] = segments[self.parents[group]]
            if segments[group] == NOISE and chosen[group]:
                segments[group] = len(tops)
                tops.append(group)
        labels = segments[self.point_groups]
        reaches = self._full_reaches()[tops]
        return Cut(labels, _strengths(labels, self.point_reaches, reaches), reaches)

    def _full_reaches(self) -> Matrix:
        reaches = self.splits.copy()
        # Equal points lie at distance 0, next to which no other would have any strength: the densest others count.
        is_apart = self.point_reaches > 0
        np.minimum.at(reaches, self.point_groups[is_apart], self.point_reaches[is_apart])
        return np.where(np.isinf(reaches), 0.0, reaches)


def _condensed(tree: Matrix, min_cluster_size: int) -> _Condensed:
    count = len(tree) + 1
    children, distances, sizes = tree[:, :2].astype(np.intp), tree[:, 2], tree[:, 3]
    parents = np.arange(2 * count - 1)
    parents[children] = np.arange(count, 2 * count - 1)[:, None]
    is_big = np.append(np.zeros(count, dtype=bool), sizes >= min_cluster_size)
    is_split = np.append(np.zeros(count, dtype=bool), is_big[children].all(axis=1))
    is_top = is_big & is_split[parents]
    is_top[-1] = True
    # The big node that each point falls out of, then the top of the group that each big node is part of.
    nodes = np.arange(len(parents))
    host = _climbed(np.where(is_big, nodes, parents))
    top = _climbed(np.where(is_big & ~is_top, parents, nodes))
    tops = np.flatnonzero(is_top)[::-1]
    group = np.empty(len(parents), dtype=np.intp)
    group[tops] = np.arange(len(tops))
    return _with_stabilities(
        parents=group[top[parents[tops]]],
        coming_off=np.append(np.inf, distances[parents[tops[1:]] - count]),
        point_groups=group[top[host[:count]]],
        point_reaches=distances[host[:count] - count],
        sizes=sizes[tops - count],
    )


def _with_stabilities(
    parents: Numbers, coming_off: Matrix, point_groups: Numbers, point_reaches: Matrix, sizes: Matrix
) -> _Condensed:
    with np.errstate(divide="ignore"):
        births, deaths = 1 / coming_off, 1 / point_reaches
    lives = np.bincount(point_groups, deaths - births[point_groups], len(parents))
    lives += np.bincount(parents[1:], (births[1:] - births[parents[1:]]) * sizes[1:], len(parents))
    splits = np.full(len(parents), np.inf)
    splits[parents[1:]] = coming_off[1:]
    return _Condensed(parents, lives.astype(float), point_groups, point_reaches, splits)


def _climbed(above: Numbers) -> Numbers:
    while not np.array_equal(further := above[above], above):
        above = further
    return above


def _strengths(labels: Numbers, reaches: Matrix, full: Matrix) -> Matrix:
    full_of_own = np.append(full, 0.0)[labels]
    strengths = np.divide(full_of_own, reaches, out=np.ones(len(labels)), where=reaches > full_of_own)
    return np.where(labels == NOISE, 0.0, strengths)


def _joined_first(edges: Matrix, is_repeat: NDArray[np.bool_]) -> Matrix:
    """Return the linkage in which equal points join each other one by one before they join any other.

    Equal points are as near to each other as to their next neighbour or nearer, so this is an exact spanning tree
    too, and the one in which no cut can part them.
    """
    first = np.flatnonzero(~is_repeat)[np.cumsum(~is_repeat) - 1]
    ends = first[edges[:, :2].astype(np.intp)]
    nearest = np.full(len(first), np.inf)
    np.minimum.at(nearest, ends, edges[:, 2:])
    repeats = np.flatnonzero(is_repeat)
    joins = np.column_stack([first[repeats], repeats, nearest[first[repeats]]])
    candidates = np.vstack([joins, np.column_stack([ends, edges[:, 2]])])
    candidates = candidates[np.argsort(candidates[:, 2], kind="stable")]
    forest = DisjointSet(range(len(first)))
    is_kept = [forest.merge(left, right) for left, right in candidates[:, :2].astype(int).tolist()]
    return np.asarray(linkage_of_edges(np.ascontiguousarray(candidates[is_kept])))
