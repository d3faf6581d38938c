"""A run tells the settings that matter, and those that were changed."""

import pytest

from segml import config


def test_nothing_is_changed_in_the_defaults() -> None:
    assert config.changed(config.Config()) == {}


def test_what_is_changed_is_told_by_its_dotted_key() -> None:
    settings = config.load(
        None, ["horizon_days=60", "churn.boosting.max_iter=40", "segments.tier.small_revenue_share=0.1"]
    )
    assert config.changed(settings) == {
        "horizon_days": 60,
        "segments.tier.small_revenue_share": 0.1,
        "churn.boosting.max_iter": 40,
    }


def test_changes_are_counted_from_the_base_that_is_given() -> None:
    base = config.load(None, ["horizon_days=60"])
    assert config.changed(config.load(None, ["horizon_days=60", "seed=3"]), base) == {"seed": 3}
    assert config.changed(config.Config(), base) == {"horizon_days": 90}


@pytest.mark.parametrize("idle", ["output=x", "tracking.experiment=x", "threads=1", "engine.memory_limit=1GB"])
def test_what_changes_no_result_is_no_change(idle: str) -> None:
    settings = config.load(None, [idle])
    assert config.changed(settings) == {}
    assert config.compared(settings) == config.compared(config.Config())


def test_settings_of_what_is_switched_off_are_left_out() -> None:
    settings = config.load(
        None, ["data.transactions=orders.csv", "demo.seed=3", "segments.clusters.candidates=[kmeans]", "seed=1"]
    )
    told = config.compared(settings)
    assert not [key for key in told if key.startswith(("demo.", "segments.clusters.hdbscan."))]
    assert "demo.seed" not in config.changed(settings)
    assert "segments.clusters.hdbscan.min_samples" in config.compared(config.Config())


def test_runs_are_compared_by_the_same_few_keys_and_by_what_differs() -> None:
    plain, other = (config.compared(config.load(None, overrides)) for overrides in ([], ["segments.abc.a_share=0.7"]))
    assert set(other) - set(plain) == {"segments.abc.a_share"}
    assert {"seed", "horizon_days", "data.transactions", "churn.model", "churn.boosting.max_iter"} <= set(plain)
    assert len(plain) < 70 < len(config.Config().flat())


def test_values_are_short_text() -> None:
    told = config.compared(config.load(None, ["segments.clusters.kmeans.features=[revenue_365d, recency_days]"]))
    assert told["segments.clusters.kmeans.features"] == "revenue_365d, recency_days"
    assert told["as_of"] == "null"
    assert told["labels.season_adjusted"] == "false"
    assert told["churn.prior_shift"] == "[]"


def test_passwords_are_masked() -> None:
    settings = config.load(None, ["data.transactions=postgresql://anna:s3cret@db/sales#orders"])
    assert "s3cret" not in str(config.changed(settings)) + str(config.compared(settings))
    assert "anna" in config.compared(settings)["data.transactions"]
