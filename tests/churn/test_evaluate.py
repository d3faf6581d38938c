from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from segml.churn import Backtest, ParetoNBD, RiskModel, evaluate
from segml.churn.evaluate import TABLE_COLUMNS
from segml.churn.metrics import Ranking, captured_at
from segml.config import ChurnConfig
from segml.schema import DataError


def run(world: Any, config: ChurnConfig, inputs: tuple[str, ...], **changes: Any) -> Backtest:
    given = {"features": world.features, "labels": world.labels, "scored": world.scored, "splits": world.splits}
    return evaluate(**(given | changes), config=config, horizon_days=90, seed=0, inputs=inputs)


@pytest.fixture(scope="session")
def backtest(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> Backtest:
    return run(world, quick, inputs)


def test_the_table_has_one_row_a_scored_customer_and_test_date(world: Any, backtest: Backtest) -> None:
    assert list(backtest.table.columns) == TABLE_COLUMNS
    expected = world.at(*(split.test for split in world.splits))[["customer_id", "as_of"]]
    expected = expected.sort_values(["as_of", "customer_id"], ignore_index=True)
    pd.testing.assert_frame_equal(backtest.table[["customer_id", "as_of"]], expected)
    assert backtest.table.dtypes.astype(str).to_dict() == {
        "customer_id": "str",
        "as_of": "datetime64[us]",
        "churned": "bool",
        "stagnated": "bool",
        **dict.fromkeys(TABLE_COLUMNS[4:], "float64"),
    }
    assert backtest.table[["p_churn", "p_stagnation", "pareto_nbd_p_churn"]].notna().all(axis=None)


def test_scores_are_those_of_a_model_trained_on_the_training_dates(
    world: Any, backtest: Backtest, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    split = world.splits[0]
    base = world.features[world.features["as_of"] == split.test]
    model = RiskModel().fit(
        world.at(*split.training), world.labels, base=base, config=quick, horizon_days=90, seed=0, inputs=inputs
    )
    own = backtest.table[backtest.table["as_of"] == split.test]
    assert (own["p_churn"].to_numpy() == model.predict(world.at(split.test))["p_churn"].to_numpy()).all()


def test_pareto_nbd_is_fitted_on_the_base_known_at_the_date(world: Any, backtest: Backtest) -> None:
    split = world.splits[1]
    base = world.features[world.features["as_of"] == split.test]
    frequency, recency = base["purchase_day_count"] - 1, base["tenure_days"] - base["recency_days"]
    silent = (
        ParetoNBD()
        .fit(frequency, recency, base["tenure_days"])
        .probability_of_no_purchase(frequency, recency, base["tenure_days"], 90)
    )
    expected = pd.Series(silent, index=base["customer_id"])
    own = backtest.table[backtest.table["as_of"] == split.test].set_index("customer_id")["pareto_nbd_p_churn"]
    pd.testing.assert_series_equal(own, expected.loc[own.index], check_names=False)


def test_metrics_are_those_of_the_table(backtest: Backtest) -> None:
    table, metrics = backtest.table, backtest.metrics
    assert metrics["churn/roc_auc"] == pytest.approx(roc_auc_score(table["churned"], table["p_churn"]))
    pareto = roc_auc_score(table["stagnated"], table["pareto_nbd_p_churn"])
    assert metrics["baseline/pareto_nbd_stagnation_roc_auc"] == pytest.approx(pareto)
    assert metrics["stagnation/roc_auc_minus_pareto_nbd"] == pytest.approx(metrics["stagnation/roc_auc"] - pareto)
    assert metrics["baseline/recency_churn_roc_auc"] == pytest.approx(
        roc_auc_score(table["churned"], table["recency_days"])
    )
    top = table.nlargest(len(table) // 10, "lost_revenue")["lost_revenue"].sum() / table["lost_revenue"].sum()
    assert metrics["baseline/perfect_loss_captured_at_10"] == pytest.approx(top, abs=0.02)
    weight = {"churn": table["p_churn"] * table["run_rate"], "stagnation": table["p_stagnation"] * table["run_rate"]}
    for target, score in weight.items():
        held = captured_at(Ranking.by(score), table["lost_revenue"].to_numpy(), np.ones((1, len(table))), 0.1)
        assert metrics[f"{target}/loss_captured_at_10"] == pytest.approx(held[0])
    assert metrics["stagnation/loss_captured_at_10"] <= metrics["baseline/perfect_loss_captured_at_10"]


@pytest.mark.parametrize("target", ["churn", "stagnation"])
def test_every_promised_metric_has_an_interval_around_it(backtest: Backtest, target: str) -> None:
    own = ["roc_auc", "average_precision", "brier", "ece", "lift_at_10", "loss_captured_at_10"]
    names = [f"{target}/{name}" for name in own]
    for short in ("recency", "recency_to_gap", "pareto_nbd"):
        names += [f"baseline/{short}_{target}_roc_auc", f"{target}/roc_auc_minus_{short}"]
    for name in names:
        found = [backtest.metrics[f"{name}{end}"] for end in ("_low", "", "_high")]
        assert np.isfinite(found).all(), name
        assert found[0] < found[2], name
        if "ece" not in name:  # noise of a resample can only widen the mean distance
            assert found[0] <= found[1] <= found[2], name


def test_the_model_beats_silence_in_the_same_table(backtest: Backtest) -> None:
    assert backtest.metrics["churn/roc_auc_minus_recency_low"] > 0


def test_by_date_adds_up_to_the_table(world: Any, backtest: Backtest) -> None:
    assert backtest.by_date["as_of"].tolist() == [split.test for split in world.splits]
    assert backtest.by_date["customers"].sum() == len(backtest.table)
    first = backtest.table[backtest.table["as_of"] == world.splits[0].test]
    row = backtest.by_date.iloc[0]
    assert row["churn_rate"] == pytest.approx(first["churned"].mean())
    assert row["churn_roc_auc"] == pytest.approx(roc_auc_score(first["churned"], first["p_churn"]))
    assert row["training_dates"] == 6


def test_reliability_and_gains_describe_the_table(backtest: Backtest) -> None:
    own = backtest.reliability[backtest.reliability["target"] == "churn"]
    assert own["customers"].sum() == len(backtest.table)
    assert np.average(own["observed"], weights=own["customers"]) == pytest.approx(backtest.table["churned"].mean())
    gains = backtest.gains.set_index(["target", "strategy", "share_of_customers"])["share_captured"]
    assert gains["loss", "perfect", 1.0] == pytest.approx(1)
    assert gains["churn", "model", 0.0] == 0
    assert gains["churn", "model", 0.1] == pytest.approx(backtest.metrics["churn/lift_at_10"] / 10)
    assert gains["loss", "revenue_at_risk", 0.1] == pytest.approx(backtest.metrics["stagnation/loss_captured_at_10"])
    assert (backtest.gains["lift"].isna() == (backtest.gains["share_of_customers"] == 0)).all()
    assert backtest.bands["customers"].sum() == len(backtest.table)


def test_order_of_rows_changes_no_bit(
    world: Any, backtest: Backtest, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    features = world.features.sample(frac=1, random_state=0)
    again = run(
        world, quick, inputs, features=features, scored=world.scored.loc[features.index], labels=world.labels.iloc[::-1]
    )
    pd.testing.assert_frame_equal(again.table, backtest.table, check_exact=True)
    assert again.metrics == backtest.metrics


def test_thin_history_gives_a_notice_and_still_a_table(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    thin = tuple(replace(split, training=split.training[-1:]) for split in world.splits)
    found = run(world, quick, inputs, splits=thin)
    assert found.notices[0].startswith("2021-09-01: churn scores come from Pareto/NBD: 1 training dates")
    pd.testing.assert_series_equal(found.table["p_churn"], found.table["pareto_nbd_p_churn"], check_names=False)


def test_one_outcome_only_leaves_metrics_out_and_says_so(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    found = run(world, quick, inputs, labels=world.labels.assign(churned=False))
    assert "churn/roc_auc" not in found.metrics
    assert "stagnation/roc_auc" in found.metrics
    assert np.isfinite(list(found.metrics.values())).all()
    assert "not defined on the backtest" in found.notices[-1]
    assert "churn/roc_auc" in found.notices[-1]


def test_nobody_to_score_gives_an_empty_backtest(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    found = run(world, quick, inputs, scored=world.scored & False)
    assert list(found.table.columns) == TABLE_COLUMNS
    assert len(found.table) == len(found.gains) == len(found.reliability) == 0
    assert found.metrics == {}
    assert found.notices == (
        "2021-09-01: nobody is scored at this date",
        "2021-12-01: nobody is scored at this date",
        "no customer was scored at any test date: there are no metrics",
    )
    assert len(run(world, quick, inputs, splits=()).table) == 0


def test_missing_labels_are_named(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    labels = world.labels[world.labels["as_of"] != world.splits[1].test]
    with pytest.raises(DataError, match="labels lack rows for the test dates 2021-12-01"):
        run(world, quick, inputs, labels=labels)


def test_flags_of_other_rows_are_refused(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="one flag a row of features, on the same index"):
        run(world, quick, inputs, scored=world.scored.iloc[1:])


def test_what_was_found_by_kind_of_customer_and_by_sign_describes_the_same_table(backtest: Backtest) -> None:
    counted = backtest.slices.groupby(["dimension", "target"])["customers"].sum()
    assert set(counted.index.get_level_values("dimension")) == {"size", "history", "trend"}
    assert counted.loc["size"].eq(len(backtest.table)).all()
    assert {"silent_60d", "two_gaps_missed", "revenue_halved"} <= set(backtest.signals["signal"])
    assert backtest.signals["lost_revenue"].max() <= backtest.table["lost_revenue"].sum()
    assert set(backtest.lead_time["strategy"]) == {"model", "pareto_nbd", "recency", "recency_to_gap", "silent_60d"}
    assert backtest.lead_time["leavers"].min() > 0


def test_no_model_scores_a_date_before_its_own(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    fit, predict = RiskModel.fit, RiskModel.predict
    scored: set[tuple[pd.Timestamp, pd.Timestamp]] = set()

    def dated_fit(model: Any, *args: Any, base: pd.DataFrame, **settings: Any) -> Any:
        model.known_at = base["as_of"].iloc[0]
        return fit(model, *args, base=base, **settings)

    def dated_predict(model: Any, features: pd.DataFrame) -> pd.DataFrame:
        scored.update((model.known_at, moment) for moment in features["as_of"].unique())
        return predict(model, features)

    monkeypatch.setattr(RiskModel, "fit", dated_fit)
    monkeypatch.setattr(RiskModel, "predict", dated_predict)
    run(world, quick, inputs)
    first, second = (split.test for split in world.splits)
    between = {moment for known_at, moment in scored if known_at == first and moment != first}
    assert between, "a list is drawn up between the test dates"
    assert all(first < moment < second for moment in between)
    assert {moment for known_at, moment in scored if known_at == second} == {second}
