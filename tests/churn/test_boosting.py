"""Boosted trees by either library under the same hyper-parameters; LightGBM's as text alone."""

import copy
import pickle
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from segml.churn import TRUSTED_TYPES, RiskModel
from segml.churn.boosting import LightGBMTrees, boosted_trees
from segml.churn.classifier import RiskClassifier
from segml.config import BoostingConfig, ChurnConfig
from segml.schema import ConfigError
from segml.settings import require_extra


def case(rows: int = 600, seed: int = 0, unknown: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=rows) > 0).astype(int)
    X[rng.uniform(size=X.shape) < unknown] = np.nan
    return X, y


def few(**settings: Any) -> LightGBMTrees:
    return LightGBMTrees(**{"max_iter": 30, "min_samples_leaf": 5, "learning_rate": 0.1, **settings})


def test_one_split_is_the_newton_step_of_each_side() -> None:
    X = np.repeat([[0.0], [1.0]], 100, axis=0)
    y = np.concatenate([np.arange(100) < 20, np.arange(100) < 60])
    trees = LightGBMTrees(max_iter=1, max_leaf_nodes=2, learning_rate=0.1, max_features=1.0).fit(X, y)
    mean = 0.4  # the step is Σ(y − mean) / (Σ mean(1 − mean) + ridge)
    step = 0.1 * 20 / (100 * mean * (1 - mean) + 10)
    base = np.log(mean / (1 - mean))
    np.testing.assert_allclose(trees.decision_function([[0.0], [1.0]]), [base - step, base + step], rtol=1e-6)


def test_both_libraries_learn_nearly_the_same() -> None:
    X, y = case(rows=3000)
    later, outcome = case(seed=1)
    parameters = {**BoostingConfig(max_features=1.0).model_dump(exclude={"library"}), "random_state": 0}
    ours, theirs = (
        boosted_trees(library, **parameters).fit(X, y).decision_function(later) for library in ("lightgbm", "sklearn")
    )
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.05)
    assert roc_auc_score(outcome, ours) > 0.75


def test_the_library_decides_which_trees() -> None:
    assert isinstance(boosted_trees("sklearn"), HistGradientBoostingClassifier)
    assert boosted_trees("lightgbm", max_iter=7).max_iter == 7
    with pytest.raises(ValueError, match="library must be 'sklearn' or 'lightgbm'; found 'xgboost'"):
        boosted_trees("xgboost")


def test_repeated_fits_give_the_same_text_on_one_thread_and_on_two() -> None:
    X, y = case()
    with threadpool_limits(2):
        two = few().fit(X, y)
    with threadpool_limits(1):
        one = few().fit(X, y)
    assert one.model_text_ == two.model_text_ == few().fit(X, y).model_text_


def test_a_row_is_scored_the_same_alone_and_in_any_company() -> None:
    X, y = case()
    trees = few().fit(X, y)
    together = trees.decision_function(X)
    assert_array_equal(trees.decision_function(X[::-1])[::-1], together)
    assert_array_equal(trees.decision_function(np.asfortranarray(X)), together)
    assert [trees.decision_function(X[[row]])[0] for row in range(20)] == together[:20].tolist()


def test_only_the_seed_decides_on_chance() -> None:
    X, y = case()
    first, again, other = (few(random_state=seed).fit(X, y).decision_function(X) for seed in (3, 3, 4))
    assert_array_equal(first, again)
    assert (first != other).any()


def test_every_seed_of_the_configuration_is_taken() -> None:
    X, y = case()
    assert_array_equal(
        few(random_state=2**32 - 1).fit(X, y).decision_function(X),
        few(random_state=2**31 - 1).fit(X, y).decision_function(X),
    )


def test_a_first_unknown_value_is_taken_for_the_median() -> None:
    X, y = case(unknown=0.0)
    trees = few().fit(X + 5.0, y)
    unknown = np.full((1, 6), np.nan)
    assert_array_equal(trees.decision_function(unknown), trees.decision_function(np.median(X + 5.0, axis=0)[None]))


def test_an_unknown_value_may_tell_as_much_as_a_known_one() -> None:
    y = np.arange(400) % 2
    X = np.where(y == 1, np.nan, 0.0)[:, None]
    unknown, known = few().fit(X, y).decision_function([[np.nan], [0.0]])
    assert unknown > 0 > known


