"""The whole search: what is chosen, on what it rests, what it says, and what it does with poor input."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from bases import AS_OF, outcomes, past_of, simulated
from segml.clusters import NOISE, RULE
from segml.config import ClustersConfig, HdbscanConfig, KMeansConfig, SegmentsConfig
from segml.schema import DataError
from segml.segments import FoundSegments, Past, earlier, find_segments, label_segments
from segml.segments.words import NO_CLEAR_SEGMENT, ONE_PURCHASE

DENSE = HdbscanConfig(shares=(0.03, 0.08))
FEATURES = list(KMeansConfig().features)


def config(k: int | None = None, **clusters: Any) -> SegmentsConfig:
    """Return a configuration of few candidates, KMeans alone unless something else is asked for."""
    chosen: dict[str, Any] = {
        "candidates": ("kmeans",),
        "kmeans": KMeansConfig(k=k, most_k=5),
        "hdbscan": DENSE,
        "bootstrap": 4,
    }
    return SegmentsConfig(clusters=ClustersConfig(**{**chosen, **clusters}), interval_resamples=20)


@pytest.fixture(scope="module")
def now() -> pd.DataFrame:
    return simulated(300, seed=1)


@pytest.fixture(scope="module")
def past() -> Past:
    return past_of(4)


@pytest.fixture(scope="module")
def found(now: pd.DataFrame, past: Past) -> FoundSegments:
    return find_segments(now, config(candidates=("kmeans", "hdbscan")), 0, past=past)


@pytest.fixture(scope="module")
def dense(now: pd.DataFrame, past: Past) -> FoundSegments:
    return find_segments(now, config(kind="hdbscan"), 0, past=past)


def copies(base: pd.DataFrame, places: list[int], times: int) -> pd.DataFrame:
    """Return some customers again and again, under names of their own."""
    repeated = pd.concat([base.iloc[places]] * times, ignore_index=True)
    return repeated.assign(customer_id=[f"c{place:03}" for place in range(len(repeated))])


def same(one: FoundSegments, other: FoundSegments, customers: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(
        label_segments(customers, one.model), label_segments(customers, other.model), check_exact=True
    )
    assert (one.remarks, one.notices, one.metrics) == (other.remarks, other.notices, other.metrics)


def test_the_three_kinds_of_customers_are_found_and_chosen(found: FoundSegments, now: pd.DataFrame) -> None:
    assert found.model is not None
    assert found.model.n_clusters_ == 3
    assert adjusted_rand_score(np.arange(len(now)) % 3, found.model.predict(now)) > 0.9
    assert found.table.loc[found.table["is_chosen"], "candidate"].tolist() == ["kmeans 3"]
    assert found.reasons[0].startswith("k = 3, because")
    assert not any("no natural clusters" in notice for notice in found.notices)


def test_every_candidate_and_simple_rule_has_its_row(found: FoundSegments) -> None:
    counts = found.table["algorithm"].value_counts().to_dict()
    assert counts == {"kmeans": 4, "hdbscan": 2, RULE: 7}
    measured = found.table[found.table["algorithm"] != RULE]
    assert measured[["min_jaccard", "agreement", "next_period_eta2", "tested_eta2"]].notna().all(axis=None)
    assert found.table["candidate"].is_unique


def test_the_metrics_are_those_of_the_chosen_row(found: FoundSegments) -> None:
    chosen = found.table[found.table["is_chosen"]].iloc[0]
    assert found.metrics["segments/n_clusters"] == 3
    assert found.metrics["segments/min_jaccard"] == chosen["min_jaccard"]
    assert found.metrics["segments/next_period_eta2"] == chosen["tested_eta2"]
    assert found.metrics["segments/smallest_share"] == pytest.approx(1 / 3, abs=0.02)
    assert 0.9 < found.metrics["segments/kept_share"] <= 1
    assert all(np.isfinite(value) for value in found.metrics.values())


def test_the_means_bear_the_names_of_segments_and_features(found: FoundSegments) -> None:
    assert found.model is not None
    assert found.means.index.tolist() == found.model.segment_names_
    assert found.means.columns.tolist() == [name.replace("_", " ") for name in found.model.features]
    assert (found.means.to_numpy() == found.model.means_).all()
    assert FoundSegments().means.empty


def test_alternatives_bear_the_names_of_the_parent(found: FoundSegments) -> None:
    runs = found.alternatives()
    assert [name for name, _, _ in runs] == found.table.loc[found.table["algorithm"] != RULE, "candidate"].tolist()
    assert [parameters["is_chosen"] for _, parameters, _ in runs].count(True) == 1
    assert {"algorithm": "hdbscan", "size": 9, "is_chosen": False} in [parameters for _, parameters, _ in runs]
    for name, _, figures in runs:
        assert set(figures) <= {*found.metrics, "segments/gap"}, name


def test_progress_is_told_candidate_by_candidate(now: pd.DataFrame) -> None:
    done: list[str] = []
    find_segments(now, config(), 0, progress=done.append)
    assert done == ["kmeans 2", "kmeans 3", "kmeans 4", "kmeans 5"]


def test_the_order_of_rows_changes_nothing_and_the_input_stays(
    found: FoundSegments, now: pd.DataFrame, past: Past
) -> None:
    shuffled = now.sample(frac=1, random_state=5)
    copy = shuffled.copy(deep=True)
    bases = [
        earlier(base.features.sample(frac=1, random_state=6), base.next_revenue.reset_index()) for base in past.bases
    ]
    again = find_segments(shuffled, config(candidates=("kmeans", "hdbscan")), 0, past=Past(bases, 90))
    same(found, again, now)
    pd.testing.assert_frame_equal(shuffled, copy)


def test_the_tested_period_has_no_part_in_the_choice(found: FoundSegments, now: pd.DataFrame, past: Past) -> None:
    latest = past.bases[0]
    others = np.random.default_rng(0).permutation(latest.next_revenue.to_numpy())
    after = latest.next_revenue.reset_index().assign(next_revenue=others)
    bases = [earlier(latest.features, after), *past.bases[1:]]
    again = find_segments(now, config(candidates=("kmeans", "hdbscan")), 0, past=Past(bases, 90))
    tested = [name for name in map(str, found.table.columns) if name.startswith("tested")]
    pd.testing.assert_frame_equal(found.table.drop(columns=tested), again.table.drop(columns=tested), check_exact=True)
    assert (found.table["tested_eta2"] != again.table["tested_eta2"]).all()
    assert again.table["tested_eta2"].abs().max() < 0.1
    pd.testing.assert_frame_equal(label_segments(now, found.model), label_segments(now, again.model), check_exact=True)
    assert found.reasons[0] == again.reasons[0]


def test_the_model_of_one_horizon_ago_knows_nothing_of_that_horizon(
    found: FoundSegments, now: pd.DataFrame, past: Past
) -> None:
    latest = past.bases[0]
    after = latest.next_revenue.reset_index().assign(next_revenue=latest.next_revenue.to_numpy()[::-1])
    again = find_segments(now, config(), 0, past=Past([earlier(latest.features, after), *past.bases[1:]], 90))
    assert found.lasting is not None
    assert again.lasting is not None
    pd.testing.assert_frame_equal(found.lasting.migration, again.lasting.migration, check_exact=True)


def test_without_a_past_there_is_no_check_and_that_is_said(now: pd.DataFrame) -> None:
    alone = find_segments(now, config(), 0)
    assert alone.model is not None
    assert alone.lasting is None
    assert alone.reasons[1].startswith("No check of the clusters on a next period")
    assert alone.table["tested_eta2"].isna().all()
    assert not any("next_period" in name for name in alone.metrics)
    assert set(alone.table["algorithm"]) == {"kmeans"}


@pytest.mark.parametrize(("quarters", "words"), [(1, "No check of the clusters"), (2, "by which they were chosen too")])
def test_a_short_history_is_told(quarters: int, words: str, now: pd.DataFrame) -> None:
    short = find_segments(now, config(), 0, past=past_of(quarters))
    assert words in short.reasons[1]
    assert short.lasting is not None
    if quarters == 2:
        assert short.table["next_period_eta2"].equals(short.table["tested_eta2"])


def test_nobody_buying_again_is_no_check_either(now: pd.DataFrame) -> None:
    bases = [
        earlier(base.features, base.next_revenue.reset_index().assign(next_revenue=0.0)) for base in past_of(3).bases
    ]
    quiet = find_segments(now, config(), 0, past=Past(bases, 90))
    assert quiet.model is not None
    assert quiet.reasons[1].startswith("No check of the clusters")


def test_rules_win_where_the_revenue_that_comes_is_the_revenue_that_was(now: pd.DataFrame, past: Past) -> None:
    bases = []
    for base in past.bases:
        fifths = pd.qcut(base.features["revenue_365d"], 5, labels=False)
        bases.append(earlier(base.features, base.next_revenue.reset_index().assign(next_revenue=np.expm1(fifths))))
    beaten = find_segments(now, config(k=2), 0, past=Past(bases, 90))
    assert beaten.metrics["segments/revenue_fifths_eta2"] == pytest.approx(1)
    assert "a simple rule, revenue fifths, predicts better than the clusters" in beaten.reasons[1]
    assert beaten.metrics["segments/next_period_lead"] < 0


def test_the_number_of_segments_can_be_set(now: pd.DataFrame) -> None:
    fixed = find_segments(now, config(k=4), 0)
    assert fixed.model is not None
    assert fixed.model.n_clusters_ == 4
    assert len(fixed.table) == 1


def test_resamples_can_be_left_out_and_then_nothing_is_known_to_come_back(now: pd.DataFrame, past: Past) -> None:
    bare = find_segments(now, config(bootstrap=0), 0, past=past)
    assert bare.model is not None
    assert bare.table[["min_jaccard", "agreement"]].isna().all(axis=None)
    assert "segments/min_jaccard" not in bare.metrics
    assert bare.portrait is not None
    assert bare.portrait.table["jaccard"].isna().all()
    assert "nan" not in " ".join(bare.remarks)


def test_without_interval_resamples_the_verdict_is_bare(now: pd.DataFrame, past: Past) -> None:
    settings = config(k=3).model_copy(update={"interval_resamples": 0})
    bare = find_segments(now, settings, 0, past=past)
    assert "the clusters predict better than revenue fifths." in bare.reasons[1]
    assert "segments/next_period_eta2" in bare.metrics
    assert "segments/next_period_eta2_low" not in bare.metrics
    assert "nan" not in " ".join(bare.remarks)


def test_hdbscan_can_label_the_customers(dense: FoundSegments, now: pd.DataFrame) -> None:
    assert dense.model is not None
    labels = label_segments(now, dense.model)
    assert {NO_CLEAR_SEGMENT, ONE_PURCHASE} < set(labels["cluster_name"])
    assert dense.table.loc[dense.table["is_chosen"], "algorithm"].tolist() == ["hdbscan"]
    assert dense.reasons[0].startswith("HDBSCAN from ")
    assert dense.portrait is not None
    table = dense.portrait.table.set_index("number")
    assert table["customers"].to_dict() == labels["cluster"].value_counts().to_dict()
    assert table.loc[NOISE, "name"] == NO_CLEAR_SEGMENT
    assert table.loc[[NOISE, dense.model.n_clusters_ + 1], ["jaccard", "silhouette"]].isna().all(axis=None)


def test_hdbscan_tells_movement_but_no_refit(dense: FoundSegments) -> None:
    assert dense.lasting is not None
    assert dense.lasting.refitted is None
    assert dense.lasting.updates.empty
    assert "brought up to date" not in dense.lasting.remark
    assert ONE_PURCHASE in set(dense.lasting.migration["from"])
    assert "segments/refit_agreement" not in dense.metrics


def test_where_nothing_is_dense_there_are_no_clusters_but_a_notice(now: pd.DataFrame) -> None:
    nothing = find_segments(now, config(kind="hdbscan", hdbscan=HdbscanConfig(min_cluster_size=280)), 0)
    assert nothing.model is None
    assert nothing.table.empty
    assert nothing.metrics == {}
    assert nothing.remarks == ()
    assert "HDBSCAN finds fewer than two dense groups" in nothing.notices[0]


def test_where_only_the_other_clusterer_finds_nothing_its_row_says_so(now: pd.DataFrame, past: Past) -> None:
    settings = config(k=3, candidates=("kmeans", "hdbscan"), hdbscan=HdbscanConfig(min_cluster_size=280))
    half = find_segments(now, settings, 0, past=past)
    assert half.model is not None
    row = half.table.set_index("candidate").loc["hdbscan 280"]
    assert row["n_segments"] == 0
    assert np.isnan(row["min_jaccard"])


def test_dense_groups_that_were_not_there_a_horizon_ago_leave_no_movement(now: pd.DataFrame, past: Past) -> None:
    base = past.bases[0]
    alike = base.features.assign(**dict.fromkeys(DENSE.features, 10.0))
    sparse = Past([earlier(alike, base.next_revenue.reset_index())], 90)
    fresh = find_segments(now, config(kind="hdbscan"), 0, past=sparse)
    assert fresh.model is not None
    assert fresh.lasting is None


def test_too_few_customers_a_horizon_ago_leave_no_movement(now: pd.DataFrame) -> None:
    assert find_segments(now, config(k=3), 0, past=past_of(1, customers=19)).lasting is None


def test_categories_are_clustered(now: pd.DataFrame, past: Past) -> None:
    settings = config(kmeans=KMeansConfig(k=3, categories=("region",)))
    by_region = find_segments(now, settings, 0, past=past)
    assert by_region.model is not None
    assert by_region.model.feature_names_in_.tolist() == [*FEATURES, "region"]
    assert by_region.lasting is not None
    assert label_segments(now, by_region.model)["cluster"].nunique() == 3


def test_another_power_and_equal_weights_are_asked_for_by_key(now: pd.DataFrame, past: Past) -> None:
    settings = config(kmeans=KMeansConfig(k=3, power="yeo-johnson", weights="none"))
    plain = find_segments(now, settings, 0, past=past)
    assert plain.model is not None
    assert plain.model.clusterer.scaler.power == "yeo-johnson"
    assert plain.model.clusterer.scaler.weights is None
    assert adjusted_rand_score(np.arange(len(now)) % 3, plain.model.predict(now)) > 0.9


@pytest.mark.parametrize("customers", [0, 1, 19])
def test_few_customers_are_not_clustered_and_told_why(customers: int, now: pd.DataFrame) -> None:
    few = find_segments(now.iloc[:customers], config(), 0)
    assert few.model is None
    assert few.notices[0].startswith(f"no clusters: {customers} customer")
    assert few.alternatives() == []


@pytest.mark.parametrize("kind", ["kmeans", "hdbscan"])
def test_twenty_customers_are_searched(kind: str, now: pd.DataFrame, past: Past) -> None:
    settings = config(kind=kind, candidates=("kmeans", "hdbscan"))
    few = find_segments(now.iloc[:20], settings, 0, past=past)
    assert (few.model is None) == any("no clusters" in notice for notice in few.notices)
    assert len(label_segments(now.iloc[:20], few.model)) == 20
    if kind == "kmeans":
        assert few.model is not None


def test_customers_all_alike_are_not_clustered(now: pd.DataFrame, past: Past) -> None:
    alike = find_segments(copies(now, [0], 30), config(candidates=("kmeans", "hdbscan")), 0, past=past)
    assert alike.model is None
    assert "all customers are alike" in alike.notices[0]


@pytest.mark.parametrize("k", [3, None])
def test_fewer_profiles_than_segments_give_a_notice(k: int | None, now: pd.DataFrame) -> None:
    two = find_segments(copies(now, [0, 2], 15), config(k), 0)
    assert two.model is not None
    assert two.model.n_clusters_ == 2
    told = "2 clusters instead of segments.clusters.kmeans.k = 3" in " ".join(two.notices)
    assert told == (k == 3)


def test_one_giant_customer_does_not_make_the_rest_one_segment(now: pd.DataFrame, past: Past) -> None:
    giant = now.copy()
    giant.loc[0, ["revenue_365d", "order_count_365d", "order_count_180d"]] = 1e12
    still = find_segments(giant, config(), 0, past=past)
    assert still.model is not None
    assert still.metrics["segments/smallest_share"] > 0.02
    assert adjusted_rand_score(np.arange(len(now)) % 3, still.model.predict(giant)) > 0.5


def test_a_tiny_segment_gives_a_notice(now: pd.DataFrame) -> None:
    outlier = now.assign(**dict.fromkeys(FEATURES, 10.0))
    outlier.loc[0, FEATURES] = 1e9
    tiny = find_segments(outlier, config(k=2), 0)
    assert any("the smallest cluster holds 0.3% of customers" in notice for notice in tiny.notices)


def constant(base: pd.DataFrame) -> pd.DataFrame:
    return base.assign(recency_days=7.0, order_count_180d=0.0)


def unknown(base: pd.DataFrame) -> pd.DataFrame:
    return base.assign(gap_shrunk_days=np.nan, recency_days=base["recency_days"].where(base.index % 3 > 0))


def doubled(base: pd.DataFrame) -> pd.DataFrame:
    return copies(base, list(range(150)), 2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("spoilt", [constant, unknown, doubled])
def test_constant_unknown_and_repeated_columns_still_give_segments(
    spoilt: Callable[[pd.DataFrame], pd.DataFrame], now: pd.DataFrame, past: Past
) -> None:
    bases = [
        earlier(spoilt(base.features).assign(customer_id=base.features["customer_id"]), base.next_revenue.reset_index())
        for base in past.bases
    ]
    settings = config(candidates=("kmeans", "hdbscan"))
    result = find_segments(spoilt(now), settings, 0, past=Past(bases, 90))
    assert result.model is not None
    assert result.model.n_clusters_ >= 2
    assert "nan" not in " ".join([*result.remarks, *result.notices])


def test_a_shapeless_cloud_is_called_a_convenience(past: Past) -> None:
    rng = np.random.default_rng(0)
    cloud = simulated(300, seed=1).assign(**{name: rng.lognormal(3, 1, 300) for name in FEATURES})
    cut = find_segments(cloud, config(), 0)
    assert cut.model is not None
    assert "no natural clusters: the found segments are a convenience" in cut.notices


def test_columns_that_cannot_be_clustered_are_named_with_their_key(now: pd.DataFrame, past: Past) -> None:
    wrong = config(kmeans=KMeansConfig(features=("revenue_365", "recency_days")))
    for known in (past, Past()):
        with pytest.raises(
            DataError, match=r"segments.clusters.kmeans lacks.*revenue_365'.*did you mean 'revenue_365d'"
        ):
            find_segments(now, wrong, 0, past=known)
    with pytest.raises(DataError, match=r"segments.clusters.kmeans must be numbers; \['region'\] are not"):
        find_segments(now, config(kmeans=KMeansConfig(features=("recency_days", "region"))), 0, past=past)


def test_customers_named_twice_or_of_two_dates_are_refused(now: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"segments.clusters.kmeans.*customer"):
        find_segments(pd.concat([now, now]), config(), 0)
    later = simulated(300, seed=3, as_of=AS_OF + pd.Timedelta(days=90)).assign(
        customer_id=lambda table: "x" + table["customer_id"]
    )
    with pytest.raises(DataError, match="one as-of date at a time"):
        find_segments(pd.concat([now, later]), config(), 0)


def test_next_revenue_of_others_is_refused(now: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="lack next_revenue"):
        earlier(now, outcomes(now.iloc[1:], 0))


@pytest.mark.slow
def test_two_processes_find_what_one_finds(now: pd.DataFrame, past: Past) -> None:
    one, two = (find_segments(now, config(), 0, past=past, jobs=jobs) for jobs in (1, 2))
    same(one, two, now)
