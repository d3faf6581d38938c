"""Who moved, why, and what became of the base, in sentences for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from segml.language import _, ngettext
from segml.monitor.base import CHANGE, GONE, LOST, NEW, NOW, RETURNED, THEN, BaseChanges
from segml.monitor.migration import MONEY, Migration

MOST_MOVES = 3
"""Moves that are told one by one."""


def moves_told(
    found: Migration, *, money: str = MONEY[0], called: Mapping[str, str] | None = None, most: int = MOST_MOVES
) -> tuple[str, ...]:
    """Return how many customers moved, why, and the moves that carry the most money, a sentence each.

    Parameters
    ----------
    money : column of money
    called : segment -> what people call it
    most : moves to be told one by one
    """
    return (*_why(found, money), *_largest(found, money, called or {}, most))


def base_told(found: BaseChanges, *, money: str = MONEY[0]) -> tuple[str, ...]:
    """Return what became of those who bought, in customers and in money, a sentence each."""
    steps = found.statement(money).set_index("step").rename(index={step: key for key, step in _STEPS.items()})
    customers = _(
        "Customers who buy: {then:,.0f} last time, {now:,.0f} now; new {new:+,.0f}, returned {returned:+,.0f}, "
        "lost {lost:+,.0f}, gone from the data {gone:+,.0f}."
    )
    revenue = _(
        "Their revenue: {then:,.0f} last time, {now:,.0f} now; new {new:+,.0f}, returned {returned:+,.0f}, "
        "lost {lost:+,.0f}, gone from the data {gone:+,.0f}, those who buy on {change:+,.0f}."
    )
    return (
        customers.format(**_by_name(steps["customers"])),
        revenue.format(**_by_name(steps["money"] + 0.0)),  # no negative zero
    )


_STEPS = {
    "then": THEN,
    "new": NEW,
    "returned": RETURNED,
    "lost": LOST,
    "gone": GONE,
    "change": CHANGE,
    "now": NOW,
}


def _by_name(numbers: pd.Series[float]) -> dict[str, float]:
    return {str(name): float(number) for name, number in numbers.items()}


def _why(found: Migration, money: str) -> list[str]:
    there = found.matrix.dropna(subset=["from", "to"])
    customers = int(there["customers"].sum())
    if not customers:
        return [_("No customer of last time is still there.")]
    if not found.moved and not found.masked:
        return [_("All {n:,.0f} customers of last time who are still there are where they were.").format(n=customers)]
    causes = found.by_cause.set_index("cause")
    text = _(
        "Moved: {n:,.0f} of {customers:,.0f} customers ({share:.0%}). The customer changed: {customer:,.0f}; our cut "
        "points or model changed: {rules:,.0f}; both: {both:,.0f}; unknown: {unknown:,.0f}."
    )
    counts = _by_name(causes["customers"])
    told = [text.format(n=found.moved, customers=customers, share=found.moved / customers, **counts)]
    moved_money = math.fsum(causes[f"{money}_then"])
    if moved_money > 0 and counts["rules"]:
        share = _("In money, {share:.1%} of what moved did so because our cut points or model changed.")
        told.append(share.format(share=float(causes[f"{money}_then"]["rules"]) / moved_money))
    if found.masked:
        told.append(_masked(found.masked))
    return told


def _largest(found: Migration, money: str, called: Mapping[str, str], most: int) -> list[str]:
    then, now = f"{money}_then", f"{money}_now"
    moves = found.matrix.dropna(subset=["from", "to"])
    moves = moves[(moves["from"] != moves["to"]).astype(bool)]
    at_stake = moves[[then, now]].max(axis=1).sort_values(ascending=False, kind="stable")
    return [_one_move(moves.loc[place], then, now, called) for place in at_stake.index[:most]]


def _masked(customers: int) -> str:
    text = ngettext(
        "{n:,} customer changed, but stayed because our cut points or model moved with it.",
        "{n:,} customers changed, but stayed because our cut points or model moved with them.",
        customers,
    )
    return text.format(n=customers)


def _one_move(move: pd.Series, then: str, now: str, called: Mapping[str, str]) -> str:
    customers = int(move["customers"])
    text = ngettext(
        "{origin} → {goal}: {n:,} customer, revenue {then:,.0f} last time, {now:,.0f} now.",
        "{origin} → {goal}: {n:,} customers, revenue {then:,.0f} last time, {now:,.0f} now.",
        customers,
    )
    origin, goal = (called.get(move[end], move[end]) for end in ("from", "to"))
    return text.format(origin=origin, goal=goal, n=customers, then=float(move[then]), now=float(move[now]))
