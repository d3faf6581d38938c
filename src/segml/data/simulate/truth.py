"""The hidden truth as tables: what every company is and will do, and the order lines without errors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from segml import schema
from segml.data.simulate.archetypes import NAMES
from segml.data.simulate.articles import Lines
from segml.data.simulate.campaigns import Run
from segml.data.simulate.cancellations import Purchases
from segml.data.simulate.catalogue import FAMILIES, Catalogue
from segml.data.simulate.clock import Clock, Flags, Floats, Ints
from segml.data.simulate.companies import CHANNELS, REGIONS, Companies
from segml.data.simulate.fates import STAGNATION_MODES, Fates
from segml.data.simulate.needs import Needs

KNOWN_AHEAD_DAYS = 366
"""The truth also tells what happens within about a year after the log ends."""


def text(words: object, which: Ints) -> pd.Series:
    """Return a text column: the words that the numbers point at."""
    return pd.Series(np.asarray(words, dtype=object)[which], dtype="str")


def customer_id(company: int) -> str:
    """Return the number of a company's main card."""
    return f"C{company + 1:05d}"


def customer_ids(companies: int) -> list[str]:
    """Return the main cards of all companies, in order."""
    return [customer_id(company) for company in range(companies)]


def customers(
    companies: Companies, needs: Needs, fates: Fates, anniversary: Floats, uses_portal: Flags, clock: Clock
) -> pd.DataFrame:
    """Return one row a company: its hidden type, habits and fate; dates that never come are null."""
    stagnates = _within_reach(fates.stagnates, clock)
    leaves = _within_reach(fates.leaves, clock)
    sudden = np.where(fates.fade_days > 0, "fading", "sudden")
    return pd.DataFrame(
        {
            "customer_id": text(customer_ids(len(companies)), np.arange(len(companies))),
            "type": text(NAMES, companies.archetype),
            "rhythm_days": companies.rhythm_days,
            "gap_regularity": companies.regularity,
            "order_value": companies.order_value,
            "growth": companies.growth,
            "season_strength": companies.season,
            "discount_share": companies.discount,
            "price_sensitivity": companies.price_sensitivity,
            "family_count": (needs.weight > 0).sum(axis=1),
            "exploration": companies.exploration,
            "started_at": clock.stamps(fates.started),
            "stagnates_at": clock.stamps(stagnates),
            "stagnation_days": np.where(np.isfinite(stagnates), fates.stagnation_days, np.nan),
            "stagnation_mode": text(STAGNATION_MODES, fates.stagnation_mode).where(np.isfinite(stagnates)),
            "stagnation_factor": np.where(np.isfinite(stagnates), fates.stagnation_factor, np.nan),
            "leaves_at": clock.stamps(leaves),
            "leaving": pd.Series(sudden, dtype="str").where(np.isfinite(leaves)),
            "fade_days": np.where(np.isfinite(leaves), fates.fade_days, np.nan),
            "paused_from": clock.stamps(_within_reach(fates.paused_from, clock)),
            "paused_until": clock.stamps(np.where(fates.paused_from < clock.days, fates.paused_until, np.inf)),
            "has_contract": np.isfinite(anniversary),
            "uses_portal": uses_portal,
        }
    )


def lost_families(fates: Fates, clock: Clock) -> pd.DataFrame:
    """Return one row a company and family that it buys elsewhere from ``lost_at`` on, though it still buys others."""
    lost = _within_reach(np.where(fates.lost_families < fates.leaves[:, None], fates.lost_families, np.inf), clock)
    company, family = np.nonzero(np.isfinite(lost))
    return pd.DataFrame(
        {
            "customer_id": text(customer_ids(len(lost)), company),
            "category": text([kind.name for kind in FAMILIES], family),
            "lost_at": clock.stamps(lost[company, family]),
        }
    )


def _within_reach(day: Floats, clock: Clock) -> Floats:
    return np.where(day < clock.days + KNOWN_AHEAD_DAYS, day, np.inf)


def lines(
    purchases: Purchases, returns: Lines, companies: Companies, catalogue: Catalogue, clock: Clock
) -> pd.DataFrame:
    """Return the order lines as flawless cleaning would: ``schema.ORDER_LINES`` with ``line_id`` and ``unit_price``.

    Ordered by time. A purchase cancelled later carries the moment in ``cancelled_at``; returns are negative.
    """
    both = purchases.lines.joined(returns)
    is_return = np.arange(len(both)) >= len(purchases.lines)
    cancelled = np.concatenate([purchases.cancelled, np.full(len(returns), np.inf)])
    order = np.lexsort((both.article, both.order, is_return, both.day))
    both, is_return, cancelled = both.of(order), is_return[order], cancelled[order]
    amount = np.round(both.quantity * both.unit_price, 2)
    frame = pd.DataFrame(
        {
            "line_id": np.arange(len(both)),
            "customer_id": text(customer_ids(len(companies)), both.company),
            "order_id": _order_ids(both.order, is_return),
            "ordered_at": clock.stamps(both.day),
            "amount": amount,
            "product_id": text(catalogue.product_id, both.article),
            "category": text([family.name for family in FAMILIES], catalogue.family[both.article]),
            "quantity": both.quantity,
            "margin": np.round(amount - both.quantity * both.unit_cost, 2),
            "discount": np.round(both.quantity * (both.unit_list_price - both.unit_price), 2),
            "channel": text(CHANNELS, both.channel),
            "region": text(REGIONS, companies.region[both.company]),
            "cancelled_at": clock.stamps(cancelled),
            "unit_price": both.unit_price,
        }
    )
    return frame[["line_id", *schema.ORDER_LINES.names, "unit_price"]]


def _order_ids(order: Ints, is_return: Flags) -> pd.Series:
    """Number orders and credit notes in the order of their first line."""
    key = 2 * order + is_return
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    prefix = np.where(is_return[first], "CN", "SO")
    return text([f"{kind}-{number:07d}" for kind, number in zip(prefix, rank, strict=True)], place)


def campaigns(runs: list[Run], clock: Clock) -> pd.DataFrame:
    """Return one row a run of a campaign with its true effect on the rate of orders."""
    return pd.DataFrame(
        {
            "campaign": pd.Series([run.name for run in runs], dtype="str"),
            "starts_at": clock.stamps([run.day for run in runs]),
            "works_days": np.array([run.campaign.works_days for run in runs], dtype=np.float64),
            "uplift": np.array([run.campaign.uplift for run in runs], dtype=np.float64),
        }
    )
