"""The customers table as a CRM has it: firmographics, some fields empty, some companies on two cards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml import schema
from segml.data.simulate import ledger, names
from segml.data.simulate.archetypes import ROLES
from segml.data.simulate.clock import YEAR, Clock, Flags, Floats, Ints
from segml.data.simulate.companies import COUNTRIES, HOME, INDUSTRIES, REGIONS, Companies
from segml.data.simulate.draws import sample
from segml.data.simulate.edits import overwritten
from segml.data.simulate.fates import Fates
from segml.data.simulate.ledger import Planted
from segml.data.simulate.truth import customer_id, customer_ids, text

SAME_TAX_ID, SAME_NAME = 0.02, 0.02  # shares of companies with a second card
ON_SECOND_CARD = 0.35  # share of such a company's orders
EMPTY = {"industry": 0.04, "employees": 0.08, "potential": 0.25, "tax_id": 0.03}
LATIN_AT_HOME, LATIN_ABROAD = 0.15, 0.75
"""Shares of companies with a Latin name."""

CHANCES = 1.35  # mean order over median order: orders have heavy tails
COST_PER_ORDER, COST_PER_YEAR, COST_SPREAD = 900.0, 7_000.0, 0.5
STRATEGIC_AMONG_LARGE, STRATEGIC_ELSEWHERE = 0.30, 0.004


@dataclass(frozen=True)
class SecondCards:
    """Companies that stand on two cards."""

    company: Ints
    card: list[str]
    by_tax_id: Flags  # else: by name


def second_cards(rng: Generator, companies: int) -> SecondCards:
    """Return who stands on two cards; the second cards are numbered on from the first."""
    company = sample(rng, np.arange(companies), SAME_TAX_ID + SAME_NAME)
    card = [customer_id(companies + number) for number in range(len(company))]
    return SecondCards(company, card, rng.random(len(company)) < SAME_TAX_ID / (SAME_TAX_ID + SAME_NAME))


def mapping(cards: SecondCards, companies: int) -> pd.DataFrame:
    """Return one row a card: whose it is."""
    company = np.concatenate([np.arange(companies), cards.company])
    ids = customer_ids(companies)
    same = np.where(cards.by_tax_id, "same tax id", "same name")
    return pd.DataFrame(
        {
            "card_id": pd.Series([*ids, *cards.card], dtype="str"),
            "customer_id": text(ids, company),
            "card": pd.Series(["main"] * companies + same.tolist(), dtype="str"),
        }
    )


def split(rng: Generator, cards: SecondCards, raw: pd.DataFrame) -> tuple[pd.DataFrame, Planted]:
    """Book a part of these companies' orders on their second card."""
    card = pd.Series(cards.card, index=[customer_id(company) for company in cards.company], dtype="str")
    orders = raw.loc[raw["company"].isin(card.index), "order_id"].unique()
    moved = raw[raw["order_id"].isin(orders[rng.random(len(orders)) < ON_SECOND_CARD])]
    ids = moved["company"].map(card).astype("str").rename("customer_id")
    after = overwritten(raw, ids.to_frame())
    entry = ledger.changed("duplicate_cards", "order on a second card", moved, after.loc[moved.index])
    return after, entry


def table(
    rng: dict[str, Generator],
    companies: Companies,
    fates: Fates,
    anniversary: Floats,
    cards: SecondCards,
    clock: Clock,
) -> tuple[pd.DataFrame, list[Planted]]:
    """Return the customers table, main cards first, and what was planted in it."""
    latin = rng["names"].random(len(companies)) < np.where(companies.country == HOME, LATIN_AT_HOME, LATIN_ABROAD)
    bare = names.bare_names(rng["names"], latin)
    main = _main_cards(rng["customers"], companies, fates, anniversary, clock)
    main = main.assign(name=pd.Series(names.legal_names(rng["names"], bare, latin), dtype="str"))
    second = _second_cards(rng["customers"], main, cards)
    spelt = names.misspelt(rng["names"], [bare[at] for at in cards.company], latin[cards.company])
    second = second.assign(name=spelt)
    main, entries = _emptied(rng["customers"], main, cards)
    columns = list(schema.CUSTOMERS.names)
    both = pd.concat([main, second], ignore_index=True).astype(main.dtypes.to_dict())[columns]
    return both, [*entries, *_entries(cards)]


def _entries(cards: SecondCards) -> list[Planted]:
    counts = {"same tax id": int(cards.by_tax_id.sum()), "same name": int((~cards.by_tax_id).sum())}
    return [ledger.cards("duplicate_cards", f"second card, {by}", count, count) for by, count in counts.items()]


def _second_cards(rng: Generator, main: pd.DataFrame, cards: SecondCards) -> pd.DataFrame:
    second = main.iloc[cards.company]
    return second.assign(
        customer_id=cards.card,
        is_strategic=False,
        tax_id=second["tax_id"].where(cards.by_tax_id),
        registered_on=second["registered_on"] + pd.to_timedelta(rng.integers(20, 400, len(second)), unit="D"),
    )


def _main_cards(rng: Generator, companies: Companies, fates: Fates, anniversary: Floats, clock: Clock) -> pd.DataFrame:
    count = len(companies)
    volume = companies.order_value * CHANCES * YEAR / companies.rhythm_days
    is_large = volume >= np.quantile(volume, 0.95)
    cost = COST_PER_YEAR + COST_PER_ORDER * YEAR / companies.rhythm_days
    cost *= np.exp(COST_SPREAD * rng.standard_normal(count))
    stage = np.where(np.isfinite(anniversary), "frame contract", "customer")
    return pd.DataFrame(
        {
            "customer_id": pd.Series(customer_ids(count), dtype="str"),
            "tax_id": pd.Series(_tax_ids(rng, count), dtype="str"),
            "industry": text(INDUSTRIES, companies.industry),
            "employees": companies.employees,
            "region": text(REGIONS, companies.region),
            "country": text(COUNTRIES, companies.country),
            "role": text(ROLES, companies.role),
            "registered_on": clock.stamps(fates.started - rng.integers(0, 30, count)),
            "potential": np.round(volume / rng.beta(2.0, 2.0, count).clip(0.1, 0.95), -3),
            "cost_to_serve": np.round(cost, -2),
            "is_strategic": rng.random(count) < np.where(is_large, STRATEGIC_AMONG_LARGE, STRATEGIC_ELSEWHERE),
            "funnel_stage": pd.Series(stage, dtype="str"),
        }
    )


def _tax_ids(rng: Generator, count: int) -> list[str]:
    """Ten digits that begin with 00, which no tax office gives out."""
    numbers = rng.choice(max(10**8, count), size=count, replace=False)
    return [f"{number:010d}" for number in numbers]


def _emptied(rng: Generator, main: pd.DataFrame, cards: SecondCards) -> tuple[pd.DataFrame, list[Planted]]:
    """Leave some fields empty; the tax id that two cards share stays."""
    entries = []
    shares_tax_id = np.isin(np.arange(len(main)), cards.company)
    for column, share in EMPTY.items():
        empty = rng.random(len(main)) < share
        if column == "tax_id":
            empty &= ~shares_tax_id
        main = main.assign(**{column: main[column].mask(empty)})
        entries.append(ledger.cards("empty_fields", f"no {column}", int(empty.sum()), 0))
    return main, entries
