"""What a training run tells on the screen and in tags: who it was, what it found, where to look."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from segml import __version__, outputs, store
from segml.actions import call_list
from segml.churn import Backtest
from segml.config import Config, without_secrets
from segml.data.address import redact
from segml.pipeline import Training
from segml.tracking import Run, ui_command, ui_page

TOP_CALLS = 5
_BASELINES = {"recency": "silence", "recency_to_gap": "silence / own gap", "pareto_nbd": "Pareto/NBD"}


def identity(config: Config, config_file: str | None) -> tuple[str, dict[str, str]]:
    """Return the name of a run and the tags it begins with."""
    source = Path(redact(config.data.transactions)).name
    tags = {
        "segml.version": __version__,
        "segml.data": source,
        "segml.config_file": config_file or "",
        "segml.git_commit": _git("rev-parse", "HEAD"),
        "segml.environment": ", ".join(f"{package} {version}" for package, version in store.versions(config).items()),
        "segml.git_dirty": str(bool(_git("status", "--porcelain"))).lower(),
    }
    return config.tracking.run_name or source, {name: value for name, value in tags.items() if value}


def durations(seconds: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics ``time/<stage>_s``."""
    return {f"time/{stage.replace(' ', '_')}_s": value for stage, value in seconds.items()}


def facts(training: Training, output: Path, run: Run) -> dict[str, Any]:
    """Return what the run found as plain values, for ``--json``."""
    decisions = training.decided.decisions
    return {
        "run_id": run.run_id,
        "model_version": run.model_version,
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
    """Print the summary for people."""
    console = Console(highlight=False)
    horizon = training.scorer.config.horizon_days
    console.print(
        f"\n[bold]{found['customers']:,} customers[/] on {found['as_of']}, {found['scored']:,} scored; "
        f"[bold]{found['revenue_at_risk']:,.0f}[/] at risk over the next {horizon} days\n"
    )
    console.print(_lifecycle(training))
    if training.metrics.get("churn/roc_auc") is not None:
        console.print(_ranking(training.metrics))
    if found["scored"]:
        console.print(_calls(training))
    for notice in training.notices:
        console.print(f"  note: {notice}", markup=False, soft_wrap=True)
    console.print(f"\nReport     {found['report']}", markup=False, soft_wrap=True)
    console.print(f"Run        {found['run_id']}  (model version {found['model_version'] or 'not registered'})")
    if ui_command(found["tracking_uri"]):
        console.print(f"MLflow UI  {ui_command(found['tracking_uri'])}", markup=False, soft_wrap=True)
    console.print(f"           {found['run_page']}", markup=False, soft_wrap=True)


def show_backtest(found: Backtest, facts: Mapping[str, Any]) -> None:
    """Print the summary of an evaluation for people."""
    console = Console(highlight=False)
    if found.metrics:
        console.print(_ranking(found.metrics))
        console.print(_by_date(found))
    for notice in found.notices:
        console.print(f"  note: {notice}", markup=False, soft_wrap=True)
    console.print(f"\nTable  {Path(facts['output']) / outputs.BACKTEST}", markup=False, soft_wrap=True)
    console.print(f"Run    {facts['run_id']}")


def _by_date(found: Backtest) -> Table:
    table = Table(title="\nBy test date", title_justify="left", box=None, header_style="dim")
    for name in ("date", "customers", "churn rate", "ROC-AUC", "stagnation rate", "ROC-AUC"):
        table.add_column(name, justify="right")
    for row in found.by_date.to_dict("records"):
        table.add_row(
            str(row["as_of"].date()),
            f"{row['customers']:,}",
            f"{row['churn_rate']:.0%}",
            f"{row['churn_roc_auc']:.3f}",
            f"{row['stagnation_rate']:.0%}",
            f"{row['stagnation_roc_auc']:.3f}",
        )
    return table


def _lifecycle(training: Training) -> Table:
    table = Table(title="Lifecycle", title_justify="left", box=None, header_style="dim")
    table.add_column("stage")
    for name in ("customers", "revenue share", "at risk"):
        table.add_column(name, justify="right")
    shown = training.segmentation.profiles.query("scheme == 'lifecycle' and customers > 0")
    for row in shown.to_dict("records"):
        at_risk = f"{row['revenue_at_risk']:,.0f}" if row["revenue_at_risk"] else "–"
        table.add_row(str(row["segment"]), f"{row['customers']:,}", f"{row['revenue_share']:.0%}", at_risk)
    return table


def _ranking(metrics: Mapping[str, float]) -> Table:
    table = Table(title="\nOut of time, ROC-AUC [95 % interval]", title_justify="left", box=None, header_style="dim")
    for name in ("", "churn", "stagnation"):
        table.add_column(name)
    names = {"segml": ("churn/roc_auc", "stagnation/roc_auc")} | {
        shown: (f"baseline/{short}_churn_roc_auc", f"baseline/{short}_stagnation_roc_auc")
        for short, shown in _BASELINES.items()
    }
    for shown, keys in names.items():
        table.add_row(shown, *(_interval(metrics, key) for key in keys))
    return table


def _interval(metrics: Mapping[str, float], key: str) -> str:
    if key not in metrics:
        return "–"
    if f"{key}_low" not in metrics:
        return f"{metrics[key]:.3f}"
    return f"{metrics[key]:.3f} \\[{metrics[f'{key}_low']:.3f}, {metrics[f'{key}_high']:.3f}]"


def _calls(training: Training) -> Table:
    listed = call_list(training.decided.decisions, training.scorer.config.actions)
    table = Table(title=f"\nCall first (of {len(listed)})", title_justify="left", box=None, header_style="dim")
    table.add_column("customer", no_wrap=True)
    table.add_column("at risk", justify="right")
    table.add_column("why")
    for row in listed.head(TOP_CALLS).to_dict("records"):
        table.add_row(_plain(row["customer_id"]), f"{row['revenue_at_risk']:,.0f}", _plain(row["reasons"]))
    return table


def _plain(value: object) -> str:
    return str(value).replace("[", r"\[")


def _git(*arguments: str) -> str:
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
