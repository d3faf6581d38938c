"""Articles that go with others, as edge tape with glue: off by default, for tests of what is found of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml.data.simulate.catalogue import Catalogue
from segml.data.simulate.clock import Flags, Ints

COMPANIES = 0.6
"""Share of companies that need the companion."""
ORDERS = 0.7
"""Share of their orders of the article that hold the companion, too."""


@dataclass(frozen=True)
class Companions:
    """``companion`` is bought with ``article``; ``needed`` tells by which companies (companies × pairs)."""

    article: Ints
    companion: Ints
    needed: Flags

    def added(self, rng: Generator, order: Ints, company: Ints, article: Ints) -> tuple[Ints, Ints]:
        """Return the lines of the orders, companions among them: their order and article, sorted by order."""
        orders, articles = [order], [article]
        for pair, (one, other) in enumerate(zip(self.article, self.companion, strict=True)):
            holds = np.flatnonzero((article == one) & self.needed[company, pair])
            also = order[holds[rng.random(len(holds)) < ORDERS]]
            orders.append(also)
            articles.append(np.full(len(also), other))
        both = np.concatenate(orders)
        by_order = np.argsort(both, kind="stable")
        return both[by_order], np.concatenate(articles)[by_order]

    def table(self, catalogue: Catalogue) -> pd.DataFrame:
        """Return the pairs, one a row."""
        names = np.array(catalogue.product_id, dtype=object)
        pairs = {"product_id": names[self.article], "companion_id": names[self.companion]}
        return pd.DataFrame(pairs).astype("str")


def make(rng: Generator, catalogue: Catalogue, pairs: int, companies: int) -> Companions:
    """Return so many pairs of articles of different families; an article is in one pair at most."""
    drawn = rng.permutation(len(catalogue.family))
    half = len(drawn) // 2
    one, other = drawn[:half], drawn[half : 2 * half]
    differ = np.flatnonzero(catalogue.family[one] != catalogue.family[other])[:pairs]
    return Companions(one[differ], other[differ], rng.random((companies, len(differ))) < COMPANIES)
