from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from segml.churn import classifier
from segml.churn.classifier import RiskClassifier
from segml.churn.model import TRUSTED_TYPES

# check_array_api_input skips itself unless SCIPY_ARRAY_API is set
SKIPPED = "check_array_api_input"
LIBRARIES = ("sklearn", "lightgbm")


def case(rows: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6))
    y = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=rows) > 0
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    return X, y


def quick(**settings: Any) -> RiskClassifier:
    return RiskClassifier(**{"max_iter": 30, "min_samples_leaf": 5, "logistic_c": 1.0, **settings})


@parametrize_with_checks([quick(library=library) for library in LIBRARIES])  # type: ignore[untyped-decorator]
def test_it_keeps_the_contract_of_scikit_learn(estimator: RiskClassifier, check: Any) -> None:
    if check.func.__name__ != SKIPPED:
        check(estimator)


def test_it_learns() -> None:
    X, y = case()
    later, outcome = case(seed=1)
    assert roc_auc_score(outcome, quick(learning_rate=0.1).fit(X, y).decision_function(later)) > 0.75


def test_the_logit_is_the_mean_of_both_parts() -> None:
    X, y = case()
    model = quick().fit(X, y)
    trees = model.boosting_.decision_function(X)
    linear = model.logistic_.decision_function(model.normal_scores_.transform(X))
    np.testing.assert_allclose(model.decision_function(X), (trees + linear) / 2)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-(trees + linear) / 2)))


@pytest.mark.parametrize("library", LIBRARIES)
def test_one_thread_and_two_give_the_same_bits(library: str) -> None:
    X, y = case()
    with threadpool_limits(2):
        two = quick(library=library).fit(X, y).predict_proba(X)
    with threadpool_limits(1):
        one = quick(library=library).fit(X, y).predict_proba(X)
    assert (one == two).all()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_row_is_scored_the_same_alone_and_in_any_company(library: str) -> None:
    X, y = case()
    model = quick(library=library).fit(X, y)
    together = model.decision_function(X)
    assert (model.decision_function(X[::-1])[::-1] == together).all()
    assert [model.decision_function(X[[row]])[0] for row in range(20)] == together[:20].tolist()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_row_is_scored_the_same_in_any_block(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = case()
    model = quick(library=library).fit(X, y)
    together = model.decision_function(X)
    monkeypatch.setattr(classifier, "_BLOCK_ROWS", 7)
    assert (model.decision_function(X) == together).all()
    assert (model.decision_function(np.asfortranarray(X)) == together).all()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("max_leaf_nodes", [6, 30])
def test_several_values_of_the_last_feature_are_scored_as_one_by_one(library: str, max_leaf_nodes: int) -> None:
    X, y = case()
    X[:, -1] = np.arange(len(X)) % 3
    y = y ^ (X[:, -1] == 1)
    model = quick(library=library, max_leaf_nodes=max_leaf_nodes, max_features=1.0).fit(X, y)
    several = model.decision_functions(X[:, :-1], (0.0, 1.0, 2.0))
    for value, logits in zip((0.0, 1.0, 2.0), several, strict=True):
        assert (logits == model.decision_function(np.column_stack([X[:, :-1], np.full(len(X), value)]))).all()
    assert (several[0] != several[1]).any()


def test_rows_with_the_last_feature_are_refused_where_it_is_to_be_set() -> None:
    X, y = case()
    with pytest.raises(ValueError, match="X must hold all 6 features but the last; found 6"):
        quick().fit(X, y).decision_functions(X, (0.0,))


def test_what_is_learnt_from_stays_as_it_was() -> None:
    X, y = case()
    X[:, 2] = np.nan
    before = X.copy()
    quick().fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(X, before)


def test_only_the_seed_decides_on_chance() -> None:
    X, y = case()
    first, again, other = (quick(random_state=seed).fit(X, y).predict_proba(X) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("library", LIBRARIES)
def test_columns_without_a_value_or_without_variation_are_harmless(library: str) -> None:
    X, y = case()
    useless = np.column_stack([X, np.full(len(X), np.nan), np.full(len(X), 7.0)])
    model = quick(library=library, max_features=1.0).fit(useless, y)
    expected = quick(library=library, max_features=1.0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(useless), expected, atol=1e-3)
    useless[:, -2:] = 1e9
    assert np.isfinite(model.predict_proba(useless)).all()


def test_a_row_of_unknowns_gets_a_probability() -> None:
    X, y = case()
    assert np.isfinite(quick().fit(X, y).predict_proba(np.full((1, 6), np.nan))).all()


def test_three_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Only binary classification is supported.*found 3 classes"):
        quick().fit(np.zeros((30, 2)), np.arange(30) % 3)


def test_settings_reach_the_parts() -> None:
    model = clone(quick(max_iter=7, max_leaf_nodes=3, logistic_c=0.5)).fit(*case())
    assert model.n_iter_ == 7
    assert model.boosting_.max_leaf_nodes == 3
    assert model.logistic_.C == 0.5


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_survives_storage_that_runs_no_code(library: str) -> None:
    X, y = case()
    model = quick(library=library).fit(X, y)
    restored = skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED_TYPES))
    assert (restored.predict_proba(X) == model.predict_proba(X)).all()
