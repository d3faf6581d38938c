import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway

from segml.config import KMeansConfig, SegmentsConfig
from segml.schema import DataError
from segml.segments import eta_squared, next_period

CONFIG = SegmentsConfig(clusters=KMeansConfig(k=3), interval_resamples=30)
NAMES = {"segments/next_period_eta2", "segments/rfm_eta2", "segments/revenue_fifths_eta2"}


@pytest.fixture
def labels(next_base: pd.DataFrame) -> pd.DataFrame:
    """What the customers bought afterwards: as before, give or take."""
    noise = np.random.default_rng(5).lognormal(0, 0.5, len(next_base))
    return pd.DataFrame(
        {"customer_id": next_base["customer_id"], "next_revenue": next_base["revenue_365d"] / 4 * noise}
    )


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


@pytest.mark.parametrize(("groups", "values"), [([1, 1, 2], [4, 4, 4]), ([1, 2, 3], [4, 5, 6])])
def test_eta_squared_is_unknown_without_variance_or_without_repeats(groups: list[int], values: list[float]) -> None:
    assert np.isnan(eta_squared(groups, values))


def test_clusters_and_rules_are_measured_on_the_same_customers(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    result = next_period(base, next_base, labels, CONFIG, seed=0)
    assert set(result.metrics) == {name + end for name in NAMES for end in ("", "_low", "_high")}
    for name in NAMES:
        assert result.metrics[f"{name}_low"] <= result.metrics[name] <= result.metrics[f"{name}_high"]
        assert result.metrics[name] > 0.5
    assert "95 % interval" in result.sentence


def test_rules_win_where_the_revenue_that_comes_is_the_revenue_that_was(
    base: pd.DataFrame, next_base: pd.DataFrame
) -> None:
    ranks = pd.qcut(next_base["revenue_365d"], 5, labels=False)
    labels = pd.DataFrame({"customer_id": next_base["customer_id"], "next_revenue": np.expm1(ranks)})
    result = next_period(base, next_base, labels, CONFIG, seed=0)
    assert result.metrics["segments/revenue_fifths_eta2"] == pytest.approx(1)
    assert "a simple rule, revenue fifths, predicts better than the clusters" in result.sentence


def test_clusters_win_where_the_found_kind_decides(base: pd.DataFrame, next_base: pd.DataFrame) -> None:
    kind = np.arange(len(next_base)) % 3
    labels = pd.DataFrame({"customer_id": next_base["customer_id"], "next_revenue": np.expm1(kind == 1)})
    result = next_period(base, next_base, labels, CONFIG, seed=0)
    assert "the clusters predict better than the best simple rule" in result.sentence


def test_returns_after_the_date_count_as_no_revenue(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    zero = labels.assign(next_revenue=labels["next_revenue"].where(labels.index >= 50, 0.0))
    negative = labels.assign(next_revenue=labels["next_revenue"].where(labels.index >= 50, -900.0))
    results = [next_period(base, next_base, table, CONFIG, seed=0) for table in (zero, negative)]
    assert results[0] == results[1]


def test_the_order_of_rows_is_irrelevant(base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame) -> None:
    training, features, after = (table.sample(frac=1, random_state=8) for table in (base, next_base, labels))
    assert next_period(training, features, after, CONFIG, seed=0) == next_period(
        base, next_base, labels, CONFIG, seed=0
    )


def test_without_resamples_there_are_no_intervals(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    config = SegmentsConfig(clusters=KMeansConfig(k=3), interval_resamples=0)
    result = next_period(base, next_base, labels, config, seed=0)
    assert set(result.metrics) == NAMES
    assert "predict better than" in result.sentence


def test_too_few_customers_to_cluster_leave_the_rules(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    result = next_period(base.iloc[:10], next_base, labels, CONFIG, seed=0)
    assert "segments/next_period_eta2" not in result.metrics
    assert result.sentence.endswith("there are no clusters to compare.")


def test_a_next_period_without_any_revenue_is_told(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    result = next_period(base, next_base, labels.assign(next_revenue=0.0), CONFIG, seed=0)
    assert result.metrics == {}
    assert result.sentence.startswith("no check on the next period: 300 customers")


def test_a_customer_without_a_next_revenue_is_named(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match="lack next_revenue of 1 customers in features, such as 'c0000'"):
        next_period(base, next_base, labels.iloc[1:], CONFIG, seed=0)


def test_labels_of_two_dates_are_refused(base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="one row a customer in labels"):
        next_period(base, next_base, pd.concat([labels, labels]), CONFIG, seed=0)


def test_clusters_learnt_after_the_test_are_refused(
    base: pd.DataFrame, next_base: pd.DataFrame, labels: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match="learnt before they are measured; training is at 2025-09-29"):
        next_period(next_base, base, labels, CONFIG, seed=0)
    with pytest.raises(DataError, match="learnt before they are measured; training is at 2025-07-01"):
        next_period(base, base, labels, CONFIG, seed=0)
