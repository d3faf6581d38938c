"""The whole world: companies live, order and leave; then the log is spoilt as real logs are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from numpy.random import Generator

from segml.config import DemoConfig
from segml.data.simulate import (
    agenda,
    articles,
    campaigns,
    cancellations,
    cards,
    catalogue,
    companies,
    companions,
    contracts,
    dirt,
    fates,
    ledger,
    needs,
    orders,
    portal,
    prices,
    returns,
    rhythm,
    truth,
)
from segml.data.simulate.campaigns import Run
from segml.data.simulate.catalogue import Catalogue
from segml.data.simulate.clock import Clock, Floats
from segml.data.simulate.companies import Companies
from segml.data.simulate.companions import Companions
from segml.data.simulate.fates import Fates
from segml.data.simulate.needs import Needs
from segml.data.simulate.streams import streams


@dataclass(frozen=True)
class World:
    """What a company would hand us, errors included, and the truth behind it, which it could not."""

    transactions: pd.DataFrame  # schema.TRANSACTIONS without cost
    customers: pd.DataFrame  # schema.CUSTOMERS; some companies on two cards
    usage: pd.DataFrame  # schema.USAGE
    contracts: pd.DataFrame  # schema.CONTRACTS
    touches: pd.DataFrame  # schema.TOUCHES
    truth: pd.DataFrame  # one row a company: hidden type, habits, fate
    truth_lines: pd.DataFrame  # schema.ORDER_LINES without errors; ``spoilt``: the error that cannot be mended
    truth_errors: pd.DataFrame  # one row a kind of error planted
    truth_cards: pd.DataFrame  # one row a customer card: whose it is
    truth_campaigns: pd.DataFrame  # one row a run of a campaign: its true effect
    truth_families: pd.DataFrame  # one row a company and product family that it has come to buy elsewhere
    truth_pairs: pd.DataFrame  # one row a pair of articles that go together; none unless asked for


def simulate(demo: DemoConfig) -> World:
    """Return a B2B world of this size and seed: the same one whenever and wherever it is asked for.

    Some 100 order lines a company over three years. ``truth_lines`` and ``truth_errors`` together make up
    ``transactions``: in rows, and in finite money.
    """
    rng, clock = streams(demo.seed), Clock(demo.end, demo.days)
    goods = catalogue.make(rng["catalogue"])
    firms = companies.make(rng["companies"], demo.customers)
    need = needs.make(rng["needs"], firms, goods)
    anniversary = contracts.anniversaries(rng["contracts"], firms)
    fate = fates.make(rng["fates"], firms, need, anniversary, clock.days)
    runs = campaigns.make(rng["campaigns"], fate, clock)
    use = portal.make(rng["portal"], firms, fate)
    second_cards = cards.second_cards(rng["cards"], len(firms))
    mates = companions.make(rng["companions"], goods, demo.companions, len(firms))
    lines = _lines(rng, firms, need, fate, runs, goods, mates, clock)
    transactions, spoilt, planted = dirt.spoil(rng, lines, second_cards)
    customers, on_cards = cards.table(rng, firms, fate, anniversary, second_cards, clock)
    return World(
        transactions=transactions,
        customers=customers,
        usage=portal.usage(rng["portal"], use, fate, clock),
        contracts=agenda.contracts(fate, anniversary, clock),
        touches=agenda.touches(runs, len(firms), clock),
        truth=truth.customers(firms, need, fate, anniversary, use.uses, clock),
        truth_lines=lines.assign(spoilt=spoilt),
        truth_errors=ledger.table([*planted, *on_cards]),
        truth_cards=cards.mapping(second_cards, len(firms)),
        truth_campaigns=truth.campaigns(runs, clock),
        truth_families=truth.lost_families(fate, clock),
        truth_pairs=mates.table(goods),
    )


def _lines(
    rng: dict[str, Generator],
    firms: Companies,
    need: Needs,
    fate: Fates,
    runs: list[Run],
    goods: Catalogue,
    mates: Companions,
    clock: Clock,
) -> pd.DataFrame:
    mood = rhythm.moods(rng["moods"], len(firms), clock.days)
    rate = _rate(firms, fate, runs, mood, clock)
    visits = rhythm.visits(rng["rhythm"], firms, fate, rate, clock)
    placed = orders.make(rng["orders"], visits, firms, fate, mood, clock)
    bought = articles.make(rng, placed, need, fate, goods, mates, clock)
    purchases = cancellations.make(rng["cancellations"], bought, len(firms), clock.days)
    returned = returns.make(rng["returns"], purchases, clock.days)
    return truth.lines(purchases, returned, firms, goods, clock)


def _rate(firms: Companies, fate: Fates, runs: list[Run], mood: Floats, clock: Clock) -> Floats:
    middle = rhythm.weeks(clock.days)
    rate = rhythm.rates(firms, fate, mood, prices.promotion(clock, middle), clock)
    return rate * campaigns.uplift(runs, len(firms), middle)
