"""Importance: a group that the outcome hangs on counts, one that the model does not read counts for nothing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from segml.churn import RiskModel, evaluate, importance
from segml.churn.importance import AT_MOST_CUSTOMERS, shuffled_scores
from segml.config import ChurnConfig

DATE = pd.Timestamp("2021-01-01").as_unit("us")


class Rule:
    """A model that reads silence alone, though it is given the revenue trend too."""

    inputs_ = ("recency_days", "recency_to_gap", "revenue_90d_to_run_rate")

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        p = (features["recency_days"] / 100).clip(0.01, 0.99)
        return pd.DataFrame({"p_churn": p, "p_stagnation": np.sqrt(p)}, index=features.index)


def base(rows: int = 300, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        {
            "customer_id": [f"c{n:05d}" for n in range(rows)],
            "as_of": DATE,
            "recency_days": rng.uniform(0, 100, rows),
            "revenue_90d_to_run_rate": rng.uniform(0, 2, rows),
        }
    ).assign(recency_to_gap=lambda table: table["recency_days"] / 30)
    churned = rng.uniform(size=rows) < features["recency_days"] / 100
    table = features[["customer_id", "as_of"]].assign(churned=churned, stagnated=churned)
    return features, table


def test_the_drop_is_the_area_lost_when_the_group_is_shuffled() -> None:
    features, table = base()
    scores = shuffled_scores(Rule(), features, repeats=2, seed=0)  # type: ignore[arg-type]
    found = importance(table, scores, resamples=30, seed=0).set_index(["group", "target"])
    areas = [
        roc_auc_score(table["churned"], part.sort_values("customer_id")["p_churn"])
        for _, part in scores[scores["group"] == "silence"].groupby("repeat")
    ]
    own = roc_auc_score(table["churned"], features["recency_days"])
    row: Any = found.loc[("silence", "churn")]
    assert row["auc_drop"] == pytest.approx(own - np.mean(areas))
    assert 0.2 < row["auc_drop_low"] < row["auc_drop"] < row["auc_drop_high"]
    assert (found.loc["revenue trend"].to_numpy() == 0).all()
    assert found.index[0][0] == "silence"


def test_a_group_moves_together_and_all_figures_stay_in_the_base() -> None:
    features, _ = base(50)
    seen: list[pd.DataFrame] = []

    class Spy(Rule):
        def predict(self, features: pd.DataFrame) -> pd.DataFrame:
            seen.append(features)
            return super().predict(features)

    shuffled_scores(Spy(), features, repeats=1, seed=0)  # type: ignore[arg-type]
    dealt = seen[0][seen[0]["group"] == "silence"]
    assert (dealt["recency_to_gap"] == dealt["recency_days"] / 30).all()
    assert sorted(dealt["recency_days"]) == sorted(features["recency_days"])
    assert (dealt["recency_days"].to_numpy() != features["recency_days"].to_numpy()).mean() > 0.8
    assert (dealt["revenue_90d_to_run_rate"].to_numpy() == features["revenue_90d_to_run_rate"].to_numpy()).all()


def test_order_of_rows_and_repetition_change_no_bit() -> None:
    features, table = base()
    copy = features.copy()
    first = shuffled_scores(Rule(), features, seed=5)  # type: ignore[arg-type]
    again = shuffled_scores(Rule(), features.sample(frac=1, random_state=0), seed=5)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    pd.testing.assert_frame_equal(features, copy)
    assert not first.equals(shuffled_scores(Rule(), features, seed=6))  # type: ignore[arg-type]
    found = importance(table, first, resamples=10, seed=0)
    shuffled = importance(table.iloc[::-1], first, resamples=10, seed=0)
    pd.testing.assert_frame_equal(found, shuffled, check_exact=True)


def test_a_large_base_is_sampled_once_for_all_groups() -> None:
    features, table = base(AT_MOST_CUSTOMERS + 7)
    scores = shuffled_scores(Rule(), features, repeats=1, seed=0)  # type: ignore[arg-type]
    assert scores.groupby("group")["customer_id"].nunique().eq(AT_MOST_CUSTOMERS).all()
    assert len(importance(table, scores, resamples=0, seed=0)) == 4


def test_a_backtest_ranks_the_groups_that_its_model_reads(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    found = evaluate(
        world.features,
        world.labels,
        world.scored,
        world.splits,
        config=quick,
        horizon_days=90,
        seed=0,
        inputs=inputs,
    )
    model = RiskModel().fit(
        world.at(*world.splits[0].training),
        world.labels,
        base=world.features[world.features["as_of"] == world.splits[0].test],
        config=quick,
        horizon_days=90,
        seed=0,
        inputs=inputs,
    )
    assert set(found.importance["group"]) == set(
        shuffled_scores(model, world.at(world.splits[0].test), seed=0)["group"]
    ) - {""}
    churn = found.importance[found.importance["target"] == "churn"]
    assert churn["auc_drop"].max() > 0.02
    assert (churn["auc_drop_low"] <= churn["auc_drop"]).all()
