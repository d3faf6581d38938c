"""What a run tells on the screen and in tags: who it was, what it found, where to look."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from segml import __version__, outputs, summary_tables
from segml.churn import Backtest
from segml.config import Config, changed, digest, in_short, load, recipe_digest, without_secrets
from segml.data.address import redact
from segml.display import plain_console
from segml.language import _, speaking
from segml.pipeline import Refresh, Training
from segml.plots.style import elide
from segml.promotion import Verdict
from segml.schema import ConfigError
from segml.summary_tables import TextTable
from segml.tracking import Run, ui_command, ui_page

TOP_CALLS = 5
NAME_CHANGES, VALUE_LENGTH, NAME_LENGTH = 3, 24, 100
METRIC_GROUPS = ("churn", "stagnation", "segments", "profit", "baseline", "data")
NOT_IN_NAMES = "data."
"""What the last words of a run's name, or its tags, tell already."""
TOLD_BY_VALUE = ("as_of", "churn.model", "churn.boosting.library", "segments.clusters.kind")
"""Keys that need not stand in a run's name beside their values."""


def identity(config: Config, config_file: str | None, *, prefix: str = "") -> tuple[str, dict[str, str]]:
    """Return the name of a run and the tags it begins with; in the name the prefix stands before that of the data."""
    source, commit = Path(redact(config.data.transactions)).name, _git("rev-parse", "HEAD")
    tags = {
        "segml.version": __version__,
        "segml.data": source,
        "segml.config_file": config_file or "",
        "segml.changed": ", ".join(f"{key}={in_short(value)}" for key, value in changed(config).items()),
        "segml.config_digest": digest(config),
        "segml.recipe_digest": recipe_digest(config),
        "segml.engine": config.engine.kind,
        "segml.git_commit": commit,
        "segml.git_dirty": str(bool(_git("status", "--porcelain"))).lower() if commit else "",
    }
    given = config.tracking.run_name
    name = f"{prefix}{given}" if given else run_name(f"{prefix}{source}", changed(config, _base(config_file)))
    return name, {key: value for key, value in tags.items() if value}


def run_name(source: str, differences: Mapping[str, Any]) -> str:
    """Return a name that tells runs apart: the first settings that were changed, then the data.

    What differs comes first, because the UI's column of names shows eighteen characters.

    >>> run_name("demo", {"as_of": "2025-10-01", "horizon_days": 60, "churn.model": "direct"})
    '2025-10-01, horizon=60, direct, demo'
    """
    told = [_told(key, value) for key, value in differences.items() if not key.startswith(NOT_IN_NAMES)]
    more = [f"{len(told) - NAME_CHANGES} more"] if len(told) > NAME_CHANGES else []
    return elide(", ".join([*told[:NAME_CHANGES], *more, source]), NAME_LENGTH)


