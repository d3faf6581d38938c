"""Changes against what the CRM holds, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from segml.crm.changes import CHANGE, CHANGED, CHANGED_COLUMNS, GONE, NEW, Changes, TableChanges
from segml.language import N_, _, ngettext
from segml.summary_tables import TextTable, whole

KINDS = (NEW, CHANGED, GONE)
_MOST_COLUMNS, _MOST_ROWS, _MOST_NAMES = 10, 5, 3
_TITLES = {"customers": N_("Customers, the first of each kind"), "tasks": N_("Tasks, the first of each kind")}
_HEADS = {"customers": N_("customer"), "tasks": N_("task")}
_TOLD_BY = {"customers": ("name",), "tasks": ("customer_id", "title")}
_KINDS = {NEW: N_("new"), CHANGED: N_("changed"), GONE: N_("gone")}


def figures(found: Changes) -> dict[str, dict[str, Any]]:
    """Return how many rows of each table are new, changed, gone or as they were, and in which columns."""
    return {
        table.name: {
            **{kind: table.count(kind) for kind in KINDS},
            "unchanged": table.unchanged,
            "changed_columns": table.by_column(),
        }
        for table in found
    }


def tables(found: Changes) -> list[TextTable]:
    """Return the changes as tables for the screen: counts, columns, and the first rows of each kind."""
    told = [_counts(found), _columns(found), *map(_first_rows, found)]
    return [table for table in told if table.rows]


def _counts(found: Changes) -> TextTable:
    rows = [(_(table.name), *map(_whole, (*map(table.count, KINDS), table.unchanged))) for table in found]
    head = (_("table"), *(_(_KINDS[kind]) for kind in KINDS), _("unchanged"))
    return TextTable(_("What would change in the CRM"), head, tuple(rows))


def _columns(found: Changes) -> TextTable:
    rows: list[tuple[str, ...]] = []
    for table in found:
        counts = table.by_column()
        rows += [(_(table.name), name, _whole(count)) for name, count in list(counts.items())[:_MOST_COLUMNS]]
        rows += [(_(table.name), _more(len(counts) - _MOST_COLUMNS), "")] if len(counts) > _MOST_COLUMNS else []
    return TextTable(_("Columns that would change"), (_("table"), _("column"), _("rows")), tuple(rows), words=(0, 1))


def _first_rows(table: TableChanges) -> TextTable:
    first = pd.concat([table.rows[table.rows[CHANGE] == kind].head(_MOST_ROWS) for kind in KINDS])
    rows = [(row[table.key], _(_KINDS[row[CHANGE]]), _what(table, row)) for row in first.to_dict("records")]
    head = (_(_HEADS[table.name]), _("change"), "")
    return TextTable(_(_TITLES[table.name]), head, tuple(rows), words=(0, 1, 2))


def _what(table: TableChanges, row: Mapping[Any, Any]) -> str:
    """Return which columns changed, and of others what they are."""
    if row[CHANGE] != CHANGED:
        return ", ".join(row[name] for name in _TOLD_BY[table.name] if row[name])
    names = row[CHANGED_COLUMNS].split(",")
    more = [_more(len(names) - _MOST_NAMES)] if len(names) > _MOST_NAMES else []
    return ", ".join([*names[:_MOST_NAMES], *more])


def _more(count: int) -> str:
    return ngettext("{n} more", "{n} more", count).format(n=count)


def _whole(count: int) -> str:
    return whole(float(count))
