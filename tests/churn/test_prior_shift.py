"""The level of last year's season: hand-made probabilities first, then whole models."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import skops.io

from segml import pipeline
from segml.churn import TRUSTED_TYPES, RiskModel, Split, evaluate, split_at
from segml.churn.metrics import brier, expected_calibration_error
from segml.churn.prior_shift import LastYear, last_year, learn_shifts, moved, moved_by, shift_to
from segml.churn.summary import SCORES
from segml.config import ChurnConfig, load
from segml.data import connect, load_tables
from segml.language import speaking
from segml.windows import YEAR_DAYS, shift
from support import SMALL, TODAY

REPOSITORY = Path(__file__).resolve().parents[2]

TEST = pd.Timestamp("2021-12-01").as_unit("us")
BEFORE = pd.Timestamp("2020-12-01").as_unit("us")
BOTH: tuple[Literal["churn", "stagnation"], ...] = ("churn", "stagnation")


def outcomes(churned: int, stagnated: int, customers: int = 100) -> pd.DataFrame:
    number = np.arange(customers)
    return pd.DataFrame({"churned": number < churned, "stagnated": number < stagnated})


def as_given(features: pd.DataFrame) -> pd.DataFrame:
    return features[["p_churn", "p_stagnation"]]


@pytest.mark.parametrize("rate", [0.001, 0.2, 0.5, 0.93])
def test_the_mean_becomes_the_rate_and_the_ranking_stays(rate: float) -> None:
    own = np.array([0.05, 0.2, 0.4, 0.9])
    found = moved_by(own, shift_to(own, rate))
    assert found.mean() == pytest.approx(rate, abs=1e-10)
    assert (np.diff(found) > 0).all()
    odds = found / (1 - found) / (own / (1 - own))
    np.testing.assert_allclose(odds, odds[0])


def test_certain_probabilities_and_a_single_one_are_harmless() -> None:
    assert moved_by([0.3], shift_to([0.3], 0.6))[0] == pytest.approx(0.6)
    certain = np.array([0.0, 1.0, 1.0, 0.5])
    assert moved_by(certain, shift_to(certain, 0.3)).mean() == pytest.approx(0.3)


def test_the_order_of_customers_changes_no_bit() -> None:
    own = np.random.default_rng(0).beta(2, 5, 999)
    assert shift_to(own, 0.4) == shift_to(own[::-1], 0.4)


def test_only_the_targets_asked_for_are_moved_and_stagnation_stays_at_least_churn() -> None:
    now = pd.DataFrame({"p_churn": [0.1, 0.3, 0.5], "p_stagnation": [0.2, 0.4, 0.6]})
    year = LastYear(now, outcomes(churned=60, stagnated=20))
    constants, notices = learn_shifts(as_given, year, ChurnConfig(prior_shift=("stagnation",)))
    scores = moved(now, constants)
    assert notices == ()
    assert list(constants) == ["stagnation"]
    assert moved_by(now["p_stagnation"], constants["stagnation"]).mean() == pytest.approx(0.2)
    assert scores["p_churn"].tolist() == now["p_churn"].tolist()
    assert scores["p_stagnation"].tolist() == scores["p_churn"].tolist()
    up = moved(now, learn_shifts(as_given, year, ChurnConfig(prior_shift=("churn",)))[0])
    assert up["p_churn"].mean() == pytest.approx(0.6)
    assert (up["p_stagnation"] >= up["p_churn"]).all()


def test_without_a_year_before_nothing_moves_and_a_notice_says_so() -> None:
    now = pd.DataFrame({"p_churn": [0.1], "p_stagnation": [0.2]})
    config = ChurnConfig(prior_shift=BOTH)
    for year in (None, LastYear(now, outcomes(0, 0, customers=0)), LastYear(now[:0], outcomes(50, 50))):
        constants, notices = learn_shifts(as_given, year, config)
        assert constants == {}
        assert notices[0].startswith("churn scores are not moved to last year's season (churn.prior_shift): it takes")
        assert notices[1].startswith("stagnation scores are not moved")
    with speaking("ru"):
        assert learn_shifts(as_given, None, config)[1][0].startswith("оценки оттока не сдвинуты к уровню")


def test_a_rate_that_rests_on_a_few_is_not_believed() -> None:
    now = pd.DataFrame({"p_churn": [0.1, 0.2], "p_stagnation": [0.2, 0.4]})
    year = LastYear(now, outcomes(churned=19, stagnated=20))
    constants, notices = learn_shifts(as_given, year, ChurnConfig(prior_shift=BOTH))
    assert list(constants) == ["stagnation"]
    (told,) = notices
    assert told.endswith("19 rows of the rarer outcome one year before, at least 20 are needed (churn.min_class_rows)")


def test_the_year_before_counts_only_where_its_outcome_is_known_and_history_reaches() -> None:
    asked, start = ChurnConfig(prior_shift=BOTH), pd.Timestamp("2020-01-01")
    split = split_at(TEST, start, config=asked, horizon_days=90)
    assert split.year_before == BEFORE
    assert BEFORE in split.dates
    split.check(90)
    assert split_at(TEST, start, config=ChurnConfig(), horizon_days=90).year_before is None
    assert split_at(TEST, start, config=asked, horizon_days=366).year_before is None
    assert split_at(TEST, pd.Timestamp("2020-06-05"), config=asked, horizon_days=90).year_before is None
    assert split_at(TEST, pd.Timestamp("2020-06-04"), config=asked, horizon_days=90).year_before == BEFORE
    later = split_at(TEST, start, config=asked, horizon_days=90, scored_at=pd.Timestamp("2021-12-31"))
    assert later.year_before == pd.Timestamp("2020-12-31")


def test_a_year_before_whose_outcome_is_not_over_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2021-11-01.*end after the test date 2021-12-01"):
        Split(TEST, (), year_before=pd.Timestamp("2021-11-01")).check(90)


@pytest.fixture(scope="module")
def long_world(world: Any, make: Any) -> Any:
    """The shared base with the date one year before its last test."""
    split = world.splits[-1]
    return make(world.purchases, (Split(split.test, split.training, year_before=BEFORE),), (BEFORE,))


@pytest.fixture(scope="module")
def asked(quick: ChurnConfig) -> ChurnConfig:
    return quick.model_copy(update={"prior_shift": BOTH})


def learn(world: Any, config: ChurnConfig, inputs: tuple[str, ...]) -> RiskModel:
    (split,) = world.splits
    return RiskModel().fit(
        world.at(*split.training),
        world.labels,
        base=world.features[world.features["as_of"] == split.test],
        config=config,
        horizon_days=90,
        seed=0,
        inputs=inputs,
        last_year=last_year(world.features, world.labels, world.scored, split, world.at(split.test)),
    )


@pytest.fixture(scope="module")
def shifted(long_world: Any, asked: ChurnConfig, inputs: tuple[str, ...]) -> RiskModel:
    return learn(long_world, asked, inputs)


def test_a_model_predicts_the_rate_of_one_year_before(long_world: Any, shifted: RiskModel) -> None:
    before = long_world.at(BEFORE).merge(long_world.labels, on=["customer_id", "as_of"])
    mean = shifted.predict(long_world.at(TEST)).mean()
    assert mean["p_churn"] == pytest.approx(before["churned"].mean(), abs=1e-9)
    assert mean["p_stagnation"] == pytest.approx(before["stagnated"].mean(), abs=0.01)
    assert shifted.notices_ == ()


def test_the_shift_is_off_unless_asked_for(
    long_world: Any, quick: ChurnConfig, inputs: tuple[str, ...], shifted: RiskModel
) -> None:
    plain = learn(long_world, quick, inputs)
    now = long_world.at(TEST)
    assert plain.shifts_ == {}
    assert plain.predict(now)["p_churn"].mean() != pytest.approx(shifted.predict(now)["p_churn"].mean(), abs=0.005)


def test_a_score_does_not_depend_on_its_company(long_world: Any, shifted: RiskModel) -> None:
    now = long_world.at(TEST)
    alone = pd.concat([shifted.predict(now[place : place + 1]) for place in range(5)])
    pd.testing.assert_frame_equal(alone, shifted.predict(now)[:5], check_exact=True)


def test_the_shift_survives_storage(long_world: Any, shifted: RiskModel) -> None:
    restored = skops.io.loads(skops.io.dumps(shifted), trusted=list(TRUSTED_TYPES))
    assert restored.shifts_ == shifted.shifts_ != {}
    now = long_world.at(TEST)
    pd.testing.assert_frame_equal(restored.predict(now), shifted.predict(now), check_exact=True)


def test_what_happens_later_and_the_order_of_rows_change_no_bit(
    long_world: Any, make: Any, asked: ChurnConfig, inputs: tuple[str, ...], shifted: RiskModel
) -> None:
    bought = long_world.purchases
    known = bought[bought["at"] < TEST]
    later = bought[bought["at"] >= TEST].assign(amount=1e6)
    assert len(later) > 100
    other = make(pd.concat([later, known]), long_world.splits, (BEFORE,))
    mixed = other.features.sample(frac=1, random_state=0)
    labels = other.labels.sample(frac=1, random_state=1)
    again = learn(replace(other, features=mixed, labels=labels, scored=other.scored.loc[mixed.index]), asked, inputs)
    assert again.shifts_ == shifted.shifts_
    scores = again.predict(other.at(TEST))
    pd.testing.assert_frame_equal(scores, shifted.predict(long_world.at(TEST)), check_exact=True)


def test_the_evaluation_moves_each_test_date_and_names_those_without_a_year_before(
    long_world: Any, asked: ChurnConfig, inputs: tuple[str, ...], shifted: RiskModel
) -> None:
    (split,) = long_world.splits
    given: dict[str, Any] = {"config": asked, "horizon_days": 90, "seed": 0, "inputs": inputs}
    data = (long_world.features, long_world.labels, long_world.scored)
    table = evaluate(*data, [split], **given).table.set_index("customer_id")
    now = long_world.at(TEST).set_index("customer_id", drop=False)
    pd.testing.assert_series_equal(table["p_churn"], shifted.predict(now)["p_churn"], check_exact=True)
    without = evaluate(*data, [Split(split.test, split.training)], **given)
    assert without.notices[0].startswith("2021-12-01: churn scores are not moved to last year's season")


@pytest.mark.slow
def test_a_training_moves_its_scores_and_stores_by_how_much(small_training: pipeline.Training) -> None:
    settings = load(None, [*SMALL, "churn.prior_shift=[churn]"])
    found = pipeline.train(pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY), settings)
    shifted, own = found.scorer.risk, small_training.scorer.risk
    assert shifted is not None
    assert own is not None
    assert list(shifted.shifts_) == ["churn"]
    assert own.shifts_ == {}
    ours, plain = (training.decided.decisions["p_churn"].dropna() for training in (found, small_training))
    assert moved_by(plain, shifted.shifts_["churn"]) == pytest.approx(ours.to_numpy())


@pytest.mark.slow
def test_on_a_real_wholesaler_the_mean_is_last_years_rate_and_the_figures_are_those_of_the_studies(
    shared_data: Path,
) -> None:
    moments = {"june": "2011-06-12", "september": "2011-09-11"}
    dates = ",".join(moments.values())
    overrides = ["churn.prior_shift=[churn,stagnation]", "churn.bootstrap=0", f"backtest.as_of=[{dates}]"]
    settings = load(REPOSITORY / "configs" / "online_retail_ii.yaml", overrides)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGML_DATA_HOME", str(shared_data))
        prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY)
    found = pipeline.backtest(prepared, settings)
    assert found.notices == ()
    for month, moment in moments.items():
        now = found.table[found.table["as_of"] == moment]
        study = pd.read_csv(REPOSITORY / "experiments" / f"prior_shift_{month}" / "results.csv")
        told = study[study["variant"] == "both moved"].set_index("metric")["value"]
        year_before = shift(pd.Timestamp(moment), days=-YEAR_DAYS)
        snapshots = pipeline.build_snapshots(prepared, settings, [year_before])
        before = snapshots.features[snapshots.scored].merge(snapshots.labels, on=["customer_id", "as_of"])
        for target, (outcome, probability) in SCORES.items():
            p, happened = now[probability].to_numpy(), now[outcome].to_numpy()
            everyone = np.ones((1, len(p)))
            assert p.mean() == pytest.approx(before[outcome].mean(), abs=1e-4)
            error = expected_calibration_error(p, happened, everyone)[0]
            assert error == pytest.approx(told[f"{target}/ece"], abs=1e-3)
            assert brier(p, happened, everyone)[0] == pytest.approx(told[f"{target}/brier"], abs=1e-3)
