"""The whole flow on a small demo world: what is promised of decisions, whatever the models learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import config, pipeline, store
from segml.actions import DECISIONS
from segml.data import Tables, connect, to_table
from segml.data.simulate import simulate
from segml.pipeline import Training
from segml.schema import DataError
from support import SMALL, TODAY, orders


def transactions() -> pd.DataFrame:
    return simulate(config.load(None, SMALL).demo).transactions


def decide_on(frame: pd.DataFrame, settings: config.Config, threads: int = 2) -> pipeline.Training:
    tables = Tables(to_table(frame, connect(threads)))
    return pipeline.train(pipeline.prepare(tables, settings, today=TODAY), settings)


def test_decisions_have_the_promised_columns_and_one_row_a_customer(small_training: Training) -> None:
    decisions = small_training.decided.decisions
    assert list(decisions.columns)[: len(DECISIONS)] == list(DECISIONS)
    further = [name for name in small_training.decided.labels.rules if name not in DECISIONS]
    assert set(further) < set(decisions.columns)
    assert decisions[further].notna().all(axis=None)
    assert decisions["customer_id"].is_unique
    assert set(decisions["customer_id"]) == set(small_training.decided.features["customer_id"])


def test_probabilities_are_null_for_new_and_inactive_customers_and_nothing_else_is(small_training: Training) -> None:
    decisions = small_training.decided.decisions
    by_rule = decisions["lifecycle"].isin(["new", "inactive"])
    assert by_rule.any()
    assert not by_rule.all()
    for name in ("p_churn", "p_stagnation"):
        assert_frame_equal(decisions[[name]].isna(), by_rule.to_frame(name))
    assert decisions[list(DECISIONS)].drop(columns=["p_churn", "p_stagnation"]).notna().all(axis=None)


def test_metrics_bear_the_promised_names(small_training: Training) -> None:
    promised = {
        *(
            f"{target}/{name}"
            for target in ("churn", "stagnation")
            for name in ("roc_auc", "average_precision", "brier", "ece", "lift_at_10", "loss_captured_at_10")
        ),
        "churn/roc_auc_low",
        "churn/roc_auc_high",
        "baseline/pareto_nbd_churn_roc_auc",
        "baseline/recency_churn_roc_auc",
        "next_order/coverage_80",
        "segments/n_clusters",
        "segments/min_jaccard",
        "segments/smallest_share",
        "segments/next_period_eta2",
        "segments/revenue_fifths_eta2",
        "segments/rfm_eta2",
        "data/lines_in",
        "data/lines_kept",
        "data/amount_in",
        "data/amount_kept",
        "data/customers",
    }
    assert promised <= set(small_training.metrics)
    assert all(np.isfinite(value) for value in small_training.metrics.values())


def test_rows_after_the_as_of_date_change_no_decision() -> None:
    frame = transactions()
    settings = config.load(None, [*SMALL, "as_of=2025-06-01"])
    past = frame[~(frame["ordered_at"] >= pd.Timestamp("2025-06-01"))]
    known, all_of_it = decide_on(past, settings), decide_on(frame, settings)
    assert_frame_equal(known.decided.decisions, all_of_it.decided.decisions, check_exact=True)
    assert_frame_equal(known.backtest.table, all_of_it.backtest.table, check_exact=True)
    assert_frame_equal(known.found.table, all_of_it.found.table, check_exact=True)
    assert known.found.table["tested_eta2"].notna().any()
    assert known.found.remarks == all_of_it.found.remarks
    models = [found.model for found in (known.found, all_of_it.found)]
    assert all(model is not None and model.clusterer.scaler.weights for model in models)
    assert len({str(model.clusterer.scaler.weights) for model in models if model is not None}) == 1


def test_neither_threads_nor_the_order_of_rows_change_a_decision(small_config: config.Config) -> None:
    frame = transactions()
    one = decide_on(frame, small_config, threads=1)
    two = decide_on(frame.sample(frac=1.0, random_state=1), small_config, threads=2)
    assert_frame_equal(one.decided.decisions, two.decided.decisions, check_exact=True)
    assert_frame_equal(one.decided.features, two.decided.features, check_exact=True)
    assert one.metrics == two.metrics


def test_the_given_table_is_not_changed(small_config: config.Config) -> None:
    frame = orders(30, 400)
    before = frame.copy()
    decide_on(frame, small_config)
    assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (lambda: orders(1, 700), ["no clusters: 1 customer,", "no scores: 1 customer,"]),
        (lambda: orders(19, 700), ["no clusters: 19 customers,", "no scores: 19 customers,"]),
        (lambda: orders(40, 1, every=1), ["no scores: the history is shorter"]),
        (lambda: orders(40, 150), ["no scores: the history is shorter"]),
    ],
    ids=["one customer", "fewer than twenty", "one day of history", "shorter than two horizons"],
)
def test_thin_input_gets_rules_and_a_plain_reason(
    frame: Callable[[], pd.DataFrame], words: list[str], small_config: config.Config
) -> None:
    training = decide_on(frame(), small_config)
    told = "\n".join(training.notices)
    assert all(word in told for word in words), told
    decisions = training.decided.decisions
    assert decisions["p_churn"].isna().all()
    assert decisions["lifecycle"].isin(["new", "active", "stagnating", "inactive"]).all()
    assert (decisions["reasons"].str.len() > 0).all()


@pytest.mark.parametrize("as_of", ["2023-12-31", "2024-01-01", "2030-01-01"])
def test_an_as_of_date_outside_the_data_is_refused(as_of: str) -> None:
    settings = config.load(None, [f"as_of={as_of}"])
    with pytest.raises(
        DataError, match=f"as-of date {as_of} lies outside the data: the first purchase is of 2024-01-01"
    ):
        decide_on(orders(30, 400), settings)


def test_an_as_of_date_a_little_after_the_log_is_noticed() -> None:
    settings = config.load(None, ["as_of=2025-02-20"])
    prepared = pipeline.prepare(Tables(to_table(orders(30, 400))), settings, today=TODAY)
    assert prepared.notices[-1] == "the log ends 16 days before the as-of date"
    assert prepared.observed_until == pd.Timestamp("2025-02-04")


def test_only_returns_are_no_business() -> None:
    with pytest.raises(DataError, match="no purchase is left after cleaning"):
        decide_on(orders(30, 400).assign(amount=-1.0), config.Config())


def test_one_line_dated_2099_does_not_move_the_as_of_date() -> None:
    frame = pd.concat([orders(30, 400), orders(1, 1).assign(ordered_at=pd.Timestamp("2099-01-01"))])
    prepared = pipeline.prepare(Tables(to_table(frame)), config.Config(), today=TODAY)
    assert prepared.as_of == pd.Timestamp("2025-02-04")
    assert prepared.ledger["future_date"].tally.lines == 1


@pytest.mark.slow
def test_profit_and_who_is_scored_follow_the_configuration() -> None:
    settings = config.load(
        None,
        [
            *SMALL,
            "churn.min_purchase_days=4",
            "actions.contact_cost=50",
            "actions.value=margin",
            "actions.silent_gaps=2",
        ],
    )
    trained = decide_on(transactions(), settings)
    decisions, features = trained.decided.decisions, trained.decided.features
    few = set(features.loc[features["purchase_day_count"] < 4, "customer_id"])
    assert decisions.loc[decisions["customer_id"].isin(few), ["p_churn", "expected_profit"]].isna().all(axis=None)
    assert trained.metrics["profit/listed_low"] <= trained.metrics["profit/listed"] <= trained.metrics["profit/perfect"]
    assert 0 < trained.metrics["profit/margin_rate"] < 1
    assert (decisions["revenue_at_risk"] <= 0.9 * (decisions["p_stagnation"] * decisions["run_rate"]).fillna(1)).all()
    inactive = set(decisions.loc[decisions["lifecycle"] == "inactive", "customer_id"])
    assert len(trained.segmentation.silent)
    assert not inactive & set(trained.segmentation.silent["customer_id"])


@pytest.mark.slow
def test_calls_are_made_where_an_error_is_allowed_and_survive_storage(tmp_path: Path) -> None:
    settings = config.load(None, [*SMALL, "churn.conformal_error=0.2", "backtest.dates=2"])
    trained = decide_on(transactions(), settings)
    decisions = trained.decided.decisions
    scored = decisions["p_churn"].notna()
    for name in ("churn_call", "stagnation_call"):
        assert (decisions[name].notna() == scored).all()
        assert set(decisions.loc[scored, name]) <= {"will", "uncertain", "safe"}
    assert decisions.nlargest(1, "p_stagnation")["stagnation_call"].item() != "safe"
    assert 0 < trained.metrics["conformal/stagnation_coverage_cases"] <= 1
    store.save(trained.scorer, tmp_path)
    assert (tmp_path / store.CALLS).is_file()
    again = pipeline.score(trained.prepared, store.load(tmp_path))
    assert_frame_equal(again.decisions, decisions, check_exact=True)
