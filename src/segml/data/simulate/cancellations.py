"""Purchases that are cancelled in full: single lines days later, and a few huge orders minutes later."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from segml.data.simulate.articles import Lines
from segml.data.simulate.clock import NEVER, Floats, Ints
from segml.data.simulate.draws import sample

CANCELLED = 0.008
"""Share of purchase lines cancelled later."""
MEAN_DELAY_DAYS, SHORTEST_DELAY_DAYS = 5.0, 0.05

MISTAKES_A_COMPANY = 0.003
"""Huge orders, entered by mistake and cancelled within minutes, for each company."""
MISTAKE_TIMES = (60, 150)
MISTAKE_LAST_DIGIT = 7  # no other quantity above 20 is odd in its last digit, so that the cancellation finds its order
BEFORE_THE_RIGHT_ORDER, NOTICED_AFTER = 40 / 1440, (4 / 1440, 30 / 1440)  # days

_QUANTITIES = 2**20


@dataclass(frozen=True)
class Purchases:
    """All purchase lines, and the day on which each is cancelled in full: never for most."""

    lines: Lines
    cancelled: Floats


def line_key(company: Ints, article: Ints, quantity: Floats) -> Ints:
    """Return one number for customer, article and (absolute) quantity: by it a cancellation finds its purchase."""
    articles = 2**16
    return (company * articles + article) * _QUANTITIES + np.abs(quantity).astype(np.int64)


def make(rng: Generator, lines: Lines, companies: int, days: int) -> Purchases:
    """Return the purchase lines, mistaken orders added, with the day on which they are cancelled."""
    cancelled = _cancelled(rng, lines, days)
    mistakes = _mistakes(rng, lines, round(MISTAKES_A_COMPANY * companies))
    noticed = mistakes.day + rng.uniform(*NOTICED_AFTER, len(mistakes))
    return Purchases(lines.joined(mistakes), np.concatenate([cancelled, noticed]))


def _cancelled(rng: Generator, lines: Lines, days: int) -> Floats:
    """Only lines that no other line of the customer resembles are cancelled: so it is certain which one it was."""
    key = line_key(lines.company, lines.article, lines.quantity)
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    chosen = sample(rng, np.flatnonzero(count[place] == 1), CANCELLED)
    delay = SHORTEST_DELAY_DAYS + MEAN_DELAY_DAYS * rng.standard_exponential(len(chosen))
    cancelled = np.full(len(lines), NEVER)
    cancelled[chosen] = lines.day[chosen] + delay
    return np.where(cancelled < days, cancelled, NEVER)


def _mistakes(rng: Generator, lines: Lines, count: int) -> Lines:
    """Copy some orders, at most one a company, with a quantity typed far too large, just before the right one."""
    orders, first = np.unique(lines.order, return_index=True)
    chosen = rng.choice(len(orders), size=min(count, len(orders)), replace=False)
    _, one_each = np.unique(lines.company[first[chosen]], return_index=True)
    copied = lines.of(np.isin(lines.order, orders[chosen[one_each]]))
    times = rng.integers(*MISTAKE_TIMES, size=len(copied))
    quantity = np.minimum(copied.quantity * times, _QUANTITIES / 2)
    return replace(
        copied,
        order=copied.order + lines.order.max(initial=0) + 1,
        day=copied.day - BEFORE_THE_RIGHT_ORDER,
        quantity=10 * np.floor(quantity / 10) + MISTAKE_LAST_DIGIT,
    )
