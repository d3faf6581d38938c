"""The simulated world: what it promises about size, repetition, and the lives of its companies."""

import hashlib
from datetime import date

import numpy as np
import pandas as pd
import pytest

from segml import schema
from segml.config import DemoConfig, from_mapping
from segml.data.simulate import World, simulate
from segml.data.simulate.archetypes import ARCHETYPES, ONE_TIME
from segml.data.simulate.streams import STREAMS, streams
from segml.schema import ConfigError

START, END = pd.Timestamp("2023-01-01"), pd.Timestamp("2026-01-01")
DTYPES = {"text": "str", "number": "float64", "time": "datetime64[us]", "flag": "bool"}
TRUTHS = ("truth", "truth_lines", "truth_errors", "truth_cards", "truth_campaigns", "truth_families")
FRAMES = (*schema.TABLES, *TRUTHS)
NOT_SIMULATED = {"cost", "discount_rate", "currency", "exchange_rate", "share_of_features", "logins", "nps", "tickets"}


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(DemoConfig())


@pytest.fixture(scope="module")
def orders(world: World) -> pd.DataFrame:
    """One row an order that stands, with its true customer's truth beside it."""
    lines = world.truth_lines
    lines = lines[(lines["amount"] > 0) & lines["cancelled_at"].isna()]
    placed = lines.groupby("order_id").agg(
        customer_id=("customer_id", "first"), ordered_at=("ordered_at", "first"), amount=("amount", "sum")
    )
    return placed.reset_index().merge(world.truth, on="customer_id").sort_values(["customer_id", "ordered_at"])


def digest(frame: pd.DataFrame) -> str:
    hashes = pd.util.hash_pandas_object(frame, index=True).to_numpy()
    return hashlib.sha256(hashes.tobytes() + ",".join(frame.columns).encode()).hexdigest()


def digests(world: World) -> dict[str, str]:
    return {name: digest(getattr(world, name)) for name in FRAMES}


# --- repetition


def test_the_same_seed_gives_the_same_bytes() -> None:
    demo = DemoConfig(customers=150, days=300)
    first, again = digests(simulate(demo)), digests(simulate(demo))
    assert first == again


def test_another_seed_gives_another_world() -> None:
    first, other = (digests(simulate(DemoConfig(customers=150, days=300, seed=seed))) for seed in (7, 8))
    assert [name for name in FRAMES if first[name] == other[name]] == ["truth_campaigns"]  # the calendar of campaigns


def test_a_stream_does_not_depend_on_what_others_draw_nor_on_streams_added_later() -> None:
    fresh, used = streams(7), streams(7)
    for name in STREAMS[:-1]:
        used[name].random(1000)
    assert used[STREAMS[-1]].random() == fresh[STREAMS[-1]].random()
    alone = np.random.default_rng(np.random.SeedSequence(7).spawn(3)[2])
    assert alone.random() == streams(7)[STREAMS[2]].random()


# --- size and shape


def test_the_default_world_is_of_the_promised_size(world: World) -> None:
    assert len(world.truth) == 2000
    assert 150_000 <= len(world.transactions) <= 250_000


@pytest.mark.parametrize("name", schema.TABLES)
def test_tables_have_canonical_columns_and_types(world: World, name: str) -> None:
    frame, table = getattr(world, name), schema.TABLES[name]
    assert list(frame.columns) == [column for column in table.names if column not in NOT_SIMULATED]
    kinds = {column: DTYPES[table[column].kind] for column in frame.columns}
    assert frame.dtypes.astype(str).to_dict() == kinds
    assert set(table.required) <= set(frame.columns)


def test_true_lines_are_canonical_order_lines(world: World) -> None:
    columns = list(schema.ORDER_LINES.names)
    lines = world.truth_lines[columns]
    assert lines.dtypes.astype(str).to_dict() == {name: DTYPES[schema.ORDER_LINES[name].kind] for name in columns}
    assert lines.drop(columns="cancelled_at").notna().all(axis=None)


@pytest.mark.parametrize("customers", [1, 2, 30])
@pytest.mark.parametrize("days", [1, 6, 7, 30, 200])
def test_small_worlds_work_and_keep_their_types(world: World, customers: int, days: int) -> None:
    small = simulate(DemoConfig(customers=customers, days=days))
    assert len(small.truth) == customers
    for name in FRAMES:
        pd.testing.assert_series_equal(getattr(small, name).dtypes, getattr(world, name).dtypes)


