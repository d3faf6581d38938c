from functools import partial

import numpy as np
import pandas as pd
import pytest

from bases import AS_OF, past_of
from segml.config import ClustersConfig, HdbscanConfig, KMeansConfig, SegmentsConfig
from segml.schema import DataError
from segml.segments import Past, earlier, eta_squared
from segml.segments.candidates import candidates, fitted
from segml.segments.trials import Trial, mean_of, trial, weights

CLUSTERS = ClustersConfig(kmeans=KMeansConfig(k=6), hdbscan=HdbscanConfig(shares=(0.03, 0.08)), bootstrap=4)
CONFIG = SegmentsConfig(clusters=CLUSTERS, interval_resamples=10)
NAMES = CLUSTERS.kmeans.features


@pytest.fixture(scope="module")
def past() -> Past:
    return past_of(4)


@pytest.fixture(scope="module")
def tried(past: Past) -> Trial:
    found = trial(past, 0, 300, CONFIG, 0)
    assert found is not None
    return found


def changed(past: Past, place: int, factor: float = 0.0) -> Past:
    """Return the past with other outcomes after one of its bases."""
    bases = list(past.bases)
    base = bases[place]
    after = base.next_revenue.reset_index()
    bases[place] = earlier(base.features, after.assign(next_revenue=after["next_revenue"].to_numpy()[::-1] * factor))
    return Past(bases, past.horizon_days)


def test_candidates_and_rules_are_measured_on_the_same_customers(tried: Trial) -> None:
    assert set(tried.groupings) == set(tried.table.index)
    assert {"kmeans 6", "hdbscan 9", "hdbscan 24", "revenue fifths"} <= set(tried.groupings)
    assert {len(groups) for groups in tried.groupings.values()} == {len(tried.values)} == {300}
    for name, groups in tried.groupings.items():
        row = tried.table.loc[name]
        assert row["eta2"] == eta_squared(groups, tried.values)
        assert row["eta2_low"] <= row["eta2_high"]


def test_the_model_is_learnt_one_horizon_before_with_weights_of_one_horizon_before_that(
    past: Past, tried: Trial
) -> None:
    measured, learnt = past.before(0), past.before(1)
    assert measured is not None
    assert learnt is not None
    told = weights(past, 2, learnt.features["as_of"].iloc[0], NAMES)
    ways = candidates(CLUSTERS, 300, 0, lambda names: told if names == NAMES else None)
    by_hand = ways[0].model.fit(learnt.features).predict(measured.features)
    assert np.array_equal(tried.groupings["kmeans 6"], by_hand)


def test_nothing_after_the_period_of_the_weights_is_learnt_from(past: Past, tried: Trial) -> None:
    for place in (0, 1):
        other = trial(changed(past, place, factor=0.5), 0, 300, CONFIG, 0)
        assert other is not None
        for name, groups in tried.groupings.items():
            assert np.array_equal(other.groupings[name], groups)
    earlier_weights = trial(changed(past, 2, factor=0.5), 0, 300, CONFIG, 0)
    assert earlier_weights is not None
    assert earlier_weights.table.loc[["revenue fifths"]].equals(tried.table.loc[["revenue fifths"]])


def test_there_is_no_trial_without_two_bases_or_with_too_few_customers() -> None:
    assert trial(Past(), 0, 300, CONFIG, 0) is None
    assert trial(past_of(1), 0, 300, CONFIG, 0) is None
    assert trial(past_of(2), 1, 300, CONFIG, 0) is None
    assert trial(past_of(2, customers=19), 0, 19, CONFIG, 0) is None


def test_a_period_in_which_nobody_bought_tells_nothing(past: Past) -> None:
    assert trial(changed(past, 0), 0, 300, CONFIG, 0) is None


def test_without_a_base_for_them_features_weigh_the_same() -> None:
    assert weights(past_of(1), 1, AS_OF, NAMES) is None
    told = weights(past_of(1), 0, AS_OF, NAMES)
    assert told is not None
    assert max(told.values()) == 1
    assert set(told) == set(NAMES)


def test_weights_of_a_window_that_is_not_over_when_segments_are_made_are_refused(past: Past) -> None:
    too_early = past.bases[0].features["as_of"].iloc[0] + pd.Timedelta(days=past.horizon_days - 1)
    with pytest.raises(DataError, match="only windows that are over"):
        weights(past, 0, too_early, NAMES)


def test_all_sizes_of_hdbscan_are_cut_from_one_tree_as_if_each_were_fitted(past: Past) -> None:
    base = past.bases[0].features
    ways = candidates(CLUSTERS, 300, 0, partial(weights, past, 1, base["as_of"].iloc[0]))
    models = fitted(ways, base)
    assert list(models) == [way.name for way in ways]
    fresh = candidates(CLUSTERS, 300, 0, partial(weights, past, 1, base["as_of"].iloc[0]))
    for way in fresh:
        assert np.array_equal(models[way.name].predict(base), way.model.fit(base).predict(base)), way.name


def test_the_mean_of_trials_by_hand() -> None:
    tables = [
        pd.DataFrame({"eta2": [eta], "eta2_low": [low], "eta2_high": [0.9], "eta2_error": [error]}, index=["a"])
        for eta, low, error in ((0.4, 0.3, 0.03), (0.2, 0.1, 0.04))
    ]
    found = mean_of([Trial({}, np.zeros(0), table) for table in tables])
    assert found is not None
    assert found.table.to_numpy()[0] == pytest.approx([0.3, 0.3, 0.9, 0.025])
    assert found.periods == 2
    assert mean_of([]) is None


def test_the_order_of_rows_changes_nothing(past: Past, tried: Trial) -> None:
    shuffled = [
        earlier(
            base.features.sample(frac=1, random_state=3),
            base.next_revenue.reset_index().sample(frac=1, random_state=4),
        )
        for base in past.bases
    ]
    again = trial(Past(shuffled, 90), 0, 300, CONFIG, 0)
    assert again is not None
    pd.testing.assert_frame_equal(again.table, tried.table, check_exact=True)


def test_categories_are_read_in_trials_too(past: Past) -> None:
    config = SegmentsConfig(
        clusters=ClustersConfig(candidates=("kmeans",), kmeans=KMeansConfig(k=6, categories=("region",))),
        interval_resamples=0,
    )
    found = trial(past, 0, 300, config, 0)
    assert found is not None
    assert found.table["eta2"]["kmeans 6"] > 0.5
