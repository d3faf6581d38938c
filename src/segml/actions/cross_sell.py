"""Cross-sell: who buys glue buys edge tape, too; this customer buys only glue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from segml.actions.association import Ints, associated, breadth_strata
from segml.actions.offering import best_offers
from segml.config import CrossSellConfig
from segml.features.baskets import Baskets, LeftOut
from segml.language import _, ngettext

RULES = {
    "bought": "str",
    "item": "str",
    "baskets_bought": "int64",
    "baskets_item": "int64",
    "baskets_both": "int64",
    "customers_both": "int64",
    "support": "float64",
    "confidence": "float64",
    "lift": "float64",
    "lift_like": "float64",
    "p_value": "float64",
    "p_adjusted": "float64",
}
"""Columns of the rules, with their types: who buys ``bought`` is offered ``item``.

``support`` is the share of all baskets that hold both, ``confidence`` the share of those with ``bought`` that do,
``lift`` that share over the one of all baskets; ``lift_like`` is the lift among baskets of the same breadth.
"""


@dataclass(frozen=True, repr=False)
class CrossSelling:
    """What sells with what, and what to offer to whom.

    Attributes
    ----------
    rules : one row a rule, the least likely to be chance first; columns of ``RULES``
    offers : one row a customer and offer, most money first; columns of ``OFFERS``
    items : how many items were looked at; below 2 there is nothing to compare
    notices : what was not looked at, in words
    """

    rules: pd.DataFrame
    offers: pd.DataFrame
    items: int
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        customers = self.offers["customer_id"].nunique()
        return f"CrossSelling({len(self.rules):,} rules, {len(self.offers):,} offers to {customers:,} customers)"


def cross_sell(baskets: Baskets, config: CrossSellConfig) -> CrossSelling:
    """Return what sells with what among baskets of the same breadth, and the best offers to each customer.

    Customers are compared with those who buy as many different items, because large customers buy everything; orders
    with the other orders of the same customer (``association.associated``). An offer is made to customers who buy the
    one item and never bought the other: who used to buy it is a case of ``features.silent``.

    Parameters
    ----------
    baskets : of ``features.baskets.gather``
    config : what they were gathered under
    """
    breadth = np.asarray(baskets.bought.sum(axis=1), dtype=np.int64)
    is_told = (breadth > 1) & (breadth <= config.max_basket_items)
    pairs = associated(
        baskets.bought[is_told],
        breadth_strata(breadth[is_told]) if config.basket == "customer" else baskets.owner[is_told],
        at_least=config.min_customers,
        min_lift=config.min_lift,
        rate=config.false_discovery_rate,
    )
    pairs = pairs.assign(lift_like=pairs["together"] / pairs["expected"])
    by_chance = ["p_value", "lift_like", "first", "second"]
    strongest = pairs.sort_values(by_chance, ascending=[True, False, True, True]).head(config.max_pairs)
    told = _with_counts(strongest, baskets)
    rules = _rules(told[told["customers_both"] >= config.min_customers], baskets)
    notices = (*_untold(baskets, config), *_left_out(baskets.left_out, config), *_too_many(breadth, len(pairs), config))
    return CrossSelling(rules, best_offers(rules, baskets, config.per_customer), len(baskets.items), notices)


def _with_counts(pairs: pd.DataFrame, baskets: Baskets) -> pd.DataFrame:
    """Return pairs with the number of all baskets, and of different customers, that hold both."""
    by_item = baskets.bought.tocsc()
    both = by_item[:, pairs["first"].to_numpy()].multiply(by_item[:, pairs["second"].to_numpy()]).tocsr()
    rows = len(baskets.owner)
    of_customer = csr_array(
        (np.ones(rows, np.int32), (baskets.owner, np.arange(rows))), shape=(len(baskets.customers), rows)
    )
    customers = (of_customer @ both).tocsc()
    return pairs.assign(baskets_both=np.asarray(both.sum(axis=0)), customers_both=np.diff(customers.indptr))


def _rules(pairs: pd.DataFrame, baskets: Baskets) -> pd.DataFrame:
    """Return each pair as a rule one way and the other."""
    ways = [pairs.rename(columns={"first": one, "second": other}) for one, other in (("a", "b"), ("b", "a"))]
    rules = pd.concat(ways, ignore_index=True)
    held, total = np.asarray(baskets.bought.sum(axis=0)), baskets.basket_count
    bought, item = held[rules["a"]], held[rules["b"]]
    confidence = rules["baskets_both"] / bought
    told = rules.assign(
        bought=baskets.items[rules["a"]],
        item=baskets.items[rules["b"]],
        baskets_bought=bought,
        baskets_item=item,
        support=rules["baskets_both"] / total,
        confidence=confidence,
        lift=confidence * total / item,
    )
    by_chance = ["p_value", "lift_like", "bought", "item"]
    ordered = told.sort_values(by_chance, ascending=[True, False, True, True], ignore_index=True)
    return ordered.reindex(columns=list(RULES)).astype(RULES)


def _untold(baskets: Baskets, config: CrossSellConfig) -> list[str]:
    if baskets.basket_count:
        return []
    told = {
        "category": _("no line of the window tells a category: map one, or set cross_sell.by to product_id"),
        "product_id": _("no line of the window tells a product: map product_id, or set cross_sell.by to category"),
    }
    return [told[config.by]]


def _left_out(left_out: LeftOut, config: CrossSellConfig) -> list[str]:
    rare = ngettext(
        "{n:,} item that fewer than {least} customers buy is in no rule: {share:.1%} of the money",
        "{n:,} items that fewer than {least} customers buy are in no rule: {share:.1%} of the money",
        left_out.rare,
    ).format(n=left_out.rare, least=config.min_customers, share=left_out.rare_share)
    beyond = ngettext(
        "{n:,} item is beyond the {most:,} with the most customers, and in no rule: {share:.1%} of the money",
        "{n:,} items are beyond the {most:,} with the most customers, and in no rule: {share:.1%} of the money",
        left_out.beyond,
    ).format(n=left_out.beyond, most=config.max_items, share=left_out.beyond_share)
    return [text for count, text in ((left_out.rare, rare), (left_out.beyond, beyond)) if count]


def _too_many(breadth: Ints, pairs: int, config: CrossSellConfig) -> list[str]:
    broad, weak = int((breadth > config.max_basket_items).sum()), max(pairs - config.max_pairs, 0)
    baskets = ngettext(
        "{n:,} basket of more than {most:,} items is left out of the rules: it says nothing of any two of them",
        "{n:,} baskets of more than {most:,} items are left out of the rules: they say nothing of any two of them",
        broad,
    ).format(n=broad, most=config.max_basket_items)
    rules = ngettext(
        "{n:,} pair of items is associated, too, but beyond the {most:,} strongest",
        "{n:,} pairs of items are associated, too, but beyond the {most:,} strongest",
        weak,
    ).format(n=weak, most=config.max_pairs)
    return [text for count, text in ((broad, baskets), (weak, rules)) if count]
