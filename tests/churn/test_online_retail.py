"""The whole path on order lines: from features of the project to scores."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml import features, labels
from segml.churn import Backtest, RiskModel, backevaluation_splits, evaluate, scored_mask, split_at
from segml.churn.conformal import measure_calls
from segml.churn.hazard import period_ends
from segml.config import BacktestConfig, ChurnConfig, Config, load
from segml.data import clean, load_tables
from segml.data.engine import connect
from segml.schemes import Lifecycle

AS_OF = pd.Timestamp("2011-12-10")
TESTS = (date(2011, 3, 13), date(2011, 6, 12), date(2011, 9, 11))
CONFIG = Path(__file__).resolve().parents[2] / "configs" / "online_retail_ii.yaml"


def scored(table: pd.DataFrame) -> pd.Series:
    parts = [Lifecycle().assign(part) for _, part in table.groupby("as_of")]
    return scored_mask(pd.concat(parts).loc[table.index])


@pytest.fixture(scope="module")
def backtest(shared_data: Path) -> Backtest:
    config = load(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGML_DATA_HOME", str(shared_data))
        transactions = load_tables(config, connect(2)).transactions
    cleaned = clean(transactions, config.data.cleaning, today=date(2026, 1, 1))
    start = cleaned.lines.ordered_at.min().as_scalar().to_pyarrow().as_py()
    splits = backevaluation_splits(
        pd.Timestamp(start), AS_OF, config=config.churn, backtest=BacktestConfig(as_of=TESTS), horizon_days=90
    )
    moments = sorted({moment for split in splits for moment in split.dates})
    table = features.build(cleaned.lines, moments, config.features)
    outcomes = labels.build(cleaned.lines, table, 90, config.labels, known_until=AS_OF)
    silence = labels.silence(cleaned.lines, table, period_ends(90), known_until=AS_OF)
    is_in_rhythm = scored(table) & (table["purchase_day_count"] >= 3)
    return evaluate(
        table, outcomes, is_in_rhythm, splits, config=config.churn, horizon_days=90, seed=0, silence=silence
    )


@pytest.mark.slow
def test_scores_on_a_real_wholesaler_rank_as_well_as_promised(backtest: Backtest) -> None:
    metrics = backtest.metrics
    assert metrics["churn/roc_auc"] >= 0.79
    assert metrics["churn/average_precision"] >= 0.59
    assert metrics["churn/brier"] <= 0.175
    assert metrics["churn/roc_auc_minus_pareto_nbd_low"] > 0
    assert metrics["stagnation/roc_auc"] >= 0.71
    assert metrics["stagnation/roc_auc_minus_pareto_nbd_low"] > 0
    assert (backtest.by_date["churn_roc_auc"] > backtest.by_date["pareto_nbd_churn_roc_auc"]).all()
    assert backtest.notices == ()


@pytest.mark.slow
def test_probabilities_on_a_real_wholesaler_are_calibrated(backtest: Backtest) -> None:
    assert backtest.metrics["churn/ece"] < 0.05
    assert backtest.metrics["stagnation/ece"] < 0.07
    assert backtest.bands["churned"].is_monotonic_increasing


@pytest.mark.slow
def test_calls_on_a_real_wholesaler_keep_near_their_level_and_tell_half_of_the_customers(backtest: Backtest) -> None:
    found = measure_calls(backtest.table, 0.1, horizon_days=90, resamples=0, seed=0).metrics
    for target in ("churn", "stagnation"):
        assert found[f"conformal/{target}_coverage_cases"] == pytest.approx(0.9, abs=0.04)
        assert found[f"conformal/{target}_coverage_others"] == pytest.approx(0.9, abs=0.04)
        assert found[f"conformal/{target}_called_will"] + found[f"conformal/{target}_called_safe"] > 0.4


@pytest.mark.slow
def test_ranking_by_money_finds_most_of_what_can_be_found(backtest: Backtest) -> None:
    captured = {name: value for name, value in backtest.metrics.items() if name.endswith("loss_captured_at_10")}
    assert captured["stagnation/loss_captured_at_10"] > captured["baseline/run_rate_loss_captured_at_10"]
    assert captured["stagnation/loss_captured_at_10"] >= 0.41
    assert captured["baseline/p_churn_loss_captured_at_10"] < 0.1
    assert captured["stagnation/loss_captured_at_10"] / captured["baseline/perfect_loss_captured_at_10"] > 0.7


@pytest.fixture(scope="module")
def lines(world: Any) -> pd.DataFrame:
    """Order lines of the synthetic base, a product at random each."""
    bought = world.purchases
    product = np.random.default_rng(0).integers(0, 40, len(bought)).astype(str)
    return pd.DataFrame(
        {
            "customer_id": bought["customer_id"],
            "order_id": bought["customer_id"] + "-" + bought["at"].dt.strftime("%Y%m%d"),
            "ordered_at": bought["at"].astype("datetime64[us]"),
            "amount": bought["amount"].round(2),
            "product_id": product,
            "category": pd.Series(None, index=bought.index, dtype="str"),
            "quantity": 1.0,
            "margin": np.nan,
            "discount": np.nan,
            "channel": pd.Series(None, index=bought.index, dtype="str"),
            "region": pd.Series(None, index=bought.index, dtype="str"),
            "cancelled_at": pd.Series(pd.NaT, index=bought.index, dtype="datetime64[us]"),
        }
    )


def scores(lines: pd.DataFrame, moment: pd.Timestamp, config: ChurnConfig) -> pd.DataFrame:
    split = split_at(moment, lines["ordered_at"].min(), config=config, horizon_days=90)
    table = features.build(lines, [*split.training, moment], Config().features)
    past = table[table["as_of"] < moment]
    outcomes = labels.build(lines, past, 90, known_until=moment)
    model = RiskModel().fit(
        past[scored(past)], outcomes, base=table[table["as_of"] == moment], config=config, horizon_days=90, seed=0
    )
    assert model.notices_ == ()
    now = table[table["as_of"] == moment]
    return model.predict(now[scored(now)])


def test_rows_of_the_future_change_no_score(lines: pd.DataFrame, quick: ChurnConfig) -> None:
    moment, config = pd.Timestamp("2021-12-01"), quick.model_copy(update={"max_snapshots": 4})
    known = lines[lines["ordered_at"] < moment]
    later = lines[lines["ordered_at"] >= moment].assign(amount=1e6)
    assert len(later) > 500
    with_future = scores(pd.concat([later, known], ignore_index=True), moment, config)
    pd.testing.assert_frame_equal(with_future, scores(known, moment, config), check_exact=True)
