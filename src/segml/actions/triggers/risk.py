"""Triggers of losing a customer: likely to stagnate or to leave, or inactive already."""

from __future__ import annotations

import pandas as pd

from segml.actions.decisions import PROFIT
from segml.actions.triggers.found import FOUND, Surroundings, tabulated, told
from segml.config import AtRisk, WinBack
from segml.language import _
from segml.windows import before, day_after, shift


def at_risk(trigger: AtRisk, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return a task for each customer whose score reaches the threshold; money: revenue at risk."""
    least = around.actions.min_p_stagnation if trigger.min_p_stagnation is None else trigger.min_p_stagnation
    is_likely = base["p_stagnation"] >= least
    if trigger.min_p_churn is not None:
        is_likely |= base["p_churn"] >= trigger.min_p_churn
    if PROFIT in base.columns:
        is_likely &= base[PROFIT] > 0
    rows = base[is_likely & (base["revenue_at_risk"] > 0)]
    template = _("stagnation {p_stagnation:.0%} likely, {revenue_at_risk:,.0f} at risk: {reasons}")
    return tabulated(
        rows,
        planned_on=shift(around.as_of, days=trigger.due_in_days),
        money=rows["revenue_at_risk"],
        reason=told(template, rows[["p_stagnation", "revenue_at_risk", "reasons"]]),
        occasion=rows["as_of"],
    )


def win_back(trigger: WinBack, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return the steps to win inactive customers back that run or begin in the window; money: the run rate.

    Step k runs from k to k + 1 months after the customer became inactive. One whose month has passed is not made up
    for.
    """
    steps = enumerate(around.actions.win_back_steps)
    found = [_step(name, month, base, around) for month, name in steps]
    return pd.concat(found) if found else pd.DataFrame(columns=list(FOUND)).astype(FOUND)


def _step(name: str, month: int, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    starts_on, ends_on = (
        day_after(
            base["as_of"], around.lifecycle.inactive_after_days(base, later_months=month + more) - base["recency_days"]
        )
        for more in (0, 1)
    )
    # On the day on which the next step begins, this one is over: nobody gets a letter and a call at once.
    runs = before(base["as_of"], ends_on) & before(starts_on, around.until)
    rows = base[runs]
    last = day_after(rows["as_of"], -rows["recency_days"])
    template = _("inactive: last purchase on {last:%Y-%m-%d}; month {month} past the threshold: {step}")
    facts = pd.DataFrame({"last": last, "month": month + 1, "step": _(name)})
    return tabulated(
        rows,
        planned_on=starts_on[runs],
        money=rows["run_rate"],
        reason=told(template, facts),
        occasion=last,
        subject=name,
    )
