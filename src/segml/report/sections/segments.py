"""The segments of each scheme: sizes, revenue, profiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.language import _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.tables import cells, concentration, records, score_map
from segml.report.words import decimal, readable, share
from segml.schema import NOT_ENOUGH_DATA
from segml.segments.words import told_name

CLUSTER = "cluster"
TEXTS = ("typical_category", "typical_size", "typical_region", "rule", "differences", "strategy")


@dataclass(frozen=True)
class SchemeSection:
    """One scheme: what it asks, its segments, its pictures; ``missing`` says why there are none.

    ``is_open`` tells what is shown at once; the other schemes unfold on a click.
    """

    name: str
    title: str
    question: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    cautions: Sequence[str] = ()
    missing: str = ""
    is_open: bool = True

    @property
    def has_margin(self) -> bool:
        """Whether the margin of any segment is known."""
        return any(not math.isnan(row["margin_rate"]) for row in self.rows)


KNOWN_TO_ALL = ("lifecycle", "tier", "rfm_segment", "abc", "xyz")
"""Schemes that every run has, in the order in which people read them."""


def segments(content: ReportContent) -> list[SchemeSection]:
    """Return the sections of all schemes in the profiles, those that all know first; found segments come last."""
    profiles = content.profiles.assign(scheme=content.profiles["scheme"].replace("cluster_name", CLUSTER))
    present = list(profiles["scheme"].unique())
    further = [name for name in present if name not in (*KNOWN_TO_ALL, CLUSTER)]
    order = [name for name in KNOWN_TO_ALL if name in present] + further
    customers = content.decisions.merge(content.features[["customer_id", "revenue_365d"]], on="customer_id", how="left")
    parts = {name: profiles[profiles["scheme"] == name] for name in [*order, CLUSTER]}
    special = {
        "tier": _lorenz(customers),
        "rfm_segment": _rfm_map(customers, content.config.segments.rfm.bins),
        "xyz": _matrix(customers),
    }
    sections = [_scheme(name, parts[name], special.get(name, []), content) for name in order]
    return [*sections, _found(content, parts[CLUSTER])]


def off(content: ReportContent) -> list[dict[str, str]]:
    """Return the schemes that the data cannot serve, and what they would need."""
    titles = {name: _(title) for name, (title, _question) in content.scheme_titles.items()}
    return [{"name": titles.get(name, name), "reason": reason} for name, reason in content.schemes_off.items()]


def _scheme(name: str, profiles: pd.DataFrame, special: list[Picture], content: ReportContent) -> SchemeSection:
    title, question = map(_, content.scheme_titles.get(name, (readable(name).capitalize(), "")))
    return SchemeSection(
        name,
        title,
        question,
        _rows(profiles),
        [_sizes(name, title, profiles), *special],
        cautions=content.cautions.get(name, ()),
        is_open=name in KNOWN_TO_ALL,
    )


def _rows(profiles: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row a segment; ``words`` is what there is to say about it beside the figures."""
    return [{**row, "words": _said(row)} for row in records(profiles.fillna(dict.fromkeys(TEXTS, "")))]


def _said(row: dict[str, Any]) -> list[str]:
    typical = ", ".join(filter(None, (row["typical_category"], row["typical_size"], row["typical_region"])))
    mostly = _("mostly {values}").format(values=typical) if typical else ""
    suggested = _("suggested: {strategy}").format(strategy=row["strategy"]) if row["strategy"] else ""
    return list(filter(None, (row["rule"], row["differences"], mostly, suggested)))


def _sizes(name: str, title: str, profiles: pd.DataFrame) -> Picture:
    return picture(
        f"sizes-{name}",
        _("{scheme}: share of customers and of revenue of each segment.").format(scheme=title),
        partial(plots.plot_segments, profiles.assign(segment=profiles["name"]).fillna({"revenue_share": 0.0})),
        height=0.42 * len(profiles) + 0.45,
    )


def _lorenz(customers: pd.DataFrame) -> list[Picture]:
    curve = concentration(customers["revenue_365d"].fillna(0))
    if curve.empty:
        return []
    top = curve.set_index("customer_share")["revenue_share"]
    caption = _(
        "The largest tenth of customers brings {tenth} of the revenue of the last 365 days, the largest fifth {fifth}."
    ).format(tenth=share(top.iloc[10]), fifth=share(top.iloc[20]))
    return [picture("lorenz", caption, partial(plots.plot_lorenz, curve), height=2.9)]


def _rfm_map(customers: pd.DataFrame, bins: int) -> list[Picture]:
    known = customers[customers["rfm_cell"].str.fullmatch(r"\d{3}")]
    if known.empty:
        return []
    caption = _("Customers by recency and frequency score, and their share of revenue (the darker, the more).")
    return [picture("rfm-map", caption, partial(plots.plot_rfm_map, score_map(known, bins)))]


def _matrix(customers: pd.DataFrame) -> list[Picture]:
    known = customers[(customers[["abc", "xyz"]] != NOT_ENOUGH_DATA).all(axis=1)]
    if known.empty:
        return []
    caption = _("ABC × XYZ: customers and share of revenue; A is large, X is steady.")
    return [picture("abc-xyz", caption, partial(plots.plot_abc_xyz, cells(known, "abc", "xyz")), height=2.4)]


def _found(content: ReportContent, profiles: pd.DataFrame) -> SchemeSection:
    title, question = _("Found segments"), _("Which customers behave alike, when no rule is given?")
    if profiles.empty or content.cluster_means is None:
        missing = _("No segments were searched for, or found; see the notices.")
        return SchemeSection(CLUSTER, title, question, missing=missing)
    means = content.cluster_means.rename(columns=_, index=told_name)
    heat_map = picture(
        "profiles",
        _("How far each found segment lies from the base, in standard deviations: blue is above, orange below."),
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
        stable = _(
            "Found again in resamples of the customers: the least stable segment with a similarity of {jaccard} "
            "(1 is always; below 0.6 is hardly more than chance)."
        )
        remarks.append(stable.format(jaccard=decimal(figures["segments/min_jaccard"])))
    told = {
        words: figures[f"segments/{name}_eta2"]
        for name, words in (
            ("next_period", _("the found segments")),
            ("revenue_fifths", _("plain fifths by revenue")),
            ("rfm", _("RFM")),
        )
        if f"segments/{name}_eta2" in figures
    }
    if len(told) > 1:
        best = max(told, key=lambda words: told[words])
        parts = ", ".join(f"{words} {decimal(value, 3)}" for words, value in told.items())
        explains = _("Share of the next period's revenue differences that a scheme explains: {parts}. Best: {best}.")
        remarks.append(explains.format(parts=parts, best=best))
    return remarks
