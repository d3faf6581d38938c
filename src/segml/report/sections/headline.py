"""The figures on top of the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from segml.language import _, ngettext
from segml.report.content import ReportContent
from segml.report.words import number, share, short_money


@dataclass(frozen=True)
class Figure:
    """One headline figure."""

    value: str
    name: str
    note: str = ""


def headline(content: ReportContent, calls: pd.DataFrame) -> list[Figure]:
    """Return the headline figures: the base, its revenue, who is scored, what is at risk, whom to call."""
    customers, horizon = len(content.decisions), content.config.horizon_days
    base = [
        Figure(number(customers), ngettext("customer", "customers", customers), _stages(content.decisions)),
        Figure(_money(content, _revenue(content)), _("revenue of the last 365 days")),
    ]
    scored = content.decisions[content.decisions["p_stagnation"].notna()]
    who = ngettext("customer scored", "customers scored", len(scored))
    if scored.empty:
        return [*base, Figure(_("none"), who, _("see the notices"))]
    at_risk, usual = math.fsum(scored["revenue_at_risk"]), math.fsum(scored["run_rate"].clip(lower=0))
    return [
        *base,
        Figure(number(len(scored)), who, _("neither new nor inactive")),
        Figure(
            _money(content, at_risk),
            ngettext("revenue at risk, next {n} day", "revenue at risk, next {n} days", horizon).format(n=horizon),
            _("{share} of what these customers usually bring").format(share=share(at_risk / usual)) if usual else "",
        ),
        Figure(
            number(len(calls)),
            ngettext("customer to call first", "customers to call first", len(calls)),
            _covered(calls),
        ),
    ]


def _money(content: ReportContent, value: float) -> str:
    return short_money(value, content.config.report.currency)


def _revenue(content: ReportContent) -> float:
    return math.fsum(content.features["revenue_365d"].fillna(0))


def _stages(decisions: pd.DataFrame) -> str:
    counts = decisions["lifecycle"].value_counts()
    active, stagnating = int(counts.get("active", 0)), int(counts.get("stagnating", 0))
    told = [
        ngettext("{n} active", "{n} active", active).format(n=number(active)) if active else "",
        ngettext("{n} stagnating", "{n} stagnating", stagnating).format(n=number(stagnating)) if stagnating else "",
    ]
    return ", ".join(filter(None, told))


def _covered(calls: pd.DataFrame) -> str:
    if calls.empty:
        return ""
    return _("hold {share} of the revenue at risk").format(share=share(calls["cumulative_share"].iloc[-1]))
