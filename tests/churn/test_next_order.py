"""When a customer orders next, and how often the interval holds."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import pipeline
from segml.churn import NextOrder, interval_coverage
from segml.config import load
from segml.data import connect, load_tables
from segml.schema import DataError

AS_OF = pd.Timestamp("2025-01-01")


def base(customers: int, *, regularity: float = 2.0, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Return customers with gamma gaps, each with a rate of its own, and the days until their next order."""
    rng = np.random.default_rng(seed)
    rows, coming = [], []
    for number in range(customers):
        gaps = rng.gamma(regularity, 1 / rng.gamma(2.5, 1 / 40.0), 200)
        moments, looked = np.concatenate([[0.0], gaps.cumsum()]), rng.uniform(200, 900)
        seen = moments[moments < looked]
        known = np.diff(seen)
        cv = known.std(ddof=1) / known.mean() if len(known) > 1 else np.nan
        mean = known.mean() if len(known) else np.nan
        rows.append((f"c{number:04}", len(seen), mean, cv, looked - seen[-1]))
        coming.append(moments[len(seen)] - looked if len(seen) < len(moments) else np.nan)
    table = pd.DataFrame(rows, columns=["customer_id", "purchase_day_count", "gap_mean_days", "gap_cv", "recency_days"])
    return table.assign(as_of=AS_OF), pd.Series(coming)


@pytest.fixture(scope="module")
def known() -> tuple[pd.DataFrame, pd.Series]:
    return base(1500)


def labels_of(features: pd.DataFrame, days: pd.Series, horizon: float = np.inf) -> pd.DataFrame:
    seen = days.where(days < horizon)
    return features[["customer_id", "as_of"]].assign(next_purchase_days=seen)


def test_the_interval_holds_as_often_as_it_promises_where_gaps_are_what_it_takes_them_for(
    known: tuple[pd.DataFrame, pd.Series],
) -> None:
    features, days = known
    ends = NextOrder.fit(features).interval(features)
    assert ((days >= ends["from_days"]) & (days <= ends["to_days"])).mean() == pytest.approx(0.8, abs=0.03)


def test_coverage_is_told_though_the_window_ends_before_many_orders(known: tuple[pd.DataFrame, pd.Series]) -> None:
    features, days = known
    everybody = pd.Series(True, index=features.index)
    held = interval_coverage(features, labels_of(features, days, 60), everybody, horizon_days=60)
    assert (days > 60).mean() > 0.15
    assert held == pytest.approx(0.8, abs=0.05)


def test_who_never_orders_again_counts_as_a_miss(known: tuple[pd.DataFrame, pd.Series]) -> None:
    features, days = known
    gone = days.where(np.arange(len(days)) % 2 == 0)
    everybody = pd.Series(True, index=features.index)
    assert interval_coverage(features, labels_of(features, gone, 3000), everybody, horizon_days=3000) < 0.5


def test_the_regular_get_a_narrow_interval_around_their_gap(known: tuple[pd.DataFrame, pd.Series]) -> None:
    model = NextOrder.fit(known[0])
    two = pd.DataFrame(
        {"purchase_day_count": [40.0, 40.0], "gap_mean_days": 30.0, "gap_cv": [0.1, 1.2], "recency_days": 10.0}
    )
    ends = model.interval(two)
    assert (ends["to_days"] - ends["from_days"]).is_monotonic_increasing
    low, high = ends.to_numpy()[0]
    assert low < 20 < high < 40


def test_one_purchase_day_gets_the_rhythm_of_the_base(known: tuple[pd.DataFrame, pd.Series]) -> None:
    single = pd.DataFrame({"purchase_day_count": [1.0], "gap_mean_days": np.nan, "gap_cv": np.nan, "recency_days": 3.0})
    low, high = NextOrder.fit(known[0]).interval(single).to_numpy()[0]
    assert 0 < low < 20
    assert 30 < high < 400


def test_the_longer_the_silence_the_later_the_order(known: tuple[pd.DataFrame, pd.Series]) -> None:
    silences = pd.DataFrame(
        {"purchase_day_count": 10.0, "gap_mean_days": 30.0, "gap_cv": 0.7, "recency_days": [50.0, 90.0, 300.0, 4000.0]}
    )
    assert NextOrder.fit(known[0]).interval(silences)["to_days"].is_monotonic_increasing


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([(1.0, np.nan, np.nan, 5.0)] * 3, id="nobody bought twice"),
        pytest.param([(20.0, 7.0, 0.0, 3.0)] * 50, id="all in one rhythm"),
        pytest.param([(2.0, 9.0, np.nan, 1.0)], id="one customer"),
        pytest.param([], id="nobody"),
    ],
)
def test_bases_that_tell_little_give_finite_intervals(rows: list[tuple[float, ...]]) -> None:
    names = ["purchase_day_count", "gap_mean_days", "gap_cv", "recency_days"]
    few = pd.DataFrame(rows, columns=names, dtype="float64")
    ends = NextOrder.fit(few).interval(few)
    assert np.isfinite(ends).all(axis=None)
    assert (ends["from_days"] <= ends["to_days"]).all()


def test_the_order_of_rows_changes_nothing_and_the_input_stays(known: tuple[pd.DataFrame, pd.Series]) -> None:
    features = known[0]
    copy = features.copy()
    shuffled = features.sample(frac=1, random_state=1)
    assert NextOrder.fit(shuffled) == NextOrder.fit(features)
    assert_frame_equal(
        NextOrder.fit(features).interval(shuffled).sort_index(), NextOrder.fit(features).interval(features)
    )
    assert_frame_equal(features, copy)


def test_nobody_scored_no_coverage(known: tuple[pd.DataFrame, pd.Series]) -> None:
    features, days = known
    nobody = pd.Series(False, index=features.index)
    assert np.isnan(interval_coverage(features, labels_of(features, days), nobody, horizon_days=90))


def test_features_without_rhythm_are_refused(known: tuple[pd.DataFrame, pd.Series]) -> None:
    with pytest.raises(DataError, match=r"features lack columns \['gap_cv'\]"):
        NextOrder.fit(known[0].drop(columns="gap_cv"))


@pytest.mark.slow
def test_on_a_real_wholesaler_the_interval_holds_nearly_as_often_as_promised(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGML_DATA_HOME", str(shared_data))
    settings = load(Path(__file__).resolve().parents[2] / "configs" / "online_retail_ii.yaml")
    prepared = pipeline.prepare(load_tables(settings, connect(2)), settings, today=date(2026, 1, 1))
    dates = [pd.Timestamp(moment) for moment in ("2011-03-13", "2011-06-12", "2011-09-11")]
    found = pipeline.build_snapshots(prepared, settings, dates)
    held = interval_coverage(found.features, found.labels, found.scored, horizon_days=settings.horizon_days)
    assert held == pytest.approx(0.76, abs=0.03)  # the rest are mostly customers who leave
