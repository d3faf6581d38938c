"""The planted errors: truth plus errors is the raw log, and every kind is there as often as it is entered."""

import math

import numpy as np
import pandas as pd
import pytest

from segml.config import DemoConfig
from segml.data.simulate import World, simulate
from segml.data.simulate.cancellations import line_key
from segml.data.simulate.cards import EMPTY
from segml.data.simulate.damage import ABSURD, DAMAGES
from segml.data.simulate.extra import NON_PRODUCTS

SIZES = [(1, 30), (40, 60), (300, 400)]


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(DemoConfig())


def entry(world: World, kind: str) -> pd.Series:
    errors = world.truth_errors
    return errors[errors["kind"] == kind].iloc[0]


def lines_of(world: World, kind: str) -> int:
    return int(entry(world, kind)["lines"])


def finite_money(amounts: pd.Series) -> float:
    return math.fsum(amounts[np.isfinite(amounts)])


def check_account(world: World) -> None:
    errors = world.truth_errors[world.truth_errors["table"] == "transactions"]
    assert len(world.transactions) == len(world.truth_lines) + errors["lines_added"].sum()
    expected = math.fsum([finite_money(world.truth_lines["amount"]), *errors["amount_added"]])
    assert finite_money(world.transactions["amount"]) == pytest.approx(expected, abs=0.05, rel=0)


def test_truth_and_errors_make_up_the_raw_log_in_rows_and_money(world: World) -> None:
    check_account(world)


