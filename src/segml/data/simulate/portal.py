"""The customer portal: which functions each company uses month by month, and how use fades before some leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml.data.simulate.clock import Clock, Flags, Floats, Ints
from segml.data.simulate.companies import CHANNELS, Companies
from segml.data.simulate.fates import Fates, ramp
from segml.data.simulate.truth import customer_ids, text

FUNCTIONS = (
    "catalogue",
    "order",
    "order status",
    "documents",
    "price request",
    "templates",
    "returns",
    "reconciliation",
    "analytics",
    "api",
)
REACH = np.linspace(0.9, 0.15, len(FUNCTIONS))
"""How common each function is among keen users."""
ONLINE, OFFLINE = 0.80, 0.25  # shares of users among those who order online, and among the others
MONTH = 30
SIGNS = 0.65  # share of leavers whose use fades beforehand, whether or not their orders do
SIGNS_DAYS = (30.0, 120.0)
FADED_USE, STAGNANT_USE = 0.10, 0.60
PEOPLE_A_SEAT, MOST_SEATS = 12.0, 60.0


@dataclass(frozen=True)
class Portal:
    """Who uses the portal and how: one entry a company."""

    uses: Flags
    since: Floats
    keenness: Floats  # share of the common functions used in a month
    seats: Floats
    fades_from: Floats  # never for those who leave without a sign


def make(rng: Generator, companies: Companies, fates: Fates) -> Portal:
    """Return the companies' habits on the portal."""
    count = len(companies)
    is_online = companies.channel <= CHANNELS.index("EDI")
    shows = rng.random(count) < SIGNS
    return Portal(
        uses=rng.random(count) < np.where(is_online, ONLINE, OFFLINE),
        since=np.maximum(fates.started, 0.0) + np.floor(rng.exponential(60.0, count)),
        keenness=rng.beta(2.0, 1.6, count),
        seats=np.minimum(1 + np.ceil(companies.employees / PEOPLE_A_SEAT * rng.uniform(0.3, 1.2, count)), MOST_SEATS),
        fades_from=np.where(shows, fates.leaves - rng.uniform(*SIGNS_DAYS, count), np.inf),
    )


def usage(rng: Generator, portal: Portal, fates: Fates, clock: Clock) -> pd.DataFrame:
    """Return one row a company, month and function used."""
    users = np.flatnonzero(portal.uses)
    months = np.arange(0, clock.days, MONTH, dtype=np.float64) + MONTH / 2
    activity = _activity(portal, fates, users, months)
    shape = (len(users), len(months), len(FUNCTIONS))
    chance = (portal.keenness[users, None] * activity)[:, :, None] * REACH
    user, month, function = np.nonzero(rng.random(shape) < chance)
    day = MONTH * (month + rng.random(len(month)))
    company = users[user]
    busy = np.clip(activity[user, month] * rng.uniform(0.4, 1.1, len(day)), 0.0, 1.0)
    keep = (day >= portal.since[company]) & (day < np.minimum(fates.leaves[company], clock.days))
    order = np.lexsort((function, company, day))
    kept = order[keep[order]]
    return _rows(portal, company[kept], day[kept], function[kept], busy[kept], clock)


def _activity(portal: Portal, fates: Fates, users: Ints, day: Floats) -> Floats:
    """Return users × months: use as a share of the habit."""
    fading = ramp(day, portal.fades_from[users, None], SIGNS_DAYS[0], FADED_USE)
    stagnates, length = fates.stagnates[users, None], fates.stagnation_days[users, None]
    return fading * ramp(day, stagnates, length, STAGNANT_USE)


def _rows(portal: Portal, company: Ints, day: Floats, function: Ints, busy: Floats, clock: Clock) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": text(customer_ids(len(portal.uses)), company),
            "used_at": clock.stamps(day),
            "feature": text(FUNCTIONS, function),
            "seats_used": np.maximum(np.round(portal.seats[company] * busy), 1.0),
            "seats_total": portal.seats[company],
        }
    )
