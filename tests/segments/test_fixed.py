"""A whole configuration with the cut points of one base."""

import numpy as np
import pandas as pd
import pytest

from bases import AS_OF, simulated
from segml import config
from segml.config import Config, SegmentsConfig
from segml.schema import DataError
from segml.segments import assign_rules, fixed, schemes

OWN = {
    "custom": {
        "worth": {
            "rules": {"visit": 'tier in ["key", "growing"] and abc == "A"', "letter": "revenue_365d > 1000"},
            "otherwise": "nothing",
        }
    },
    "nested": {
        "approach": {"levels": {"who": "company_size", "where": ["region", "tier"], "why": "worth"}},
        "again": {"levels": {"what": "approach"}, "min_customers": 40},
    },
}
CONFIG = config.from_mapping({"segments": OWN}).segments


def described(customers: int, seed: int, as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    """Return simulated customers with what the schemes beyond the core read, unknown here and there."""
    rng = np.random.default_rng(seed)
    base = simulated(customers, seed, as_of)
    revenue = base["revenue_365d"]
    described = base.assign(
        employees=rng.choice([5, 50, 200, 900, np.nan], customers),
        industry=rng.choice([*"abcdefghij"], customers, p=np.arange(10, 0, -1) / 55),
        country="RU",
        role=rng.choice(["dealer", "end user"], customers),
        potential=np.where(rng.random(customers) < 0.3, np.nan, revenue * rng.uniform(0.5, 20, customers)),
        cost_to_serve=rng.choice([0.0, 50.0, 500.0, np.nan], customers),
        margin_share_365d=rng.uniform(0, 0.5, customers),
        discount_share_365d=rng.choice([0.0, 0.05, 0.2], customers),
        decision_days=rng.choice([5.0, 90.0, np.nan], customers),
        affinity_category=rng.choice([*"uvwxyz", "glue", "tape"], customers),
        affinity_lift=rng.uniform(0.8, 3, customers),
        top_channel=rng.choice(["web", "fax"], customers),
        top_up_order_share=rng.random(customers),
        p_churn=rng.random(customers),
        p_stagnation=rng.random(customers),
    )
    described.loc[rng.random(customers) < 0.2, "revenue_365d"] = -5.0
    return described


@pytest.mark.parametrize("customers", [1, 3, 40, 400])
def test_the_base_keeps_all_its_labels(customers: int) -> None:
    base = described(customers, seed=3)
    before = base.copy(deep=True)
    kept = fixed(CONFIG, base)
    pd.testing.assert_frame_equal(base, before)
    plain, pinned = (assign_rules(base, each, is_strict=False) for each in (CONFIG, kept))
    pd.testing.assert_frame_equal(pinned.table, plain.table)
    assert {name: list(rules) for name, rules in pinned.rules.items()} == {
        name: list(rules) for name, rules in plain.rules.items()
    }
    assert pinned.off == plain.off


def test_by_given_cut_points_customers_are_labelled_without_the_others() -> None:
    kept = fixed(CONFIG, described(400, seed=3))
    later = described(400, seed=4, as_of=AS_OF + pd.Timedelta(days=90))
    labels = assign_rules(later, kept)
    assert len(labels.schemes) >= 20, "nearly all schemes are tried"
    assert not any(scheme.compares_customers for scheme in labels.schemes)
    some = later.iloc[::3]
    pd.testing.assert_frame_equal(
        assign_rules(some, kept).table,
        labels.table[labels.table["customer_id"].isin(some["customer_id"])].reset_index(drop=True),
    )
    moved = assign_rules(later, CONFIG).table
    assert (moved["rfm_segment"] != labels.table["rfm_segment"]).any(), "cut points of the later base lie elsewhere"


def test_cut_points_are_stored_in_yaml_and_read_back() -> None:
    kept = Config(segments=fixed(CONFIG, described(400, seed=3)))
    read = config.from_mapping(config.parse_yaml(kept.to_yaml(), "config.yaml"))
    assert read == kept
    assert fixed(read.segments, described(400, seed=9)) == read.segments
    assert config.changed(kept)["segments.abc.a_from"] == kept.segments.abc.a_from


def test_a_scheme_that_is_off_stays_as_it_is(base: pd.DataFrame) -> None:
    kept = fixed(SegmentsConfig(), base)
    assert kept.growth_potential.peer_revenue is not None
    assert kept.industry_group == SegmentsConfig().industry_group
    assert [scheme.name for scheme in schemes(kept)] == [scheme.name for scheme in schemes(SegmentsConfig())]


def test_the_order_of_rows_is_irrelevant() -> None:
    base = described(200, seed=5)
    assert fixed(CONFIG, base.sample(frac=1, random_state=1)) == fixed(CONFIG, base)


def test_a_base_without_the_columns_of_a_core_scheme_is_refused(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="scheme 'lifecycle' lacks"):
        fixed(SegmentsConfig(), base.drop(columns="recency_days"))
