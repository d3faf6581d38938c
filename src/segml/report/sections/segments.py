"""The segments of each scheme: sizes, revenue, profiles."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.tables import cells, concentration, records, score_map
from segml.report.words import decimal, readable, share
from segml.schema import NOT_ENOUGH_DATA

CLUSTER = "cluster"


@dataclass(frozen=True)
class SchemeSection:
    """One scheme: what it asks, its segments, its pictures; ``missing`` says why there are none."""

    name: str
    title: str
    question: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    missing: str = ""

    @property
    def has_margin(self) -> bool:
        """Whether the margin of any segment is known."""
        return any(not math.isnan(row["margin_rate"]) for row in self.rows)


WORDS = {
    "lifecycle": ("Lifecycle", "Who has just come, who buys as usual, who slows down, who has gone?"),
    "tier": ("Tiers", "How much revenue hangs on an account?"),
    "rfm_segment": ("RFM", "How recent, how frequent, how valuable are a customer's orders?"),
    "abc": ("ABC", "Which customers make the bulk of the revenue?"),
    "xyz": ("XYZ", "How steady is a customer's revenue from month to month?"),
    CLUSTER: ("Found segments", "Which customers behave alike, when no rule is given?"),
}


def segments(content: ReportContent) -> list[SchemeSection]:
    """Return the sections of all schemes in the profiles, those people know first; found segments come last."""
    profiles = content.profiles.assign(scheme=content.profiles["scheme"].replace("cluster_name", CLUSTER))
    further = [name for name in profiles["scheme"].unique() if name not in WORDS]
    order = [name for name in WORDS if name != CLUSTER and name in set(profiles["scheme"])] + further
    customers = content.decisions.merge(content.features[["customer_id", "revenue_365d"]], on="customer_id", how="left")
    parts = {name: profiles[profiles["scheme"] == name] for name in [*order, CLUSTER]}
    special = {
        "tier": _lorenz(customers),
        "rfm_segment": _rfm_map(customers, content.config.segments.rfm.bins),
        "xyz": _matrix(customers),
    }
    sections = [_scheme(name, parts[name], special.get(name, [])) for name in order]
    return [*sections, _found(content, parts[CLUSTER])]


def _scheme(name: str, profiles: pd.DataFrame, special: list[Picture]) -> SchemeSection:
    title, question = WORDS.get(name, (readable(name).capitalize(), ""))
    return SchemeSection(name, title, question, _rows(profiles), [_sizes(name, title, profiles), *special])


def _rows(profiles: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row a segment; ``words`` is what there is to say about it beside the figures."""
    text = profiles[["rule", "differences", "typical_category", "typical_region"]].fillna("")
    typical = [
        ", ".join(filter(None, pair)) for pair in zip(text["typical_category"], text["typical_region"], strict=True)
    ]
    typical = [f"mostly {words}" if words else "" for words in typical]
    words = zip(text["rule"], text["differences"], typical, strict=True)
    return [{**row, "words": list(filter(None, said))} for row, said in zip(records(profiles), words, strict=True)]


def _sizes(name: str, title: str, profiles: pd.DataFrame) -> Picture:
    return picture(
        f"sizes-{name}",
        f"{title}: share of customers and of revenue of each segment.",
        partial(plots.plot_segments, profiles.fillna({"revenue_share": 0.0})),
        height=0.42 * len(profiles) + 0.45,
    )


def _lorenz(customers: pd.DataFrame) -> list[Picture]:
    curve = concentration(customers["revenue_365d"].fillna(0))
    if curve.empty:
        return []
    top = curve.set_index("customer_share")["revenue_share"]
    caption = (
        f"The largest tenth of customers brings {share(top.iloc[10])} of the revenue of the last 365 days, "
        f"the largest fifth {share(top.iloc[20])}."
    )
    return [picture("lorenz", caption, partial(plots.plot_lorenz, curve), height=2.9)]


def _rfm_map(customers: pd.DataFrame, bins: int) -> list[Picture]:
    known = customers[customers["rfm_cell"].str.fullmatch(r"\d{3}")]
    if known.empty:
        return []
    caption = "Customers by recency and frequency score, and their share of revenue (the darker, the more)."
    return [picture("rfm-map", caption, partial(plots.plot_rfm_map, score_map(known, bins)))]


def _matrix(customers: pd.DataFrame) -> list[Picture]:
    known = customers[(customers[["abc", "xyz"]] != NOT_ENOUGH_DATA).all(axis=1)]
    if known.empty:
        return []
    caption = "ABC × XYZ: customers and share of revenue; A is large, X is steady."
    return [picture("abc-xyz", caption, partial(plots.plot_abc_xyz, cells(known, "abc", "xyz")), height=2.4)]


def _found(content: ReportContent, profiles: pd.DataFrame) -> SchemeSection:
    title, question = WORDS[CLUSTER]
    if profiles.empty or content.cluster_means is None:
        return SchemeSection(
            CLUSTER, title, question, missing="No segments were searched for, or found; see the notices."
        )
    means = content.cluster_means
    heat_map = picture(
        "profiles",
        "How far each found segment lies from the base, in standard deviations: blue is above, orange below.",
        partial(plots.plot_profiles, means),
        width=2.3 + 1.1 * len(means),
        height=0.3 * means.shape[1] + 0.75,
    )
    pictures = [_sizes(CLUSTER, title, profiles), heat_map]
    rows = _rows(profiles.assign(rule=""))  # the centre in raw units; the picture tells it better
    return SchemeSection(CLUSTER, title, question, rows, pictures, _trust(content))


def _trust(content: ReportContent) -> list[str]:
    """Return in words how far the found segments can be trusted, as far as it was measured."""
    figures = content.metrics
    remarks = []
    if "segments/min_jaccard" in figures:
        remarks.append(
            f"Found again in resamples of the customers: the least stable segment with a similarity of "
            f"{decimal(figures['segments/min_jaccard'])} (1 is always; below 0.6 is hardly more than chance)."
        )
    told = {
        words: figures[f"segments/{name}_eta2"]
        for name, words in (
            ("next_period", "the found segments"),
            ("revenue_fifths", "plain fifths by revenue"),
            ("rfm", "RFM"),
        )
        if f"segments/{name}_eta2" in figures
    }
    if len(told) > 1:
        best = max(told, key=lambda words: told[words])
        parts = ", ".join(f"{words} {decimal(value, 3)}" for words, value in told.items())
        remarks.append(f"Share of the next period's revenue differences that a scheme explains: {parts}. Best: {best}.")
    return remarks
