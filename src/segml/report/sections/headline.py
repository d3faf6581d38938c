"""The figures on top of the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

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
    base = [
        Figure(number(len(content.decisions)), "customers", _stages(content.decisions)),
        Figure(_money(content, _revenue(content)), "revenue of the last 365 days"),
    ]
    scored = content.decisions[content.decisions["p_stagnation"].notna()]
    if scored.empty:
        return [*base, Figure("none", "customers scored", "see the notices")]
    at_risk, usual = math.fsum(scored["revenue_at_risk"]), math.fsum(scored["run_rate"].clip(lower=0))
    return [
        *base,
        Figure(number(len(scored)), "customers scored", "neither new nor inactive"),
        Figure(
            _money(content, at_risk),
            f"revenue at risk, next {content.config.horizon_days} days",
            f"{share(at_risk / usual)} of what these customers usually bring" if usual else "",
        ),
        Figure(number(len(calls)), "customers to call first", _covered(calls)),
    ]


def _money(content: ReportContent, value: float) -> str:
    return short_money(value, content.config.report.currency)


def _revenue(content: ReportContent) -> float:
    return math.fsum(content.features["revenue_365d"].fillna(0))


def _stages(decisions: pd.DataFrame) -> str:
    counts = decisions["lifecycle"].value_counts()
    return ", ".join(f"{number(counts[stage])} {stage}" for stage in ("active", "stagnating") if stage in counts)


def _covered(calls: pd.DataFrame) -> str:
    return "" if calls.empty else f"hold {share(calls['cumulative_share'].iloc[-1])} of the revenue at risk"
