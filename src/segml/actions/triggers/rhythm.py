"""Triggers of buying: the next order is due, or the volume has grown."""

from __future__ import annotations

import pandas as pd

from segml.actions.triggers.found import Surroundings, tabulated, told
from segml.config import ReorderDue, Upgrade
from segml.language import _
from segml.windows import before, day_after, shift

_QUARTER_DAYS = 90


def reorder_due(trigger: ReorderDue, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return a reminder before the next order that a customer's own gap lets expect; money: the mean order.

    Only the next order: those after it hang on when that one comes.
    """
    lead = around.actions.reorder_lead_days if trigger.lead_days is None else trigger.lead_days
    reminded_on = base["next_order_expected"] - pd.Timedelta(days=lead)
    rows = base[(base["gap_mean_days"] >= trigger.min_gap_days) & before(reminded_on, around.until)]
    last = day_after(rows["as_of"], -rows["recency_days"])
    template = _("orders every {gap:.0f} days or so; last on {last:%Y-%m-%d}, next expected on {expected:%Y-%m-%d}")
    facts = pd.DataFrame({"gap": rows["gap_shrunk_days"], "last": last, "expected": rows["next_order_expected"]})
    return tabulated(
        rows,
        planned_on=reminded_on,
        money=rows["order_value_mean"],
        reason=told(template, facts),
        occasion=last,
    )


def upgrade(trigger: Upgrade, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return an offer of better terms to customers who buy well above their run rate; money: what they buy more."""
    growth = around.actions.upgrade_growth if trigger.growth is None else trigger.growth
    rows = base[base["revenue_90d_to_run_rate"] >= 1 + growth]
    grown = rows["revenue_90d_to_run_rate"] - 1
    more = grown * rows["run_rate_daily"] * _QUARTER_DAYS
    template = _("bought {grown:.0%} more in the last 90 days than usual: {more:,.0f} more")
    return tabulated(
        rows,
        planned_on=shift(around.as_of, days=trigger.due_in_days),
        money=more,
        reason=told(template, pd.DataFrame({"grown": grown, "more": more})),
        occasion=rows["as_of"],
    )
