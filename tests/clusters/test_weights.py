from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from segml.clusters.weights import revenue_weights
from segml.schema import DataError

AS_OF, HORIZON = pd.Timestamp("2025-07-01"), 90
OVER = AS_OF + pd.Timedelta(days=HORIZON)


def snapshot(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(customer_id=[f"c{place:02}" for place in range(len(frame))], as_of=AS_OF)


def revenue(*amounts: float) -> pd.Series[float]:
    return pd.Series(amounts, index=[f"c{place:02}" for place in range(len(amounts))])


def weigh(features: pd.DataFrame, next_revenue: pd.Series[float], *names: str, **changed: Any) -> dict[str, float]:
    return revenue_weights(features, next_revenue, names, **({"horizon_days": HORIZON, "known_until": OVER} | changed))


def test_by_hand() -> None:
    features = snapshot(
        same=[1, 2, 3, 4],  # ρ = 1
        opposite=[9.0, 8.5, 0.1, -7.0],  # ρ = −1
        swapped=[2, 1, 3, 4],  # ρ = 1 − 6·2 / (4·15) = 0.8
        unrelated=[1, 2, 2, 1],  # ρ = 0
        constant=[7, 7, 7, 7],
        never=[np.nan] * 4,
    )
    names = ["same", "opposite", "swapped", "unrelated", "constant", "never"]
    weights = weigh(features, revenue(0, 10, 20, 1e9), *names)
    assert list(weights) == names
    assert list(weights.values()) == pytest.approx([1, 1, 0.8, 0, 0, 0])
    assert weights["unrelated"] == 0


def test_the_largest_weight_is_one() -> None:
    weights = weigh(snapshot(a=[2, 1, 3, 4], b=[2, 1, 4, 3]), revenue(1, 2, 3, 4), "a", "b")
    assert weights == {"a": 1.0, "b": pytest.approx(0.6 / 0.8)}


def test_a_missing_value_takes_the_median() -> None:
    features = snapshot(gap=[1, 2, np.nan, 100], filled=[1, 2, 2, 100], full=[1, 2, 3, 4])
    weights = weigh(features, revenue(1, 2, 3, 4), "gap", "filled", "full")
    assert weights["gap"] == weights["filled"] == pytest.approx(np.sqrt(0.9))
    assert weights["full"] == 1


def test_where_nothing_is_related_every_feature_counts_alike() -> None:
    assert weigh(snapshot(a=[1, 2, 2, 1], b=[5, 5, 5, 5]), revenue(1, 2, 3, 4), "a", "b") == {"a": 1.0, "b": 1.0}
    assert weigh(snapshot(a=[1, 2]), revenue(0, 0), "a") == {"a": 1.0}
    assert weigh(snapshot(a=[1]), revenue(3), "a") == {"a": 1.0}
    assert weigh(snapshot(a=[1, 2]), revenue(1, 2)) == {}


def test_revenue_is_found_by_customer_and_others_do_not_count() -> None:
    features, amounts = snapshot(a=[1, 2, 3], b=[1, 3, 2]), revenue(1, 2, 3, 1000)
    assert weigh(features, amounts.iloc[::-1], "a", "b") == weigh(features, amounts, "a", "b")


def test_the_order_of_rows_changes_no_bit_and_the_input_stays() -> None:
    rng = np.random.default_rng(0)
    features = snapshot(**{name: rng.lognormal(3, 2, 1000).round() for name in "abc"})
    features["customer_id"] = [f"k{place}" for place in rng.permutation(1000)]
    amounts = pd.Series(features["a"].to_numpy() + rng.lognormal(3, 2, 1000), index=features["customer_id"])
    copies = features.copy(deep=True), amounts.copy(deep=True)
    weights = weigh(features, amounts, *"abc")
    assert weigh(features.sample(frac=1, random_state=1), amounts.sample(frac=1, random_state=2), *"abc") == weights
    pd.testing.assert_frame_equal(features, copies[0])
    pd.testing.assert_series_equal(amounts, copies[1])
    reference = {name: abs(spearmanr(features[name], amounts).statistic) for name in "abc"}
    assert weights == pytest.approx({name: rho / max(reference.values()) for name, rho in reference.items()})


def test_a_window_that_is_not_over_is_refused() -> None:
    features, amounts = snapshot(a=[1, 2]), revenue(1, 2)
    early = OVER - pd.Timedelta(seconds=1)
    with pytest.raises(DataError, match="the 90 days from 2025-07-01 00:00:00 end after 2025-09-28 23:59:59"):
        weigh(features, amounts, "a", known_until=early)
    assert weigh(features, amounts, "a", known_until=OVER) == {"a": 1.0}


@pytest.mark.parametrize("horizon", [0, -90])
def test_a_window_has_days(horizon: int) -> None:
    with pytest.raises(DataError, match="has at least one day"):
        weigh(snapshot(a=[1, 2]), revenue(1, 2), "a", horizon_days=horizon)


def test_one_date_at_a_time() -> None:
    features = snapshot(a=[1, 2])
    features.loc[1, "as_of"] = AS_OF - pd.Timedelta(days=30)
    with pytest.raises(DataError, match="weights are learnt at one as-of date; found 2"):
        weigh(features, revenue(1, 2), "a")


@pytest.mark.parametrize(
    ("features", "amounts", "message"),
    [
        (snapshot(b=[1, 2]), revenue(1, 2), r"features for weights lack columns \['a'\]"),
        (snapshot(a=[1, 2]), revenue(1), "next_revenue lacks 1 of 2 customers in features, such as 'c01'"),
        (snapshot(a=[1, 2]), revenue(1, np.nan), "next_revenue lacks 1 of 2 customers"),
        (snapshot(a=[1, 2]).assign(customer_id="c00"), revenue(1, 2), "features: customer 'c00' comes twice"),
        (snapshot(a=[1, 2]), pd.Series([1, 2], index=["c01", "c01"]), "next_revenue: customer 'c01' comes twice"),
        (snapshot(a=["x", "y"]), revenue(1, 2), "feature 'a' is .*, no number"),
        (snapshot(a=[1, np.inf]), revenue(1, 2), "feature 'a' has infinite values"),
    ],
)
def test_what_cannot_be_weighed_is_refused(features: pd.DataFrame, amounts: pd.Series[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        weigh(features, amounts, "a")
