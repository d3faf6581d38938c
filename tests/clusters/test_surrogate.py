"""Rules in words for segments: hand-made tables, what always holds, and a real wholesaler's customers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from real_customers import customers_at
from segml.clusters.conditions import NOUNS, Condition, noun
from segml.clusters.kmeans import KMeansSegments
from segml.clusters.surrogate import Surrogate, explain_by_tree
from segml.language import speaking
from segml.schema import DataError
from segml.segments.words import PHRASES

ORDERS = pd.DataFrame({"order_count_365d": [1.0] * 10 + [5.0] * 10 + [30.0] * 10})
THIRDS = np.repeat([0, 1, 2], 10)


def rules(features: pd.DataFrame, labels: object) -> list[str]:
    return explain_by_tree(features, labels).to_table()["rule"].tolist()  # type: ignore[arg-type]


def mixed(customers: int = 400, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return features with unknown numbers and a text, and segments that mostly follow from them."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "revenue_365d": rng.lognormal(8, 1.5, customers).round(2),
            "recency_days": rng.integers(0, 400, customers),
            "gap_cv": np.where(rng.random(customers) < 0.3, np.nan, rng.random(customers)),
            "region": rng.choice(["North", "South", "East"], customers),
        }
    )
    labels = np.select(
        [features["revenue_365d"] > 8000, features["recency_days"] > 200, features["gap_cv"].isna()], [2, 0, -1], 1
    )
    return features, np.where(rng.random(customers) < 0.05, 1, labels)


def test_whole_numbers_are_told_as_people_count() -> None:
    assert rules(ORDERS, THIRDS) == [
        "orders of 365 days below 3",
        "orders of 365 days from 3 to below 20",
        "orders of 365 days from 20",
    ]


def test_one_order_exactly_reads_as_one() -> None:
    features = pd.DataFrame({"order_count": np.repeat([0.0, 1.0, 2.0], 10)})
    assert rules(features, THIRDS) == ["orders below 1", "orders exactly 1", "orders from 2"]


def test_money_is_rounded_and_shares_are_percentages() -> None:
    money = pd.DataFrame({"revenue_365d": [1183.17, 1207.4, 12_061.3, 12_977.9] * 5})
    assert rules(money, [0, 0, 1, 1] * 5) == ["revenue of 365 days below 7,000", "revenue of 365 days from 7,000"]
    share = pd.DataFrame({"active_month_share": [0.1, 0.7] * 5})
    assert rules(share, [0, 1] * 5)[0] == "share of months with a purchase below 40%"


def test_a_threshold_keeps_the_digits_that_it_needs() -> None:
    money = pd.DataFrame({"revenue_365d": np.repeat([1226.0, 1231.0], 50)})
    assert rules(money, np.repeat([0, 1], 50))[0] == "revenue of 365 days below 1,230"


@pytest.mark.parametrize(
    ("values", "labels", "expected"),
    [
        (
            [1, 2, 8, 9, np.nan],
            [0, 0, 1, 1, 0],
            ["variation of the gaps below 5 or unknown", "variation of the gaps from 5"],
        ),
        (
            [1, 2, 8, 9, np.nan],
            [0, 0, 1, 1, 1],
            ["variation of the gaps below 5", "variation of the gaps from 5 or unknown"],
        ),
        ([1, 2, 8, 9, np.nan], [0, 0, 0, 0, 1], ["variation of the gaps known", "variation of the gaps unknown"]),
    ],
)
def test_a_rule_says_where_unknown_numbers_belong(values: list[float], labels: list[int], expected: list[str]) -> None:
    features = pd.DataFrame({"gap_cv": values * 10})
    found = explain_by_tree(features, labels * 10)
    assert found.to_table()["rule"].tolist() == expected
    assert found.fidelity == 1
    assert found.predict(features).tolist() == labels * 10


def test_a_text_is_one_of_its_values_or_not() -> None:
    features = pd.DataFrame({"region": ["North", "South", None, "East"] * 10})
    assert rules(features, [0, 1, 1, 1] * 10) == ["region is North", "region is not North"]


def test_categories_flags_and_columns_without_any_number_do_no_harm() -> None:
    features = pd.DataFrame(
        {
            "size": pd.Categorical(["big", "small"] * 10, ["small", "big", "never"]),
            "is_new": [True, False] * 10,
            "gap_cv": np.nan,
        }
    )
    found = explain_by_tree(features, [1, 0] * 10)
    assert found.fidelity == 1
    assert found.predict(features).tolist() == [1, 0] * 10


def test_conditions_that_exclude_nobody_are_left_unsaid_but_hold() -> None:
    features = pd.DataFrame({"order_count": [0, 1, 9, 9] * 10, "revenue": [0, 5, 800, 20] * 10})
    found = explain_by_tree(features, [0, 0, 1, 2] * 10)
    assert found.rules()[1].startswith("revenue from ")
    assert " and " not in found.rules()[1]
    stranger = pd.DataFrame({"order_count": [0], "revenue": [800]})
    assert sum(leaf.holds(stranger)[0] for leaf in found.leaves) == 1


def test_splits_that_lead_to_one_segment_are_one_rule() -> None:
    features = pd.DataFrame({"revenue": np.repeat([0.0, 1.0, 2.0], 10)})
    labels = [0] * 10 + [0] * 4 + [1] * 6 + [0] * 1 + [1] * 9
    found = explain_by_tree(features, labels, max_leaves=3)
    assert found.to_table().to_numpy().tolist() == [
        [0, "revenue below 1", pytest.approx(10 / 15), 1.0],
        [1, "revenue from 1", 1.0, 0.75],
    ]


def test_a_segments_rules_are_one_sentence_with_shares_and_purity() -> None:
    features = pd.DataFrame({"revenue": [1, 9, 1, 9, 9, 9, 9, 9] * 5})
    found = explain_by_tree(features, [0, 1, 0, 0, 1, 1, 1, 1] * 5)
    assert found.rules() == {
        0: "revenue below 5 (67% of the segment; right for 100%)",
        1: "revenue from 5 (100% of the segment; right for 83%)",
    }
    assert found.recalls == {0: pytest.approx(2 / 3), 1: 1.0}
    assert found.worst_segment == 0
    assert found.worst_recall == pytest.approx(2 / 3)
    assert found.fidelity == found.fidelity_in_sample == pytest.approx(35 / 40)
    assert "88% of customers" in found.summary()
    assert "of segment 0 they find fewest, 67%" in found.summary()


def test_a_segment_that_no_rule_finds_is_called_so() -> None:
    features = pd.DataFrame({"revenue": np.ones(30)})
    found = explain_by_tree(features, [0] * 29 + [1])
    assert found.rules()[0].startswith("every customer (100%")
    assert found.rules()[1] == "no simple rule finds this segment"
    assert found.worst_recall == 0


def test_labels_may_be_names_and_noise() -> None:
    names = np.array(["small", "large"])[(ORDERS["order_count_365d"] > 5).astype(int)]
    found = explain_by_tree(ORDERS, names)
    assert found.segments == ("large", "small")
    assert found.predict(ORDERS).tolist() == names.tolist()
    assert explain_by_tree(ORDERS, THIRDS - 1).segments == (-1, 0, 1)


def test_what_is_printed_is_what_was_measured() -> None:
    features, labels = mixed()
    found = explain_by_tree(features, labels)
    assert (found.predict(features) == labels).mean() == found.fidelity_in_sample
    right = sum(leaf.purity * leaf.customers for leaf in found.leaves)
    assert right / len(labels) == pytest.approx(found.fidelity_in_sample)
    assert sum(leaf.customers for leaf in found.leaves) == len(labels)
    members = sum(found.recalls[segment] * (labels == segment).sum() for segment in found.segments)
    assert members / len(labels) == pytest.approx(found.fidelity)


def test_every_customer_known_or_not_is_in_exactly_one_rule() -> None:
    features, labels = mixed()
    found = explain_by_tree(features, labels)
    strangers = pd.DataFrame({"revenue_365d": [np.nan, 1e9], "recency_days": [np.nan, -1], "gap_cv": [np.nan] * 2})
    strangers["region"] = [None, "West"]
    everyone = pd.concat([features, strangers], ignore_index=True)
    assert (np.sum([leaf.holds(everyone) for leaf in found.leaves], axis=0) == 1).all()


def test_the_order_of_rows_changes_nothing_and_the_table_stays() -> None:
    features, labels = mixed()
    before = features.copy()
    found = explain_by_tree(features, labels)
    order = np.random.default_rng(5).permutation(len(labels))
    assert explain_by_tree(features.iloc[order], labels[order]) == found
    pd.testing.assert_frame_equal(features, before)


def test_fidelity_is_measured_on_customers_that_the_rules_have_not_seen() -> None:
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.random((200, 8)), columns=list("abcdefgh"))
    found = explain_by_tree(features, rng.integers(0, 2, 200), max_leaves=40)
    assert found.fidelity_in_sample > 0.75
    assert found.fidelity < 0.6


@pytest.mark.parametrize(
    ("features", "labels", "leaves", "message"),
    [
        (ORDERS.iloc[:0], [], None, "at least two customers"),
        (ORDERS[[]], THIRDS, None, "at least two customers"),
        (ORDERS.set_axis([0], axis=1), THIRDS, None, "names that are text and differ"),
        (pd.DataFrame({"region": [None] * 30}), THIRDS, None, "have no value at all"),
        (ORDERS, THIRDS[1:], None, r"found 30 customers and labels \(29,\)"),
        (ORDERS, [np.nan, *THIRDS[1:]], None, "1 labels are unknown"),
        (ORDERS, THIRDS, 2, "max_leaves is 2; 3 segments need at least 3"),
        (ORDERS.replace(30.0, np.inf), THIRDS, None, "order_count_365d has 10 infinite numbers"),
    ],
)
def test_input_that_cannot_be_explained_is_refused(
    features: pd.DataFrame, labels: list[int], leaves: int | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        explain_by_tree(features, labels, max_leaves=leaves)


def test_few_customers_and_lone_segments_are_explained_all_the_same() -> None:
    found = explain_by_tree(pd.DataFrame({"revenue": [1.0, 2.0, 9.0]}), [0, 0, 1])
    assert found.fidelity_in_sample == 1
    assert found.recalls[1] == 0
    alone = explain_by_tree(ORDERS, np.zeros(30))
    assert (alone.fidelity, alone.rules()) == (1.0, {0.0: "every customer (100% of the segment; right for 100%)"})


def test_every_feature_that_names_speak_of_has_a_noun() -> None:
    assert {name for name in PHRASES if noun(name) == name.replace("_", " ")} == set()
    assert all(NOUNS.values())


def test_rules_are_told_in_the_language_spoken() -> None:
    found = explain_by_tree(ORDERS, THIRDS)
    with speaking("ru"):
        assert found.to_table()["rule"].tolist()[1] == "заказы за 365 дн. от 3, но меньше 20"
        assert Condition("revenue_365d", low=12_300.0).told() == "выручка за 365 дн. от 12\u202f300"


@pytest.mark.slow
def test_rules_stand_for_the_segments_of_a_real_wholesaler(shared_data: Path) -> None:
    features = customers_at(shared_data, "2011-09-11").drop(columns="customer_id")
    found: Surrogate = explain_by_tree(features, KMeansSegments(5).fit(features).labels_)
    assert found.fidelity > 0.85
    assert found.worst_recall > 0.7
    assert abs(found.fidelity - found.fidelity_in_sample) < 0.02
    assert len(found.leaves) <= 10
