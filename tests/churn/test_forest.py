from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from segml.churn.forest import MOST_SPLITS, Forest, forest_of


def table(rows: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features with ties, gaps and a last one of three values, and an outcome that all of them move."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 5))
    X[:, 1] = np.round(X[:, 1])
    X[:, -1] = rng.integers(0, 3, rows)
    y = X[:, 0] * X[:, 1] + (X[:, -1] == 1) + rng.normal(size=rows) > 0.3
    X[rng.uniform(size=rows) < 0.3, 0] = np.nan
    X[rng.uniform(size=rows) < 0.01, 2] = np.nan
    return X, y


def boosted(X: np.ndarray, y: np.ndarray, **settings: Any) -> Any:
    return HistGradientBoostingClassifier(**{"max_iter": 40, "max_leaf_nodes": 6, **settings}).fit(X, y)


def made_by_hand() -> Forest:
    """One tree: x <= 1 (unknown: right), then y <= 5 (unknown: left); leaves 10 and 20, and 30 where x is larger."""
    return Forest(
        baseline=0.5,
        thresholds=[np.array([1.0]), np.array([5.0])],
        split_counts=np.array([2]),
        features=np.array([[0, 1]]),
        ranks=np.zeros((1, 2), dtype=np.uint8),
        unknown_left=np.array([[False, True]]),
        leaves=np.array([[30.0, 20.0, 30.0, 10.0]]),
    )


def test_a_tree_made_by_hand_is_read_as_drawn() -> None:
    rows = np.array([[1.0, 5.0], [1.0, 5.1], [1.1, 0.0], [np.nan, 0.0], [0.0, np.nan], [np.nan, np.nan]])
    assert made_by_hand().logits(rows.T).tolist() == [[10.5, 20.5, 30.5, 30.5, 10.5, 30.5]]


def test_a_known_last_feature_answers_for_all_rows() -> None:
    assert made_by_hand().logits(np.array([[0.0, 2.0]]), (5.0, 6.0)).tolist() == [[10.5, 30.5], [20.5, 30.5]]


@pytest.mark.parametrize("leaves", [2, 6, MOST_SPLITS + 1])
def test_sums_are_those_of_scikit_learn_to_the_bit(leaves: int) -> None:
    X, y = table()
    trees = boosted(X, y, max_leaf_nodes=leaves)
    forest = forest_of(trees)
    assert forest is not None
    later = np.vstack([table(seed=1)[0], np.full((1, 5), np.nan), np.full((1, 5), 1e300), np.full((1, 5), -1e300)])
    assert (forest.logits(later.T)[0] == trees.decision_function(later)).all()


def test_values_at_a_threshold_fall_to_the_side_they_fall_to_in_scikit_learn() -> None:
    X, y = table()
    trees = boosted(X, y)
    forest = forest_of(trees)
    assert forest is not None
    at = np.concatenate([np.tile(value, (5, 1)) for value in forest.thresholds[0]])
    rows = np.column_stack([at, np.zeros((len(at), 4))])
    assert (forest.logits(rows.T)[0] == trees.decision_function(rows)).all()


def test_a_known_last_feature_gives_the_same_bits_as_a_column_of_it() -> None:
    X, y = table()
    trees = boosted(X, y)
    forest = forest_of(trees)
    assert forest is not None
    several = forest.logits(X[:, :-1].T, (0.0, 1.0, 2.0))
    for value, logits in zip((0.0, 1.0, 2.0), several, strict=True):
        rows = np.column_stack([X[:, :-1], np.full(len(X), value)])
        assert (logits == trees.decision_function(rows)).all()


def test_trees_without_a_split_are_constants() -> None:
    X, y = table(rows=30)
    forest = forest_of(boosted(X, y, min_samples_leaf=30))
    assert forest is not None
    assert len(np.unique(forest.logits(X.T))) == 1


def test_large_trees_and_other_models_do_not_fit() -> None:
    X, y = table()
    assert forest_of(boosted(X, y, max_leaf_nodes=MOST_SPLITS + 2)) is None
    assert forest_of(object()) is None