@pytest.mark.parametrize(("customers", "days"), SIZES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_account_balances_at_any_size(customers: int, days: int, seed: int) -> None:
    check_account(simulate(DemoConfig(customers=customers, days=days, seed=seed)))


def test_every_kind_of_error_is_planted_at_the_default_size(world: World) -> None:
    assert (world.truth_errors["lines"] > 0).all()
    assert world.truth_errors["kind"].is_unique


def test_what_is_entered_is_what_can_be_counted_in_the_log(world: World) -> None:
    raw = world.transactions
    repeated = raw.duplicated()
    assert repeated.sum() == lines_of(world, "exact repeat")
    once = raw[~repeated]
    counted = {
        "no customer": once["customer_id"].isna(),
        "no date": once["ordered_at"].isna(),
        "date in 1900": once["ordered_at"].dt.year == 1900,
        "date in 2099": once["ordered_at"].dt.year == 2099,
        "no amount": once["amount"].isna(),
        "infinite amount": np.isinf(once["amount"]),
        "absurd amount": once["amount"] == ABSURD,
        "infinite quantity": np.isinf(once["quantity"]),
        "price of zero": once["unit_price"] == 0,
        "negative price": once["unit_price"] < 0,
    }
    assert {kind: int(found.sum()) for kind, found in counted.items()} == {
        kind: lines_of(world, kind) for kind in counted
    }
    assert set(counted) == {damage.kind for damage in DAMAGES}


def test_a_line_carries_at_most_one_error_that_cannot_be_mended(world: World) -> None:
    spoilt = world.truth_lines["spoilt"].value_counts()
    assert spoilt.to_dict() == {damage.kind: lines_of(world, damage.kind) for damage in DAMAGES}
    damaged = world.truth_lines[world.truth_lines["spoilt"].notna()]
    assert (damaged["amount"] > 0).all()
    assert damaged["cancelled_at"].isna().all()


def test_spoilt_amounts_cannot_be_computed_from_the_price(world: World) -> None:
    raw = world.transactions
    bad = raw[~(raw["amount"].abs() < 1e12)]
    assert len(bad) == sum(lines_of(world, kind) for kind in ("no amount", "infinite amount", "absurd amount"))
    assert not (bad["unit_price"].abs() < 1e12).any()


def test_non_product_lines_carry_their_codes(world: World) -> None:
    counts = world.transactions["product_id"].value_counts()
    for kind in NON_PRODUCTS:
        assert counts[kind.code] == lines_of(world, kind.code)
    assert not world.truth_lines["product_id"].isin([kind.code for kind in NON_PRODUCTS]).any()


def keys(lines: pd.DataFrame) -> pd.Series:
    codes = lines["product_id"].str.strip().str.upper()
    return lines["customer_id"] + "|" + codes + "|" + lines["quantity"].abs().astype("int64").astype("str")


def test_a_cancelling_line_finds_exactly_one_purchase(world: World) -> None:
    raw = world.transactions[world.transactions["order_id"].str.startswith("X")]
    cancelled = world.truth_lines.dropna(subset="cancelled_at")
    assert len(raw) == len(cancelled) == lines_of(world, "cancelling line")
    assert (raw["amount"] < 0).all()
    assert (raw["quantity"] < 0).all()
    true_id = world.truth_cards.set_index("card_id")["customer_id"]
    raw = raw.assign(customer_id=raw["customer_id"].map(true_id))
    assert sorted(zip(keys(raw), raw["ordered_at"], strict=True)) == sorted(
        zip(keys(cancelled), cancelled["cancelled_at"], strict=True)
    )
    bought = keys(world.truth_lines[world.truth_lines["amount"] > 0]).value_counts()
    assert (bought[keys(cancelled)] == 1).all()


def test_a_return_can_never_be_taken_for_a_cancellation(world: World) -> None:
    lines = world.truth_lines
    returned, bought = lines[lines["amount"] < 0], lines[lines["amount"] > 0]
    assert not keys(returned).isin(set(keys(bought))).any()


def test_a_few_huge_orders_are_bought_and_cancelled_within_minutes(world: World) -> None:
    cancelled = world.truth_lines.dropna(subset="cancelled_at")
    quick = cancelled[cancelled["cancelled_at"] - cancelled["ordered_at"] < pd.Timedelta(minutes=31)]
    orders = quick.groupby("order_id")["amount"].sum()
    assert 3 <= len(orders) <= 10
    usual = world.truth_lines.groupby("order_id")["amount"].sum().median()
    assert orders.median() > 20 * usual


def test_codes_differ_in_case_or_blanks_only(world: World) -> None:
    raw = world.transactions.drop_duplicates()
    known = set(world.truth_lines["product_id"])
    codes = raw.loc[~raw["product_id"].isin([kind.code for kind in NON_PRODUCTS]), "product_id"]
    spelt = codes[~codes.isin(known)]
    assert set(spelt.str.strip().str.upper()) <= known
    from_cancelled = raw.loc[spelt.index, "order_id"].str.startswith("X").sum()
    assert len(spelt) - from_cancelled == lines_of(world, "code in other case or with blanks")


def test_a_customer_in_two_regions_ends_in_the_true_one(world: World) -> None:
    true_id = world.truth_cards.set_index("card_id")["customer_id"]
    raw = world.transactions.dropna(subset=["customer_id", "ordered_at"])
    raw = raw[raw["ordered_at"].dt.year.between(2000, 2098)]
    raw = raw.assign(customer_id=raw["customer_id"].map(true_id)).sort_values("ordered_at", kind="stable")
    regions = raw.groupby("customer_id")["region"].agg(["nunique", "last"])
    several = regions[regions["nunique"] > 1]
    assert len(several) == entry(world, "customer in two regions")["customers"]
    truth = world.truth_lines.groupby("customer_id")["region"].agg("first")
    assert (regions["last"] == truth[regions.index]).all()


def test_second_cards_share_the_tax_id_or_the_name_and_some_orders(world: World) -> None:
    cards = world.customers.merge(world.truth_cards, left_on="customer_id", right_on="card_id", suffixes=("", "_true"))
    assert cards["customer_id"].is_unique
    main = cards[cards["card"] == "main"].set_index("customer_id")
    second = cards[cards["card"] != "main"]
    owner = main.loc[second["customer_id_true"]]
    same_tax_id = (second["tax_id"].to_numpy() == owner["tax_id"].to_numpy()) & second["tax_id"].notna().to_numpy()
    assert (same_tax_id == (second["card"] == "same tax id").to_numpy()).all()
    assert second["tax_id"].isna().sum() == (second["card"] == "same name").sum() > 0
    assert (second["name"].to_numpy() != owner["name"].to_numpy()).all()
    assert (second["registered_on"].to_numpy() > owner["registered_on"].to_numpy()).all()
    on_second = world.transactions["customer_id"].isin(second["customer_id"])
    assert on_second.sum() >= lines_of(world, "order on a second card") > 500


def test_no_two_companies_share_a_name_or_a_tax_id(world: World) -> None:
    main = world.customers.head(len(world.truth))
    words = main["name"].str.extract(r"([А-Яа-яA-Za-z]{5,}(?: \d+)?)", expand=False)
    assert words.is_unique
    assert main["tax_id"].dropna().is_unique
    assert main["tax_id"].dropna().str.fullmatch(r"00\d{8}").all()


def test_names_stay_different_when_the_words_run_out() -> None:
    names = simulate(DemoConfig(customers=6_000, days=1)).customers["name"].head(6_000)
    assert names.str.contains(r" \d", regex=True).any()
    assert names.str.strip('«»" ').is_unique


def test_empty_fields_are_entered(world: World) -> None:
    main = world.customers.head(len(world.truth))
    for column in EMPTY:
        assert main[column].isna().sum() == lines_of(world, f"no {column}")


def test_line_keys_tell_customers_articles_and_quantities_apart() -> None:
    company, article, quantity = np.array([0, 0, 1, 0]), np.array([1, 0, 0, 0]), np.array([1.0, 1.0, 1.0, -2.0])
    assert len(set(line_key(company, article, quantity))) == 4
    assert line_key(company, article, quantity)[3] == line_key(company, article, -quantity)[3]
