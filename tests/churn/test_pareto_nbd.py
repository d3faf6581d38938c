from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from segml.churn import ParetoNBD
from segml.churn.pareto_nbd import Vector
from segml.schema import DataError

PUBLISHED = {"r": 0.5533, "alpha": 10.578, "s": 0.6061, "beta": 11.669}
"""Fader & Hardie (2005) for a tenth of the CDNOW customers, in weeks."""


def as_published(history: Any, r: float, alpha: float, s: float, beta: float) -> Any:
    """The log-likelihood exactly as the paper writes it."""
    x, tx, age = history
    larger, power = (alpha, s + 1) if alpha >= beta else (beta, r + x)

    def term(moment: Vector) -> Any:
        apart = abs(alpha - beta) / (larger + moment)
        return hyp2f1(r + s + x, power, r + s + x + 1, apart) / (larger + moment) ** (r + s + x)

    alive = (alpha + age) ** -(r + x) * (beta + age) ** -s
    left = s / (r + s + x) * (term(tx) - term(age))
    return gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(alive + left)


def simulate(
    customers: int, seed: int, r: float, alpha: float, s: float, beta: float, age: float, ahead: float = 0.0
) -> Any:
    """Histories of customers who behave as the model says, and whether they buy within ``ahead`` after ``age``."""
    rng = np.random.default_rng(seed)
    rates, lives = rng.gamma(r, 1 / alpha, customers), rng.exponential(1 / rng.gamma(s, 1 / beta, customers))
    ages = rng.uniform(age / 2, age, customers)
    rows = []
    for rate, life, seen in zip(rates, lives, ages, strict=True):
        times = rng.uniform(0, min(life, seen + ahead), rng.poisson(rate * min(life, seen + ahead)))
        past = times[times < seen]
        rows.append((len(past), past.max(initial=0.0), seen, bool((times >= seen).any())))
    x, tx, seen, buys = map(np.array, zip(*rows, strict=True))
    return x.astype(float), tx, seen, buys


@pytest.fixture(scope="session")
def cdnow(shared_data: Path) -> pd.DataFrame:
    """Frequency, recency and age in weeks of the whole cohort over its first 39 weeks."""
    lines = pd.read_parquet(shared_data / "cdnow_master.parquet")
    end = pd.Timestamp("1997-09-30")
    days = lines[lines["date"] <= end].drop_duplicates(["customer_id", "date"]).groupby("customer_id")["date"]
    first, last = days.min(), days.max()
    return pd.DataFrame(
        {
            "frequency": days.size() - 1.0,
            "recency": (last - first).dt.days / 7,
            "age": (end - first).dt.days / 7,
        }
    )


def fitted(**parameters: float) -> ParetoNBD:
    model = ParetoNBD()
    model.r_, model.alpha_, model.s_, model.beta_ = (parameters[name] for name in ("r", "alpha", "s", "beta"))
    return model


@pytest.mark.parametrize(("alpha", "beta"), [(10.0, 4.0), (4.0, 10.0), (7.0, 7.0)])
def test_the_likelihood_is_that_of_the_paper(alpha: float, beta: float) -> None:
    x, tx, age = np.array([0.0, 1, 2, 7, 30]), np.array([0.0, 0.3, 38, 20, 39]), np.full(5, 39.0)
    parameters = {"r": 0.7, "alpha": alpha, "s": 1.3, "beta": beta}
    now, later = (as_published((x, tx, age + ahead), **parameters) for ahead in (0.0, 13.0))
    found = fitted(**parameters).probability_of_no_purchase(x, tx, age, 13.0)
    np.testing.assert_allclose(found, np.exp(later - now), rtol=1e-9)


def test_the_published_fit_is_as_good_on_the_whole_cohort(cdnow: pd.DataFrame) -> None:
    own = ParetoNBD().fit(**cdnow)
    values: Any = [cdnow[name].to_numpy() for name in ("frequency", "recency", "age")]
    assert own.log_likelihood_ == pytest.approx(
        as_published(values, r=own.r_, alpha=own.alpha_, s=own.s_, beta=own.beta_).sum(), rel=1e-9
    )
    lost = own.log_likelihood_ - as_published(values, **PUBLISHED).sum()
    assert 0 < lost / len(cdnow) < 0.001
    apart = own.probability_of_no_purchase(**cdnow, horizon=39) - fitted(**PUBLISHED).probability_of_no_purchase(
        **cdnow, horizon=39
    )
    assert np.abs(apart).mean() < 0.01
    assert np.abs(apart).max() < 0.05


def test_an_independent_optimiser_finds_the_same_parameters(cdnow: pd.DataFrame) -> None:
    tenth = cdnow.iloc[3::10]
    values: Any = [tenth[name].to_numpy() for name in ("frequency", "recency", "age")]
    found = minimize(
        lambda logs: -as_published(values, *np.exp(logs)).sum(),
        np.log(list(PUBLISHED.values())),
        method="Nelder-Mead",
        options={"xatol": 1e-4, "fatol": 1e-4},
    )
    own = ParetoNBD().fit(**tenth)
    np.testing.assert_allclose([own.r_, own.alpha_, own.s_, own.beta_], np.exp(found.x), rtol=0.01)


def test_parameters_that_made_the_data_are_found_again() -> None:
    truth = {"r": 1.5, "alpha": 20.0, "s": 0.8, "beta": 60.0}
    x, tx, age, _ = simulate(6000, 3, **truth, age=200.0)
    own = ParetoNBD().fit(x, tx, age)
    np.testing.assert_allclose([own.r_, own.alpha_, own.s_, own.beta_], list(truth.values()), rtol=0.15)


