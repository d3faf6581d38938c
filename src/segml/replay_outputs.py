"""What a replay leaves beside the refreshes themselves: one row a date, and a page that leads to each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from segml import artifacts
from segml.display import Grid, plain_console
from segml.language import _, speaking
from segml.monitor.base import LOST, NEW, RETURNED
from segml.outputs import write_csv
from segml.pipeline import Refresh
from segml.refresh_outputs import PAGE as REFRESH_PAGE
from segml.report.refreshed import build_replay
from segml.report.words import NOTHING, day, decimal, number, share

PAGE, TABLE = "replay.html", "replay.csv"
ON_SCREEN = ("as_of", "customers", "new", "lost", "matured_churn_roc_auc", "tasks", "verdict")
"""Columns that a terminal has room for."""


def write(found: Sequence[Refresh], folder: Path) -> dict[str, Any]:
    """Write table and page into the folder of the refreshes; return where they are, and what was found."""
    table = by_date(found)
    artifacts.write_file(folder / TABLE, lambda path: write_csv(table, path))
    with speaking(found[0].config.report.language):
        page = build_replay(found, _grid(table), f"{{day}}/{REFRESH_PAGE}")
    artifacts.write_file(folder / PAGE, lambda path: path.write_text(page, encoding="utf-8"))
    return {
        "output": str(folder.resolve()),
        "page": str((folder / PAGE).resolve()),
        "refreshes": table.astype({"as_of": "str"}).to_dict("records"),
    }


def by_date(found: Sequence[Refresh]) -> pd.DataFrame:
    """Return one row a refresh: who came and went, who moved, the verdict, how earlier scores proved, tasks."""
    return pd.DataFrame([_row(refresh) for refresh in found])


def show(found: Sequence[Refresh], facts: dict[str, Any]) -> None:
    """Print one line a refresh, in the language of the report."""
    with speaking(found[0].config.report.language):
        grid = _grid(by_date(found), is_short=True)
        console = plain_console()
        shown = Table(title=f"\n{grid.title}", title_justify="left", box=None, header_style="dim")
        for place, name in enumerate(grid.columns):
            shown.add_column(name, justify="left" if place in grid.words else "right")
        for row in grid.rows:
            shown.add_row(*row)
        console.print(shown)
        console.print(f"\n{_('Report')}  {facts['page']}", markup=False, soft_wrap=True)


def _row(refresh: Refresh) -> dict[str, Any]:
    moves, metrics = refresh.moves, refresh.metrics
    base = moves.base.count if moves is not None else (lambda group: float("nan"))
    return {
        "as_of": refresh.prepared.as_of.date(),
        "trained_at": refresh.scorer.trained_at.date(),
        "customers": len(refresh.decided.decisions),
        "new": base(NEW),
        "returned": base(RETURNED),
        "lost": base(LOST),
        "lifecycle_kept_share": metrics.get("migration/lifecycle_kept_share", float("nan")),
        "rfm_by_rules_share": metrics.get("migration/rfm_segment_by_rules_share", float("nan")),
        "drift_large": metrics["drift/large"],
        "matured_churn_roc_auc": metrics.get("matured/churn_roc_auc", float("nan")),
        "matured_churn_observed_to_expected": metrics.get("matured/churn_observed_to_expected", float("nan")),
        "key_retention": metrics.get("effect/key_retention", float("nan")),
        "tasks": len(refresh.tasks.issued),
        "verdict": refresh.verdict.decision,
    }


def _grid(table: pd.DataFrame, *, is_short: bool = False) -> Grid:
    """Return the refreshes as text, a row each; short enough for a terminal, or all of them."""
    columns: dict[str, tuple[str, Callable[[Any], str]]] = {
        "as_of": (_("as of"), _day),
        "trained_at": (_("model of"), _day),
        "customers": (_("customers"), number),
        "new": (_("new"), number),
        "returned": (_("returned"), number),
        "lost": (_("lost"), number),
        "lifecycle_kept_share": (_("kept their stage"), share),
        "matured_churn_roc_auc": (_("churn proved, ROC-AUC"), decimal),
        "matured_churn_observed_to_expected": (_("churn, observed over expected"), decimal),
        "key_retention": (_("key customers retained"), share),
        "tasks": (_("tasks"), number),
        "verdict": (_("verdict"), lambda word: _(str(word))),
    }
    if is_short:
        columns = {name: columns[name] for name in ON_SCREEN}
    rows = tuple(
        tuple(NOTHING if pd.isna(row[name]) else written(row[name]) for name, (head, written) in columns.items())
        for row in table.to_dict("records")
    )
    return Grid(
        _("Refresh by refresh"), tuple(head for head, written in columns.values()), rows, words=(0, len(columns) - 1)
    )


def _day(date: object) -> str:
    return day(pd.Timestamp(str(date)))
