import numpy as np
import pandas as pd
import pytest

from segml.config import KMeansConfig, SegmentsConfig
from segml.segments import bootstrap_jaccard, find_segments, stability
from segml.segments.clusters import KMeansSegments
from segml.segments.stability import jaccard

CONFIG = SegmentsConfig(clusters=KMeansConfig(k=3, bootstrap=10))


def fitted(base: pd.DataFrame) -> KMeansSegments:
    model = find_segments(base, CONFIG, seed=0).model
    assert model is not None
    return model


def test_jaccard_of_hand_made_segments() -> None:
    assert jaccard([1, 1, 1, 2], [5, 5, 7, 7]) == pytest.approx(np.array([[2 / 3, 1 / 4], [0, 1 / 2]]))


def test_clear_segments_come_back_and_their_shares_are_told(base: pd.DataFrame) -> None:
    metrics = stability(base, fitted(base), CONFIG, seed=0)
    assert metrics["segments/n_clusters"] == 3
    assert metrics["segments/smallest_share"] == pytest.approx(1 / 3, abs=0.02)
    assert metrics["segments/min_jaccard"] > 0.9


def test_segments_of_a_shapeless_cloud_come_back_less() -> None:
    cloud = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 6)) + 100)
    model = KMeansSegments(6).fit(cloud)
    assert bootstrap_jaccard(model, cloud, resamples=10, seed=0).min() < 0.6


def test_the_seed_decides_and_the_order_of_rows_does_not(base: pd.DataFrame) -> None:
    model = fitted(base)
    first = stability(base, model, CONFIG, seed=0)
    assert stability(base.sample(frac=1, random_state=1), model, CONFIG, seed=0) == first
    inputs = base[list(CONFIG.clusters.features)]
    one, other = (bootstrap_jaccard(model, inputs, resamples=5, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, other)


def test_without_resamples_there_is_no_jaccard(base: pd.DataFrame) -> None:
    off = SegmentsConfig(clusters=KMeansConfig(k=3, bootstrap=0))
    assert "segments/min_jaccard" not in stability(base, fitted(base), off, seed=0)
