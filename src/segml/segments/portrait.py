"""Found segments one by one: how surely each comes back, how tightly it holds, and where all lie on a sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from segml.clusters import Projection, bootstrap_stability, projection, silhouette_by_segment
from segml.segments.found import ClusterModel, numbered


@dataclass(frozen=True)
class Portrait:
    """The segments of one model.

    Attributes
    ----------
    table : one row a found segment: ``number``, ``name``, ``customers``, ``customer_share``, ``jaccard`` (mean likeness
        to itself when customers are drawn anew), ``silhouette`` (information only), ``rule`` in words
    sheet : customers in two dimensions, for looking only; segments by number
    """

    table: pd.DataFrame
    sheet: Projection


def portrait(model: ClusterModel, customers: pd.DataFrame, *, resamples: int, seed: int) -> Portrait:
    """Return what there is to say of each segment on the customers of the fit.

    Parameters
    ----------
    model : fitted and described
    resamples : of the bootstrap; 0: ``jaccard`` is unknown
    seed : of the samples
    """
    inputs, labels = model.inputs(customers), model.clusterer_.labels_
    scaled = model.clusterer_.scaler_.transform(inputs)
    sizes = pd.Series(model.predict(customers)).value_counts()
    silhouettes = silhouette_by_segment(scaled, labels, seed=seed)
    table = pd.DataFrame({"number": model.numbers_, "name": model.segment_names_})
    found = table["number"] - 1
    table = table.assign(
        customers=table["number"].map(sizes).fillna(0).astype("int64"),
        customer_share=table["number"].map(sizes / len(customers)).fillna(0.0),
        jaccard=found.map(_jaccard(model, inputs, resamples, seed)).astype("float64"),
        silhouette=found.map(silhouettes).astype("float64"),
        rule=model.rules_,
    )
    return Portrait(table, projection(scaled, numbered(labels), seed=seed))


def _jaccard(model: ClusterModel, inputs: pd.DataFrame, resamples: int, seed: int) -> dict[int, float]:
    if not resamples:
        return {}
    likeness = bootstrap_stability(model.clusterer_, inputs, resamples=resamples, seed=seed).jaccard
    return dict(enumerate(np.asarray(likeness).tolist())) if len(likeness) == model.n_clusters_ else {}
