"""Who is close to entering or leaving the tier of key accounts, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan

import numpy as np
import pandas as pd

from segml.config import Config
from segml.language import _, ngettext
from segml.schemes import Tier
from segml.windows import YEAR_DAYS

CLOSE = {
    "customer_id": "str",
    "direction": "str",
    "tier": "str",
    "previous_tier": "str",
    "revenue_365d": "float64",
    "revenue": "float64",
    "revenue_needed": "float64",
    "distance": "float64",
    "why": "str",
}
"""Columns of ``close_to_key``, with their types.

``direction`` is entering or leaving; ``revenue`` that of the tier's window, ``revenue_needed`` what key accounts have
at least, ``distance`` the difference: negative where revenue is missing. ``why`` tells in words what is missing, or
what holds the customer in the tier by a narrow margin.
"""

ENTERING, LEAVING = "entering", "leaving"


@dataclass(frozen=True)
class _Condition:
    """One condition of the tier: who meets it, who is within the margin on either side, and what there is to say."""

    holds: pd.Series[bool]
    is_close: pd.Series[bool]
    words: list[str]


def close_to_key(base: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Return customers close to the border of the tier of key accounts, most revenue first: ``CLOSE``.

    The border is the least revenue of a customer that is large enough now, or ``key_from``, or ``key_min_revenue``;
    time with us and risk of leaving, where the tier asks for them. Entering is who misses a condition, but none by more
    than the margin of ``config.key_accounts``; leaving is a key account that meets one of them within the margin.

    Parameters
    ----------
    base : one row a customer: what the tier requires, ``p_churn``, ``tier`` and ``previous_tier``
    """
    tier = config.segments.tier
    known = tier.known(base)
    needed = _revenue_needed(tier, known)
    if needed is None:
        return pd.DataFrame(columns=list(CLOSE)).astype(CLOSE)
    conditions = _conditions(known, needed, config)
    is_key = known["tier"] == "key"
    within = np.logical_and.reduce([condition.holds | condition.is_close for condition in conditions])
    misses = ~np.logical_and.reduce([condition.holds for condition in conditions])
    is_narrow = np.logical_or.reduce([condition.holds & condition.is_close for condition in conditions])
    close = known.assign(
        direction=np.where(is_key, LEAVING, ENTERING),
        revenue=known[tier.requires[0]],
        revenue_needed=needed,
        distance=known[tier.requires[0]] - needed,
        why=_why(is_key, conditions),
    )[np.where(is_key, is_narrow, within & misses)]
    ordered: pd.DataFrame = close.sort_values(
        ["revenue_365d", "customer_id"], ascending=[False, True], ignore_index=True
    )
    return ordered.reindex(columns=list(CLOSE)).astype(CLOSE)


def _revenue_needed(tier: Tier, known: pd.DataFrame) -> float | None:
    """Return the least revenue of key accounts; None where nobody brings any."""
    if tier.key_from is not None:
        border: float | None = tier.key_from
    else:
        border = tier.learn(known).get("key_from") if len(known) else None
    return None if border is None else max(border, tier.key_min_revenue or 0.0)


def _conditions(known: pd.DataFrame, needed: float, config: Config) -> list[_Condition]:
    tier, margins = config.segments.tier, config.key_accounts
    conditions = [_enough_revenue(known[tier.requires[0]], needed, margins.revenue_margin * needed)]
    if tier.key_min_years > 0:
        conditions.append(_long_enough(known["tenure_days"], tier.key_min_years, margins.days_margin))
    if tier.key_max_p_churn is not None:
        conditions.append(_safe_enough(known["p_churn"], tier.key_max_p_churn, margins.p_churn_margin))
    return conditions


def _enough_revenue(revenue: pd.Series[float], needed: float, margin: float) -> _Condition:
    above = revenue - needed
    short = _("{money:,.0f} of revenue short of key accounts ({share:.0%})")
    spare = _("{money:,.0f} of revenue above the least of key accounts ({share:.0%})")
    least = _("just the least revenue of key accounts")
    words = [
        (spare if money > 0 else short if money < 0 else least).format(money=abs(money), share=abs(money) / needed)
        for money in above
    ]
    return _Condition(above >= 0, above.abs() <= margin, words)


def _long_enough(tenure_days: pd.Series[float], years: float, margin_days: float) -> _Condition:
    """Return the condition of the time with us, which nobody falls short of again."""
    missing = years * YEAR_DAYS - tenure_days
    words = [
        ngettext("{n} day short of {years:g} years with us", "{n} days short of {years:g} years with us", days).format(
            n=days, years=years
        )
        for days in missing.clip(lower=0).map(ceil)
    ]
    return _Condition(missing <= 0, (missing > 0) & (missing <= margin_days), words)


def _safe_enough(p_churn: pd.Series[float], most: float, margin: float) -> _Condition:
    text = _("churn {p:.0%} likely, where less than {most:.0%} is asked")
    words = ["" if isnan(p) else text.format(p=p, most=most) for p in p_churn]
    return _Condition(p_churn < most, (p_churn - most).abs() <= margin, words)


def _why(is_key: pd.Series[bool], conditions: Sequence[_Condition]) -> list[str]:
    """Return what key accounts meet narrowly, and what the others do not meet."""
    told = [
        np.where(np.where(is_key, condition.is_close, ~condition.holds), condition.words, "")
        for condition in conditions
    ]
    return ["; ".join(filter(None, texts)) for texts in zip(*told, strict=True)]
