"""The register of warning signs, against a table that can be counted by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.churn import SIGNALS, Signal, signal_register
from segml.features import CATALOG

DATE = pd.Timestamp("2021-01-01").as_unit("us")
# Ten customers; three have been silent for more than 60 days, two of whom leave; four leave in all.
FEATURES = pd.DataFrame(
    {
        "customer_id": [f"c{n}" for n in range(10)],
        "as_of": DATE,
        "recency_days": [61.0, 70.0, 80.0, 60.0, 10.0, 5.0, 20.0, 30.0, 40.0, 50.0],
        "recency_to_gap": [2.0, 1.99, np.nan, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        "return_share_365d": np.nan,
    }
)
TABLE = FEATURES[["customer_id", "as_of"]].assign(
    churned=[True, True, False, True, True, False, False, False, False, False],
    stagnated=[True, True, True, True, True, False, False, False, False, False],
    p_churn=[0.9, 0.8, 0.2, 0.7, 0.1, 0.3, 0.3, 0.3, 0.3, 0.3],
    p_stagnation=0.5,
    lost_revenue=[10.0, 20.0, 5.0, 0.0, 65.0, 0.0, 0.0, 0.0, 0.0, 0.0],
)


def register(resamples: int = 0, features: pd.DataFrame = FEATURES, table: pd.DataFrame = TABLE) -> pd.DataFrame:
    return signal_register(features, table, resamples=resamples, seed=0)


def of(found: pd.DataFrame, name: str, target: str = "churn") -> Any:
    return found[(found["signal"] == name) & (found["target"] == target)].iloc[0]


def test_a_sign_is_counted_by_hand() -> None:
    row = of(register(), "silent_60d")
    assert (row["customers"], row["lost_revenue"]) == (3, 35)
    assert row["coverage"] == pytest.approx(0.3)
    assert row["precision"] == pytest.approx(2 / 3)
    assert row["lift"] == pytest.approx(2 / 3 / 0.4)
    assert row["recall"] == pytest.approx(2 / 4)
    assert row["lost_share"] == pytest.approx(0.35)


def test_the_model_gets_a_list_as_long() -> None:
    row = of(register(), "silent_60d")
    assert row["model_recall"] == pytest.approx(3 / 4)
    assert row["model_minus_signal"] == pytest.approx(1 / 4)


def test_a_model_that_knows_nothing_finds_as_much_as_chance() -> None:
    assert of(register(), "silent_60d", "stagnation")["model_recall"] == pytest.approx(0.3)


def test_an_unknown_figure_is_no_sign() -> None:
    assert of(register(), "two_gaps_missed")["customers"] == 1


def test_a_sign_that_nobody_shows_has_coverage_and_nothing_else() -> None:
    row = of(register(), "silent_90d")
    assert (row["customers"], row["coverage"], row["recall"]) == (0, 0, 0)
    assert row[["precision", "lift"]].isna().all()


def test_signs_whose_figures_are_missing_or_unknown_are_left_out() -> None:
    assert register()["signal"].unique().tolist() == [
        "silent_60d",
        "silent_90d",
        "two_gaps_missed",
        "three_gaps_missed",
    ]


def test_a_narrower_assortment_is_a_sign_by_families_and_where_there_are_none_by_products() -> None:
    shrunk = FEATURES.assign(product_count_365d_to_previous=[0.59, 0.6, np.nan, *[1.0] * 7])
    found = register(features=shrunk)
    assert of(found, "fewer_products")["customers"] == 1
    assert "fewer_families" not in set(found["signal"])


@pytest.mark.parametrize(
    ("side", "shown"), [("above", [0, 0, 1]), ("from", [0, 1, 1]), ("below", [1, 0, 0]), ("to", [1, 1, 0])]
)
def test_each_side_of_a_threshold(side: Any, shown: list[int]) -> None:
    sign = Signal("x", "x", "value", side, 2.0)
    assert sign.shown(pd.DataFrame({"value": [1.0, 2.0, 3.0]})).tolist() == [bool(flag) for flag in shown]


def test_signs_read_features_that_exist_under_names_of_their_own() -> None:
    assert {signal.column for signal in SIGNALS} <= {feature.name for feature in CATALOG}
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)


def test_intervals_hold_the_value_and_the_order_of_rows_does_not_matter() -> None:
    found = register(resamples=60)
    row = of(found, "silent_60d")
    for name in ("coverage", "precision", "recall", "model_recall", "lost_share"):
        assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"], name
    again = register(60, FEATURES.iloc[::-1], TABLE.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(found, again, check_exact=False, rtol=1e-12)


def test_no_rows_give_no_register() -> None:
    assert register(10, FEATURES.iloc[:0], TABLE.iloc[:0]).empty
