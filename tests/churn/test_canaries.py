"""Leak canaries: each wrong protocol must be detected as too good, and the right one must not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.churn import Backtest, RiskModel, column_areas, evaluate, overstatement
from segml.churn.canaries import TOO_FAR_AHEAD, TOO_TELLING, warnings
from segml.config import BoostingConfig, ChurnConfig
from segml.schema import DataError

# A model that is free to memorise shows a leak that the regularised default would partly hide.
EAGER = ChurnConfig(
    boosting=BoostingConfig(
        max_leaf_nodes=31, learning_rate=0.2, max_iter=40, min_samples_leaf=3, l2_regularization=0.0, max_features=1.0
    ),
    logistic_c=1.0,
    bootstrap=0,
)
DATE = pd.Timestamp("2021-01-01").as_unit("us")
NO_AREAS = pd.DataFrame({"column": [], "target": [], "roc_auc": []})


def run(world: Any, inputs: tuple[str, ...], **changes: Any) -> Backtest:
    given = {"features": world.features, "labels": world.labels, "scored": world.scored, "splits": world.splits}
    return evaluate(**(given | changes), config=EAGER, horizon_days=90, seed=0, inputs=inputs)


def scores(world: Any, rows: pd.DataFrame, test: pd.DataFrame, inputs: tuple[str, ...]) -> pd.DataFrame:
    """Return scores of the test rows by a model of any rows, as a wrong protocol would make them."""
    model = RiskModel().fit(rows, world.labels, base=test, config=EAGER, horizon_days=90, seed=0, inputs=inputs)
    return pd.concat([test[["customer_id", "as_of"]], model.predict(test)], axis=1)


@pytest.fixture(scope="module")
def honest(world: Any, inputs: tuple[str, ...]) -> Backtest:
    return run(world, inputs)


def test_the_right_protocol_is_not_suspected(honest: Backtest) -> None:
    assert not any("too good to be true" in notice for notice in honest.notices)
    assert overstatement(honest.table, honest.table, resamples=20) == {"gap": 0, "gap_low": 0, "gap_high": 0}


def test_a_planted_column_from_the_future_is_named(world: Any, inputs: tuple[str, ...], honest: Backtest) -> None:
    noisy = world.labels["next_revenue"] * np.random.default_rng(0).lognormal(0, 1, len(world.labels))
    planted = world.features.assign(revenue_next=noisy.to_numpy())
    leaky = run(world, (*inputs, "revenue_next"), features=planted)
    assert any("“revenue_next” alone tells churn with ROC AUC 1.000" in notice for notice in leaky.notices)
    assert overstatement(leaky.table, honest.table)["gap_low"] > 0.1


def test_a_missing_embargo_is_refused_and_would_look_too_good(
    world: Any, inputs: tuple[str, ...], honest: Backtest, make: Callable[..., Any]
) -> None:
    close = tuple(
        replace(split, training=tuple(split.test - pd.Timedelta(days=days) for days in (50, 40, 30, 20, 10)))
        for split in world.splits
    )
    near = make(world.purchases, close)
    with pytest.raises(ValueError, match="labels that end after the test date"):
        run(near, inputs)
    claimed = pd.concat([scores(near, near.at(*split.training), near.at(split.test), inputs) for split in close])
    assert overstatement(claimed, honest.table)["gap_low"] > 0


def test_a_random_split_is_too_good(world: Any, inputs: tuple[str, ...], honest: Backtest) -> None:
    rows = world.features[world.scored].sample(frac=1, random_state=0)
    half = len(rows) // 2
    claimed = pd.concat(
        [scores(world, rows[:half], rows[half:], inputs), scores(world, rows[half:], rows[:half], inputs)]
    )
    assert overstatement(claimed, honest.table)["gap_low"] > 0


def test_rows_after_the_as_of_date_change_no_score(
    world: Any, inputs: tuple[str, ...], honest: Backtest, make: Callable[..., Any]
) -> None:
    end = max(split.test for split in world.splits) + pd.Timedelta(days=90)
    later = pd.DataFrame(
        {"customer_id": world.purchases["customer_id"].unique(), "at": end + pd.Timedelta(hours=1), "amount": 1e6}
    )
    again = run(make(pd.concat([later, world.purchases], ignore_index=True), world.splits), inputs)
    pd.testing.assert_frame_equal(again.table, honest.table, check_exact=True)


def hand_made() -> tuple[pd.DataFrame, pd.DataFrame]:
    outcome = np.arange(100) < 40
    table = pd.DataFrame(
        {"customer_id": [f"c{n}" for n in range(100)], "as_of": DATE, "churned": outcome, "stagnated": True}
    )
    features = table[["customer_id", "as_of"]].assign(
        telling=-outcome.astype(float), absent=np.where(outcome, np.nan, 1.0), dull=1.0
    )
    return features, table


def test_a_column_is_read_whichever_way_it_ranks_and_absence_tells_too() -> None:
    areas = column_areas(*hand_made(), ["dull", "telling", "absent"]).set_index("column")["roc_auc"]
    assert areas.to_dict() == {"telling": 1.0, "absent": 1.0, "dull": 0.5}


def test_a_target_with_one_outcome_has_no_areas() -> None:
    assert set(column_areas(*hand_made(), ["telling"])["target"]) == {"churn"}


@pytest.mark.parametrize(("area", "count"), [(TOO_TELLING, 1), (TOO_TELLING - 0.001, 0)])
def test_the_bound_of_a_telling_column(area: float, count: int) -> None:
    areas = pd.DataFrame({"column": ["x"], "target": ["churn"], "roc_auc": [area]})
    assert len(warnings(areas, {})) == count


def test_a_score_far_above_everything_else_is_suspected() -> None:
    metrics = {"churn/roc_auc": 0.9, "baseline/pareto_nbd_churn_roc_auc": 0.7}
    (told,) = warnings(NO_AREAS, metrics)
    assert "the score ranks churn with ROC AUC 0.900, no baseline and no column of its own with more than 0.700" in told
    better = pd.DataFrame({"column": ["x"], "target": ["churn"], "roc_auc": [0.9 - TOO_FAR_AHEAD + 0.001]})
    assert warnings(better, metrics) == ()
    assert warnings(NO_AREAS, {}) == ()


def test_evaluations_without_a_common_row_cannot_be_compared(honest: Backtest) -> None:
    with pytest.raises(DataError, match="no customer and date in common"):
        overstatement(honest.table.assign(as_of=DATE), honest.table)
