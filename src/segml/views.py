"""What each object shows of itself in a notebook or a terminal; importing this module registers the cards."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from segml import summary_tables
from segml.churn import Backtest
from segml.data import Ledger, LedgerRow
from segml.data.entries import entry_name
from segml.display import Card, Grid, Says, card, notices
from segml.language import _, ngettext, speaking
from segml.pipeline import Prepared, Refresh, Scorer, Segmentation, Training
from segml.segments import FoundSegments
from segml.segments.words import told_name
from segml.summary_tables import TextTable, share, whole

TOP_CALLS = 5
MOST_ROWS = 12
"""Rows of a long table that are shown; below it stands how many more there are."""

SCHEMES = ("lifecycle", "rfm_segment", "tier", "cluster_name")
"""The schemes whose profiles are shown; the table of profiles has all."""


@card.register
def _ledger(ledger: Ledger) -> Card:
    balance = (
        _("Lines and money add up: in = kept + taken away (−); what is corrected (~) is kept")
        if ledger.reconciles
        else _("The ledger does not reconcile: {lines:,} lines are not accounted for").format(
            lines=(ledger.came_in.lines - ledger.kept.lines - ledger.taken.lines)
        )
    )
    return Card(_("Cleaning ledger"), (_entries(ledger), Says((f"{balance}.", *_idle(ledger)))))


@card.register
def _prepared(prepared: Prepared) -> Card:
    kept = prepared.ledger["kept"].tally
    rows = (
        (_("lines"), _("{kept:,} of {came:,}").format(kept=kept.lines, came=prepared.ledger.came_in.lines)),
        (_("customers"), whole(kept.customers)),
        (_("net revenue"), whole(float(kept.amount))),
        (_("first purchase"), str(prepared.log_start.date())),
        (_("last line"), str((prepared.log_end - pd.Timedelta(days=1)).date())),
        (_("as of"), str(prepared.as_of.date())),
        *(((_("customer cards"), whole(len(prepared.customers.customers))),) if prepared.customers else ()),
    )
    return Card(
        _("Clean order lines of {source}").format(source=prepared.source),
        (Grid("", ("", ""), rows, words=(0, 1)), *notices(prepared.notices)),
    )


@card.register
def _backtest(found: Backtest) -> Card:
    if found.table.empty:
        return Card(_("Evaluation out of time"), notices(found.notices) or (Says((_("no scores to evaluate"),)),))
    tables = [summary_tables.ranking(found.metrics), summary_tables.money(found.metrics), summary_tables.by_date(found)]
    dates = found.table["as_of"].nunique()
    headline = ngettext(
        "{customers:,} scored customers at {n} date", "{customers:,} scored customers at {n} dates", dates
    )
    return Card(
        _("Evaluation out of time"),
        (
            Says((headline.format(customers=len(found.table), n=dates),)),
            *(_grid(table) for table in tables if table.rows),
            *notices(found.notices),
        ),
    )


@card.register
def _found_segments(found: FoundSegments) -> Card:
    if found.model is None or found.portrait is None:
        return Card(_("Found segments"), notices(found.notices) or (Says((_("no segments were searched for"),)),))
    remarks = tuple(remark for remark in found.remarks if remark not in found.notices)
    return Card(
        _("Found segments"),
        (_portrait(found.portrait.table), _candidates(found.table), Says(remarks), *notices(found.notices)),
    )


@card.register
def _segmentation(segmentation: Segmentation) -> Card:
    profiles = segmentation.profiles
    parts = [_profiles(profiles[profiles["scheme"] == scheme], scheme) for scheme in SCHEMES]
    told = (": ".join(filter(None, (each.scheme, each.message))) for each in segmentation.cautions)
    return Card(_("Segments"), (*(part for part in parts if part.rows), *notices(told)))


@card.register
def _training(training: Training) -> Card:
    with speaking(training.config.report.language):
        tables = [summary_tables.lifecycle(training), summary_tables.found_segments(training)]
        if "churn/roc_auc" in training.metrics:
            tables += [summary_tables.ranking(training.metrics), summary_tables.money(training.metrics)]
        tables += [summary_tables.calls(training, TOP_CALLS)]
        return Card(
            _("Training on {source}").format(source=training.prepared.source),
            (
                Says((summary_tables.headline(training),)),
                *(_grid(table) for table in tables if table.rows),
                *notices(training.notices),
            ),
        )


@card.register
def _scorer(scorer: Scorer) -> Card:
    risk, clusters = scorer.risk, scorer.clusters
    nothing = _("none: too little to learn from")
    rows = (
        (_("trained as of"), str(scorer.trained_at.date())),
        (_("horizon"), _("{n} days").format(n=scorer.config.horizon_days)),
        (_("churn"), nothing if risk is None else _learner(risk.churn_, scorer.config.churn.model)),
        (_("stagnation"), nothing if risk is None else _learner(risk.stagnation_, "direct")),
        (_("features read"), "–" if risk is None else whole(len(risk.inputs_))),
        (_("segments"), nothing if clusters is None else "; ".join(map(told_name, clusters.segment_names_))),
    )
    return Card(
        _("Trained model"),
        (Grid("", ("", ""), rows, words=(0, 1)), *notices(() if risk is None else risk.notices_)),
    )


@card.register
def _refresh(found: Refresh) -> Card:
    verdict, since = found.verdict, found.past.last
    compared = (
        _("As of {day}, compared with {since}").format(day=found.prepared.as_of.date(), since=since.as_of.date())
        if since is not None
        else _("As of {day}, the first refresh").format(day=found.prepared.as_of.date())
    )
    tables = (summary_tables.moved(found), summary_tables.tasks(found))
    return Card(
        _("What changed, and what to do"),
        (
            Says((f"{compared}.", " ".join((verdict.headline, *verdict.reasons)))),
            *(_grid(table) for table in tables if table.rows),
            *notices((*found.prepared.notices, *verdict.cautions)),
        ),
    )


def _learner(learnt: object, kind: str) -> str:
    if learnt is None:
        return _("by rule, too little to learn from")
    return _("boosted trees with a logistic model") + (_(", period by period") if kind == "hazard" else "")


def _entries(ledger: Ledger) -> Grid:
    shown = [row for row in ledger.rows if row.tally.lines or row.items or row.kind in ("in", "kept")]
    ordered = sorted(shown, key=lambda row: ("in", "taken", "kept", "corrected").index(row.kind))
    return Grid(
        "",
        (_("entry"), _("lines"), _("share"), _("customers"), _("money"), _("items"), _("what it is")),
        tuple(_entry(row, ledger) for row in ordered),
        words=(0, 6),
        totals=tuple(place for place, row in enumerate(ordered) if row.kind in ("in", "kept")),
    )


def _entry(row: LedgerRow, ledger: Ledger) -> tuple[str, ...]:
    tally, came = row.tally, ledger.came_in.lines
    marks = {"taken": "− ", "corrected": "~ "}
    return (
        f"{marks.get(row.kind, '')}{entry_name(row.rule)}",
        whole(tally.lines) if tally.lines or row.items is None else "",
        _part(tally.lines / came) if came and tally.lines else "",
        whole(tally.customers) if tally.lines else "",
        whole(float(tally.amount)) if tally.lines else "",
        "" if row.items is None else whole(row.items),
        _(row.meaning),
    )


def _idle(ledger: Ledger) -> tuple[str, ...]:
    """Return which rules found nothing, and which are off."""
    idle = [entry_name(row.rule) for row in ledger.rows if row.kind == "taken" and not row.tally.lines]
    off = [entry_name(rule) for rule in ledger.switched_off]
    return (
        *((_("Found nothing to take: {rules}.").format(rules=", ".join(idle)),) if idle else ()),
        *((_("Switched off: {rules}.").format(rules=", ".join(off)),) if off else ()),
    )


def _portrait(table: pd.DataFrame) -> Grid:
    rows = (
        (
            str(row["number"]),
            told_name(row["name"]),
            whole(row["customers"]),
            share(row["customer_share"]),
            _decimal(row["jaccard"]),
            str(row["rule"]),
        )
        for row in _records(table)
    )
    columns = ("", _("segment"), _("customers"), _("share"), _("comes back (Jaccard)"), _("who belongs to it"))
    return Grid("", columns, tuple(rows), words=(0, 1, 5))


def _candidates(table: pd.DataFrame) -> Grid:
    shown = table.sort_values("is_chosen", ascending=False, kind="stable").head(MOST_ROWS)
    rows = tuple(_candidate(row) for row in _records(shown))
    columns = (
        _("candidate"),
        _("segments"),
        _("lowest Jaccard"),
        _("smallest share"),
        _("tells the next period (η²)"),
        _("on the last period, for a test [95 % interval]"),
    )
    return Grid(_("What was compared"), columns, rows, totals=(0,), words=(0, 5), more=_more(len(table)))


def _candidate(row: Mapping[Any, Any]) -> tuple[str, ...]:
    chosen = _("{name}, chosen") if row["is_chosen"] else "{name}"
    tested = {f"tested{end}": row[f"tested_eta2{end}"] for end in ("", "_low", "_high") if pd.notna(row["tested_eta2"])}
    return (
        chosen.format(name=str(row["candidate"]).replace("_", " ")),
        whole(row["n_segments"]),
        _decimal(row["min_jaccard"]),
        share(row["smallest_share"]),
        _decimal(row["next_period_eta2"]),
        summary_tables.measure(tested, "tested"),
    )


def _profiles(table: pd.DataFrame, scheme: str) -> Grid:
    shown = table[table["customers"] > 0]
    rows = (
        (
            told_name(row["name"] or row["segment"]),
            whole(row["customers"]),
            share(row["revenue_share"]),
            whole(row["revenue_at_risk"]) if row["revenue_at_risk"] else "–",
            str(row["differences"]),
        )
        for row in _records(shown.head(MOST_ROWS))
    )
    columns = (_("segment"), _("customers"), _("revenue share"), _("at risk"), _("differs from the base by"))
    return Grid(scheme.replace("_", " "), columns, tuple(rows), words=(0, 4), more=_more(len(shown)))


def _grid(table: TextTable) -> Grid:
    return Grid(table.title, table.columns, table.rows, table.words)


def _more(rows: int) -> str:
    hidden = rows - MOST_ROWS
    return ngettext("and {n} more row", "and {n} more rows", hidden).format(n=hidden) if hidden > 0 else ""


def _part(value: float) -> str:
    """Return a share that is not nothing."""
    return f"<{share(0.01)}" if value < 0.005 else share(value)


def _decimal(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _records(table: pd.DataFrame) -> Iterable[dict[Any, Any]]:
    return table.to_dict("records")
