from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.metrics import roc_auc_score

from segml.churn import TRUSTED_TYPES, RiskModel, scored_mask
from segml.config import ChurnConfig
from segml.schema import DataError


@pytest.fixture(scope="session")
def learnt(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> RiskModel:
    split = world.splits[-1]
    return fit(world, quick, inputs, split.training)


def fit(world: Any, config: ChurnConfig, inputs: tuple[str, ...], training: Any, **changes: Any) -> RiskModel:
    test = world.splits[-1].test
    arguments = {
        "features": world.at(*training),
        "labels": world.labels,
        "base": world.features[world.features["as_of"] == test],
    } | changes
    return RiskModel().fit(**arguments, config=config, horizon_days=90, seed=0, inputs=inputs)


def now(world: Any) -> pd.DataFrame:
    rows: pd.DataFrame = world.at(world.splits[-1].test)
    return rows


def test_scored_are_those_whom_no_rule_labels() -> None:
    stages = pd.Series(["new", "active", "stagnating", "inactive", "not enough data"], index=[3, 1, 4, 5, 9])
    assert scored_mask(stages).to_dict() == {3: False, 1: True, 4: True, 5: False, 9: True}


def test_who_goes_without_a_score_is_configured() -> None:
    stages = pd.Series(["new", "active", "stagnating", "inactive"])
    days = pd.Series([1.0, 2.0, 3.0, 9.0])
    assert scored_mask(stages, days, ChurnConfig(min_purchase_days=3)).tolist() == [False, False, True, False]
    assert scored_mask(stages, days, ChurnConfig(unscored_stages=("inactive",))).tolist() == [True, True, True, False]


def test_every_row_gets_two_probabilities_on_its_own_index(world: Any, learnt: RiskModel) -> None:
    scores = learnt.predict(now(world))
    assert list(scores.columns) == ["p_churn", "p_stagnation"]
    assert scores.index.equals(now(world).index)
    assert ((scores > 0) & (scores < 1)).all(axis=None)
    assert learnt.notices_ == ()


def test_scores_rank_customers_out_of_time(world: Any, learnt: RiskModel) -> None:
    scored = now(world).merge(world.labels, on=["customer_id", "as_of"])
    assert roc_auc_score(scored["churned"], learnt.predict(scored)["p_churn"]) > 0.7


def test_stagnation_is_never_less_likely_than_churn(world: Any, learnt: RiskModel) -> None:
    scores = learnt.predict(world.features)
    assert (scores["p_stagnation"] >= scores["p_churn"]).all()


def test_healthy_is_the_median_of_those_who_neither_left_nor_stagnated(world: Any, learnt: RiskModel) -> None:
    rows = world.at(*world.splits[-1].training).merge(world.labels, on=["customer_id", "as_of"])
    well = rows[~rows["churned"] & ~rows["stagnated"]]
    assert learnt.healthy_ == pytest.approx(well[learnt.inputs_].median().to_dict())


def test_order_of_rows_changes_no_bit(
    world: Any, learnt: RiskModel, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    split = world.splits[-1]
    shuffled = fit(
        world,
        quick,
        inputs,
        split.training,
        features=world.at(*split.training).sample(frac=1, random_state=0),
        labels=world.labels.sample(frac=1, random_state=1),
        base=world.features[world.features["as_of"] == split.test].sample(frac=1, random_state=2),
    )
    pd.testing.assert_frame_equal(shuffled.predict(now(world)), learnt.predict(now(world)), check_exact=True)


def test_inputs_are_left_as_they_were(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    features, labels = world.features.copy(), world.labels.copy()
    fit(world, quick, inputs, world.splits[-1].training).predict(world.features)
    pd.testing.assert_frame_equal(world.features, features)
    pd.testing.assert_frame_equal(world.labels, labels)


def test_columns_beyond_the_inputs_are_not_read(world: Any, learnt: RiskModel) -> None:
    planted = now(world).assign(next_revenue=1.0, region="north")
    pd.testing.assert_frame_equal(learnt.predict(planted), learnt.predict(now(world)))


def test_unknown_infinite_and_constant_inputs_are_harmless(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    split = world.splits[-1]
    odd = world.at(*split.training).assign(gap_mean_days=np.nan, revenue_365d=np.inf, order_count_90d=1.0)
    scores = fit(world, quick, inputs, split.training, features=odd).predict(now(world))
    assert ((scores > 0) & (scores < 1)).all(axis=None)


def test_it_survives_storage_that_runs_no_code(world: Any, learnt: RiskModel) -> None:
    restored = skops.io.loads(skops.io.dumps(learnt), trusted=list(TRUSTED_TYPES))
    pd.testing.assert_frame_equal(restored.predict(now(world)), learnt.predict(now(world)), check_exact=True)
    assert restored.healthy_ == learnt.healthy_
    assert restored.notices_ == learnt.notices_


def test_with_few_snapshots_churn_comes_from_pareto_nbd(
    world: Any, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    model = fit(world, quick, inputs, world.splits[-1].training[-2:])
    assert model.notices_[0].startswith("churn scores come from Pareto/NBD: 2 training dates, at least 4 are needed")
    assert model.notices_[1].startswith("stagnation scores come from its rate so far")
    scored = now(world)
    silent = model.pareto_nbd_.probability_of_no_purchase(
        scored["purchase_day_count"] - 1, scored["tenure_days"] - scored["recency_days"], scored["tenure_days"], 90
    )
    scores = model.predict(scored)
    np.testing.assert_allclose(scores["p_churn"], silent)
    np.testing.assert_allclose(scores["p_stagnation"], np.maximum(silent, model.stagnation_rate_))


def test_as_many_snapshots_as_needed_are_enough(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    assert fit(world, quick, inputs, world.splits[-1].training[-4:]).notices_ == ()


def test_without_any_labels_there_are_still_scores(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    model = fit(world, quick, inputs, ())
    assert "0 training dates" in model.notices_[0]
    scores = model.predict(now(world))
    assert scores["p_churn"].between(0, 1).all()
    pd.testing.assert_series_equal(scores["p_stagnation"], scores["p_churn"], check_names=False)


def test_each_target_falls_back_alone(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    nobody_stays = world.labels.assign(stagnated=True)
    model = fit(world, quick, inputs, world.splits[-1].training, labels=nobody_stays)
    assert model.churn_ is not None
    assert model.notices_ == (
        "stagnation scores come from its rate so far and the churn score: 0 rows of the rarer outcome, at least 20 are "
        "needed (churn.min_class_rows)",
    )
    assert (model.predict(now(world))["p_stagnation"] == 1).all()


def test_a_handful_of_customers_is_not_learnt_from(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    few = world.at(*world.splits[-1].training)
    few = few[few["customer_id"] < "C0020"]
    notices = fit(world, quick, inputs, (), features=few).notices_
    assert "customers to learn from, at least 50 are needed (churn.min_scored_customers)" in notices[0]


def test_a_season_never_seen_is_not_extrapolated(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    split = world.splits[-1]
    known, unknown = (
        fit(world, quick.model_copy(update={"season_min_days": days}), inputs, split.training) for days in (1, 5000)
    )
    half_a_year_on = now(world).assign(as_of=split.test + pd.Timedelta(days=182))
    assert known.season_day_ is None
    assert (known.predict(half_a_year_on) != known.predict(now(world))).any(axis=None)
    assert unknown.season_day_ == split.training[-1].day_of_year
    pd.testing.assert_frame_equal(unknown.predict(half_a_year_on), unknown.predict(now(world)))


def test_a_row_without_a_label_is_named(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> None:
    late = world.splits[-1].training[-1]
    labels = world.labels[world.labels["as_of"] != late]
    with pytest.raises(DataError, match=rf"customer 'C\d+' has features but no label at {late.date()}"):
        fit(world, quick, inputs, world.splits[-1].training, labels=labels)


def test_a_missing_input_is_named(world: Any, learnt: RiskModel) -> None:
    with pytest.raises(DataError, match=r"features lack columns \['recency_days'\].*did you mean 'recency_day'"):
        learnt.predict(now(world).rename(columns={"recency_days": "recency_day"}))
