import numpy as np
import pandas as pd
import pytest

from segml.config import ClustersConfig, KMeansConfig, SegmentsConfig
from segml.language import speaking
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import assign_rules, find_segments, label_segments, profiles
from segml.segments.playbook import Play, Playbook, Words, built_in

CONFIG = SegmentsConfig(clusters=ClustersConfig(candidates=("kmeans",), kmeans=KMeansConfig(k=3), bootstrap=2))
RULES = {"lifecycle": CONFIG.lifecycle.rules()}
SCHEMES = ["lifecycle", "rfm_segment", "abc", "xyz", "tier", "cluster_name"]


@pytest.fixture
def hand() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Four customers: decisions with risk, and features."""
    decisions = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "lifecycle": ["active", "active", "active", "inactive"],
            "company_size": ["medium", "medium", "small", NOT_ENOUGH_DATA],
            "p_churn": [0.35, 0.1, 0.2, np.nan],
            "p_stagnation": [0.1, 0.5, 0.4, np.nan],
            "revenue_at_risk": [10.0, 20.0, 5.0, 0.0],
        }
    )
    features = pd.DataFrame(
        {
            "customer_id": ["d", "c", "b", "a"],
            "as_of": pd.Timestamp("2025-07-01"),
            "revenue_365d": [0.0, 100.0, 200.0, 600.0],
            "order_count_365d": [0.0, 2.0, 2.0, 5.0],
            "order_value_mean": [40.0, 50.0, 100.0, 120.0],
            "margin_365d": [0.0, np.nan, 50.0, 110.0],
            "recency_days": [300.0, 20.0, 20.0, 10.0],
            "top_category": ["glue", "tape", "glue", "tape"],
            "region": [None, "North", "South", "North"],
        }
    )
    return decisions, features


def test_a_segment_by_hand(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    active = profiles(*hand, RULES).iloc[1].to_dict()
    assert active == {
        "scheme": "lifecycle",
        "segment": "active",
        "name": "Regular customers",
        "customers": 3,
        "customer_share": 0.75,
        "revenue": 900.0,
        "revenue_share": 1.0,
        "revenue_mean": 300.0,
        "revenue_median": 200.0,
        "order_value_mean": 90.0,
        "orders_per_year": 3.0,
        "margin": 160.0,
        "margin_share": 1.0,
        "margin_rate": 0.2,
        "typical_category": "tape",
        "typical_size": "Medium companies",
        "typical_region": "North",
        "share_at_risk": pytest.approx(2 / 3),
        "revenue_at_risk": 35.0,
        "differences": "recent (-0.6), large revenue (+0.6), frequent (+0.5)",
        "rule": "customer for 6 months and more, buying as usual",
        "strategy": built_in().strategy("lifecycle", "active"),
    }


def test_the_ends_of_a_segment_are_told_in_words(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    inactive = profiles(*hand, RULES).set_index("segment").loc["inactive"]
    assert inactive["differences"] == "very long silent (+1.7), very small revenue (-1.7), very rare (-1.6)"


def test_nobody_scored_means_no_share_at_risk(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    inactive = profiles(*hand, RULES).set_index("segment").loc["inactive"]
    assert np.isnan(inactive["share_at_risk"])
    assert inactive["revenue_at_risk"] == 0
    assert inactive["typical_region"] == ""


def test_declared_segments_without_customers_are_listed(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = profiles(*hand, RULES)
    assert table["segment"].tolist() == ["new", "active", "stagnating", "inactive"]
    new = table.iloc[0]
    assert (new["customers"], new["customer_share"], new["revenue"], new["revenue_share"]) == (0, 0, 0, 0)
    assert np.isnan(new["revenue_mean"])
    assert new["differences"] == ""


def test_the_thresholds_of_risk_are_arguments(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    strict = profiles(*hand, RULES, p_churn_from=0.36, p_stagnation_from=0.51).set_index("segment")
    assert strict.loc["active", "share_at_risk"] == 0


@pytest.fixture
def everything(base: pd.DataFrame) -> pd.DataFrame:
    base.loc[::11, "margin_365d"] = np.nan
    model = find_segments(base, CONFIG, seed=0).model
    labels = assign_rules(base, CONFIG)
    decisions = labels.table.merge(label_segments(base, model), on="customer_id")
    return profiles(decisions, base, labels.rules, model)


def test_every_scheme_adds_up_to_the_base(everything: pd.DataFrame, base: pd.DataFrame) -> None:
    assert set(SCHEMES) <= set(everything["scheme"])
    shares = everything.groupby("scheme")[["customer_share", "revenue_share", "margin_share"]].sum()
    assert shares.to_numpy() == pytest.approx(np.ones((len(shares), 3)))
    totals = everything.groupby("scheme")[["customers", "revenue", "margin"]].sum()
    base_totals = [len(base), base["revenue_365d"].sum(), base["margin_365d"].sum()]
    assert totals.to_numpy() == pytest.approx(np.tile(base_totals, (len(totals), 1)))


def test_found_segments_are_described_by_rules_in_units_that_people_know(everything: pd.DataFrame) -> None:
    clusters = everything[everything["scheme"] == "cluster_name"]
    assert len(clusters) == 3
    assert clusters["rule"].str.contains("of the segment; right for").all()
    assert clusters["rule"].str.contains("orders of 365 days|revenue of 365 days").all()
    assert clusters["revenue_mean"].is_monotonic_decreasing
    assert clusters["typical_category"].tolist() == ["board", "tape", "glue"]


def test_customers_that_a_scheme_cannot_tell_have_their_own_row(everything: pd.DataFrame) -> None:
    unclear = everything[everything["segment"] == NOT_ENOUGH_DATA]
    assert "xyz" in set(unclear["scheme"])
    assert unclear["customers"].gt(0).all()
    assert set(unclear["strategy"]) == {""}


def test_the_order_of_rows_changes_no_bit_and_the_input_stays(base: pd.DataFrame) -> None:
    labels = assign_rules(base, CONFIG)
    decisions = labels.table
    copies = decisions.copy(deep=True), base.copy(deep=True)
    first = profiles(decisions, base, labels.rules)
    second = profiles(decisions.sample(frac=1, random_state=1), base.sample(frac=1, random_state=2), labels.rules)
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    pd.testing.assert_frame_equal(decisions, copies[0])
    pd.testing.assert_frame_equal(base, copies[1])


def test_without_margins_categories_and_risk_the_rest_is_there(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    decisions, features = hand
    bare = profiles(
        decisions[["customer_id", "lifecycle"]],
        features[["customer_id", "as_of", "revenue_365d", "order_count_365d"]],
        RULES,
    )
    unknown = bare[["margin", "margin_share", "margin_rate", "share_at_risk", "revenue_at_risk"]]
    assert unknown.isna().all(axis=None)
    assert set(bare["typical_category"]) == {""}
    assert bare["revenue"].sum() == 900


def test_a_base_without_revenue_has_no_revenue_shares(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    decisions, features = hand
    table = profiles(decisions, features.assign(revenue_365d=0.0), RULES)
    assert table["revenue_share"].isna().all()


def test_clusters_that_could_not_be_found_are_one_row(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    features = hand[1]
    labels = label_segments(features, None).drop(columns="cluster")
    table = profiles(labels, features, RULES)
    assert table[["scheme", "segment", "customers"]].to_numpy().tolist() == [["cluster_name", NOT_ENOUGH_DATA, 4]]


def test_labels_of_another_configuration_are_refused(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    decisions, features = hand
    with pytest.raises(DataError, match=r"lifecycle labels \['asleep'\], which the scheme does not declare"):
        profiles(decisions.replace("inactive", "asleep"), features, RULES)


def test_other_customers_in_the_features_are_refused(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    decisions, features = hand
    with pytest.raises(DataError, match="same customers, one row each; 4 and 3 rows, 1 customers in one only"):
        profiles(decisions, features.iloc[1:], RULES)


def test_decisions_without_labels_are_refused(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    decisions, features = hand
    with pytest.raises(DataError, match=r"no column of labels; found \['customer_id'\]"):
        profiles(decisions[["customer_id"]], features, RULES)


def test_a_segment_without_a_strategy_borrows_that_of_the_rfm_segment_of_most(
    hand: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    decisions, features = hand
    book = Playbook(
        {"rfm_segment": {"loyal": Play(name=Words(en="Loyal customers"), offer=Words(en="a frame contract"))}}
    )
    labelled = decisions.assign(rfm_segment=["loyal", "loyal", "lost", "lost"])
    table = profiles(labelled, features, RULES, playbook=book).set_index("segment")
    assert table.loc["active", "strategy"] == "as for “Loyal customers”, where 67% of them belong: a frame contract"
    assert table.loc["inactive", "strategy"] == ""


def test_names_and_rules_are_told_in_the_language_spoken(hand: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with speaking("ru"):
        russian = profiles(*hand, {"lifecycle": CONFIG.lifecycle.rules()}).set_index("segment")
    assert russian.loc["active", "name"] == built_in().plays["lifecycle"]["active"].name.ru
    assert "мес" in str(russian.loc["active", "rule"])
    assert russian.index.tolist() == ["new", "active", "stagnating", "inactive"]
