"""Drift: hand-made tables, false alarms and power by simulation."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.config import MonitorConfig
from segml.language import speaking
from segml.monitor import drift, feature_importance, lasting, psi, share_drifted
from segml.monitor.drift import DRIFT_COLUMNS, told
from segml.schema import DataError

Rng = np.random.Generator


def base(rng: Rng, customers: int, copies: int = 2) -> pd.DataFrame:
    """Return features of all the kinds there are: skewed, with ties, mostly zero, partly unknown, categories."""
    columns: dict[str, Any] = {}
    for copy in range(copies):
        money = rng.lognormal(6, 1.5, customers)
        columns |= {
            f"money_{copy}": money,
            f"orders_{copy}": rng.poisson(3, customers).astype(float),
            f"mostly_zero_{copy}": np.where(rng.random(customers) < 0.8, 0.0, money),
            f"partly_unknown_{copy}": np.where(rng.random(customers) < 0.3, np.nan, money),
            f"category_{copy}": rng.choice(["glue", "tape", "board", "rare"], customers, p=[0.5, 0.3, 0.18, 0.02]),
        }
    return pd.DataFrame(columns)


def row(table: pd.DataFrame, feature: str) -> Any:
    return table[table["feature"] == feature].iloc[0]


def test_one_row_a_reference_and_feature_with_figures_of_both_moments() -> None:
    then = pd.DataFrame({"x": np.arange(100.0), "kind": ["a"] * 50 + ["b"] * 50})
    now = pd.DataFrame({"x": [*np.arange(100.0) + 200, np.nan], "kind": ["a"] * 101})
    table = drift(now, {"last": then, "training": then[["x"]]}, ["x", "kind"], importance={"x": 0.04})
    assert list(table.columns) == DRIFT_COLUMNS
    assert table[["reference", "feature"]].to_numpy().tolist() == [["last", "x"], ["last", "kind"], ["training", "x"]]
    found = row(table[table["reference"] == "last"], "x")
    assert (found["median_then"], found["median_now"], found["null_then"]) == (49.5, 249.5, 0.0)
    assert (found["customers_then"], found["customers_now"], found["importance"]) == (100, 101, 0.04)
    assert found["null_now"] == pytest.approx(1 / 101)
    assert found["distance"] == pytest.approx(100 / 101)
    assert found["band"] == "large"
    kind = row(table, "kind")
    assert (kind["kind"], kind["band"], kind["distance"]) == ("category", "large", 0.5)
    assert np.isnan(kind["median_now"])


def test_a_large_index_of_few_customers_may_be_chance() -> None:
    """Of 20 customers a quarter may cross the median by chance; of 2,000 it may not."""
    bands = {}
    for customers in (20, 2000):
        then = pd.DataFrame({"x": np.arange(float(customers))})
        (found,) = drift(then + customers / 4, {"last": then}, ["x"]).to_dict("records")
        assert found["psi"] > 0.2
        bands[customers] = (found["band"], found["psi"] > found["psi_chance_95"])
    assert bands == {20: ("stable", False), 2000: ("large", True)}


def test_a_change_that_is_certain_and_small_is_stable() -> None:
    rng = np.random.default_rng(0)
    then, now = (pd.DataFrame({"x": rng.normal(mean, 1, 50_000)}) for mean in (0.0, 0.1))
    (found,) = drift(now, {"last": then}, ["x"]).to_dict("records")
    assert found["p_adjusted"] < 1e-6
    assert found["psi"] < 0.1
    assert found["band"] == "stable"


def test_more_unknown_values_are_a_drift() -> None:
    rng = np.random.default_rng(0)
    then = pd.DataFrame({"margin": rng.normal(size=1000)})
    now = then.assign(margin=then["margin"].mask(rng.random(1000) < 0.4))
    assert drift(now, {"last": then}, ["margin"])["band"].tolist() == ["large"]


@pytest.mark.parametrize(("customers", "worlds"), [(50, 60), (500, 60), (5000, 15)])
def test_without_change_hardly_a_world_in_twenty_has_any_alarm(customers: int, worlds: int) -> None:
    """Ten features of all kinds, and two independent draws of a base: the tests' own, most alarming case."""
    rng = np.random.default_rng(customers)
    columns = list(base(rng, 2).columns)
    tables = [
        drift(base(rng, customers), {"last": base(rng, customers)}, columns, MonitorConfig(psi_moderate=1e-9))
        for _ in range(worlds)
    ]
    alarms = np.mean([(table["band"] != "stable").any() for table in tables])
    assert alarms <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / worlds)


