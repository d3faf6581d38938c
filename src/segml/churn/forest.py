"""Small boosted trees evaluated many rows at a time: the same sums as scikit-learn's to the bit, in far less time.

A tree of few leaves has few splits. Each is answered for a whole block of rows at once, on values coded as one byte;
the answers of a row, read as a binary number, are the place of its leaf in a table. That is cheap because no row walks
a tree of its own, and because what a known last column answers is looked up once, not row by row.

Source: the idea of QuickScorer, C. Lucchese et al. (2015), "QuickScorer: a fast algorithm to rank documents with
additive ensembles of regression trees", SIGIR 2015, 73-82.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]

MOST_SPLITS = 8
"""Of a tree, so that its answers fit into a byte."""

_UNKNOWN = 255


@dataclass(frozen=True)
class Forest:
    """Trees with at most ``MOST_SPLITS`` splits each; unused places of the arrays hold zeros.

    Attributes
    ----------
    baseline : what the sum of the trees starts from
    thresholds : for each feature the values that splits compare with, rising
    split_counts : (trees)
    features, ranks, unknown_left : (trees × splits) of each split, by rising feature: which one it looks at, the rank
        of its threshold among the feature's, and whether an unknown value goes to the left, as smaller ones do
    leaves : (trees × 2 ** splits) value of the leaf of each combination of answers; bit i is set: left at split i
    """

    baseline: float
    thresholds: list[Vector]
    split_counts: npt.NDArray[np.intp]
    features: npt.NDArray[np.intp]
    ranks: Codes
    unknown_left: npt.NDArray[np.bool_]
    leaves: Vector

    def logits(self, columns: Vector, last: Sequence[float] = ()) -> Vector:
        """Return the sums of the trees.

        Parameters
        ----------
        columns : features × rows
        last : values of the last feature, which ``columns`` then lacks

        Returns
        -------
        One row a value of ``last``, or one row without any; one column a row.
        """
        codes = [_code(values, thresholds) for values, thresholds in zip(columns, self.thresholds, strict=False)]
        sums = np.full((max(len(last), 1), columns.shape[1]), self.baseline)
        for tree, count in enumerate(self.split_counts.tolist()):
            free = count if not last else int((self.features[tree, :count] < len(columns)).sum())
            answers = self._answers(tree, free, codes, columns.shape[1])
            known = [self._answer_of_last(tree, range(free, count), value) for value in last] or [0]
            for start, among in _grouped(known).items():
                leaves = np.take(self.leaves[tree, start : start + 2**free], answers)
                for number in among:
                    sums[number] += leaves
        return sums

    def _answers(self, tree: int, splits: int, codes: list[tuple[Codes, Codes]], rows: int) -> Codes:
        answers = np.zeros(rows, dtype=np.uint8)
        for split in reversed(range(splits)):
            is_left = codes[self.features[tree, split]][int(self.unknown_left[tree, split])] <= self.ranks[tree, split]
            answers += answers
            answers |= is_left.view(np.uint8)
        return answers

    def _answer_of_last(self, tree: int, splits: range, value: float) -> int:
        thresholds = self.thresholds[-1]
        return sum(int(value <= thresholds[self.ranks[tree, split]]) << split for split in splits)


def forest_of(boosting: Any) -> Forest | None:
    """Return the trees of a fitted ``HistGradientBoostingClassifier`` of two classes.

    None for other trees, and where one has more than ``MOST_SPLITS`` splits.
    """
    trees = [predictors[0].nodes for predictors in getattr(boosting, "_predictors", [])]
    splits = [_splits(nodes) for nodes in trees]
    most = max(map(len, splits), default=0)
    if not trees or most > MOST_SPLITS:
        return None
    thresholds = _thresholds(trees, boosting.n_features_in_)
    shape = (len(trees), most)
    forest = Forest(
        baseline=float(boosting._baseline_prediction[0, 0]),
        thresholds=thresholds,
        split_counts=np.array([len(found) for found in splits]),
        features=np.zeros(shape, dtype=np.intp),
        ranks=np.zeros(shape, dtype=np.uint8),
        unknown_left=np.zeros(shape, dtype=np.bool_),
        leaves=np.zeros((len(trees), 2**most)),
    )
    for tree, (nodes, found) in enumerate(zip(trees, splits, strict=True)):
        taken = slice(0, len(found))
        forest.features[tree, taken] = nodes["feature_idx"][found]
        forest.ranks[tree, taken] = [_rank(nodes[split], thresholds) for split in found]
        forest.unknown_left[tree, taken] = nodes["missing_go_to_left"][found]
        forest.leaves[tree, : 2 ** len(found)] = _leaves(nodes, found)
    return forest


def _splits(nodes: Any) -> npt.NDArray[np.intp]:
    """Return the places of the nodes that split, by rising feature."""
    places = np.flatnonzero(nodes["is_leaf"] == 0)
    return places[np.argsort(nodes["feature_idx"][places], kind="stable")]


def _thresholds(trees: Sequence[Any], features: int) -> list[Vector]:
    """Return what splits compare each feature with, rising; bins of a byte leave at most 255 of them."""
    nodes = np.concatenate(trees)
    nodes = nodes[nodes["is_leaf"] == 0]
    return [np.unique(nodes["num_threshold"][nodes["feature_idx"] == feature]) for feature in range(features)]


def _rank(node: Any, thresholds: Sequence[Vector]) -> int:
    return int(np.searchsorted(thresholds[node["feature_idx"]], node["num_threshold"]))


def _leaves(nodes: Any, splits: npt.NDArray[np.intp]) -> Vector:
    """Return the value at the leaf that each combination of answers leads to."""
    answers = np.arange(2 ** len(splits))
    bit = np.zeros(len(nodes), dtype=np.intp)
    bit[splits] = np.arange(len(splits))
    at = np.zeros(len(answers), dtype=np.intp)
    for _ in splits:  # no way is longer than all splits
        is_left = (answers >> bit[at]) & 1 == 1
        child = np.where(is_left, nodes["left"][at], nodes["right"][at])
        at = np.where(nodes["is_leaf"][at] == 1, at, child)
    return np.asarray(nodes["value"][at])


def _code(values: Vector, thresholds: Vector) -> tuple[Codes, Codes]:
    """Return how many thresholds each value is above of, twice: unknown above all of them, and unknown below all."""
    above = np.searchsorted(thresholds, values).astype(np.uint8)
    unknown = np.isnan(values)
    if not unknown.any():
        return above, above
    return np.where(unknown, np.uint8(_UNKNOWN), above), np.where(unknown, np.uint8(0), above)


def _grouped(numbers: Sequence[int]) -> dict[int, list[int]]:
    """Return the places of each number.

    >>> _grouped([4, 0, 4])
    {4: [0, 2], 0: [1]}
    """
    places: dict[int, list[int]] = {}
    for place, number in enumerate(numbers):
        places.setdefault(number, []).append(place)
    return places
