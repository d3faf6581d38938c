"""The sheet of key accounts: how each one does, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from segml import windows
from segml.actions.border import close_to_key
from segml.actions.plans import AGAINST_PLAN
from segml.actions.rules import rules
from segml.config import Config
from segml.features.arithmetic import ratio
from segml.language import _
from segml.schema import check_columns
from segml.segments import Playbook
from segml.windows import YEAR_DAYS

KEY = "key"

SHEET = {
    "customer_id": "str",
    "revenue_365d": "float64",
    "revenue_90d": "float64",
    "growth_year": "float64",
    "growth_quarter": "float64",
    "revenue_plan": "float64",
    "revenue_due": "float64",
    "revenue_done": "float64",
    "plan_share": "float64",
    "wallet_share": "float64",
    "usual_gap_days": "float64",
    "days_since_order": "float64",
    "next_order_expected": "datetime64[us]",
    "risk_band": "str",
    "p_churn": "float64",
    "p_stagnation": "float64",
    "revenue_at_risk": "float64",
    "reasons": "str",
    "previous_tier": "str",
    "next_steps": "str",
    "strategy": "str",
}
"""Columns of the sheet, with their types.

``growth_year`` is the revenue of the last 365 days over that of the 365 before, less 1; ``growth_quarter`` likewise of
90 days, which a season moves, too. Both are unknown (NaN) without revenue then, and for customers who came in between.
Of the plan see ``plans.against_plan``; NaN without one. ``wallet_share`` is NaN without a known potential, and
``previous_tier`` empty where it is not known. ``next_order_expected`` in the past means overdue. ``next_steps`` is what
this customer asks for, ``strategy`` what the playbook advises for all of the tier.
"""

_FEATURES = (
    "as_of",
    "revenue_365d",
    "revenue_365d_previous",
    "revenue_180d",
    "revenue_90d",
    "gap_shrunk_days",
    "recency_days",
    "tenure_days",
)
_DECISIONS = (
    "tier",
    "action",
    "next_order_expected",
    "risk_band",
    "p_churn",
    "p_stagnation",
    "revenue_at_risk",
    "reasons",
)


@dataclass(frozen=True, repr=False)
class KeyAccounts:
    """Key accounts.

    Attributes
    ----------
    sheet : one row a key account, most revenue first; columns of ``SHEET``
    close : one row a customer that may soon enter or leave the tier, most revenue first; columns of ``border.CLOSE``
    """

    sheet: pd.DataFrame
    close: pd.DataFrame

    def __repr__(self) -> str:
        return f"KeyAccounts({len(self.sheet):,} accounts, {len(self.close):,} customers close to the border)"


def key_accounts(
    features: pd.DataFrame,
    decisions: pd.DataFrame,
    config: Config,
    *,
    playbook: Playbook,
    earlier: pd.DataFrame | None = None,
    plan: pd.DataFrame | None = None,
) -> KeyAccounts:
    """Return how the key accounts do, and who is close to the border of their tier.

    Parameters
    ----------
    features : of one as-of date
    decisions : of the same customers; with ``wallet_share`` where potentials are known
    config : what the decisions were made under
    playbook : the strategy for key accounts
    earlier : decisions of the last time, or any table with ``customer_id`` and ``tier``
    plan : of ``plans.against_plan``

    Raises
    ------
    DataError : columns missing
    """
    check_columns(features.columns, ("customer_id", *_FEATURES), "features lack")
    check_columns(decisions.columns, ("customer_id", *_DECISIONS), "decisions lack")
    told = decisions[["customer_id", *_DECISIONS, *({"wallet_share"} & {*decisions.columns})]]
    base = features.drop(columns=["p_churn"], errors="ignore").merge(told, on="customer_id", validate="1:1")
    base = base.assign(previous_tier=_previous_tier(base, earlier))
    return KeyAccounts(_sheet(base, plan, config, playbook), close_to_key(base, config))


def _previous_tier(base: pd.DataFrame, earlier: pd.DataFrame | None) -> pd.Series[str]:
    if earlier is None:
        return pd.Series("", index=base.index, dtype="str")
    tiers = earlier.drop_duplicates("customer_id").set_index("customer_id")["tier"].astype("object")
    return base["customer_id"].map(tiers).fillna("").astype("str")


def _sheet(base: pd.DataFrame, plan: pd.DataFrame | None, config: Config, playbook: Playbook) -> pd.DataFrame:
    accounts = base[base["tier"] == KEY]
    quarter_before = accounts["revenue_180d"] - accounts["revenue_90d"]
    sheet = accounts.assign(
        growth_year=_growth(accounts, accounts["revenue_365d"], accounts["revenue_365d_previous"], 2 * YEAR_DAYS),
        growth_quarter=_growth(accounts, accounts["revenue_90d"], quarter_before, 180),
        usual_gap_days=accounts["gap_shrunk_days"],
        days_since_order=accounts["recency_days"],
    )
    if "wallet_share" not in sheet:
        sheet["wallet_share"] = np.nan
    figures = plan if plan is not None else pd.DataFrame(columns=list(AGAINST_PLAN)).astype(AGAINST_PLAN)
    sheet = sheet.merge(figures, on="customer_id", how="left", validate="1:1")
    sheet = sheet.assign(next_steps=_next_steps(sheet, config), strategy=playbook.strategy("tier", KEY))
    ordered = sheet.sort_values(["revenue_365d", "customer_id"], ascending=[False, True], ignore_index=True)
    return ordered.reindex(columns=list(SHEET)).astype(SHEET)


def _growth(accounts: pd.DataFrame, now: pd.Series[float], then: pd.Series[float], days: int) -> pd.Series[float]:
    """Return by how much revenue has grown; NaN for customers who have been with us for fewer days."""
    return ratio(now, then.where(accounts["tenure_days"] >= days)) - 1


def _next_steps(sheet: pd.DataFrame, config: Config) -> list[str]:
    """Return the action due, and what else of the figures asks for one."""
    names = {rule.action: rule.name for rule in rules(config.actions, config.segments.lifecycle)}
    overdue = _("the order expected on {day} has not come: ask why")
    behind = _("{money:,.0f} behind plan: agree on how to make it up")
    wallet = _("spends {share:.0%} of its potential with us: find out who has the rest")
    is_overdue = windows.before(sheet["next_order_expected"], sheet["as_of"])
    missing = sheet["revenue_due"] - sheet["revenue_done"]
    is_low = sheet["wallet_share"] < config.segments.share_of_wallet.medium_from
    return [
        "; ".join(
            [
                names.get(action, action),
                *([overdue.format(day=day.date())] if late else []),
                *([behind.format(money=money)] if money > 0 else []),
                *([wallet.format(share=share)] if low else []),
            ]
        )
        for action, day, late, money, share, low in zip(
            sheet["action"],
            sheet["next_order_expected"],
            is_overdue,
            missing,
            sheet["wallet_share"],
            is_low,
            strict=True,
        )
    ]
