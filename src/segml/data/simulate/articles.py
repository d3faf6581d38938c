"""What stands on the lines of an order: articles out of the company's needs, units and money."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.random import Generator

from segml.data.simulate.catalogue import Catalogue
from segml.data.simulate.clock import Clock, Floats, Ints
from segml.data.simulate.companions import Companions
from segml.data.simulate.draws import pick
from segml.data.simulate.fates import Fates
from segml.data.simulate.needs import Needs
from segml.data.simulate.orders import Orders
from segml.data.simulate.prices import list_factor

USUAL_ARTICLES = 0.35  # geometric: the favourite, the next one, …
POPULARITY = 2.0  # the higher, the more the first articles of a family sell
LINE_EVENNESS = 2.0
SINGLE_UNITS_UP_TO, PACK = 20, 10  # larger quantities come in tens
MOST_UNITS = 100_000


@dataclass(frozen=True)
class Lines:
    """One entry an order line in every array; ``order`` points into the orders."""

    order: Ints
    company: Ints
    day: Floats
    channel: Ints
    article: Ints
    quantity: Floats
    unit_price: Floats  # net of discount
    unit_cost: Floats
    unit_list_price: Floats

    def __len__(self) -> int:
        return len(self.order)

    def of(self, which: Any) -> Lines:
        """Return some of the lines."""
        return Lines(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def joined(self, other: Lines) -> Lines:
        """Return these lines followed by the others."""
        pairs = {field.name: (getattr(self, field.name), getattr(other, field.name)) for field in fields(self)}
        return Lines(**{name: np.concatenate(pair) for name, pair in pairs.items()})


def make(
    rng: dict[str, Generator],
    orders: Orders,
    needs: Needs,
    fates: Fates,
    catalogue: Catalogue,
    companions: Companions,
    clock: Clock,
) -> Lines:
    """Return the lines of the orders; an article stands only once on an order, lost families are bought elsewhere."""
    order, article = _chosen(rng["articles"], orders, needs, catalogue)
    order, article = companions.added(rng["companions"], order, orders.company[order], article)
    return _lines(rng["articles"], order, article, orders, fates, catalogue, clock)


def _chosen(rng: Generator, orders: Orders, needs: Needs, catalogue: Catalogue) -> tuple[Ints, Ints]:
    """Return the order and the article of each line."""
    order = np.repeat(np.arange(len(orders.lines)), orders.lines)
    company = orders.company[order]
    family = pick(rng, needs.weight, company)
    return order, _article(rng, orders.exploration[order], needs.favourite[company, family], family, catalogue)


def _lines(
    rng: Generator, order: Ints, article: Ints, orders: Orders, fates: Fates, catalogue: Catalogue, clock: Clock
) -> Lines:
    company, day = orders.company[order], orders.day[order]
    share = rng.standard_gamma(LINE_EVENNESS, len(order)) + 0.05
    value = orders.value[order] * share / np.bincount(order, share, minlength=len(orders.lines))[order]
    rise = list_factor(clock, day)
    list_price = np.round(catalogue.price[article] * rise, 2)
    unit_price = np.maximum(np.round(list_price * (1 - orders.discount[order]), 2), 0.01)
    lines = Lines(
        order=order,
        company=company,
        day=day,
        channel=orders.channel[order],
        article=article,
        quantity=_whole_units(value / unit_price),
        unit_price=unit_price,
        unit_cost=catalogue.cost[article] * rise,
        unit_list_price=list_price,
    )
    return lines.of(
        _first_of_article(order, article, catalogue) & (day < fates.lost_families[company, catalogue.family[article]])
    )


def _article(rng: Generator, exploration: Floats, favourite: Ints, family: Ints, catalogue: Catalogue) -> Ints:
    size = catalogue.size[family]
    usual = (favourite + rng.geometric(USUAL_ARTICLES, len(family)) - 1) % size
    any_article = np.floor(rng.random(len(family)) ** POPULARITY * size).astype(np.int64)
    return catalogue.first[family] + np.where(rng.random(len(family)) < exploration, any_article, usual)


def _whole_units(units: Floats) -> Floats:
    units = np.clip(np.round(units), 1.0, MOST_UNITS)
    return np.where(units > SINGLE_UNITS_UP_TO, PACK * np.round(units / PACK), units)


def _first_of_article(order: Ints, article: Ints, catalogue: Catalogue) -> Any:
    _, first = np.unique(order * len(catalogue.family) + article, return_index=True)
    is_first = np.zeros(len(order), dtype=np.bool_)
    is_first[first] = True
    return is_first
