"""What segments did: a hand-made period, reconciled totals, intervals that hold the truth."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml import features, pipeline
from segml.features.activity import ACTIVITY_COLUMNS
from segml.language import speaking
from segml.monitor import Period, Span, by_segment, four_figures, spans
from segml.monitor.effectiveness import CAME, NOT_TOLD, SEGMENT_COLUMNS, called
from segml.monitor.four_figures import told
from segml.monitor.proportions import Proportion, difference, share
from segml.schema import DataError

SPAN = Span(pd.Timestamp("2024-04-01"), pd.Timestamp("2024-07-01"))


def did(**customers: tuple[float, float, int, float, float]) -> pd.DataFrame:
    """Return activity: revenue, margin, orders, gross, tenure at the end."""
    rows = [
        (name, int(revenue != 0 or orders), revenue, margin, revenue, orders, gross, tenure)
        for name, (revenue, margin, orders, gross, tenure) in customers.items()
    ]
    return pd.DataFrame(rows, columns=list(ACTIVITY_COLUMNS)).astype(ACTIVITY_COLUMNS)


START = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d", "e"],
        "lifecycle": ["active", "active", "inactive", "new", "new"],
        "tier": ["key", "small", "small", "small", None],
        "revenue": 999.0,  # a column of the decisions that is also one of the activity
    }
)
END = pd.DataFrame({"customer_id": ["a", "b", "c", "d", "e", "f"], "lifecycle": ["active"] * 4 + ["inactive", "new"]})
ACTIVITY = did(
    a=(300.0, 60.0, 3, 330.0, 800),
    b=(0.0, math.nan, 0, 0.0, 700),
    c=(50.0, math.nan, 1, 50.0, 900),
    d=(100.0, 10.0, 2, 100.0, 200),
    e=(0.0, math.nan, 0, 0.0, 185),
    f=(40.0, 4.0, 1, 40.0, 20),
    g=(0.0, math.nan, 0, 0.0, math.nan),  # never bought, and nobody knew it
)


def indexed(table: pd.DataFrame, *names: str) -> Any:
    return table.set_index(list(names) if len(names) > 1 else names[0])


@pytest.fixture
def period() -> Period:
    return Period(SPAN, START, ACTIVITY, END)


def test_each_segment_is_told_by_its_customers_at_the_start(period: Period) -> None:
    table = indexed(by_segment({"since": period}, ["lifecycle"], resamples=0), "segment")
    assert ["scheme", "period", *table.columns[2:]] == [name for name in SEGMENT_COLUMNS if name != "segment"]
    assert table.index.tolist() == ["active", "inactive", "new", CAME]
    active = table.loc["active"]
    assert (active["customers"], active["revenue"], active["orders"], active["retained"]) == (2, 300.0, 3, 1)
    assert (active["revenue_per_customer"], active["order_value"], active["retention"]) == (150.0, 110.0, 0.5)
    assert (active["margin"], active["margin_rate"]) == (60.0, 0.2)
    assert table.loc["new", ["customers", "retained"]].tolist() == [2, 1]
    assert np.isnan(table.loc["inactive", "margin"])
    assert table.loc[CAME, ["customers", "revenue", "revenue_share"]].tolist() == [1, 40.0, 40 / 490]
    assert np.isnan(table.loc[CAME, "retention"])  # who came has ordered


def test_totals_reconcile_and_a_missing_label_has_a_row(period: Period) -> None:
    table = by_segment({"since": period}, ["lifecycle", "tier", "no_such_scheme"], resamples=0)
    assert table["scheme"].unique().tolist() == ["lifecycle", "tier"]
    sums = table.groupby("scheme")[["customers", "revenue", "margin", "orders", "revenue_share"]].sum()
    assert (sums.to_numpy() == [6, 490.0, 74.0, 7, 1.0]).all()
    assert NOT_TOLD in table["segment"].tolist()
    with speaking("ru"):
        assert called(CAME) == "пришли за период"
    assert called("key") == "key"


def test_the_four_figures_of_a_period(period: Period) -> None:
    found = four_figures({"since": period}, resamples=0).set_index("figure")
    assert found["customers"].to_dict() == {
        "new_to_active": 2,
        "won_back": 1,
        "active_order_value": 1,
        "key_retention": 1,
    }
    assert found["value"].to_dict() == {
        "new_to_active": 0.5,
        "won_back": 1.0,
        "active_order_value": 110.0,
        "key_retention": 1.0,
    }
    assert found["change"].isna().all()


def test_who_is_still_in_the_first_months_is_no_case(period: Period) -> None:
    """182 days make six months at the end of June: with 181 a customer is still new."""
    young = ACTIVITY.assign(tenure_days=ACTIVITY["tenure_days"].mask(ACTIVITY["customer_id"] == "e", 181.0))
    found = indexed(four_figures({"since": Period(SPAN, START, young, END)}, resamples=0), "figure")
    assert found.loc["new_to_active", ["customers", "value"]].tolist() == [1, 1.0]


def test_growth_is_that_of_the_same_customers(period: Period) -> None:
    before = did(a=(200.0, 0.0, 2, 200.0, 700), c=(9000.0, 0.0, 1, 9000.0, 800), z=(9000.0, 0.0, 1, 9000.0, 800))
    table = four_figures({"since": period, "before": Period(SPAN, START, before)}, resamples=0)
    row = table[(table["figure"] == "active_order_value") & (table["period"] == "before")].iloc[0]
    assert (row["customers"], row["value"]) == (1, 100.0)
    assert row["change"] == pytest.approx(0.1)


def test_shares_are_compared_as_differences(period: Period) -> None:
    before = did(a=(0.0, 0.0, 0, 0.0, 700), c=(0.0, 0.0, 0, 0.0, 800))
    table = four_figures({"since": period, "before": Period(SPAN, START, before)}, resamples=0)
    rows = indexed(table[table["period"] == "before"], "figure")
    assert rows.loc["won_back", ["value", "change"]].tolist() == [0.0, 1.0]
    assert np.isnan(rows.loc["new_to_active", "change"])  # what became of them is not known


def test_what_is_not_known_is_not_a_number(period: Period) -> None:
    bare = Period(SPAN, START[["customer_id"]], ACTIVITY)
    found = four_figures({"since": bare}, resamples=0)
    assert found["value"].isna().all()
    assert told(found)[0] == "New customers who became active: not known."
    with pytest.raises(DataError, match="need the period 'since'; found"):
        four_figures({"before": period}, resamples=0)


def test_tables_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="labels at the start of a period hold a customer more than once"):
        Period(SPAN, pd.concat([START, START]), ACTIVITY)
    with pytest.raises(DataError, match=r"the activity of a period lacks columns \['lines'"):
        Period(SPAN, START, START)


def test_the_periods_are_as_long_as_the_time_since_the_last_refresh() -> None:
    found = spans("2024-04-01", "2024-07-01")
    assert found["since"] == SPAN
    assert found["before"] == (pd.Timestamp("2024-01-01"), pd.Timestamp("2024-04-01"))
    assert found["last_year"] == (pd.Timestamp("2023-04-01"), pd.Timestamp("2023-07-01"))
    with pytest.raises(ValueError, match="a refresh comes after the last one"):
        spans("2024-07-01", "2024-07-01")


def world(rng: np.random.Generator, customers: int, kept: float, order: float) -> Period:
    """Return active, inactive, new and key customers who order with one probability, and at one mean value."""
    names = [f"c{place:05}" for place in range(customers)]
    orders = np.where(rng.random(customers) < kept, 1 + rng.poisson(2, customers), 0)
    size = rng.lognormal(0, 0.6, customers) / np.exp(0.18)
    gross = orders * order * size
    rows = {
        name: (money, 0.2 * money, int(n), money, 500.0) for name, money, n in zip(names, gross, orders, strict=True)
    }
    labels = {
        "customer_id": names,
        "lifecycle": rng.choice(["active", "inactive", "new"], customers),
        "tier": rng.choice(["key", "small"], customers),
    }
    start = pd.DataFrame(labels)
    return Period(SPAN, start, did(**rows), start.assign(lifecycle="active"))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Retention, money a customer, and the change of a share: 95 % intervals over forty worlds."""
    rng, worlds = np.random.default_rng(3), 40
    held: dict[str, Any] = {"retention": 0, "revenue_per_customer": 0, "change": 0}
    for seed in range(worlds):
        now, before = world(rng, 250, 0.7, 100.0), world(rng, 250, 0.6, 100.0)
        table = by_segment({"since": now}, ["lifecycle"], resamples=150, seed=seed)
        active = indexed(table, "segment").loc["active"]
        held["retention"] += active["retention_low"] <= 0.7 <= active["retention_high"]
        held["revenue_per_customer"] += active["revenue_per_customer_low"] <= 210 <= active["revenue_per_customer_high"]
        figures = four_figures({"since": now, "before": before}, resamples=1)
        change = indexed(figures, "figure", "period").loc[("won_back", "before")]
        held["change"] += change["change_low"] <= 0.1 <= change["change_high"]
    assert all(count >= 0.95 * worlds - 3 * np.sqrt(0.95 * 0.05 * worlds) for count in held.values()), held


