"""What came in this time, against the last delivery."""

from __future__ import annotations

import math

from segml.data.entries import entry_name
from segml.display import Grid
from segml.language import _, numerals
from segml.monitor import Quality
from segml.monitor.quality import told_size
from segml.pipeline import Refresh
from segml.report.refreshed.part import Part
from segml.report.words import money, number, share

MONTHS_SHOWN = 6


def came_in(refresh: Refresh) -> Part:
    """Return the part of the page that is about the data."""
    quality = refresh.quality
    title = _("What came in")
    if quality is None:
        unknown = _("What the last delivery of order lines looked like is not known; the next refresh will compare.")
        return Part("came-in", title, lead=(unknown,))
    calm = _("Nothing unusual: cleaning took what it did last time, and past months stand as they were delivered.")
    return Part(
        "came-in",
        title,
        lead=() if quality.alarms else (calm,),
        alarms=quality.alarms,
        tables=(_sizes(quality), *_rules(quality), *_months(quality, refresh.config.report.currency)),
        notes=quality.notes,
    )


def _sizes(quality: Quality) -> Grid:
    rows = tuple(
        (told_size(row["what"]), number(row["then"]), number(row["now"])) for row in quality.sizes.to_dict("records")
    )
    return Grid(_("The delivery"), ("", _("last time"), _("this time")), rows)


def _rules(quality: Quality) -> tuple[Grid, ...]:
    shown = quality.rules[quality.rules[["lines_then", "lines_now"]].sum(axis=1) > 0]
    rows = tuple(
        (entry_name(str(row["rule"])), _fine(row["share_then"]), _fine(row["share_now"]), number(row["lines_now"]))
        for row in shown.to_dict("records")
    )
    head = (_("rule"), _("share of lines, last time"), _("this time"), _("lines"))
    return (Grid(_("What cleaning took or corrected"), head, rows),) if rows else ()


def _months(quality: Quality, currency: str) -> tuple[Grid, ...]:
    changed = quality.months[quality.months[["late", "cancelled"]].ne(0).any(axis=1)].tail(MONTHS_SHOWN)
    names = ("revenue_then", "late", "cancelled", "revenue_now")
    rows = tuple(
        (str(row["month"]), *(money(row[name], currency) for name in names)) for row in changed.to_dict("records")
    )
    head = (_("month"), _("delivered then"), _("late or corrected"), _("cancelled since"), _("stands now"))
    return (Grid(_("Past months that changed"), head, rows),) if rows else ()


def _fine(value: float) -> str:
    return "–" if math.isnan(value) else (share(value) if value >= 0.01 or value == 0 else numerals(f"{value:.2%}"))