def test_as_many_stay_silent_as_the_model_says() -> None:
    x, tx, age, buys = simulate(6000, 5, r=1.0, alpha=30.0, s=0.7, beta=80.0, age=300.0, ahead=60.0)
    silent = ParetoNBD().fit(x, tx, age).probability_of_no_purchase(x, tx, age, 60.0)
    assert silent.mean() == pytest.approx((~buys).mean(), abs=0.015)
    likely = silent > np.median(silent)
    assert silent[likely].mean() == pytest.approx((~buys[likely]).mean(), abs=0.02)


def test_the_unit_of_time_does_not_matter(cdnow: pd.DataFrame) -> None:
    tenth = cdnow.iloc[::10]
    weeks = ParetoNBD().fit(**tenth)
    days = ParetoNBD().fit(tenth["frequency"], tenth["recency"] * 7, tenth["age"] * 7)
    np.testing.assert_allclose(
        [days.r_, days.alpha_ / 7, days.s_, days.beta_ / 7], [weeks.r_, weeks.alpha_, weeks.s_, weeks.beta_], rtol=1e-4
    )


def test_order_of_customers_changes_no_bit(cdnow: pd.DataFrame) -> None:
    tenth = cdnow.iloc[::10]
    assert vars(ParetoNBD().fit(**tenth)) == vars(ParetoNBD().fit(**tenth.sample(frac=1, random_state=1)))


def test_customers_given_twice_weigh_twice(cdnow: pd.DataFrame) -> None:
    tenth = cdnow.iloc[::10]
    once, twice = ParetoNBD().fit(**tenth), ParetoNBD().fit(**pd.concat([tenth, tenth]))
    assert twice.r_ == pytest.approx(once.r_, rel=1e-6)
    assert twice.log_likelihood_ == pytest.approx(2 * once.log_likelihood_)


def test_a_sample_of_a_large_base_is_close_to_the_whole(cdnow: pd.DataFrame) -> None:
    assert ParetoNBD(max_rows=1500).fit(**cdnow).probability_of_no_purchase([2], [20], [39], 13) == pytest.approx(
        ParetoNBD().fit(**cdnow).probability_of_no_purchase([2], [20], [39], 13), abs=0.02
    )


def test_silence_is_sure_over_no_time_and_ever_less_likely_over_more() -> None:
    model = fitted(**PUBLISHED)
    chances = [model.probability_of_no_purchase([3], [30], [39], horizon)[0] for horizon in (0, 1, 10, 100, 1e6)]
    assert chances[0] == 1
    assert all(np.diff(chances) < 0)
    assert chances[-1] > 1 - model.probability_alive([3], [30], [39])[0]  # who has left stays silent, and others may


def test_who_just_bought_is_alive_and_long_silence_speaks_against_it() -> None:
    model = fitted(**PUBLISHED)
    assert model.probability_alive([5], [39], [39])[0] == 1
    assert all(np.diff(model.probability_alive([5, 5, 5], [39, 20, 5], [39, 39, 39])) < 0)


PATHOLOGIES = {
    "all bought once": ([0] * 50, [0] * 50, list(range(10, 60))),
    "all bought once, yesterday": ([0] * 50, [0] * 50, [1] * 50),
    "all bought at the moment of looking": ([0, 0], [0, 0], [0, 0]),
    "all in one rhythm": ([10] * 50, [300] * 50, [330] * 50),
    "one customer": ([3], [50], [80]),
    "one customer, one purchase": ([0], [0], [80]),
    "thousands of purchases": ([0, 5_000, 100_000], [0, 360, 365], [365, 365, 365]),
    "nobody ever leaves": ([12] * 50, [365] * 50, [365] * 50),
    "all left at once": ([9] * 50, [10] * 50, [1000] * 50),
    "minutes and decades": ([1, 30], [0.001, 9000], [0.002, 9001]),
}


@pytest.mark.parametrize("name", PATHOLOGIES)
def test_odd_bases_give_probabilities(name: str) -> None:
    x, tx, age = (np.array(values, dtype=float) for values in PATHOLOGIES[name])
    model = ParetoNBD().fit(x, tx, age)
    assert np.isfinite([model.r_, model.alpha_, model.s_, model.beta_, model.log_likelihood_]).all()
    for ahead in (0, 1, 90, 10_000):
        chances = model.probability_of_no_purchase(x, tx, age, ahead)
        assert ((chances >= 0) & (chances <= 1)).all()
    alive = model.probability_alive(x, tx, age)
    assert ((alive >= 0) & (alive <= 1)).all()


def test_nobody_scored_gives_nothing() -> None:
    assert fitted(**PUBLISHED).probability_of_no_purchase([], [], [], 90).shape == (0,)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (([], [], []), "at least one customer; found none"),
        (([1, 2], [5, np.nan], [9, 9]), "recency must hold finite numbers.*found nan at position 1"),
        (([1, -1], [5, 5], [9, 9]), "frequency must hold.*found -1.0 at position 1"),
        (([1, 1], [5, 5], [9, np.inf]), "age must hold.*found inf"),
        (([1, 1], [5, 10], [9, 9]), "recency.*cannot exceed age; found 10 > 9 at position 1"),
        (([1, 1], [5], [9, 9]), "three lists of one length"),
    ],
)
def test_bad_histories_are_explained(history: tuple[list[float], list[float], list[float]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ParetoNBD().fit(*history)


def test_a_bad_horizon_is_explained() -> None:
    with pytest.raises(DataError, match=r"horizon must be a finite time.*found -1"):
        fitted(**PUBLISHED).probability_of_no_purchase([0], [0], [1], -1)
