"""What to do: the first tasks, what was held back, and how busy the owners are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from segml.actions import Tasks
from segml.actions.triggers import COOLING_DOWN, OVER_CAPACITY, owner_name, trigger_name
from segml.config import TasksConfig
from segml.display import Grid
from segml.language import _, ngettext
from segml.pipeline import Refresh
from segml.report.refreshed.part import Part
from segml.report.words import day, listing, money, number

WEEKS_SHOWN = 6


def todo(refresh: Refresh) -> Part:
    """Return the tasks part of the page."""
    tasks, config = refresh.tasks, refresh.config
    currency, names = config.report.currency, refresh.prepared.customer_names
    return Part(
        "tasks",
        _("What to do"),
        lead=(_in_a_sentence(tasks), *_held_back(tasks)),
        tables=(
            _first(tasks.issued, config.report.call_list_rows, currency, names),
            _by_trigger(tasks, config.tasks, currency),
            *([_by_owner(tasks.load)] if len(tasks.load) else []),
        ),
    )


def _in_a_sentence(tasks: Tasks) -> str:
    issued = tasks.issued
    if issued.empty:
        return _("No task is due until the next refresh.")
    told = ngettext(
        "{n:,} task for {customers:,} customers is due by {last}; the first falls due on {first}.",
        "{n:,} tasks for {customers:,} customers are due by {last}; the first fall due on {first}.",
        len(issued),
    )
    return told.format(
        n=len(issued),
        customers=issued["customer_id"].nunique(),
        first=day(issued["due_on"].min()),
        last=day(issued["due_on"].max()),
    )


def _held_back(tasks: Tasks) -> tuple[str, ...]:
    counts = tasks.table["status"].value_counts()
    cooling, over = int(counts.get(COOLING_DOWN, 0)), int(counts.get(OVER_CAPACITY, 0))
    parts = [
        ngettext("{n:,} was asked for lately", "{n:,} were asked for lately", cooling).format(n=cooling),
        ngettext("for {n:,} nobody has time", "for {n:,} nobody has time", over).format(n=over),
    ]
    told = [text for count, text in zip((cooling, over), parts, strict=True) if count]
    return (_("Held back: {parts}.").format(parts=listing(told)),) if told else ()


def _first(issued: pd.DataFrame, rows: int, currency: str, names: dict[str, str]) -> Grid:
    soonest = issued.sort_values(["due_on", "priority"]).head(rows)
    beyond = len(issued) - len(soonest)
    return Grid(
        _("The first tasks"),
        (_("due"), _("customer"), _("task"), _("why"), _("owner"), _("at stake")),
        tuple(
            (
                day(row["due_on"]),
                names.get(row["customer_id"], row["customer_id"]),
                row["title"],
                row["reason"],
                owner_name(row["owner"]),
                money(row["money"], currency),
            )
            for row in soonest.to_dict("records")
        ),
        words=(0, 1, 2, 3, 4),
        more=_("{n} more are in tasks.csv").format(n=number(beyond)) if beyond > 0 else "",
    )


def _by_trigger(tasks: Tasks, config: TasksConfig, currency: str) -> Grid:
    owners = {name: trigger.owner for name, trigger in config.rows()}
    counts = tasks.counts
    rows = [(trigger_name(row["trigger"]), row) for row in counts.to_dict("records")]
    return Grid(
        _("Triggers"),
        (_("trigger"), _("owner"), _("found"), _("issued"), _("asked lately"), _("no time"), _("at stake, issued")),
        (
            *((title, owner_name(owners[row["trigger"]]), *_counted(row, currency)) for title, row in rows),
            (_("all"), "", *_counted(counts.drop(columns="trigger").sum().to_dict(), currency)),
        ),
        words=(0, 1),
        totals=(len(rows),),
    )


def _counted(row: Mapping[Any, Any], currency: str) -> tuple[str, ...]:
    counts = (number(row[name]) for name in ("found", "issued", "cooling_down", "over_capacity"))
    return (*counts, money(row["money_issued"], currency))


def _by_owner(load: pd.DataFrame) -> Grid:
    weeks = sorted(load["week"].unique())[:WEEKS_SHOWN]
    capacity = load.groupby("owner")["capacity"].first()
    contacts = load.pivot_table(index="owner", columns="week", values="contacts", aggfunc="sum", fill_value=0)
    rows = tuple(
        (
            owner_name(str(owner)),
            _("no limit") if math.isinf(capacity[owner]) else number(capacity[owner]),
            *(number(contacts.loc[owner, week]) for week in weeks),
        )
        for owner in contacts.index
    )
    return Grid(
        _("Contacts a week"),
        (_("owner"), _("at most"), *(_("from {day}").format(day=day(week)) for week in weeks)),
        rows,
    )