def test_the_log_may_end_on_any_day() -> None:
    lines = simulate(DemoConfig(customers=50, days=90, end=date(2012, 3, 1))).truth_lines
    assert lines["ordered_at"].min() >= pd.Timestamp("2011-12-02")
    assert lines["ordered_at"].max() < pd.Timestamp("2012-03-01")


@pytest.mark.parametrize(
    ("demo", "message"),
    [
        ({"seed": -1}, r"demo\.seed.*greater than or equal to 0"),
        ({"days": 0}, r"demo\.days.*greater than or equal to 1"),
        ({"customers": 0}, r"demo\.customers.*greater than or equal to 1"),
        ({"end": "1990-06-01", "days": 400}, r"from 1989-04-27 to 1990-06-01; choose days and end"),
        ({"end": "2099-01-01"}, r"to 2099-01-01; choose days and end"),
        ({"end": "0001-01-05", "days": 400}, r"from 0001-01-01 to 0001-01-05; choose days and end"),
    ],
)
def test_impossible_sizes_are_refused_in_words(demo: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_mapping({"demo": demo})


# --- lives


def test_everything_happens_within_the_log(world: World) -> None:
    lines = world.truth_lines
    assert lines["ordered_at"].between(START, END, inclusive="left").all()
    assert world.usage["used_at"].between(START, END, inclusive="left").all()
    assert world.touches["touched_at"].between(START, END, inclusive="left").all()
    cancelled = lines.dropna(subset="cancelled_at")
    assert (cancelled["cancelled_at"] > cancelled["ordered_at"]).all()
    assert (cancelled["cancelled_at"] < END).all()


def test_nobody_orders_on_or_after_the_day_of_leaving_nor_before_starting(orders: pd.DataFrame) -> None:
    assert not (orders["ordered_at"] >= orders["leaves_at"]).any()
    assert not (orders["ordered_at"] < orders["started_at"]).any()
    assert orders.dropna(subset="leaves_at")["customer_id"].nunique() > 300


def test_newcomers_order_on_their_first_day(world: World, orders: pd.DataFrame) -> None:
    first = orders.groupby("customer_id")["ordered_at"].min().dt.normalize()
    newcomers = world.truth.set_index("customer_id")["started_at"].loc[lambda day: day >= START]
    assert len(newcomers) > 600
    assert (first.reindex(newcomers.index).dropna() == newcomers.reindex(first.index).dropna()).mean() > 0.98


def test_one_time_buyers_buy_once(orders: pd.DataFrame) -> None:
    once = orders[orders["type"] == ONE_TIME]
    days = once["ordered_at"].dt.normalize().groupby(once["customer_id"]).nunique()
    assert len(days) > 50
    assert (days == 1).all()


def test_hidden_types_come_in_their_shares(world: World) -> None:
    shares = world.truth["type"].value_counts(normalize=True)
    for archetype in ARCHETYPES:
        assert shares[archetype.name] == pytest.approx(archetype.share, abs=0.03)
    assert sum(archetype.share for archetype in ARCHETYPES) == pytest.approx(1)


def undisturbed(orders: pd.DataFrame) -> pd.DataFrame:
    """Orders of companies that lived through the whole log without any event."""
    stays = ~(orders["leaves_at"] < END) & ~(orders["stagnates_at"] < END) & ~(orders["paused_from"] < END)
    return orders[stays & (orders["started_at"] < START)]


def test_gaps_follow_each_companys_rhythm_and_regularity(orders: pd.DataFrame) -> None:
    calm = undisturbed(orders)
    calm = calm.assign(gap=calm.groupby("customer_id")["ordered_at"].diff().dt.total_seconds() / 86_400)
    gaps = calm.groupby("customer_id").agg(
        mean=("gap", "mean"), spread=("gap", "std"), count=("gap", "count"), rhythm=("rhythm_days", "first"),
        regularity=("gap_regularity", "first"), season=("season_strength", "first"),
    )  # fmt: skip
    gaps = gaps[gaps["count"] >= 20]
    assert len(gaps) > 100
    ratio = gaps["mean"] / gaps["rhythm"]
    assert 0.85 <= ratio.median() <= 1.15
    assert np.corrcoef(np.log(gaps["mean"]), np.log(gaps["rhythm"]))[0, 1] > 0.9
    even = gaps[gaps["season"] < 0.5]
    variation = even["spread"] / even["mean"]
    assert np.corrcoef(variation, 1 / np.sqrt(even["regularity"]))[0, 1] > 0.6


def test_weekends_are_quiet(orders: pd.DataFrame) -> None:
    assert (orders["ordered_at"].dt.day_of_week >= 5).mean() < 0.02
    assert orders["ordered_at"].dt.hour.between(8, 18).all()


def money_a_day(lines: pd.DataFrame, since: pd.Series, until: pd.Series) -> pd.Series:
    """Money a day of each customer in their own window ``[since, until)``; both indexed by customer."""
    own_since, own_until = lines["customer_id"].map(since), lines["customer_id"].map(until)
    within = lines[(lines["ordered_at"] >= own_since) & (lines["ordered_at"] < own_until)]
    total = within.groupby("customer_id")["amount"].sum().reindex(since.index, fill_value=0.0)
    return total / ((until - since).dt.total_seconds() / 86_400)


def test_stagnation_shows_in_the_volume_and_by_its_factor(world: World) -> None:
    truth = world.truth.set_index("customer_id")
    full = truth["stagnates_at"] + pd.to_timedelta(truth["stagnation_days"], unit="D")
    gone = (truth["leaves_at"] - pd.to_timedelta(truth["fade_days"], unit="D")).fillna(END)
    gone = gone.where(gone < END, END)
    year = pd.Timedelta(days=365)
    seen = truth[(truth["stagnates_at"] - year >= START.to_datetime64()) & (gone - full >= pd.Timedelta(days=180))]
    seen = seen[(seen["started_at"] <= seen["stagnates_at"] - year) & (seen["rhythm_days"] < 60)]
    assert len(seen) > 40
    lines = world.truth_lines[world.truth_lines["cancelled_at"].isna()]
    before = money_a_day(lines, seen["stagnates_at"] - year, seen["stagnates_at"])
    after = money_a_day(lines, full[seen.index], gone[seen.index])
    left = (after / before).replace(np.inf, np.nan).dropna()
    assert 0.2 <= left.median() <= 0.6
    relative = left / seen["stagnation_factor"].reindex(left.index)
    assert 0.75 <= relative.median() <= 1.3
    assert set(seen["stagnation_mode"]) == {"smaller orders", "rarer orders", "fewer families"}


def test_lost_families_are_not_bought_again(world: World) -> None:
    truth = world.truth.set_index("customer_id")
    full = truth["stagnates_at"] + pd.to_timedelta(truth["stagnation_days"] + 1, unit="D")
    who = truth.index[(truth["stagnation_mode"] == "fewer families") & (full < END)]
    lines = world.truth_lines
    lines = lines[lines["customer_id"].isin(who) & (lines["amount"] > 0)]
    is_after = lines["ordered_at"] >= lines["customer_id"].map(full)
    before = lines[~is_after].groupby("customer_id")["category"].nunique()
    after = lines[is_after].groupby("customer_id")["category"].nunique()
    assert len(after) > 15
    assert (after < before.reindex(after.index)).mean() > 0.9


def test_part_of_the_leavers_decline_first_and_part_leave_of_a_sudden(world: World, orders: pd.DataFrame) -> None:
    seen = orders["started_at"].where(orders["started_at"] > START, START)
    known = (orders["leaves_at"] < END) & (orders["leaves_at"] - seen > pd.Timedelta(days=240))
    left = orders[known & (orders["rhythm_days"] < 40)]
    days_before = (left["leaves_at"] - left["ordered_at"]).dt.days
    last = left.loc[days_before < 45, "leaving"].value_counts()
    usual = left.loc[days_before.between(150, 239), "leaving"].value_counts()
    assert set(last.index) == {"fading", "sudden"}
    assert 2 * last["fading"] / usual["fading"] < 0.75
    assert 2 * last["sudden"] / usual["sudden"] > 0.85


def test_nothing_is_used_and_nobody_answers_after_leaving(world: World) -> None:
    leaves = world.truth.set_index("customer_id")["leaves_at"]
    assert not (world.usage["used_at"] >= world.usage["customer_id"].map(leaves)).any()
    answered = world.touches[world.touches["responded"]]
    assert not (answered["touched_at"] >= answered["customer_id"].map(leaves)).any()


def test_portal_use_fades_before_part_of_the_leavers_go(world: World) -> None:
    truth = world.truth.set_index("customer_id")
    use = world.usage.assign(leaves_at=world.usage["customer_id"].map(truth["leaves_at"]))
    use = use[(use["leaves_at"] < END) & (use["leaves_at"] - START > pd.Timedelta(days=250))]
    days_before = (use["leaves_at"] - use["used_at"]).dt.days
    assert (days_before < 30).sum() < 0.7 * days_before.between(150, 179).sum()
    assert (world.usage["seats_used"] <= world.usage["seats_total"]).all()
    assert set(world.usage["customer_id"]) <= set(truth.index[truth["uses_portal"]])


def test_contracts_run_to_the_first_renewal_after_leaving_or_after_the_log(world: World) -> None:
    truth = world.truth.set_index("customer_id")
    last = world.contracts.groupby("customer_id")["renews_on"].max()
    until = truth["leaves_at"].where(truth["leaves_at"] < END, END).reindex(last.index)
    assert set(last.index) == set(truth.index[truth["has_contract"]])
    assert (last >= until).all()
    assert (last - until).quantile(0.95) <= pd.Timedelta(days=367)
    gaps = world.contracts.groupby("customer_id")["renews_on"].diff().dropna().dt.days
    assert set(gaps) <= {365, 366}
    leavers = truth[truth["has_contract"] & (truth["leaves_at"] < END)]
    at_renewal = (last.reindex(leavers.index) == leavers["leaves_at"]).mean()
    assert 0.2 <= at_renewal <= 0.6


def test_campaigns_are_randomised_and_treatment_gets_more_answers(world: World) -> None:
    arms = world.touches.groupby("arm")["responded"].agg(["mean", "size"])
    assert arms["mean"]["treatment"] > 3 * arms["mean"]["control"]
    assert arms["size"]["treatment"] / len(world.touches) == pytest.approx(0.7, abs=0.03)
    assert set(world.touches["campaign"]) == set(world.truth_campaigns["campaign"])
    assert not world.touches.duplicated(["customer_id", "campaign"]).any()


# --- money


def test_the_top_tenth_makes_most_of_the_revenue_but_not_all(world: World) -> None:
    revenue = world.truth_lines[world.truth_lines["cancelled_at"].isna()].groupby("customer_id")["amount"].sum()
    top = revenue.nlargest(len(world.truth) // 10).sum() / revenue.sum()
    assert 0.55 <= top <= 0.70


def test_amounts_prices_discounts_and_margins_agree(world: World) -> None:
    lines = world.truth_lines
    np.testing.assert_allclose(lines["amount"], lines["quantity"] * lines["unit_price"], atol=0.006)
    assert (np.sign(lines["amount"]) == np.sign(lines["quantity"])).all()
    assert (lines["discount"] * np.sign(lines["amount"]) >= -0.01).all()
    assert lines["margin"].sum() / lines["amount"].sum() == pytest.approx(0.24, abs=0.06)


def test_price_seekers_get_more_off_the_list(world: World, orders: pd.DataFrame) -> None:
    bought = world.truth_lines[world.truth_lines["amount"] > 0].merge(world.truth, on="customer_id")
    money = bought.groupby("type")[["discount", "amount"]].sum()
    share = money["discount"] / (money["discount"] + money["amount"])
    assert share.idxmax() == "price seeker"
    assert share["price seeker"] > 2 * share["steady replenisher"]


def test_dealers_buy_broadly_and_engineering_companies_narrowly(world: World) -> None:
    roles = world.customers.set_index("customer_id")["role"]
    families = world.truth.groupby(world.truth["customer_id"].map(roles))["family_count"].mean()
    assert families["dealer"] > families["end user"] > families["engineering"]


def test_the_year_has_a_summer_dip_and_a_year_end_peak(world: World) -> None:
    lines = world.truth_lines[world.truth_lines["cancelled_at"].isna()]
    by_month = lines.groupby(lines["ordered_at"].dt.month)["amount"].sum()
    assert by_month[11] > 1.2 * by_month[7]
    assert by_month[1] < 0.85 * by_month.mean()


def test_returns_are_a_part_of_something_bought_earlier(world: World) -> None:
    lines = world.truth_lines
    returned = lines[lines["amount"] < 0]
    assert 0.005 <= len(returned) / len(lines) <= 0.03
    bought = lines[lines["amount"] > 0]
    pairs = returned.merge(bought, on=["customer_id", "product_id", "unit_price"], suffixes=("", "_bought"))
    pairs = pairs[(pairs["ordered_at_bought"] < pairs["ordered_at"]) & (pairs["quantity_bought"] > -pairs["quantity"])]
    assert set(pairs["line_id"]) == set(returned["line_id"])
    assert returned["order_id"].str.startswith("CN-").all()


# --- difficulty


def snapshot(lines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """A handful of features and the two labels of 90 days, for customers that no rule labels already."""
    past = lines[lines["ordered_at"] < as_of]
    past = past.assign(age=(as_of - past["ordered_at"]).dt.total_seconds() / 86_400)
    bought = past[past["amount"] > 0]
    by_customer = bought.groupby("customer_id")
    frame = pd.DataFrame({"recency": by_customer["age"].min(), "tenure": by_customer["age"].max()})
    frame["days"] = bought.groupby("customer_id")["ordered_at"].agg(lambda at: at.dt.normalize().nunique())
    frame["gap"] = (frame["tenure"] - frame["recency"]) / (frame["days"] - 1).clip(lower=1)
    frame["recency_to_gap"] = frame["recency"] / frame["gap"].clip(lower=1)
    for window in (30, 90, 180, 365):
        recent = past[past["age"] <= window]
        frame[f"revenue_{window}"] = recent.groupby("customer_id")["amount"].sum()
        frame[f"orders_{window}"] = recent.groupby("customer_id")["order_id"].nunique()
        frame[f"families_{window}"] = recent.groupby("customer_id")["category"].nunique()
    frame["last_year"] = past[past["age"].between(275, 365)].groupby("customer_id")["amount"].sum()
    frame = frame.fillna(0.0)
    frame["run_rate"] = frame["revenue_365"] / frame["tenure"].clip(90, 365)
    for window in (30, 90, 180):
        frame[f"relative_{window}"] = frame[f"revenue_{window}"] / window / frame["run_rate"]
    ahead = lines[(lines["ordered_at"] >= as_of) & (lines["ordered_at"] < as_of + pd.Timedelta(days=90))]
    money = ahead.groupby("customer_id")["amount"].sum().reindex(frame.index, fill_value=0.0)
    frame["churned"] = ~frame.index.isin(ahead.loc[ahead["amount"] > 0, "customer_id"])
    frame["stagnated"] = money <= 0.5 * 90 * frame["run_rate"]
    return frame[(frame["recency"] <= 90) & (frame["tenure"] >= 180) & (frame["days"] >= 3)]


TEST_DATES = [pd.Timestamp(day) for day in ("2025-04-06", "2025-07-05", "2025-10-03")]


def test_base_rates_of_churn_and_stagnation_are_those_of_real_wholesalers(world: World) -> None:
    lines = world.truth_lines[world.truth_lines["cancelled_at"].isna()]
    rates = pd.concat([snapshot(lines, day) for day in TEST_DATES])[["churned", "stagnated"]].mean()
    assert 0.12 <= rates["churned"] <= 0.25
    assert 0.25 <= rates["stagnated"] <= 0.42


@pytest.mark.slow
def test_a_decent_model_foresees_leaving_out_of_time_partly(world: World) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    lines = world.truth_lines[world.truth_lines["cancelled_at"].isna()]
    earlier = pd.date_range("2023-09-01", TEST_DATES[0] - pd.Timedelta(days=90), freq="45D")
    training = pd.concat([snapshot(lines, day) for day in earlier])
    later = pd.concat([snapshot(lines, day) for day in TEST_DATES])
    inputs = training.columns.drop(["churned", "stagnated"])
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=6, learning_rate=0.03, max_iter=250, min_samples_leaf=60, l2_regularization=10, random_state=0
    )
    auc = {}
    with threadpool_limits(1):
        for label in ("churned", "stagnated"):
            score = model.fit(training[inputs], training[label]).predict_proba(later[inputs])[:, 1]
            auc[label] = roc_auc_score(later[label], score)
    assert 0.72 <= auc["churned"] <= 0.87
    assert 0.62 <= auc["stagnated"] <= 0.80
    assert auc["churned"] > roc_auc_score(later["churned"], later["recency"]) + 0.02


def test_a_lost_family_is_never_bought_again_but_others_are(world: World) -> None:
    lost = world.truth_families
    assert not lost.duplicated(["customer_id", "category"]).any()
    assert set(lost["customer_id"]) <= set(
        world.truth.loc[world.truth["stagnation_mode"] == "fewer families", "customer_id"]
    )
    bought = world.truth_lines[world.truth_lines["amount"] > 0]
    of_lost = bought.merge(lost, on=["customer_id", "category"])
    assert len(of_lost) > 100
    assert (of_lost["ordered_at"] < of_lost["lost_at"]).all()
    first = lost.groupby("customer_id")["lost_at"].min()
    later = bought[bought["ordered_at"] >= bought["customer_id"].map(first)]
    assert later["customer_id"].nunique() > 20
