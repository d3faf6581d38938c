"""How far found segments can be trusted: do they come back when the customers are drawn anew?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.metrics.cluster import contingency_matrix

from segml.config import SegmentsConfig
from segml.segments.clusters import KMeansSegments
from segml.segments.found import cluster_inputs

RESAMPLE_RESTARTS = 2

Floats = NDArray[np.float64]


def stability(features: pd.DataFrame, model: KMeansSegments, config: SegmentsConfig, seed: int) -> dict[str, float]:
    """Return ``segments/n_clusters``, ``segments/min_jaccard`` and ``segments/smallest_share`` of found segments.

    Parameters
    ----------
    features : the customers on whom the model was fitted
    model : as fitted
    config : number of resamples (``clusters.bootstrap``; 0 leaves the Jaccard out)
    seed : of the resampling
    """
    inputs = cluster_inputs(features, config.clusters)
    labels = model.predict(inputs)
    metrics = {
        "segments/n_clusters": float(model.n_clusters_),
        "segments/smallest_share": float(np.bincount(labels, minlength=model.n_clusters_ + 1)[1:].min() / len(labels)),
    }
    if config.clusters.bootstrap:
        metrics["segments/min_jaccard"] = float(
            bootstrap_jaccard(model, inputs, resamples=config.clusters.bootstrap, seed=seed).min()
        )
    return metrics


def bootstrap_jaccard(model: KMeansSegments, inputs: pd.DataFrame, *, resamples: int, seed: int) -> Floats:
    """Return, per segment, how well it comes back when the customers are drawn anew: 1 is always, under 0.6 is chance.

    Each resample is clustered afresh, all customers are assigned to its segments, and each original segment is
    compared with the one most like it: shared customers over the customers of either. The mean over resamples.
    Method: C. Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis 52.

    Parameters
    ----------
    model : fitted on these customers
    inputs : (customers, features), in one fixed order
    resamples : number of bootstrap samples
    seed : of the samples
    """
    rng = np.random.default_rng(seed)
    original = model.predict(inputs)
    similarity = np.zeros((resamples, model.n_clusters_))
    for place in range(resamples):
        sample = inputs.iloc[rng.integers(0, len(inputs), len(inputs))]
        again = clone(model).set_params(n_init=RESAMPLE_RESTARTS).fit(sample)
        similarity[place] = jaccard(original, again.predict(inputs)).max(axis=1)
    return np.asarray(similarity.mean(axis=0))


def jaccard(left: ArrayLike, right: ArrayLike) -> Floats:
    """Return the Jaccard similarity (segments of left, segments of right) of two labellings of the same customers.

    >>> jaccard([1, 1, 2, 2], [1, 1, 1, 2]).round(2).tolist()
    [[0.67, 0.0], [0.25, 0.5]]
    """
    shared = contingency_matrix(left, right)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return np.asarray(shared / either)
