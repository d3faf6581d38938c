import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway

from segml.config import ClustersConfig, SegmentsConfig
from segml.language import speaking
from segml.segments import eta_squared
from segml.segments.validity import (
    REVENUE_FIFTHS,
    RFM_SEGMENTS,
    Lead,
    explained,
    lead,
    resampled,
    simple_rules,
    told_rule,
    verdict,
)

CONFIG = SegmentsConfig(clusters=ClustersConfig(candidates=("kmeans",)))
NOTHING = float("nan")


def test_eta_squared_by_hand() -> None:
    # Total 17, within 1: 1 − (1 / 2) / (17 / 3).
    assert eta_squared(["a", "a", "b", "b"], [0, 1, 4, 5]) == pytest.approx(1 - 0.5 / (17 / 3))


def test_eta_squared_agrees_with_the_f_statistic() -> None:
    rng = np.random.default_rng(0)
    groups, values = rng.integers(0, 4, 60), rng.normal(size=60)
    f = f_oneway(*(values[groups == group] for group in range(4))).statistic
    assert eta_squared(groups, values) == pytest.approx(3 * (f - 1) / (3 * f + 56))


def test_groups_by_chance_explain_nothing() -> None:
    rng = np.random.default_rng(1)
    found = [eta_squared(rng.integers(0, 8, 200), rng.normal(size=200)) for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("groups", "values"), [([1, 1, 2], [4, 4, 4]), ([1, 2, 3], [4, 5, 6]), ([], [])])
def test_eta_squared_is_unknown_without_variance_or_without_repeats(groups: list[int], values: list[float]) -> None:
    assert np.isnan(eta_squared(groups, values))


def test_the_rules_are_rfm_segments_and_fifths_of_each_clustered_feature(base: pd.DataFrame) -> None:
    rules = simple_rules(base, CONFIG)
    fifths = {f"fifths of {name}" for name in CONFIG.clusters.kmeans.features if name != "revenue_365d"}
    assert set(rules) == {RFM_SEGMENTS, REVENUE_FIFTHS, *fifths}
    assert np.bincount(rules[REVENUE_FIFTHS])[1:].tolist() == [60] * 5
    rfm = pd.crosstab(rules[RFM_SEGMENTS], CONFIG.rfm.assign(base).to_numpy())
    assert (rfm > 0).sum().tolist() == [1] * rfm.shape[1]


def test_features_of_all_compared_clusterers_are_cut_into_fifths(base: pd.DataFrame) -> None:
    config = SegmentsConfig(clusters=ClustersConfig(candidates=("kmeans", "hdbscan")))
    assert {f"fifths of {name}" for name in config.clusters.hdbscan.features} - {"fifths of revenue_365d"} <= set(
        simple_rules(base, config)
    )


def test_unknown_values_are_a_group_beside_the_fifths(base: pd.DataFrame) -> None:
    some = base.assign(gap_shrunk_days=base["gap_shrunk_days"].where(base.index >= 50))
    fifths = simple_rules(some, CONFIG)["fifths of gap_shrunk_days"]
    assert (fifths[:50] == 0).all()
    assert set(fifths[50:]) <= {1, 2, 3, 4, 5}
    none = simple_rules(base.assign(gap_shrunk_days=np.nan), CONFIG)
    assert set(none["fifths of gap_shrunk_days"]) == {0}


def test_rules_are_told_in_the_language_spoken() -> None:
    assert told_rule(REVENUE_FIFTHS) == "revenue fifths"
    assert told_rule("fifths of recency_days") == "fifths of recency days"
    with speaking("ru"):
        assert told_rule(REVENUE_FIFTHS) != "revenue fifths"
        assert "recency" not in told_rule("fifths of recency_days")


def test_intervals_hold_the_figure_and_shrink_with_the_number_of_customers() -> None:
    rng = np.random.default_rng(0)
    tables = []
    for customers in (100, 2_000):
        groups = np.arange(customers) % 3
        values = groups + rng.normal(size=customers)
        tables.append(explained({"a": groups}, values, resamples=100, seed=0).loc["a"])
    for row in tables:
        assert row["eta2_low"] < row["eta2"] < row["eta2_high"]
    assert tables[1]["eta2_error"] < tables[0]["eta2_error"] / 2


def test_all_groupings_see_the_same_resamples_and_the_seed_decides() -> None:
    groups, values = np.arange(60) % 3, np.random.default_rng(0).normal(size=60)
    drawn = resampled({"one": groups, "other": groups}, values, 10, seed=0)
    assert np.array_equal(drawn["one"], drawn["other"])
    assert not np.array_equal(drawn["one"], resampled({"one": groups}, values, 10, seed=1)["one"])


def test_without_resamples_there_are_no_intervals() -> None:
    groups, values = np.arange(60) % 3, np.arange(60) % 3 + np.arange(60) / 100
    row = explained({"a": groups}, values, resamples=0, seed=0).loc["a"]
    assert row["eta2"] > 0.9
    assert row[["eta2_low", "eta2_high", "eta2_error"]].isna().all()
    ahead = lead(groups, np.zeros(60, dtype=int), values, resamples=0, seed=0)
    assert ahead.gain == pytest.approx(row["eta2"])
    assert np.isnan([ahead.low, ahead.high]).all()


def test_a_lead_is_paired() -> None:
    rng = np.random.default_rng(0)
    groups = np.arange(300) % 3
    finer = groups * 2 + (np.arange(300) % 2)
    values = groups + rng.normal(size=300)
    ahead = lead(groups, finer, values, resamples=100, seed=0)
    wide = explained({"a": groups}, values, resamples=100, seed=0).loc["a"]
    assert ahead.low <= ahead.gain <= ahead.high
    assert ahead.high - ahead.low < (wide["eta2_high"] - wide["eta2_low"]) / 3


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (
            Lead(0.1, 0.05, 0.15),
            "the clusters predict better than the best simple rule, tiers (difference +0.100, 95 % ",
        ),
        (Lead(-0.1, -0.15, -0.05), "a simple rule, tiers, predicts better than the clusters (difference -0.100"),
        (
            Lead(0.01, -0.02, 0.04),
            "about as well as the best simple rule, tiers (difference +0.010, 95 % interval -0.02",
        ),
        (Lead(0.01, NOTHING, NOTHING), "the clusters predict better than tiers"),
        (Lead(-0.01, NOTHING, NOTHING), "the clusters do not predict better than tiers"),
    ],
)
def test_the_verdict_follows_the_interval(ahead: Lead, words: str) -> None:
    assert words in verdict(ahead, "tiers")


def test_rules_win_where_the_revenue_that_comes_is_the_revenue_that_was(base: pd.DataFrame) -> None:
    fifths = simple_rules(base, CONFIG)[REVENUE_FIFTHS]
    kinds = np.arange(len(base)) % 3
    assert "a simple rule" in verdict(lead(kinds, fifths, fifths.astype(float), resamples=30, seed=0), "fifths")
    assert "better than the best simple rule" in verdict(
        lead(kinds, fifths, (kinds == 1).astype(float), resamples=30, seed=0), "fifths"
    )