def test_a_growth_of_orders_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(8)
    before = world(rng, 1500, 0.8, 100.0)
    grown = before.activity.assign(gross=before.activity["gross"] * 1.2 * rng.lognormal(0, 0.1, 1500))
    same = before.activity.assign(gross=before.activity["gross"] * rng.lognormal(-0.005, 0.1, 1500))
    for activity, word in ((grown, ": more."), (same, ": no clear difference.")):
        now = Period(SPAN, before.at_start, activity, before.at_end)
        table = four_figures({"since": now, "before": before}, resamples=200)
        assert told(table)[2].endswith(word)


def test_the_figures_are_told_in_words(period: Period) -> None:
    before = did(a=(200.0, 0.0, 2, 200.0, 700), c=(10.0, 0.0, 1, 10.0, 800))
    table = four_figures({"since": period, "before": Period(SPAN, START, before, END)}, resamples=20)
    assert told(table)[1] == (
        "Inactive customers won back: 100% of 1 [21%, 100%]; +0 points against the period before [-79, +79]: no clear "
        "difference."
    )
    with speaking("ru"):
        assert told(table)[1].startswith("Возвращено неактивных клиентов: 100")


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """Table II of Newcombe (1998), method 10: 9/10 against 3/10, and 10/10 against 0/20."""
    assert difference(Proportion(9, 10), Proportion(3, 10)) == pytest.approx((0.6, 0.1705, 0.8090), abs=1e-4)
    assert difference(Proportion(10, 10), Proportion(0, 20)) == pytest.approx((1.0, 0.6791, 1.0), abs=1e-4)
    assert np.isnan(share(Proportion(0, 0))).all()


def test_a_real_base_reconciles_with_its_lines(small_training: pipeline.Training) -> None:
    prepared = small_training.prepared
    span = spans(prepared.as_of - pd.Timedelta(days=90), prepared.as_of)["since"]
    activity = features.activity(prepared.lines, *span)
    start = small_training.decisions.head(150)  # the others have no label, as if they had come since
    table = by_segment({"since": Period(span, start, activity)}, ["lifecycle", "tier", "cluster_name"], resamples=20)
    sums = table.groupby("scheme")[["revenue", "margin", "orders"]].sum()
    expected = [activity["revenue"].sum(), activity["margin"].sum(), activity["orders"].sum()]
    np.testing.assert_allclose(sums.to_numpy(), np.tile(expected, (3, 1)), rtol=1e-9)
    assert activity["revenue"].sum() == pytest.approx(small_training.decided.features["revenue_90d"].sum(), rel=1e-9)