def durations(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics ``time/<stage>_s``."""
    return {f"time/{stage.replace(' ', '_')}_s": value for stage, value in seconds.items()}


def in_order(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics group by group, the most telling first: the UI begins with the first one logged."""
    return dict(sorted(metrics.items(), key=lambda item: _place(item[0].partition("/")[0])))


def series(by_date: pd.DataFrame) -> dict[str, tuple[tuple[int, float], ...]]:
    """Return what was measured at each test date as metrics ``by_date/…``; a step is a test date, the first is 1."""
    measured = [name for name in by_date.columns if name.endswith(("_rate", "_predicted", "_roc_auc"))]
    found = {
        name: tuple((step, float(value)) for step, value in enumerate(by_date[name], 1) if pd.notna(value))
        for name in ("customers", *measured)
        if name in by_date.columns
    }
    return {f"by_date/{name}": points for name, points in found.items() if points}


def facts(training: Training, output: Path, run: Run, verdict: Verdict | None = None) -> dict[str, Any]:
    """Return what the run found as plain values, for ``--json``."""
    decisions = training.decisions
    return {
        "run_id": run.run_id,
        "model_version": run.model_version,
        "promotion": verdict.summary() if verdict is not None else None,
        "run_page": ui_page(without_secrets(run.uri), run.experiment_id, run.run_id),
        "tracking_uri": without_secrets(run.uri),
        "output": str(output.resolve()),
        "report": str((output / outputs.REPORT).resolve()),
        "as_of": str(training.prepared.as_of.date()),
        "customers": len(decisions),
        "scored": int(decisions["p_churn"].notna().sum()),
        "revenue_at_risk": float(decisions["revenue_at_risk"].sum()),
        "metrics": training.metrics,
        "notices": list(training.notices),
    }


def show(training: Training, found: Mapping[str, Any]) -> None:
    """Print the summary for people, in the language of the report."""
    with speaking(training.config.report.language):
        console = plain_console()
        console.print(f"\n[bold]{escape(summary_tables.headline(training))}[/]\n", soft_wrap=True)
        tables = [summary_tables.lifecycle(training)]
        if "churn/roc_auc" in training.metrics:
            tables.append(summary_tables.ranking(training.metrics))
        if found["scored"]:
            tables.append(summary_tables.calls(training, TOP_CALLS))
        _print_tables(console, tables)
        _print_notices(console, training.notices)
        if found["promotion"]:
            _print_verdict(console, found["promotion"])
        model = _("model version {version}").format(version=found["model_version"] or _("not registered"))
        _print_places(
            console,
            {
                _("Report"): found["report"],
                _("Run"): f"{found['run_id']}  ({model})",
                "MLflow UI": ui_command(found["tracking_uri"]),
                _("Page"): found["run_page"],
            },
        )


def _print_verdict(console: Console, verdict: Mapping[str, Any]) -> None:
    console.print(f"\n{verdict['decision']}", markup=False, soft_wrap=True)
    for reason in verdict["reasons"]:
        console.print(f"  {reason}", markup=False, soft_wrap=True)


def show_backtest(found: Backtest, facts: Mapping[str, Any], config: Config) -> None:
    """Print the summary of an evaluation for people, in the language of the report."""
    with speaking(config.report.language):
        console = plain_console()
        if found.metrics:
            _print_tables(console, [summary_tables.ranking(found.metrics), summary_tables.by_date(found)])
        _print_notices(console, found.notices)
        _print_places(console, {_("Table"): str(Path(facts["output"]) / outputs.BACKTEST), _("Run"): facts["run_id"]})


def refresh_facts(found: Refresh, output: Path, run: Run, *, page: str, offered: str) -> dict[str, Any]:
    """Return what a refresh found as plain values, for ``--json``.

    Parameters
    ----------
    page : the name of its page
    offered : what to do with the recalibrated model, in words; empty where there is none
    """
    last = found.past.last
    return {
        "run_id": run.run_id,
        "run_page": ui_page(without_secrets(run.uri), run.experiment_id, run.run_id),
        "output": str(output.resolve()),
        "page": str((output / page).resolve()),
        "as_of": str(found.prepared.as_of.date()),
        "last_refresh": str(last.as_of.date()) if last is not None else None,
        "customers": len(found.decided.decisions),
        "tasks": len(found.tasks.issued),
        "verdict": found.verdict.summary(),
        "recalibrated": offered or None,
        "model_version": run.model_version or None,
        "metrics": found.metrics,
        "notices": list(found.prepared.notices),
    }


def show_refresh(found: Refresh, facts: Mapping[str, Any]) -> None:
    """Print the summary of a refresh for people, in the language of the report."""
    with speaking(found.config.report.language):
        console = plain_console()
        moved = [summary_tables.moved(found)] if found.moves is not None else []
        _print_tables(console, [summary_tables.tasks(found), *moved])
        _print_notices(console, found.prepared.notices)
        reasons = list(dict.fromkeys(check.words for check in found.verdict.checks))
        offered = [facts["recalibrated"]] if facts["recalibrated"] else []
        _print_verdict(console, {"decision": found.verdict.headline, "reasons": [*reasons, *offered]})
        _print_places(console, {_("Report"): facts["page"], _("Run"): facts["run_id"], _("Page"): facts["run_page"]})


def show_would_change(found: Refresh, tables: Callable[[], Iterable[TextTable]]) -> None:
    """Print what a refresh without a trace would change in the CRM, in the language of the report."""
    with speaking(found.config.report.language):
        console = plain_console()
        _print_tables(console, tables())
        _print_notices(console, found.prepared.notices)
        _print_verdict(console, {"decision": found.verdict.headline, "reasons": []})


def _print_tables(console: Console, tables: Iterable[TextTable]) -> None:
    for told in tables:
        table = Table(title=f"\n{escape(told.title)}", title_justify="left", box=None, header_style="dim")
        for place, name in enumerate(told.columns):
            table.add_column(escape(name), justify="left" if place in told.words else "right", no_wrap=place == 0)
        for row in told.rows:
            table.add_row(*map(escape, row))
        console.print(table)


def _print_notices(console: Console, notices: Iterable[str]) -> None:
    for notice in notices:
        told = _("note: {text}").format(text=notice)
        console.print(f"  {told}", markup=False, soft_wrap=True)


def _print_places(console: Console, places: Mapping[str, str]) -> None:
    """Print where to look, one place a line, those that are known."""
    console.print()
    width = max(map(len, places))
    for name, place in places.items():
        if place:
            console.print(f"{name:<{width}}  {place}", markup=False, soft_wrap=True)


def _told(key: str, value: Any) -> str:
    """Return a setting as it stands in a run's name; its unit is left out."""
    text = elide("+".join(map(in_short, value)) if isinstance(value, list) else in_short(value), VALUE_LENGTH)
    name = key.rpartition(".")[2].removesuffix("_days")
    return text if key in TOLD_BY_VALUE and value is not None else f"{name}={text}"


def _place(group: str) -> int:
    return METRIC_GROUPS.index(group) if group in METRIC_GROUPS else len(METRIC_GROUPS)


def _base(config_file: str | None) -> Config:
    """Return what a configuration file alone says; the defaults where there is none, or it needs overrides."""
    try:
        return load(config_file)
    except ConfigError:
        return Config()


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
