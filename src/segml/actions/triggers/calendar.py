"""Triggers of the calendar: days after the first purchase, renewals, regular meetings."""

from __future__ import annotations

import pandas as pd

from segml.actions.triggers.found import Surroundings, tabulated, told
from segml.config import KeyAccountCare, Onboarding, RenewalDue
from segml.language import _, ngettext
from segml.windows import before, day_after, within


def onboarding(trigger: Onboarding, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return the steps after the first purchase whose day lies in the window; money: the run rate."""
    return pd.concat([_on_day(day, base, around) for day in sorted(set(trigger.days))])


def _on_day(day: int, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    first = day_after(base["as_of"], -base["tenure_days"])
    planned_on = first + pd.Timedelta(days=day)
    is_due = within(planned_on, around.as_of, around.until)
    rows = base[is_due]
    template = _("day {day} after the first purchase on {first:%Y-%m-%d}")
    return tabulated(
        rows,
        planned_on=planned_on[is_due],
        money=rows["run_rate"],
        reason=told(template, pd.DataFrame({"first": first[is_due], "day": day})),
        occasion=first[is_due],
        subject=f"day {day}",
    )


def renewal(trigger: RenewalDue, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return a task so many days before the next renewal of a contract; money: the run rate."""
    renews_on = day_after(base["as_of"], base["days_to_renewal"])
    planned_on = renews_on - pd.Timedelta(days=trigger.within_days)
    is_due = before(planned_on, around.until)  # false where no renewal is ahead
    rows, renews_on = base[is_due], renews_on[is_due]
    texts = _by_health()
    health = rows["health"].astype("str") if "health" in rows.columns else pd.Series("", index=rows.index)
    reasons = [texts.get(band, texts[""]).format(day=day) for band, day in zip(health, renews_on, strict=True)]
    return tabulated(
        rows,
        planned_on=planned_on,
        money=rows["run_rate"],
        reason=reasons,
        occasion=renews_on,
    )


def _by_health() -> dict[str, str]:
    return {
        "low": _("the contract renews on {day:%Y-%m-%d}; health is low: mend what is wrong before the offer"),
        "medium": _("the contract renews on {day:%Y-%m-%d}; health is medium: ask what is missing"),
        "high": _("the contract renews on {day:%Y-%m-%d}; health is high: offer to extend it"),
        "": _("the contract renews on {day:%Y-%m-%d}; health is unknown"),
    }


def key_account_care(trigger: KeyAccountCare, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return the task of each customer's next meeting; money: the run rate.

    A meeting follows its task by the lead, and the one before by the usual time between them. Where no task tells of
    one, the first is prepared at once.
    """
    prepared = around.history.groupby("customer_id")["due_on"].max()
    last = prepared.reindex(base["customer_id"]).set_axis(base.index)
    planned_on = (last + pd.Timedelta(days=trigger.every_days)).fillna(base["as_of"])
    is_due = before(planned_on, around.until)
    rows = base[is_due]
    return tabulated(
        rows,
        planned_on=planned_on,
        money=rows["run_rate"],
        reason=[_meeting(day, trigger.lead_days) for day in last[is_due]],
        occasion=planned_on[is_due],
    )


def _meeting(prepared_on: pd.Timestamp, lead_days: int) -> str:
    ahead = ngettext(
        "prepare the regular meeting in {n} day", "prepare the regular meeting in {n} days", lead_days
    ).format(n=lead_days)
    if pd.isna(prepared_on):
        return _("{task}; none is known so far").format(task=ahead)
    meeting = prepared_on + pd.Timedelta(days=lead_days)
    return _("{task}; the last one was due on {day:%Y-%m-%d}").format(task=ahead, day=meeting)
