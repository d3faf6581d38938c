"""Slices: who belongs where at the test date, and the same measures for each part."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from segml.churn import slices
from segml.churn.slices import FEWEST_CASES, slice_labels
from segml.schemes import Tier

DATE = pd.Timestamp("2021-01-01").as_unit("us")


def hand_made() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return six scored customers, and the features of eight of whom two are not scored."""
    features = pd.DataFrame(
        {
            "customer_id": list("abcdefgh"),
            "as_of": DATE,
            "tenure_days": [364.0, 365.0, 729.0, 730.0, 200.0, 2000.0, 5.0, 900.0],
            "revenue_90d_to_run_rate": [0.74, 0.75, 0.0, 1.2, np.nan, -0.1, 1.0, 0.0],
            "revenue_365d": [5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 900.0, 0.0],
            "revenue_365d_previous": 0.0,
        }
    )
    table = features.loc[:5, ["customer_id", "as_of"]].assign(
        churned=[True, False, True, False, True, False],
        stagnated=True,
        p_churn=[0.9, 0.1, 0.8, 0.2, 0.7, 0.3],
        p_stagnation=0.9,
        run_rate=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        lost_revenue=1.0,
    )
    return table, features


def big_table(rows: int = 400, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    customers = [f"c{n:03d}" for n in range(rows)]
    p = rng.uniform(0.05, 0.95, rows)
    churned = rng.uniform(size=rows) < p
    table = pd.DataFrame(
        {
            "customer_id": customers,
            "as_of": DATE,
            "churned": churned,
            "stagnated": churned | (rng.uniform(size=rows) < 0.2),
            "p_churn": p,
            "p_stagnation": np.sqrt(p),
            "run_rate": rng.lognormal(3, 1, rows),
            "lost_revenue": rng.lognormal(2, 1, rows) * churned,
        }
    )
    features = table[["customer_id", "as_of"]].assign(tenure_days=rng.uniform(100, 700, rows))
    return table, features


def of(found: pd.DataFrame, dimension: str, name: str, target: str = "churn") -> Any:
    row = found[(found["dimension"] == dimension) & (found["slice"] == name) & (found["target"] == target)]
    assert len(row) == 1
    return row.iloc[0]


def test_a_threshold_belongs_to_the_slice_above_it() -> None:
    labels = slice_labels(*hand_made(), Tier())
    assert labels["history"].tolist() == [
        "under 1 year",
        "1 to 2 years",
        "1 to 2 years",
        "2 years and more",
        "under 1 year",
        "2 years and more",
    ]
    assert labels["trend"].tolist()[:4] == ["already declining", "not declining", "already declining", "not declining"]
    assert labels["trend"].isna().tolist() == [False, False, False, False, True, False]
    assert labels["size"].tolist() == ["smallest third"] * 2 + ["middle third"] * 2 + ["largest third"] * 2


def test_tiers_rank_all_customers_of_the_date_the_unscored_too() -> None:
    table, features = hand_made()
    assert set(slice_labels(table, features, Tier())["tier"]) <= {"standard", "small"}  # the unscored one is key
    alone = slice_labels(table, features[features["revenue_365d"] < 900], Tier())
    assert "key" in set(alone["tier"])


def test_a_slice_with_too_few_cases_has_rates_and_no_area() -> None:
    found = slices(*hand_made(), resamples=0, seed=0)
    row = of(found, "trend", "already declining")
    assert (row["customers"], row["cases"], row["is_enough"]) == (3, 2, False)
    assert row["base_rate"] == pytest.approx(2 / 3)
    assert row["predicted"] == pytest.approx((0.9 + 0.8 + 0.3) / 3)
    assert found[["roc_auc", "loss_captured_at_10"]].isna().all(axis=None)


def test_each_slice_is_measured_on_its_own_rows() -> None:
    table, features = big_table()
    found = slices(table, features, resamples=40, seed=0)
    young = table[features["tenure_days"] < 365]
    row = of(found, "history", "under 1 year")
    assert row["roc_auc"] == pytest.approx(roc_auc_score(young["churned"], young["p_churn"]))
    assert row["roc_auc_low"] < row["roc_auc"] < row["roc_auc_high"]
    assert row["predicted"] == pytest.approx(young["p_churn"].mean())
    assert 0 < row["loss_captured_at_10"] < 1
    assert found.groupby(["dimension", "target"])["customers"].sum().eq(len(table)).all()
    assert found["is_enough"].all()


def test_exactly_the_fewest_cases_are_enough() -> None:
    table, features = big_table(2 * FEWEST_CASES)
    table["churned"] = np.arange(len(table)) < FEWEST_CASES
    one = features.assign(tenure_days=100.0)
    assert of(slices(table, one, resamples=0, seed=0), "history", "under 1 year")["is_enough"]
    table.loc[0, "churned"] = False
    assert not of(slices(table, one, resamples=0, seed=0), "history", "under 1 year")["is_enough"]


def test_a_dimension_without_its_columns_is_left_out() -> None:
    table, features = big_table()
    found = slices(table, features, resamples=0, seed=0)
    assert set(found["dimension"]) == {"history", "size"}
    only_size = slices(table, features[["customer_id", "as_of"]], resamples=0, seed=0)
    assert set(only_size["dimension"]) == {"size"}


def test_order_of_rows_changes_nothing_and_the_tables_stay_as_they_were() -> None:
    table, features = big_table()
    copies = table.copy(), features.copy()
    found = slices(table, features, resamples=20, seed=3)
    shuffled = slices(
        table.sample(frac=1, random_state=1), features.sample(frac=1, random_state=2), resamples=20, seed=3
    )
    pd.testing.assert_frame_equal(found, shuffled, check_exact=False, rtol=1e-12)
    pd.testing.assert_frame_equal(table, copies[0])
    pd.testing.assert_frame_equal(features, copies[1])


def test_no_rows_give_no_slices() -> None:
    table, features = big_table()
    assert slices(table.iloc[:0], features.iloc[:0], resamples=10, seed=0).empty
