import numpy as np
import pytest
from scipy.stats import norm
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from segml.churn.normal_scores import NormalScores


def independent(rows: int) -> Pipeline:
    quantiles = QuantileTransformer(n_quantiles=min(1000, rows), output_distribution="normal", subsample=None)
    return make_pipeline(SimpleImputer(strategy="median"), quantiles, StandardScaler())


def table(rows: int, seed: int = 0) -> np.ndarray:
    """Return a smooth column, one of few values, a skewed one mostly zero, a constant, and one with gaps."""
    rng = np.random.default_rng(seed)
    smooth, few, gaps = rng.normal(size=(3, rows))
    money = rng.lognormal(5, 2, rows) * (rng.uniform(size=rows) < 0.3)
    return np.column_stack([smooth, np.round(few), money, np.full(rows, 7.0), np.where(gaps > 0.5, np.nan, gaps)])


def test_the_score_of_a_value_is_the_normal_quantile_of_its_rank() -> None:
    model = NormalScores()
    model.fit_transform(np.array([[1.0], [2.0], [3.0], [3.0], [10.0]]))
    raw = model.column(0, np.array([2.0, 3.0, 1.5, 6.5])) * model.scales_[0] + model.means_[0]
    np.testing.assert_allclose(raw, norm.ppf([0.25, 0.625, 0.125, 0.875]))  # equal values share the mean rank


@pytest.mark.parametrize("rows", [2, 50, 3000])
def test_scores_agree_with_scikit_learn(rows: int) -> None:
    X, later = table(rows), table(2000, seed=1) * 1.5
    X[0, 4] = 0.0  # a column has a value
    ours, theirs = NormalScores(), independent(rows)
    np.testing.assert_allclose(ours.fit_transform(X), theirs.fit_transform(X), atol=1e-12)
    np.testing.assert_allclose(ours.transform(later), theirs.transform(later), atol=1e-12)


def test_order_of_columns_in_memory_changes_no_bit() -> None:
    X = table(500)
    assert (NormalScores().fit_transform(X) == NormalScores().fit_transform(np.asfortranarray(X))).all()
