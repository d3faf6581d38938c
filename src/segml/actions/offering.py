"""Offers: to whom the rules of cross-sell apply, and how much money each is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_array

from segml.actions.association import Floats, Ints, breadth_strata
from segml.features.baskets import Baskets
from segml.language import _

OFFERS = {
    "customer_id": "str",
    "item": "str",
    "bought": "str",
    "expected_money": "float64",
    "share_like": "float64",
    "typical_spend": "float64",
    "spend_bought": "float64",
    "support": "float64",
    "confidence": "float64",
    "lift": "float64",
    "lift_like": "float64",
    "customers_both": "int64",
    "reason": "str",
}
"""Columns of the offers, with their types: ``item`` is offered to a customer who buys ``bought``, and never bought it.

``share_like`` is the share of those who buy ``bought`` and as many other items that buy ``item``, too. What they spend
on ``item`` for each money on ``bought``, times the customer's ``spend_bought`` there, is ``typical_spend``: in a
window, as all money here. ``expected_money`` is the product of both.
"""

PRIOR_CUSTOMERS = 10.0
"""Customers with the confidence of the rule that every stratum of breadth is lent."""
MOST_SPEND = 0.9
"""No offer is thought to bring more than what this share of the item's customers spend at most."""


def best_offers(rules: pd.DataFrame, baskets: Baskets, per_customer: int) -> pd.DataFrame:
    """Return the offers of most money to each customer, most money first, and one for each item: ``OFFERS``.

    The money is what customers like this one make of it, in a window; whether an offer makes this customer do so, only
    a campaign with a control group tells.

    Parameters
    ----------
    rules : ``cross_sell.RULES``
    per_customer : how many offers at most
    """
    market = _Market.of(baskets)
    best = _Best(len(baskets.customers), per_customer)
    places = pd.DataFrame({name: np.searchsorted(baskets.items, rules[name]) for name in ("bought", "item")})
    for item in np.unique(places["item"]):
        best.consider(_candidates(market, item, places.loc[places["item"] == item, "bought"]))
    return _told(best.rows(), rules, market)


@dataclass(frozen=True)
class _Market:
    """Customers × items by item, and what tells customers like one another: how many items they buy."""

    baskets: Baskets
    spend: csc_array
    former: csc_array
    breadth: Ints
    lowest: Ints  # breadth of each stratum

    @classmethod
    def of(cls, baskets: Baskets) -> _Market:
        breadth = np.diff(baskets.spend.indptr).astype(np.int64)
        strata = breadth_strata(breadth)
        lowest = np.sort(pd.Series(breadth).groupby(strata).min().to_numpy())
        return cls(baskets, baskets.spend.tocsc(), baskets.former.tocsc(), breadth, lowest)

    def stratum(self, breadth: Ints) -> Ints:
        """Return the stratum of each breadth; narrower ones than there are belong to the first."""
        strata: Ints = np.searchsorted(self.lowest, breadth, side="right").clip(min=1) - 1
        return strata

    def money(self, item: int) -> Floats:
        """Return what each customer spends on an item."""
        money = np.zeros(len(self.breadth))
        money[_column(self.spend, item)] = self.spend.data[_span(self.spend, item)]
        return money


def _candidates(market: _Market, item: int, bought: pd.Series[int]) -> _Candidates:
    """Return the best rule for each customer who never bought an item, as places in the index of ``bought``."""
    on_item, former = market.money(item), _column(market.former, item)
    most = np.quantile(on_item[on_item > 0], MOST_SPEND)
    best = _Candidates.none(len(on_item))
    for rule, other in bought.items():
        buyers, spent = _column(market.spend, other), market.spend.data[_span(market.spend, other)]
        buys = on_item[buyers] > 0
        share = _share_like(market.stratum(market.breadth[buyers] - buys), buys)
        typical = np.minimum(np.median(on_item[buyers[buys]] / spent[buys]) * spent, most)
        best.put(buyers[~buys], int(str(rule)), share[~buys], typical[~buys], spent[~buys])
    best.money[former] = 0.0
    return best


def _share_like(stratum: Ints, buys: NDArray[np.bool_]) -> Floats:
    """Return the share of customers of the same stratum that buy, drawn to the share of all."""
    size, buying = np.bincount(stratum), np.bincount(stratum, weights=buys)
    shares: Floats = (buying + PRIOR_CUSTOMERS * buys.mean()) / (size + PRIOR_CUSTOMERS)
    return shares[stratum]


def _span(matrix: csc_array, column: int) -> slice:
    return slice(matrix.indptr[column], matrix.indptr[column + 1])


def _column(matrix: csc_array, column: int) -> Ints:
    rows: Ints = matrix.indices[_span(matrix, column)]
    return rows


@dataclass(frozen=True)
class _Candidates:
    """One item for every customer: money expected (0: no offer), by which rule, and what it is the product of."""

    money: Floats
    rule: Ints
    share: Floats
    typical: Floats
    spent: Floats

    @classmethod
    def none(cls, customers: int) -> _Candidates:
        """Return no offer to anybody."""
        return cls(*(np.zeros(customers, kind) for kind in (float, np.int64, float, float, float)))

    def put(self, customers: Ints, rule: int, share: Floats, typical: Floats, spent: Floats) -> None:
        """Take a rule for the customers to whom it brings more than the rules before."""
        money = share * typical
        better = money > self.money[customers]
        who = customers[better]
        self.money[who], self.rule[who] = money[better], rule
        self.share[who], self.typical[who], self.spent[who] = share[better], typical[better], spent[better]


class _Best:
    """The best offers to each customer so far, in so many slots."""

    def __init__(self, customers: int, slots: int) -> None:
        self._slots = [_Candidates.none(customers) for _ in range(slots)]

    def consider(self, offers: _Candidates) -> None:
        """Keep offers that bring more than those in the slots; what they push out goes to the next slot."""
        for slot in self._slots:
            better = offers.money > slot.money
            for held, new in zip(vars(slot).values(), vars(offers).values(), strict=True):
                held[better], new[better] = new[better], held[better]

    def rows(self) -> pd.DataFrame:
        """Return the offers, one a row, with the row of the customer."""
        filled = [
            pd.DataFrame(vars(slot))[slot.money > 0].rename_axis("customer").reset_index() for slot in self._slots
        ]
        return pd.concat(filled, ignore_index=True)


def _told(offers: pd.DataFrame, rules: pd.DataFrame, market: _Market) -> pd.DataFrame:
    """Return the offers with their rule and the reason in words."""
    told = rules.loc[offers["rule"], ["bought", "item", "support", "confidence", "lift", "lift_like", "customers_both"]]
    told = told.reset_index(drop=True).assign(
        customer_id=market.baskets.customers[offers["customer"]],
        expected_money=offers["money"],
        share_like=offers["share"],
        typical_spend=offers["typical"],
        spend_bought=offers["spent"],
    )
    told["reason"] = [_reason(row) for row in told.itertuples()]
    by_money = ["expected_money", "customer_id", "item"]
    ordered = told.sort_values(by_money, ascending=[False, True, True], ignore_index=True)
    return ordered.reindex(columns=list(OFFERS)).astype(OFFERS)


def _reason(offer: Any) -> str:
    text = _(
        "buys {bought}, but never {item}: of the customers like this one who buy {bought}, {share:.0%} buy {item}, "
        "too; {n} customers buy both, {lift:.1f} times as many as breadth alone explains"
    )
    return text.format(
        bought=offer.bought, item=offer.item, share=offer.share_like, n=offer.customers_both, lift=offer.lift_like
    )
