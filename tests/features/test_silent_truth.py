"""Partial churn against the known truth of the simulator: what is found, and how often in vain.

The world has noise, seasons and slow customers in plenty: most silences are no losses.
"""

import pandas as pd
import pytest

from segml.config import DemoConfig
from segml.data.simulate import simulate
from segml.features.silent import MIN_PURCHASE_DAYS, silent_categories

PAIR = ["customer_id", "category"]
SEEDS = (1, 2, 3)
GAPS = (3.0, 5.0)
YEAR = pd.Timedelta(days=365)

pytestmark = pytest.mark.slow


def looked_at(seed: int) -> pd.DataFrame:
    """Return the categories that can go silent: was each lost, since when, and is it listed at each threshold."""
    world = simulate(DemoConfig(customers=1500, seed=seed))
    lines = world.truth_lines
    as_of = lines["ordered_at"].max().normalize()
    pairs = regular(lines, as_of).merge(world.truth_families, on=PAIR, how="left")
    pairs = pairs.assign(seed=seed, is_lost=pairs["lost_at"] < as_of, lost_days=(as_of - pairs["lost_at"]).dt.days)
    for gaps in GAPS:
        listed = silent_categories(lines, as_of, silent_gaps=gaps)[PAIR].assign(listed=True)
        pairs[gaps] = pairs.merge(listed, on=PAIR, how="left")["listed"].notna()
    return pairs


def regular(lines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the categories bought often enough, and within the year, by customers of the last 90 days."""
    bought = lines[(lines["ordered_at"] < as_of) & (lines["amount"] > 0) & ~(lines["cancelled_at"] < as_of)]
    last = bought.groupby("customer_id")["ordered_at"].max()
    bought = bought[bought["customer_id"].isin(last.index[last >= as_of - pd.Timedelta(days=90)])]
    pairs = bought.assign(day=bought["ordered_at"].dt.floor("D")).groupby(PAIR)
    often = pairs["day"].nunique() >= MIN_PURCHASE_DAYS
    lately = pairs["ordered_at"].max() >= as_of - YEAR
    return often[often & lately].index.to_frame(index=False)


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    return pd.concat([looked_at(seed) for seed in SEEDS], ignore_index=True)


def rates(pairs: pd.DataFrame, gaps: float) -> dict[str, float]:
    """Return recall, precision, and the share of kept categories, and of customers who keep all, that are listed."""
    listed, lost = pairs[gaps], pairs["is_lost"]
    customer = [pairs["seed"], pairs["customer_id"]]
    loyal = ~lost.groupby(customer).transform("any")
    return {
        "recall": listed[lost].mean(),
        "precision": lost[listed].mean(),
        "kept": listed[~lost].mean(),
        "loyal": listed[loyal].groupby([series[loyal] for series in customer]).any().mean(),
    }


def test_there_is_something_to_find(pairs: pd.DataFrame) -> None:
    assert pairs["is_lost"].sum() > 80
    assert pairs["is_lost"].mean() < 0.02


@pytest.mark.parametrize(
    ("gaps", "recall", "precision", "kept", "loyal"), [(3.0, 0.69, 0.27, 0.03, 0.09), (5.0, 0.52, 0.51, 0.01, 0.02)]
)
def test_the_rates_are_those_that_the_description_states(
    gaps: float, recall: float, precision: float, kept: float, loyal: float, pairs: pd.DataFrame
) -> None:
    found = rates(pairs, gaps)
    assert found == pytest.approx({"recall": recall, "precision": precision, "kept": kept, "loyal": loyal}, abs=0.03)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_every_world_a_listed_category_is_lost_ten_times_as_often_as_any(seed: int, pairs: pd.DataFrame) -> None:
    world = pairs[pairs["seed"] == seed]
    assert rates(world, 3.0)["precision"] > 10 * world["is_lost"].mean()
    assert rates(world, 3.0)["recall"] > 0.6


def test_what_was_lost_half_a_year_ago_is_found(pairs: pd.DataFrame) -> None:
    long_lost = pairs[pairs["is_lost"] & (pairs["lost_days"] >= 180)]
    assert len(long_lost) > 20
    assert long_lost[3.0].mean() > 0.95


def test_what_will_be_lost_later_is_listed_no_more_often_than_what_is_kept(pairs: pd.DataFrame) -> None:
    not_yet = pairs[pairs["lost_at"].notna() & ~pairs["is_lost"]]
    assert len(not_yet) > 100
    assert not_yet[3.0].mean() <= rates(pairs, 3.0)["kept"] + 0.02
