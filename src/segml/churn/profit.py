"""What contacts would have earned: the profit of a list against its length, out of time, and of the list chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segml.churn.inputs import KEYS, check_columns
from segml.churn.metrics import Array, Ranking, captured_at, with_intervals
from segml.churn.summary import money_rankings

STRATEGIES = ("revenue_at_risk", "run_rate", "p_stagnation", "perfect")
RIVALS = ("run_rate", "p_stagnation")
NEEDED = [*KEYS, "p_churn", "p_stagnation", "run_rate", "lost_revenue"]
GRID = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Terms:
    """What a contact costs (money), which share of a loss it saves, and what is left of saved revenue (share)."""

    contact_cost: float
    success_rate: float
    margin_rate: float = 1.0

    def earned(self, lost_revenue: Array | float, contacts: Array | float) -> Array:
        """Return the profit of contacts that reach so much of the lost revenue."""
        return np.asarray(self.success_rate * self.margin_rate * lost_revenue - self.contact_cost * contacts)

    def is_worth_it(self, table: pd.DataFrame) -> pd.Series[bool]:
        """Tell for whom the expected loss, p(stagnation) × run rate, earns more than the contact costs."""
        threatened = table["p_stagnation"] * table["run_rate"].clip(lower=0)
        worth: pd.Series[bool] = self.success_rate * self.margin_rate * threatened > self.contact_cost
        return worth


def profit_curve(table: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Return the profit of lists of each length, at every percent of customers, for each order of calling.

    Earned is the same share of what was really lost for everybody on the list; all test dates are ranked together,
    and money is a test date's, their mean.

    Parameters
    ----------
    table : a backtest table, columns ``NEEDED``

    Returns
    -------
    One row an order and length: ``strategy`` (see ``STRATEGIES``), ``share_of_customers``, ``contacts``, ``profit``
    """
    check_columns(table, NEEDED, "backtest table")
    if table.empty:
        return pd.DataFrame(columns=["strategy", "share_of_customers", "contacts", "profit"])
    rankings, loss = money_rankings(table), table["lost_revenue"].to_numpy(dtype=float)
    dates, everyone = table["as_of"].nunique(), np.ones((len(GRID), len(table)))
    contacts = GRID * len(table) / dates
    curves = [
        pd.DataFrame({"strategy": name, "share_of_customers": GRID, "contacts": contacts}).assign(
            profit=terms.earned(_reached(Ranking.by(rankings[name]), loss, everyone, GRID[:, None]) / dates, contacts)
        )
        for name in STRATEGIES
    ]
    return pd.concat(curves, ignore_index=True)


def profit_metrics(table: pd.DataFrame, terms: Terms, *, resamples: int, seed: int) -> dict[str, float]:
    """Return what the list chosen by expected profit would have earned, with 95 % intervals over customers.

    ``profit/listed`` is the profit a test date of all customers with positive expected profit, and
    ``profit/listed_share`` their share; ``profit/run_rate``, ``profit/p_stagnation`` and ``profit/perfect`` what a list
    of the same length earns in that order, ``profit/listed_minus_…`` the difference, paired; ``profit/everyone`` the
    profit of contacting all. ``profit/margin_rate`` is the margin all this counts with. Empty where nobody was scored.
    """
    check_columns(table, NEEDED, "backtest table")
    if table.empty:
        return {}
    listed, rankings = terms.is_worth_it(table).to_numpy(), money_rankings(table)
    orders = {name: Ranking.by(rankings[name]) for name in (*RIVALS, "perfect")}
    loss, dates = table["lost_revenue"].to_numpy(dtype=float), table["as_of"].nunique()

    def statistics(weights: Array) -> Mapping[str, Array]:
        contacts, customers = (weights * listed).sum(axis=1), weights.sum(axis=1)
        share = (contacts / customers)[:, None]
        own = terms.earned((weights * (listed * loss)).sum(axis=1), contacts) / dates
        rivals = {
            name: terms.earned(_reached(order, loss, weights, share), contacts) / dates
            for name, order in orders.items()
        }
        return {
            "profit/listed": own,
            "profit/listed_share": share[:, 0],
            "profit/everyone": terms.earned((weights * loss).sum(axis=1), customers) / dates,
            **{f"profit/{name}": profit for name, profit in rivals.items()},
            **{f"profit/listed_minus_{name}": own - rivals[name] for name in RIVALS},
        }

    found = with_intervals(statistics, table["customer_id"].to_numpy(), resamples=resamples, seed=seed)
    return {**found, "profit/margin_rate": terms.margin_rate}


def _reached(order: Ranking, loss: Array, weights: Array, share: Array) -> Array:
    """Return the lost revenue that the given top shares (b × 1) of the rows held; 0 where nothing was lost."""
    return np.asarray(np.nan_to_num(captured_at(order, loss, weights, share)) * (weights * loss).sum(axis=1))
