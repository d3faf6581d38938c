"""Cut points by hand: what a scheme learns of a small base, and how it then labels others."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from segml.language import speaking
from segml.schema import DataError
from segml.schemes import (
    Abc,
    Abcdx,
    Cohort,
    Geography,
    GrowthPotential,
    IndustryGroup,
    Need,
    Nested,
    NestedLevels,
    OrderPattern,
    Rfm,
    Scheme,
    Tier,
    Value,
)
from segml.schemes.cuts import lowest, score_cuts
from segml.schemes.ranking import cut_scores, quantile_scores

Table = Callable[..., pd.DataFrame]
MONEY = [60.0, 20.0, 15.0, 4.0, 1.0, 0.0]


def approach(**given: Any) -> Nested:
    levels = {"operating": "channel", "purchasing": "tier"}
    return Nested(key="approach", given=NestedLevels.model_validate({"levels": levels, "min_customers": 2, **given}))


LEARNT: list[tuple[Scheme, Mapping[str, Any], Mapping[str, Any]]] = [
    (Abc(), {"revenue_365d": MONEY}, {"a_from": 20.0, "b_from": 15.0}),
    (Abc(a_share=0.0), {"revenue_365d": MONEY}, {"a_from": 61.0, "b_from": 15.0}),
    (Abc(), {"revenue_365d": [0.0, -5.0]}, {"a_from": None, "b_from": None}),
    (Value(), {"margin_365d": [80.0, 15.0, 5.0, -9.0]}, {"high_from": 80.0, "medium_from": 15.0}),
    (Value(), {"margin_365d": [-1.0, 0.0]}, {"high_from": None, "medium_from": None}),
    (
        Tier(),
        {"revenue_365d": MONEY, "revenue_365d_previous": 0.0, "tenure_days": 900},
        {"key_from": 60.0, "small_below": 15.0},
    ),
    (
        Tier(key_customer_share_at_most=0.4),
        {"revenue_365d": [50.0, 50.0, 50.0, 1.0], "revenue_365d_previous": 0.0, "tenure_days": 900},
        {"key_from": 51.0, "small_below": 50.0},
    ),
    (
        Rfm(bins=3),
        {"recency_days": [1, 5, 9], "order_count_365d": [0, 2, 2], "revenue_365d": [0.0, 0.0, -1.0]},
        {"recency_days_cuts": (1.0, 5.0), "order_count_cuts": (2.0, 3.0), "revenue_cuts": ()},
    ),
    (
        OrderPattern(),
        {"order_value_mean": [10.0, 20.0, 90.0, 100.0], "top_up_order_share": 0.0},
        {"large_from": 55.0},
    ),
    (
        Abcdx(),
        {
            "revenue_365d": [100.0, 300.0, 50.0],
            "order_count_365d": 9,
            "margin_365d": [30.0, 60.0, -5.0],
            "discount_share_365d": 0.0,
            "margin_share_365d": [0.3, 0.2, -0.1],
        },
        {"a_margin_share_from": 0.25, "x_typical_revenue": 100.0},
    ),
    (IndustryGroup(at_most=1), {"industry": ["b", "b", "a"]}, {"values": ("b",)}),
    (
        Need(),
        {"affinity_category": ["glue", "tape", "glue", "wood"], "affinity_lift": [2.0, 1.5, 3.0, 1.0]},
        {"values": ("glue", "tape")},
    ),
    (Cohort(period="year", at_most=2), {"tenure_days": [10, 200, 500, 900]}, {"named_from": "2025"}),
    (
        GrowthPotential(min_peers=2),
        {
            "revenue_365d": [10.0, 30.0, 50.0, 0.0, 90.0],
            "industry": ["food", "food", "food", "food", "wood"],
            "company_size": ["small", "small", "large", "large", "large"],
        },
        {
            "peer_revenue": 40.0,
            "peer_revenue_by_industry": {"food": 30.0},
            "peer_revenue_by_size": {"food": {"small": 20.0}},
        },
    ),
]


@pytest.mark.parametrize(("scheme", "columns", "learnt"), LEARNT)
def test_what_a_base_teaches(scheme: Scheme, columns: Mapping[str, Any], learnt: Mapping[str, Any]) -> None:
    base = pd.DataFrame(columns).assign(as_of=pd.Timestamp("2025-07-01"))
    fixed = scheme.fixed(base)
    assert {name: getattr(fixed, name) for name in learnt} == learnt
    assert fixed.assign(base).tolist() == scheme.assign(base).tolist()
    assert fixed.compares_customers == any(value in (None, ()) for value in learnt.values())


def test_cut_points_that_are_given_stand_and_the_others_are_learnt() -> None:
    base = pd.DataFrame({"revenue_365d": MONEY, "revenue_365d_previous": 0.0, "tenure_days": 900})
    assert Tier(key_from=7.0).assign(base).tolist() == ["key", "key", "key", "small", "small", "small"]
    fixed = Tier(key_from=7.0).fixed(base)
    assert (fixed.key_from, fixed.small_below) == (7.0, 15.0)
    assert fixed.rules()["key"] == "revenue of 365 days of 7 and more"
    assert fixed.rules()["small"] == "revenue of 365 days below 15"


def test_a_customer_on_a_cut_point_belongs_to_the_better_class() -> None:
    others = pd.DataFrame({"revenue_365d": [100.0, 99.99, 10.0, 9.99, -1.0]})
    assert Abc(a_from=100, b_from=10).assign(others).tolist() == ["A", "B", "B", "C", "C"]
    assert Abc(a_from=100, b_from=10).rules() == {
        "A": "revenue of the last 365 days of 100 and more",
        "B": "from 10 to below 100",
        "C": "below 10",
    }


def test_days_of_silence_up_to_a_cut_point_get_the_better_score() -> None:
    fixed = Rfm(bins=3, recency_days_cuts=(10, 60), order_count_cuts=(2, 2), revenue_cuts=(100, 1000))
    others = pd.DataFrame({"recency_days": [10, 11, 61], "order_count_365d": [1, 2, 3], "revenue_365d": [99, 100, 1e6]})
    assert fixed.details(others)["rfm_cell"].tolist() == ["311", "232", "133"]
    assert fixed.rules()["champions"].endswith(
        "; the scores of recency, from the best down, reach to 10 / 60 days; the scores of frequency, from the second "
        "up, begin at 2 / 2 orders; the scores of money, from the second up, begin at 100 / 1,000"
    )


def test_a_path_names_its_branches_and_what_it_does_not_name_is_other() -> None:
    base = pd.DataFrame({"channel": ["web"] * 4 + ["fax"], "tier": ["key", "key", "small", "odd", "key"]})
    fixed = approach().fixed(base)
    assert fixed.given.paths == (("web", "key"), ("web", "other"), ("other",))
    others = pd.DataFrame({"channel": ["web", "web", "post"], "tier": ["key", "new", "key"]})
    assert fixed.assign(others).tolist() == ["web > key", "web > other", "other"]
    assert fixed.rules() == {
        "web > key": "operating: channel = web; purchasing: tier = key",
        "web > other": "operating: channel = web; purchasing: tier other than key",
        "other": "operating: channel other than web",
    }


def test_a_branch_that_ended_on_the_base_ends_everywhere() -> None:
    fixed = approach(paths=(("web",), ("fax", "key")))
    others = pd.DataFrame({"channel": ["web", "fax", "fax", "post"], "tier": ["key", "key", "small", "key"]})
    assert fixed.assign(others).tolist() == ["web", "fax > key", "fax > other", "other"]
    whole = approach(paths=((),))
    assert whole.assign(others).tolist() == ["other"] * 4
    assert whole.rules() == {"other": "everyone"}


def test_a_value_that_did_not_go_by_name_is_other_however_frequent_it_becomes() -> None:
    fixed = Geography(values=("North",))
    others = pd.DataFrame({"region": ["South", "South", "North", None]})
    assert fixed.assign(others).tolist() == ["other", "other", "North", "not enough data"]
    assert fixed.rules() == {"North": "region = North", "other": "any other value"}


def test_cohorts_before_the_first_named_one_share_a_label() -> None:
    scheme = Cohort(period="quarter", named_from="2025-Q1")
    others = pd.DataFrame({"as_of": pd.Timestamp("2025-07-01"), "tenure_days": [1, 181, 182]})
    assert scheme.assign(others).tolist() == ["2025-Q2", "2025-Q1", "before 2025-Q1"]


def test_peers_of_a_group_without_a_median_are_all() -> None:
    fixed = GrowthPotential(
        peer_revenue=100, peer_revenue_by_industry={"food": 10}, peer_revenue_by_size={"food": {"large": 1000}}
    )
    others = pd.DataFrame(
        {"revenue_365d": 60.0, "industry": ["food", "food", "wood", None], "company_size": ["large", "small"] * 2}
    )
    assert fixed.assign(others).tolist() == ["high", "low", "medium", "medium"]
    assert "similar companies' median is 100" in fixed.rules()["high"]


def test_a_base_that_tells_nothing_leaves_a_scheme_as_it_is() -> None:
    nobody = pd.DataFrame({"revenue_365d": [np.nan, None]}, dtype=float)
    assert Abc().fixed(nobody) == Abc()
    assert Abc().fixed(nobody.iloc[:0]) == Abc()
    with pytest.raises(DataError, match="scheme 'abc' lacks"):
        Abc().fixed(pd.DataFrame({"revenue": [1.0]}))


def test_cut_points_are_told_in_russian() -> None:
    with speaking("ru"):
        assert "1\u202f500\u202f000" in Abc(a_from=1_500_000, b_from=0.25).rules()["A"]
        assert "0,25" in Abc(a_from=1_500_000, b_from=0.25).rules()["C"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Abc(a_from=5), "a_from and b_from go together"),
        (lambda: Abc(a_from=5, b_from=6), r"b_from \(6\) must be at most a_from \(5\)"),
        (lambda: Abc(a_from=5, b_from=0), "greater than 0"),
        (lambda: Value(medium_from=5), "high_from and medium_from go together"),
        (lambda: Value(high_from=5, medium_from=6), r"medium_from \(6\) must be at most high_from \(5\)"),
        (lambda: Rfm(revenue_cuts=(4, 3, 2, 1)), "4 rising numbers"),
        (lambda: Cohort(named_from="2025-13", period="month"), "named_from must be a month as in '2024-07'"),
        (lambda: IndustryGroup(values=("a", "b", "a")), r"values names \['a'\] more than once"),
        (lambda: GrowthPotential(peer_revenue_by_industry={"a": 1}), "need peer_revenue, which serves everybody else"),
        (lambda: approach(paths=(("a", "b", "c"),)), "a value a column, 2 at most"),
        (lambda: approach(paths=(("a",), ("a",))), "paths hold one more than once"),
    ],
)
def test_cut_points_that_make_no_sense_are_refused(make: Callable[[], Scheme], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()


@given(st.lists(st.sampled_from([0.0, 0.1, 5.0, -3.0, 1e300]) | st.floats(-1e9, 1e9), min_size=1), st.integers(2, 9))
def test_cut_points_give_the_scores_of_the_quantiles(values: list[float], bins: int) -> None:
    assert cut_scores(values, score_cuts(values, bins)).tolist() == quantile_scores(values, bins).tolist()


@pytest.mark.parametrize("largest", [0.0, -7.0, 1e15, 2.0**60, 1e300])
def test_where_nobody_belongs_the_cut_point_lies_beyond_everybody(largest: float) -> None:
    cut = lowest([largest, largest - 1], [False, False])
    assert largest < cut < np.inf
