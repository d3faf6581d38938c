"""The segments of each scheme: sizes, revenue, profiles."""

from __future__ import annotations

from functools import partial

import pandas as pd

from segml import plots
from segml.language import _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.sections.found import CLUSTER, found
from segml.report.sections.scheme import SchemeSection, scheme_rows, sizes
from segml.report.tables import cells, concentration, score_map
from segml.report.words import readable, share
from segml.schema import NOT_ENOUGH_DATA

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
    return [*sections, found(content, parts[CLUSTER])]


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
        scheme_rows(profiles),
        [sizes(name, title, profiles), *special],
        cautions=content.cautions.get(name, ()),
        is_open=name in KNOWN_TO_ALL,
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
