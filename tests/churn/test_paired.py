"""Differences between backtests of the same customers."""

import numpy as np
import pandas as pd
import pytest

from scored_tables import scored_table as table
from segml.churn import mean_metrics, metric_names, paired_differences
from segml.churn.summary import metrics

REDRAWN = {"resamples": 100, "seed": 3}


def test_of_one_table_the_means_are_its_metrics() -> None:
    assert mean_metrics([table()], **REDRAWN) == pytest.approx(metrics(table(), **REDRAWN)[0])


def test_the_mean_of_two_tables_lies_between_them() -> None:
    one, two, mean = (mean_metrics(tables, **REDRAWN) for tables in ([table(1)], [table(2)], [table(1), table(2)]))
    assert mean["churn/roc_auc"] == pytest.approx((one["churn/roc_auc"] + two["churn/roc_auc"]) / 2)


def test_a_table_does_not_differ_from_itself_even_with_its_rows_shuffled() -> None:
    shuffled = table().sample(frac=1, random_state=1)
    found = paired_differences([shuffled], [table()], **REDRAWN)
    assert set(metric_names()) <= set(found)
    assert np.allclose(list(found.values()), 0)


def test_better_scores_are_ahead_by_the_difference_of_the_points_and_the_interval_leaves_out_zero() -> None:
    good, bad = table(1, noise=0.3), table(2, noise=3.0)
    found = paired_differences([good], [bad], **REDRAWN)
    points = [mean_metrics([one], **REDRAWN)["churn/roc_auc"] for one in (good, bad)]
    assert found["churn/roc_auc"] == pytest.approx(points[0] - points[1])
    assert 0 < found["churn/roc_auc_low"] < found["churn/roc_auc"] < found["churn/roc_auc_high"]


def test_the_interval_is_paired_so_it_is_narrower_than_of_independent_customers() -> None:
    good, near = table(1), table(1)
    near["p_churn"] = near["p_churn"] * 0.9 + 0.01 * np.random.default_rng(5).normal(size=len(near))
    found = paired_differences([good], [near], **REDRAWN)
    own = mean_metrics([good], **REDRAWN)
    width = found["churn/roc_auc_high"] - found["churn/roc_auc_low"]
    assert width < (own["churn/roc_auc_high"] - own["churn/roc_auc_low"]) / 2


def test_sides_with_other_customers_are_compared_and_one_without_any_is_not() -> None:
    some = table().query("customer_id < 'c150'")
    assert "churn/roc_auc_low" in paired_differences([some], [table()], **REDRAWN)
    assert paired_differences([some.iloc[:0]], [table()], **REDRAWN) == {}


def test_the_tables_stay_as_they_are() -> None:
    given = table()
    paired_differences([given], [given], **REDRAWN)
    pd.testing.assert_frame_equal(given, table())
