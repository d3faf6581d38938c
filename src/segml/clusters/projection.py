"""Customers in two dimensions, for looking only: distances on the sheet are not those that segments were found by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from segml.clusters.hierarchy import NOISE
from segml.clusters.kmeans import row_order
from segml.schema import DataError

AT_MOST = 5_000
"""Points on a sheet, of which more would only hide each other."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Projection:
    """Customers on a sheet.

    Attributes
    ----------
    points : ``x, y, segment``, one row a customer drawn
    centres : ``segment, x, y``: mean of all customers of each segment, noise (−1) left out
    explained : share of the variance that lies along x and along y
    """

    points: pd.DataFrame
    centres: pd.DataFrame
    explained: tuple[float, float]


def projection(scaled: Matrix, labels: ArrayLike, *, seed: int = 0, at_most: int = AT_MOST) -> Projection:
    """Return the two directions in which customers differ most (principal components), and where customers lie on them.

    The larger part of each direction's loadings is positive, so that the sheet does not flip between runs; the order of
    rows changes nothing.

    Parameters
    ----------
    scaled : (customers, features), as the clusterer sees them
    labels : segment of each row
    seed : of the sample that is drawn
    at_most : points drawn

    Raises
    ------
    DataError : no customers, or labels of another length
    """
    given = np.asarray(labels)
    if not len(scaled) or given.shape != (len(scaled),):
        raise DataError(f"a projection needs one label a customer; found {len(scaled)} customers, labels {given.shape}")
    coded = np.column_stack([scaled, given]).astype(np.float64)
    order = row_order(coded)
    ordered, segments = coded[order, :-1], given[order]
    directions, explained = _directions(ordered)
    # Row by row, without BLAS: the same customer lies at the same place in any company.
    places = np.column_stack([((ordered - ordered.mean(axis=0)) * direction).sum(axis=1) for direction in directions])
    points = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "segment": segments})
    centres = points[points["segment"] != NOISE].groupby("segment", as_index=False).mean()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(points))[:at_most])
    return Projection(points.iloc[drawn].reset_index(drop=True), centres, explained)


def _directions(ordered: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """Return the first two principal directions (2, features), and the shares of variance along them."""
    with threadpool_limits(1):
        centred = ordered - ordered.mean(axis=0)
        sizes, vectors = np.linalg.eigh(centred.T @ centred)
    shares = np.append(sizes[::-1], 0.0)[:2].clip(min=0) / max(float(sizes.clip(min=0).sum()), 1e-300)
    first = vectors.T[::-1]
    both = np.vstack([first, np.zeros_like(first)])[:2] if len(first) < 2 else first[:2]
    signs = np.where(np.take_along_axis(both, np.abs(both).argmax(axis=1)[:, None], axis=1) < 0, -1.0, 1.0)
    return both * signs, (float(shares[0]), float(shares[1]))
