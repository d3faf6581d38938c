"""Other ways to cluster through the whole flow: density, categories, storage, a later base."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import config, features, outputs, pipeline, store
from segml.data import Tables, connect, load_tables, to_table
from segml.pipeline import Training
from segml.schema import DataError
from segml.segments import label_segments
from segml.segments.words import NO_CLEAR_SEGMENT, ONE_PURCHASE
from support import SMALL, TODAY, orders

pytestmark = pytest.mark.slow

DENSE = ("segments.clusters.kind=hdbscan", "segments.clusters.candidates=[hdbscan]")
BY_REGION = ("segments.clusters.kmeans.categories=[region,top_category]", "segments.clusters.kmeans.k=4")


def trained(*overrides: str) -> Training:
    settings = config.load(None, [*SMALL, "backtest.dates=1", *overrides])
    return pipeline.train(pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY), settings)


@pytest.fixture(scope="module")
def dense() -> Training:
    return trained(*DENSE)


@pytest.fixture(scope="module")
def by_region() -> Training:
    return trained(*BY_REGION)


def stored(training: Training, folder: Path) -> pipeline.Scorer:
    store.save(training.scorer, folder)
    return store.load(folder)


def test_decisions_tell_the_nearest_dense_segment_and_the_strength(dense: Training) -> None:
    decisions = dense.decided.decisions
    assert decisions["cluster_name"].nunique() >= 3
    once = dense.decided.features.set_index("customer_id")["purchase_day_count"] <= 1
    named = decisions.set_index("customer_id")["cluster_name"] == ONE_PURCHASE
    assert named.sort_index().tolist() == once.sort_index().tolist()
    assert ((decisions["cluster"] == -1) == (decisions["cluster_name"] == NO_CLEAR_SEGMENT)).all()
    assert not (decisions["cluster_nearest"] == NO_CLEAR_SEGMENT).any()
    assert decisions["cluster_strength"].between(0, 1).all()


def test_dense_segments_survive_storage_and_are_written_and_profiled(dense: Training, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    again = pipeline.score(dense.prepared, stored(dense, tmp_path / "model"))
    assert_frame_equal(again.decisions, dense.decided.decisions, check_exact=True)
    outputs.write(dense, tmp_path, run_id="run", data_digest="0")
    segments = pd.read_csv(tmp_path / outputs.CLUSTER_SEGMENTS, encoding="utf-8-sig")
    sizes = segments.set_index("name")["customers"].to_dict()
    found = dense.decided.decisions["cluster_name"].value_counts().to_dict()
    assert {name: size for name, size in sizes.items() if size} == found
    profiles = pd.read_csv(tmp_path / outputs.PROFILES, encoding="utf-8-sig").query("scheme == 'cluster_name'")
    assert profiles.set_index("segment")["customers"].to_dict() == sizes
    assert pd.read_csv(tmp_path / outputs.REFIT, encoding="utf-8-sig").empty


def test_a_later_base_is_scored_with_customers_that_nobody_had_seen(dense: Training, tmp_path: Path) -> None:
    unseen = orders(3, 3).assign(
        customer_id=["x1", "x2", "x3"],
        ordered_at=dense.prepared.as_of + pd.Timedelta(days=20),
        order_id=["n1", "n2", "n3"],
    )
    prepared = pipeline.prepare(Tables(to_table(unseen)), config.Config(), today=TODAY)
    now = features.build(prepared.lines, dense.prepared.as_of + pd.Timedelta(days=30), config.Config().features)
    labels = label_segments(now, stored(dense, tmp_path).clusters)
    assert labels["cluster_name"].tolist() == [ONE_PURCHASE] * 3
    assert labels["cluster_strength"].tolist() == [1.0] * 3


def test_described_columns_are_clustered_in_training_trials_and_scores(by_region: Training, tmp_path: Path) -> None:
    found = by_region.found
    assert found.model is not None
    assert found.model.categories == ("region", "top_category")
    assert found.lasting is not None
    assert np.isfinite(found.metrics["segments/next_period_eta2"])
    again = pipeline.score(by_region.prepared, stored(by_region, tmp_path))
    assert_frame_equal(again.decisions, by_region.decided.decisions, check_exact=True)


def test_the_categories_make_a_difference(by_region: Training) -> None:
    plain = trained("segments.clusters.kmeans.k=4")
    assert (plain.decided.decisions["cluster"] != by_region.decided.decisions["cluster"]).any()


def test_a_column_that_nobody_has_is_named() -> None:
    with pytest.raises(DataError, match=r"segments.clusters.kmeans lacks.*'regio'.*did you mean 'region'"):
        trained("segments.clusters.kmeans.categories=[regio]")


def test_an_unknown_column_of_the_other_candidate_is_named_too() -> None:
    with pytest.raises(DataError, match=r"segments.clusters.hdbscan lacks.*'gap_shrunk'"):
        trained("segments.clusters.candidates=[hdbscan]", "segments.clusters.hdbscan.features=[gap_shrunk]")
