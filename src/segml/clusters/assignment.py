"""Customers assigned to density segments by kd-tree, from plain arrays and without the tree of the fit.

A row that lies where a fitted point lies is that point. Any other row takes the label of its nearest fitted point, but
is noise where its own core distance (to the ``min_samples``-th fitted neighbour) exceeds the largest core distance of
that segment: it lies where the segment is thinner than anywhere in the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from segml.clusters.hierarchy import NOISE, Matrix, Numbers


@dataclass(frozen=True)
class Neighbours:
    """What the fit knows about rows: where each one's nearest fitted point is, and how dense it is around the row.

    Attributes
    ----------
    places : place of the nearest fitted point, per row
    distances : to that point; 0 says that the row is that point
    cores : core distance of each row
    """

    places: NDArray[np.integer]
    distances: Matrix
    cores: Matrix

    @property
    def own_cores(self) -> Matrix:
        """Core distances, 0 for the rows that are fitted points."""
        return np.where(self.distances > 0, self.cores, 0.0)


@dataclass(frozen=True)
class Density:
    """Fitted points with their labels, and how dense they are.

    Attributes
    ----------
    points : (points, features), scaled
    cores : core distance of each point
    labels, strengths, reaches : as in ``hierarchy.Cut``
    workers : threads of the searches; they change no result
    """

    points: Matrix
    cores: Matrix
    labels: Numbers
    strengths: Matrix
    reaches: Matrix
    workers: int | None = None

    def labels_of(self, places: NDArray[np.integer], own_cores: Matrix) -> Numbers:
        """Return the segment of each row, noise −1, from its ``Neighbours``."""
        labels = self.labels[places]
        return np.where(own_cores > self._limits[labels], NOISE, labels)

    def nearest(self, rows: Matrix, found: Neighbours) -> Neighbours:
        """Return the neighbours with the nearest fitted point that is in a segment in the place of noise."""
        members = np.flatnonzero(self.labels != NOISE)
        is_noise = self.labels[found.places] == NOISE
        if not members.size or not is_noise.any():
            return found
        places, distances = found.places.copy(), found.distances.copy()
        nearer, order = _search(self.points[members], rows[is_noise], [1], self.workers)
        places[is_noise], distances[is_noise] = members[order[:, 0]], nearer[:, 0]
        return replace(found, places=places, distances=distances)

    def strengths_of(self, near: Neighbours) -> Matrix:
        """Return how deep in the segment of its nearest member (see ``nearest``) each row lies, from 0 to 1.

        Fitted members have the strength of the fit. For others it is the same quotient: the reach of full strength,
        divided by the distance of mutual reachability to that member.
        """
        full = np.append(self.reaches, 0.0)[self.labels[near.places]]
        reach = np.maximum.reduce([near.distances, near.cores, self.cores[near.places]])
        strengths = np.divide(full, reach, out=np.ones(len(reach)), where=reach > full)
        return np.asarray(np.where(near.distances == 0, self.strengths[near.places], strengths))

    def memberships(self, rows: Matrix, near: Neighbours) -> Matrix:
        """Return how much of each row belongs to each segment, (rows, segments); what lacks to 1 is noise.

        The strength in the nearest segment, shared out by inverse distance to the nearest member of each segment, as
        the soft clustering of the hdbscan library shares by inverse distance to exemplars (McInnes, "How soft
        clustering for HDBSCAN works"). The row's own core distance is added to each, so that members of the fit,
        which are at distance 0 from their segment, are not all or nothing.
        """
        if not len(self.reaches):
            return np.empty((len(rows), 0))
        segments = range(len(self.reaches))
        trees = (self.points[self.labels == segment] for segment in segments)
        distances = np.column_stack([_search(points, rows, [1], self.workers)[0] for points in trees])
        distances += near.cores[:, None]
        smallest = distances.min(axis=1, keepdims=True)
        shares = np.divide(smallest, distances, out=np.ones(distances.shape), where=distances > 0)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True) * self.strengths_of(near)[:, None])

    @cached_property
    def _limits(self) -> Matrix:
        limits = np.zeros(len(self.reaches) + 1)  # the last place is that of noise
        np.maximum.at(limits, self.labels, self.cores)
        return limits


def neighbours(points: Matrix, rows: Matrix, min_samples: int, workers: int | None = None) -> Neighbours:
    """Return the nearest of the fitted points and the core distance among them, per row.

    Parameters
    ----------
    points : (points, features), scaled
    rows : (rows, features), scaled alike
    min_samples : neighbours that a core distance reaches out for
    workers : threads of the search; they change no result
    """
    farthest = min(min_samples, len(points))
    distances, places = _search(points, rows, [1, farthest], workers)
    return Neighbours(places[:, 0], distances[:, 0], distances[:, 1])


def core_distances(points: Matrix, min_samples: int) -> Matrix:
    """Return the distance of each point to its ``min_samples``-th neighbour, itself not counted."""
    farthest = min(min_samples + 1, len(points))
    return np.asarray(_search(points, points, [farthest], None)[0][:, 0])


def _search(points: Matrix, rows: Matrix, ranks: list[int], workers: int | None) -> tuple[Matrix, NDArray[np.integer]]:
    # Built for each search, which costs some milliseconds; only the neighbours of these ranks take memory.
    distances, places = cKDTree(points).query(rows, k=ranks, workers=workers or 1)
    return distances, places
