import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from segml.clusters import NOISE, HDBSCANSegments, KMeansSegments, bootstrap_stability
from segml.segments import ClusterModel
from segml.segments.portrait import portrait

FEATURES = ("revenue_365d", "recency_days", "order_count_365d")
DENSE = ("revenue_365d", "recency_days", "gap_shrunk_days")


@pytest.fixture
def model(base: pd.DataFrame) -> ClusterModel:
    return ClusterModel(KMeansSegments(3), FEATURES).fit(base).describe(base)


def test_each_segment_has_its_size_likeness_silhouette_and_rule(model: ClusterModel, base: pd.DataFrame) -> None:
    table = portrait(model, base, resamples=4, seed=0).table
    labels = model.predict(base)
    assert table["number"].tolist() == [1, 2, 3]
    assert table["name"].tolist() == model.segment_names_
    assert table["rule"].tolist() == model.rules_
    assert table["customers"].tolist() == np.bincount(labels)[1:].tolist()
    assert table["customer_share"].sum() == pytest.approx(1)
    likeness = bootstrap_stability(model.clusterer_, model.inputs(base), resamples=4, seed=0).jaccard
    assert table["jaccard"].tolist() == likeness.tolist()


def test_the_silhouette_is_that_of_scikit_learn(model: ClusterModel, base: pd.DataFrame) -> None:
    table = portrait(model, base, resamples=0, seed=0).table
    scaled = model.clusterer_.scaler_.transform(model.inputs(base))
    expected = pd.Series(silhouette_samples(scaled, model.clusterer_.labels_)).groupby(model.clusterer_.labels_).mean()
    assert table["silhouette"].to_numpy() == pytest.approx(expected.to_numpy())


def test_without_resamples_likeness_is_unknown(model: ClusterModel, base: pd.DataFrame) -> None:
    assert portrait(model, base, resamples=0, seed=0).table["jaccard"].isna().all()


def test_customers_lie_on_a_sheet_by_the_number_of_their_segment(model: ClusterModel, base: pd.DataFrame) -> None:
    sheet = portrait(model, base, resamples=0, seed=0).sheet
    assert len(sheet.points) == len(base)
    assert set(sheet.points["segment"]) == {1, 2, 3}
    assert sheet.points["segment"].value_counts().to_dict() == pd.Series(model.predict(base)).value_counts().to_dict()


def test_segments_by_rule_and_noise_have_a_size_only(base: pd.DataFrame) -> None:
    model = ClusterModel(HDBSCANSegments(15), DENSE).fit(base).describe(base)
    found = portrait(model, base, resamples=4, seed=0)
    table = found.table.set_index("number")
    by_rule = [model.n_clusters_ + 1, NOISE]
    assert table.loc[by_rule, ["jaccard", "silhouette"]].isna().all(axis=None)
    assert (table.loc[by_rule, "customers"] > 0).all()
    assert table.drop(by_rule)[["jaccard", "silhouette"]].notna().all(axis=None)
    assert table["customers"].sum() == len(base)
    assert NOISE in set(found.sheet.points["segment"])
