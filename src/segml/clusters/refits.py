"""Clusterers fitted afresh on samples, to be compared with others: with few restarts, and one tree for all sizes."""

from __future__ import annotations

from typing import Any

import joblib
from sklearn.base import clone

RESTARTS = 5
"""Restarts of a fit that is only compared with others: fewer than the model's own."""


class Refits:
    """Fits clones of clusterers on samples; those that differ in size only share the tree of a sample.

    A clusterer that has ``recut``, such as ``HDBSCANSegments``, finds its segments of any size in one tree, which is
    what costs.
    """

    def __init__(self) -> None:
        self._trees: dict[str, Any] = {}

    def __call__(self, model: Any, sample: Any) -> Any:
        """Return a clone of the model, fitted on the sample (customers, features)."""
        if not hasattr(model, "recut"):
            return few_restarts(model).fit(sample)
        key = joblib.hash((model.get_params(deep=False) | {"min_cluster_size": None}, sample))
        if key not in self._trees:
            self._trees[key] = clone(model).fit(sample)
        return self._trees[key].recut(model.min_cluster_size)


def few_restarts(model: Any) -> Any:
    """Return an unfitted clone with few restarts, where the clusterer has any."""
    fresh = clone(model)
    restarts = {name: RESTARTS for name in fresh.get_params() if name.rpartition("__")[2] == "n_init"}
    return fresh.set_params(**restarts)
