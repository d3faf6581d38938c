"""What became of the segments: the four figures, and each segment's money and retention."""

from __future__ import annotations

import pandas as pd

from segml.display import Grid
from segml.language import N_, _
from segml.monitor import FIGURES, PERIODS
from segml.monitor.effectiveness import called
from segml.monitor.four_figures import ORDER_VALUE, told
from segml.pipeline import Refresh
from segml.report.refreshed.part import Part
from segml.report.words import day as told_day
from segml.report.words import money, number, share

SCHEMES = (N_("lifecycle"), N_("tier"))


def effect(refresh: Refresh) -> Part:
    """Return the part of the page that is about effectiveness."""
    found, currency = refresh.effect, refresh.config.report.currency
    title = _("What the work brought")
    if found.segments.empty:
        return Part("effect", title, lead=(_("The log is too short to compare periods."),))
    figures = (_figures(found.figures, currency),) if len(found.figures) else ()
    return Part(
        "effect",
        title,
        lead=told(found.figures) if len(found.figures) else (),
        tables=(*figures, *(_segments(found.segments, scheme, currency) for scheme in SCHEMES)),
        notes=(
            _("Customers count in the segment that they were in when the period began. Periods: {spans}.").format(
                spans="; ".join(
                    f"{_(PERIODS[name])} ({told_day(span.start)} – {told_day(span.end)})"
                    for name, span in found.spans.items()
                )
            ),
        ),
    )


def _figures(figures: pd.DataFrame, currency: str) -> Grid:
    periods = list(dict.fromkeys(figures["period"]))
    cells = figures.set_index(["figure", "period"])
    rows = tuple(
        (_(words), *(_value(cells.loc[(name, period)], name, currency) for period in periods))
        for name, words in FIGURES.items()
        if name in set(figures["figure"])
    )
    return Grid(
        _("The four figures, with 95 % intervals"), (_("figure"), *(_(PERIODS[name]) for name in periods)), rows
    )


def _value(row: pd.Series[float], name: str, currency: str) -> str:
    if pd.isna(row["value"]):
        return "–"
    if name == ORDER_VALUE:
        ends = (money(row["value_low"], currency), money(row["value_high"], currency))
        return f"{money(row['value'], currency)} [{ends[0]}, {ends[1]}]"
    return f"{share(row['value'])} [{share(row['value_low'])}, {share(row['value_high'])}]"


def _segments(segments: pd.DataFrame, scheme: str, currency: str) -> Grid:
    own = segments[segments["scheme"] == scheme]
    periods = list(dict.fromkeys(own["period"]))
    cells = own.set_index(["segment", "period"])
    rows = []
    for segment in dict.fromkeys(own["segment"]):
        told_cells = [cells.loc[(segment, period)] if (segment, period) in cells.index else None for period in periods]
        now = told_cells[0]
        revenues = [money(cell["revenue"], currency) if cell is not None else "–" for cell in told_cells]
        kept = [share(cell["retention"]) if cell is not None else "–" for cell in told_cells]
        rows.append((called(segment), number(now["customers"]) if now is not None else "–", *revenues, *kept))
    head = [_("revenue {period}").format(period=_(PERIODS[name])) for name in periods]
    retained = [_("bought again {period}").format(period=_(PERIODS[name])) for name in periods]
    return Grid(
        _("By {scheme} at the start").format(scheme=_(scheme)),
        (_("segment"), _("customers"), *head, *retained),
        tuple(rows),
    )
