"""Who moved: the base, then each scheme as a flow, a matrix and sentences."""

from __future__ import annotations

import math
from functools import partial

import pandas as pd

from segml import plots
from segml.display import Grid
from segml.language import _
from segml.monitor import CAUSES, Migration
from segml.monitor.in_words import base_told, moves_told
from segml.pipeline import Refresh
from segml.pipeline.moves import CLUSTERS, MONEY, RISK, Moves
from segml.report.pictures import Picture, picture
from segml.report.refreshed.part import Part
from segml.report.words import money, number, share
from segml.segments import schemes

NOBODY, ABSENT = "–", ""


def migration(refresh: Refresh) -> Part:
    """Return the part of the page that is about moves."""
    title, found = _("Who moved"), refresh.moves
    if found is None:
        first = _("This is the first refresh: the next one will tell who moved.")
        return Part("moves", title, lead=(first,))
    titles = _titles(refresh)
    currency = refresh.config.report.currency
    shown = [name for name in refresh.config.refresh.shown if name in found.schemes]
    return Part(
        "moves",
        title,
        lead=base_told(found.base),
        tables=(_base(found, currency), _overview(found, titles, currency)),
        parts=tuple(_scheme(found, name, titles[name], currency) for name in shown),
        notes=(
            _(
                "The customer changed: by the rules of last time it would have moved as well, and the new rules alone "
                "would not have moved it. Our cut points or model changed: the other way round."
            ),
        ),
    )


def _titles(refresh: Refresh) -> dict[str, str]:
    own = {scheme.name: _(scheme.title) for scheme in schemes(refresh.config.segments)}
    return {**own, CLUSTERS: _("Found segments"), RISK: _("Risk bands")}


def _base(found: Moves, currency: str) -> Grid:
    steps = found.base.statement()
    rows = tuple(
        (_(str(row["step"])), number(row["customers"]), money(row["money"], currency))
        for row in steps.to_dict("records")
    )
    return Grid(
        _("From those who bought then to those who buy now"),
        ("", _("customers"), _("revenue of 365 days")),
        rows,
        totals=(0, len(rows) - 1),
    )


def _overview(found: Moves, titles: dict[str, str], currency: str) -> Grid:
    rows = []
    for name, moves in found.schemes.items():
        causes = moves.by_cause.set_index("cause")
        moved_money = float(causes[f"{MONEY}_then"].sum())
        counts = (number(causes["customers"][cause]) for cause in CAUSES)
        rows.append(
            (
                titles[name],
                share(moves.share_kept),
                number(moves.moved),
                money(moved_money, currency),
                *counts,
                number(moves.masked),
            )
        )
    head = (
        _("scheme"),
        _("stayed"),
        _("moved"),
        _("their revenue then"),
        *(_(cause) for cause in CAUSES),
        _("held by new rules"),
    )
    return Grid(_("All schemes: who moved, and what changed"), head, tuple(rows))


def _scheme(found: Moves, name: str, title: str, currency: str) -> Part:
    moves = found.schemes[name]
    remark = (found.same_names.remark,) if name == CLUSTERS and found.same_names is not None else ()
    return Part(
        f"moves-{name}",
        title,
        lead=(*remark, *moves_told(moves)),
        pictures=(_flow(moves, name, title, "customers"), _flow(moves, name, title, f"{MONEY}_now")),
        tables=(_matrix(moves, currency),),
    )


def _flow(moves: Migration, name: str, title: str, value: str) -> Picture:
    """Return the flow of customers, or of the money that they bring now."""
    captions = {
        "customers": _("{scheme}: where customers were last time, and where they are now; as wide as they are many."),
        f"{MONEY}_now": _("{scheme}: the same; as wide as the revenue that they brought in the last 365 days."),
    }
    return picture(
        f"flow-{name}-{value}".replace("_", "-"),
        captions[value].format(scheme=title),
        partial(plots.plot_flows, moves.matrix, value=value, order=moves.segments),
        width=5.4,
        height=max(2.6, 0.34 * len(moves.segments) + 1.2),
    )


def _matrix(moves: Migration, currency: str) -> Grid:
    """Return customers from each segment (rows) to each (columns), and the money of both dates."""
    matrix = moves.matrix.fillna({"from": ABSENT, "to": ABSENT})
    origins, goals = (
        [name for name in (*moves.segments, ABSENT) if name in set(matrix[end])] for end in ("from", "to")
    )
    customers = matrix.set_index(["from", "to"])["customers"]
    rows = [
        (
            _("not there then") if origin == ABSENT else origin,
            *(number(customers[origin, goal]) if (origin, goal) in customers.index else NOBODY for goal in goals),
            *_sums(matrix[matrix["from"] == origin], currency),
        )
        for origin in origins
    ]
    by_goal = matrix.groupby("to")["customers"].sum()
    rows.append((_("all"), *(number(by_goal[goal]) for goal in goals), *_sums(matrix, currency)))
    shown = (_("gone") if goal == ABSENT else goal for goal in goals)
    head = (_("from ↓ to →"), *shown, _("all"), _("revenue then"), _("revenue now"))
    return Grid(_("Customers, and their revenue of 365 days"), head, tuple(rows), totals=(len(rows) - 1,))


def _sums(rows: pd.DataFrame, currency: str) -> tuple[str, str, str]:
    then, now = (math.fsum(rows[f"{MONEY}_{end}"].dropna()) for end in ("then", "now"))
    return number(rows["customers"].sum()), money(then, currency), money(now, currency)