def test_the_same_customers_at_both_moments_alarm_less_than_strangers_would() -> None:
    rng, beyond = np.random.default_rng(1), {True: 0, False: 0}
    for _ in range(600):
        then, fresh = rng.normal(size=(2, 400))
        for is_same in beyond:
            binned = psi.number_bins(then, 0.8 * then + 0.6 * fresh if is_same else fresh, 10)
            beyond[is_same] += psi.index(binned) > psi.chance(binned)
    assert beyond[True] < beyond[False] / 2


@pytest.mark.parametrize(("customers", "found_least"), [(50, 0.0), (500, 0.9), (5000, 1.0)])
def test_a_known_shift_is_found_among_features_that_stay(customers: int, found_least: float) -> None:
    """Money grows by half a standard deviation of its logarithm; with 50 customers that may stay unseen."""
    rng, hits, others = np.random.default_rng(3), [], []
    for _ in range(10):
        then, now = base(rng, customers), base(rng, customers)
        now["money_0"] *= np.exp(0.5 * 1.5)
        bands = drift(now, {"last": then}, list(then.columns)).set_index("feature")["band"]
        hits.append(bands["money_0"] != "stable")
        others.append((bands.drop("money_0") != "stable").any())
    assert np.mean(hits) >= found_least
    assert np.mean(others) <= 0.1


def test_what_a_season_explains_is_not_lasting() -> None:
    rng = np.random.default_rng(0)
    winter, summer = (pd.DataFrame({"x": rng.normal(m, 1, 900), "y": rng.normal(m, 1, 900)}) for m in (0, 1))
    now = winter.assign(y=winter["y"] + 3)
    table = drift(now, {"last": summer, "last year": winter}, ["x", "y"], importance={"x": 0.03, "y": 0.01})
    assert set(table.loc[table["feature"] == "x", "band"]) == {"large", "stable"}
    mildest = lasting(table)
    assert mildest.set_index("feature")["band"].to_dict() == {"y": "large", "x": "stable"}
    assert row(mildest, "x")["reference"] == "last year"
    assert share_drifted(mildest) == pytest.approx(0.25)


def test_the_furthest_comes_first_and_among_equals_the_most_important() -> None:
    then = pd.DataFrame(dict.fromkeys("abc", np.arange(500.0)))
    now = then.assign(a=then["a"] + 400, b=then["b"] + 450)
    table = drift(now, {"last": then}, ["c", "b", "a"], importance={"a": 0.2, "b": 0.1, "c": 0.7})
    assert table["feature"].tolist() == ["a", "b", "c"]


def test_a_groups_importance_is_dealt_out_among_its_features() -> None:
    groups = pd.DataFrame(
        {
            "group": ["rhythm", "rhythm", "returns", "returns"],
            "target": ["churn", "stagnation"] * 2,
            "auc_drop": [0.03, 0.05, -0.01, -0.02],
        }
    )
    found = feature_importance(groups, ["gap_cv", "gap_mean_days", "return_share_365d", "margin_365d", "no_feature"])
    assert found == {"gap_mean_days": pytest.approx(0.02), "gap_cv": pytest.approx(0.02), "return_share_365d": 0.0}
    assert np.isnan(share_drifted(drift(*two_bases(), ["x"])))


def two_bases() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    then = pd.DataFrame({"x": np.arange(300.0), "y": np.arange(300.0)})
    return then.assign(y=then["y"] + 500), {"last refresh": then}


def test_the_order_of_customers_changes_nothing_and_the_tables_stay_as_they_are() -> None:
    rng = np.random.default_rng(0)
    then, now = base(rng, 300), base(rng, 300)
    copies = then.copy(), now.copy()
    table = drift(now, {"last": then}, list(then.columns))
    mixed = drift(now.sample(frac=1, random_state=1), {"last": then.sample(frac=1, random_state=2)}, list(then.columns))
    pd.testing.assert_frame_equal(table, mixed, check_exact=True)
    pd.testing.assert_frame_equal(then, copies[0])
    pd.testing.assert_frame_equal(now, copies[1])


def test_nothing_to_compare_is_said_so() -> None:
    now, references = two_bases()
    with pytest.raises(DataError, match=r"the base now lacks columns \['z'\]"):
        drift(now, references, ["z"])
    with pytest.raises(DataError, match="the base 'last refresh' has none"):
        drift(now, {"last refresh": references["last refresh"][:0]}, ["x"])
    assert drift(now, {}, ["x"]).empty


def test_drift_is_told_in_words() -> None:
    now, references = two_bases()
    table = drift(now, references, ["x", "y"])
    assert told(table) == ("Against last refresh: 1 of 2 columns drifted, 1 of them far; the furthest: y (large).",)
    assert told(drift(now, references, ["x"])) == (
        "Against last refresh: the 1 column compared drifted no further than chance and the bounds allow.",
    )
    with speaking("ru"):
        assert "y (сильно)" in told(table)[0]