def test_without_a_split_the_base_rate_is_left_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    X, y = np.full((200, 3), 7.0), np.arange(200) % 4 == 0
    trees = few().fit(X, y)
    assert trees.n_iter_ == 1
    np.testing.assert_allclose(trees.decision_function(X[:2]), np.log(1 / 3))
    assert capfd.readouterr() == ("", "")


def test_what_is_learnt_is_text_and_numbers() -> None:
    trees = few().fit(*case())
    trees.decision_function(case()[0])
    learnt = {name: type(value) for name, value in vars(trees).items() if name.endswith("_")}
    assert learnt == {"n_features_in_": int, "model_text_": str, "always_known_": np.ndarray, "n_iter_": int}
    assert trees.n_iter_ == 30


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda trees: pickle.loads(pickle.dumps(trees))])
def test_a_copy_scores_alike(copied: Any) -> None:
    X, y = case()
    trees = few().fit(X, y)
    expected = trees.decision_function(X)
    assert_array_equal(copied(trees).decision_function(X), expected)


def test_a_clone_is_unfitted_with_the_same_settings() -> None:
    trees = few(max_leaf_nodes=3).fit(*case())
    again = clone(trees)
    assert again.get_params() == trees.get_params()
    assert not hasattr(again, "model_text_")


def test_it_survives_storage_that_runs_no_code() -> None:
    X, y = case()
    trees = few().fit(X, y)
    stored = skops.io.dumps(trees)
    assert skops.io.get_untrusted_types(data=stored) == ["segml.churn.boosting.LightGBMTrees"]
    restored = skops.io.loads(stored, trusted=list(TRUSTED_TYPES))
    assert_array_equal(restored.decision_function(X), trees.decision_function(X))


@pytest.fixture(scope="module")
def by_lightgbm(quick: ChurnConfig) -> ChurnConfig:
    boosting = quick.boosting.model_copy(update={"library": "lightgbm"})
    return quick.model_copy(update={"boosting": boosting})


def learn(world: Any, config: ChurnConfig, inputs: tuple[str, ...], *, shuffled: bool = False) -> RiskModel:
    split = world.splits[-1]
    tables = world.at(*split.training), world.labels, world.features[world.features["as_of"] == split.test]
    features, labels, base = (table.sample(frac=1, random_state=0) if shuffled else table for table in tables)
    return RiskModel().fit(features, labels, base=base, config=config, horizon_days=90, seed=0, inputs=inputs)


def trees_of(model: RiskModel) -> list[str]:
    parts = (model.churn_, model.stagnation_)
    return [part.boosting_.model_text_ for part in parts if isinstance(part, RiskClassifier)]


def test_order_of_rows_changes_no_bit_of_a_risk_model(
    world: Any, by_lightgbm: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    models = [learn(world, by_lightgbm, inputs, shuffled=shuffled) for shuffled in (False, True)]
    assert trees_of(models[0]) == trees_of(models[1])
    assert len(trees_of(models[0])) == 2


def test_a_stored_risk_model_scores_alike(world: Any, by_lightgbm: ChurnConfig, inputs: tuple[str, ...]) -> None:
    model, now = learn(world, by_lightgbm, inputs), world.at(world.splits[-1].test)
    restored = skops.io.loads(skops.io.dumps(model), trusted=list(TRUSTED_TYPES))
    pd.testing.assert_frame_equal(restored.predict(now), model.predict(now), check_exact=True)


def test_what_is_not_a_table_of_the_fit_is_refused() -> None:
    trees = few().fit(*case())
    with pytest.raises(ValueError, match="X has 2 features, but LightGBMTrees is expecting 6"):
        trees.decision_function(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="infinity"):
        trees.decision_function(np.full((1, 6), np.inf))


def test_a_missing_system_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> None:
        raise OSError("libomp.dylib: image not found")

    monkeypatch.setattr("importlib.import_module", fails)
    with pytest.raises(ConfigError, match=r"needs lightgbm: .* \(libomp\.dylib: image not found\)"):
        require_extra("lightgbm", extra="lightgbm")


def test_without_lightgbm_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(ConfigError, match=r"needs lightgbm: pip install 'segml\[lightgbm\]'"):
        few().fit(*case())
