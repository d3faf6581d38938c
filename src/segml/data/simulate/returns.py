"""Goods that come back: a part of a line, some weeks later, for the price that was paid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from segml.data.simulate.articles import Lines
from segml.data.simulate.cancellations import Purchases, line_key
from segml.data.simulate.draws import sample

RETURNED = 0.018
"""Share of purchase lines of which a part comes back."""
SOONEST_DAYS, LATEST_DAYS = 3, 45
PART = (0.1, 0.6)


def make(rng: Generator, purchases: Purchases, days: int) -> Lines:
    """Return the returns within the log, as lines with negative quantity on orders (credit notes) of their own.

    What comes back is less than the line, and never as much as another line of this customer and article: a full
    return could not be told from a cancellation.
    """
    lines = purchases.lines
    candidates = np.flatnonzero((lines.quantity >= 2) & ~np.isfinite(purchases.cancelled))
    source = lines.of(sample(rng, candidates, RETURNED))
    units = np.minimum(np.ceil(source.quantity * rng.uniform(*PART, len(source))), source.quantity - 1)
    delay = rng.integers(SOONEST_DAYS, LATEST_DAYS, size=len(source), endpoint=True)
    returned = replace(source, day=source.day + delay, quantity=-units, order=np.arange(len(source)))
    bought = line_key(lines.company, lines.article, lines.quantity)
    confusable = np.isin(line_key(returned.company, returned.article, returned.quantity), bought)
    return returned.of((returned.day < days) & ~confusable)
