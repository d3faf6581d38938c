"""The small ideas behind the simulated world, each against figures worked out by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from segml.config import DemoConfig
from segml.data.simulate import simulate
from segml.data.simulate.campaigns import CAMPAIGNS, Run, uplift
from segml.data.simulate.clock import Clock
from segml.data.simulate.companies import INDUSTRIES
from segml.data.simulate.contracts import renewal, year_of_renewal
from segml.data.simulate.draws import pick, sample, wandering
from segml.data.simulate.edits import overwritten
from segml.data.simulate.prices import list_factor, promotion
from segml.data.simulate.season import WEEKS, multipliers, week_of_year

CLOCK = Clock(date(2026, 1, 1), 1096)


def test_the_clock_counts_from_the_first_midnight_to_the_exclusive_end() -> None:
    assert CLOCK.start == np.datetime64("2023-01-01", "us")
    stamps = CLOCK.stamps([0.0, 1.5, 1096.0, -1.0, np.inf, np.nan]).astype(str).tolist()
    assert stamps[:2] == ["2023-01-01T00:00:00.000000", "2023-01-02T12:00:00.000000"]
    assert stamps[2:4] == ["2026-01-01T00:00:00.000000", "2022-12-31T00:00:00.000000"]
    assert stamps[4:] == ["NaT", "NaT"]
    assert CLOCK.day_number(date(2024, 1, 1)) == 365
    assert CLOCK.weekday(np.array([0.0, 1.0, 6.9])).tolist() == [6, 0, 5]  # 2023-01-01 was a Sunday
    assert CLOCK.day_of_year(np.array([0.0, 364.5, 365.0])).tolist() == [0.0, 364.5, 0.0]


def test_the_list_rises_by_six_per_cent_on_each_first_of_january() -> None:
    factors = list_factor(CLOCK, np.array([0.0, 364.99, 365.0, 800.0]))
    np.testing.assert_allclose(factors, [1.0, 1.0, 1.06, 1.1236])


def test_the_rise_shows_in_the_list_prices_that_customers_see() -> None:
    lines = simulate(DemoConfig(customers=200, days=800)).truth_lines
    listed = (lines["amount"] + lines["discount"]) / lines["quantity"]
    by_year = listed.groupby([lines["product_id"], lines["ordered_at"].dt.year]).median().unstack()
    assert (by_year[2025] / by_year[2024]).median() == pytest.approx(1.06, abs=0.002)


def test_promotions_last_three_weeks_three_times_a_year() -> None:
    assert promotion(CLOCK, np.arange(365.0)).sum() == 63
    assert promotion(CLOCK, np.array([59.9, 60.0, 80.9, 81.0])).tolist() == [0.0, 1.0, 1.0, 0.0]


def test_a_season_moves_orders_within_the_year_but_adds_none() -> None:
    industry = np.arange(len(INDUSTRIES))
    mild, strong = (multipliers(industry, np.full(len(INDUSTRIES), strength)) for strength in (0.0, 1.5))
    np.testing.assert_allclose(strong.mean(axis=1), 1.0)
    assert (mild == mild[0]).all()
    assert (strong.std(axis=1) > 1.3 * mild.std(axis=1)).all()
    assert week_of_year(np.array([0.0, 6.9, 7.0, 365.5])).tolist() == [0, 0, 1, WEEKS - 1]


def test_a_campaign_lifts_the_rate_of_the_treated_while_it_works() -> None:
    autumn = next(campaign for campaign in CAMPAIGNS if campaign.name == "autumn offer")
    both = np.array([True, True])
    run = Run(autumn, 2024, 10, np.array([0, 2]), np.array([True, False]), both)
    days = np.array([9.0, 10.0, 10 + autumn.works_days - 1, 10 + autumn.works_days])
    expected = np.ones((3, 4))
    expected[0, 1:3] = 1.2
    np.testing.assert_allclose(uplift([run], 3, days), expected)
    np.testing.assert_allclose(uplift([run, run], 3, days), expected**2)


def test_the_first_renewal_on_or_after_a_day() -> None:
    anniversary = np.array([100.0, 100.0, 100.0, 100.0])
    day = np.array([0.0, 100.0, 101.0, 500.0])
    year = year_of_renewal(anniversary, day)
    assert renewal(anniversary, year).tolist() == [100.0, 100.0, 465.0, 830.0]
    assert year_of_renewal(anniversary, renewal(anniversary, year)).tolist() == year.tolist()


def test_a_pick_follows_the_weights_of_its_row() -> None:
    rng = np.random.default_rng(0)
    weights = np.array([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])
    assert set(pick(rng, weights, np.zeros(500, dtype=np.int64))) == {1}
    drawn = pick(rng, weights, np.ones(4000, dtype=np.int64))
    assert set(drawn) == {0, 2}
    assert (drawn == 0).mean() == pytest.approx(0.5, abs=0.04)


def test_a_sample_takes_its_share_once_each_in_order() -> None:
    rng = np.random.default_rng(0)
    drawn = sample(rng, np.arange(100, 200), 0.25)
    assert len(set(drawn)) == 25
    assert drawn.tolist() == sorted(drawn)
    assert sample(rng, np.arange(0), 0.5).tolist() == []
    assert sample(rng, np.arange(3), 2.0).tolist() == [0, 1, 2]


def test_a_wandering_path_keeps_its_spread_and_memory() -> None:
    path = wandering(np.random.default_rng(0), 20_000, 6, spread=0.3, memory=0.8)
    np.testing.assert_allclose(path.std(axis=0), 0.3, rtol=0.03)
    assert np.corrcoef(path[:, 2], path[:, 3])[0, 1] == pytest.approx(0.8, abs=0.02)


def test_overwriting_leaves_the_callers_frame_alone() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]}, index=[5, 6, 7])
    kept = frame.copy()
    after = overwritten(frame, pd.DataFrame({"a": [9.0]}, index=[6]))
    assert after["a"].tolist() == [1.0, 9.0, 3.0]
    assert after["b"].tolist() == ["x", "y", "z"]
    pd.testing.assert_frame_equal(frame, kept)


def test_true_lines_and_order_numbers_run_with_time() -> None:
    lines = simulate(DemoConfig(customers=80, days=300)).truth_lines
    assert lines["ordered_at"].is_monotonic_increasing
    assert lines["line_id"].tolist() == list(range(len(lines)))
    numbers = lines.drop_duplicates("order_id")["order_id"].str[3:].astype("int64")
    assert numbers.tolist() == list(range(1, len(numbers) + 1))
    assert lines.groupby("order_id")[["customer_id", "ordered_at", "channel"]].nunique().eq(1).all(axis=None)


@pytest.mark.parametrize("seed", range(4))
def test_two_cards_that_share_a_tax_id_never_lose_it(seed: int) -> None:
    world = simulate(DemoConfig(customers=800, days=1, seed=seed))
    shared = world.truth_cards.loc[world.truth_cards["card"] == "same tax id", "card_id"]
    assert len(shared) > 5
    tax_ids = world.customers.set_index("customer_id")["tax_id"]
    assert tax_ids[shared].notna().all()
    assert tax_ids.value_counts()[tax_ids[shared]].eq(2).all()
