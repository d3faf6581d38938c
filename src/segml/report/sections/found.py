"""Found segments: how many there are and why, what they are, how they lie, and how customers move between them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from segml import plots
from segml.clusters import RULE
from segml.language import _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.sections.scheme import SchemeSection, scheme_rows, sizes
from segml.report.words import decimal
from segml.segments.validity import told_rule
from segml.segments.words import told_name

CLUSTER = "cluster"
ALGORITHMS = {"kmeans": "KMeans", "hdbscan": "HDBSCAN"}
RULES_SHOWN = 3


def found(content: ReportContent, profiles: pd.DataFrame) -> SchemeSection:
    """Return the section of the found segments; it says so where there are none.

    Parameters
    ----------
    profiles : those of the found segments
    """
    title, question = _("Found segments"), _("Which customers behave alike, when no rule is given?")
    if profiles.empty or content.cluster_means is None:
        missing = _("No segments were searched for, or found; see the notices.")
        return SchemeSection(CLUSTER, title, question, missing=missing)
    heat_map = _profiles(content.cluster_means)
    pictures = [sizes(CLUSTER, title, profiles), heat_map, *_pictures(content, profiles)]
    remarks = [*content.cluster_remarks, *_for_information(content)]
    return SchemeSection(CLUSTER, title, question, scheme_rows(profiles), pictures, remarks)


def _pictures(content: ReportContent, profiles: pd.DataFrame) -> Iterator[Picture]:
    yield picture(
        "size-against-revenue",
        _(
            "Share of customers and of revenue of each found segment; above the line its customers bring more than the "
            "average."
        ),
        partial(plots.plot_size_against_revenue, profiles.assign(segment=profiles["name"])),
    )
    if content.cluster_candidates is not None:
        yield from _candidates(content.cluster_candidates)
    if content.cluster_sheet is not None:
        sheet = content.cluster_sheet
        draw = partial(plots.plot_projection, sheet.points, centres=sheet.centres, explained=sheet.explained)
        yield picture(
            "projection", _("Customers in two dimensions, coloured by segment number; for looking only."), draw
        )
    if content.cluster_migration is not None and len(content.cluster_migration):
        ends = {end: content.cluster_migration[end].map(told_name, na_action="ignore") for end in ("from", "to")}
        moved = content.cluster_migration.assign(**ends)
        names = moved["to"].dropna().nunique()
        yield picture(
            "migration",
            _("Customers that moved between segments over the last horizon, by one frozen model."),
            partial(plots.plot_migration, moved),
            width=2.8 + 1.05 * (names + 1) if names <= 6 else 2.8 + 0.62 * (names + 1),
            height=0.34 * (names + 1) + 1.1,
        )


def _profiles(means: pd.DataFrame) -> Picture:
    shown = means.dropna(how="all").rename(columns=_, index=told_name)
    return picture(
        "profiles",
        _("How far each found segment lies from the base, in standard deviations: blue is above, orange below."),
        partial(plots.plot_profiles, shown),
        width=2.3 + 1.1 * len(shown),
        height=0.3 * shown.shape[1] + 0.75,
    )


def _candidates(table: pd.DataFrame) -> Iterator[Picture]:
    """Yield a picture of the candidates of each algorithm of which more than one was measured."""
    rules = table[table["algorithm"] == RULE].nlargest(RULES_SHOWN, "next_period_eta2")
    baselines = {told_rule(name): eta for name, eta in zip(rules["candidate"], rules["next_period_eta2"], strict=True)}
    for algorithm, name in ALGORITHMS.items():
        rows = table[table["algorithm"] == algorithm]
        if len(rows) < 2:
            continue
        chosen = rows.loc[rows["is_chosen"], "size"]
        yield picture(
            f"candidates-{algorithm}",
            _("{algorithm} by size: what comes back in resamples, and what tells the next period.").format(
                algorithm=name
            ),
            partial(
                plots.plot_candidates,
                rows,
                chosen=float(chosen.iloc[0]) if len(chosen) else None,
                baselines=baselines,
                size_name=None if algorithm == "kmeans" else _("customers of the smallest segment"),
            ),
            width=6.4,
            height=4.6,
        )


def _for_information(content: ReportContent) -> Iterator[str]:
    """Yield the silhouette and likeness of each segment."""
    if content.cluster_segments is None:
        return
    known = content.cluster_segments.dropna(subset=["silhouette"])
    one = _("{name} {silhouette}")
    told = "; ".join(
        one.format(name=told_name(name), silhouette=decimal(silhouette))
        for name, silhouette in zip(known["name"], known["silhouette"], strict=True)
    )
    if told:
        yield _("Mean silhouette of each segment, for information: {told}.").format(told=told)
    likeness = content.cluster_segments.dropna(subset=["jaccard"])
    back = "; ".join(
        one.format(name=told_name(name), silhouette=decimal(jaccard))
        for name, jaccard in zip(likeness["name"], likeness["jaccard"], strict=True)
    )
    if back:
        text = _("Found again when customers are drawn anew (Jaccard; 1 is always, below 0.6 hardly): {told}.")
        yield text.format(told=back)
