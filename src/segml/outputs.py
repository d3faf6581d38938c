"""What a training run leaves: the same files in the output folder and in MLflow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from segml import charts, store
from segml.actions import call_list
from segml.churn import Backtest
from segml.config import Config
from segml.pipeline import Training
from segml.report import ReportContent, build
from segml.segments import FoundSegments, messages_by_scheme, schemes

CONFIG, QUALITY, FEATURES, DECISIONS = "config.yaml", "quality.json", "features.parquet", "decisions.parquet"
PROFILES, BACKTEST, CALL_LIST, REPORT = "profiles.csv", "backtest.parquet", "call_list.csv", "report.html"
PRODUCTS, COHORTS, SILENT = "products.csv", "cohorts.csv", "silent_categories.csv"
CLUSTERS, CLUSTER_SEGMENTS, MIGRATION = "clusters.csv", "cluster_segments.csv", "cluster_migration.csv"
REFIT = "cluster_refit.csv"
BY_DATE = "backtest_by_date.csv"
CHARTS = "charts"
"""A folder: of each chart a picture, and as CSV the table behind it."""
IMPORTANCE = "importance.csv"
EVIDENCE_FILES = ("backtest_slices.csv", "signals.csv", IMPORTANCE, "lead_time.csv")
FILES = (
    CONFIG,
    QUALITY,
    FEATURES,
    DECISIONS,
    PROFILES,
    CLUSTERS,
    CLUSTER_SEGMENTS,
    MIGRATION,
    REFIT,
    PRODUCTS,
    COHORTS,
    SILENT,
    BACKTEST,
    *EVIDENCE_FILES,
    CALL_LIST,
    REPORT,
    CHARTS,
)
BACKTEST_FILES = (CONFIG, BACKTEST, BY_DATE, *EVIDENCE_FILES, CHARTS)
_EXCEL_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
"""How a cell begins that a spreadsheet may run: some leave blanks aside, and read full-width signs as plain ones."""


def write(training: Training, folder: Path, *, run_id: str, data_digest: str) -> None:
    """Write every file of a training run into a folder."""
    decided, segmentation, config = training.decided, training.segmentation, training.scorer.config
    (folder / CONFIG).write_text(config.to_yaml(), encoding="utf-8")
    ledger = training.prepared.ledger.to_dict()
    (folder / QUALITY).write_text(json.dumps(ledger, indent=2, ensure_ascii=False), encoding="utf-8")
    decided.features.to_parquet(folder / FEATURES, index=False)
    decided.decisions.to_parquet(folder / DECISIONS, index=False)
    training.backtest.table.to_parquet(folder / BACKTEST, index=False)
    _write_evidence(training.backtest, folder)
    write_csv(segmentation.profiles, folder / PROFILES)
    _write_found(training.found, folder)
    write_csv(segmentation.products, folder / PRODUCTS)
    write_csv(segmentation.cohorts, folder / COHORTS)
    write_csv(segmentation.silent, folder / SILENT)
    write_csv(call_list(decided.decisions, config.actions), folder / CALL_LIST)
    page = build(report_content(training, run_id=run_id, data_digest=data_digest))
    (folder / REPORT).write_text(page, encoding="utf-8")
    _write_charts(charts.of_training(training), folder / CHARTS)


def write_backtest(found: Backtest, config: Config, folder: Path) -> None:
    """Write every file of an evaluation into a folder."""
    (folder / CONFIG).write_text(config.to_yaml(), encoding="utf-8")
    found.table.to_parquet(folder / BACKTEST, index=False)
    write_csv(found.by_date, folder / BY_DATE)
    _write_evidence(found, folder)
    _write_charts(charts.of_backtest(found, config), folder / CHARTS)


def _write_evidence(found: Backtest, folder: Path) -> None:
    for table, name in zip(
        (found.slices, found.signals, found.importance, found.lead_time), EVIDENCE_FILES, strict=True
    ):
        write_csv(table, folder / name)


def _write_charts(drawn: Iterable[charts.Chart], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for chart in drawn:
        chart.save(folder / f"{chart.name}.png")
        write_csv(chart.table, folder / f"{chart.name}.csv")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, or as CSV where the path says so."""
    if ".csv" in path.suffixes:
        write_csv(table, path)
    else:
        table.to_parquet(path, index=False)


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV that spreadsheets open as text: a cell that would be run as a formula gets an apostrophe."""
    text = table.select_dtypes(include=["str", "object"]).columns
    safe = table.assign(**{name: table[name].map(_as_text, na_action="ignore") for name in text})
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def report_content(training: Training, *, run_id: str, data_digest: str) -> ReportContent:
    """Return what the report page shows of a training run."""
    decided, segmentation, backtest = training.decided, training.segmentation, training.backtest
    labels, config = decided.labels, training.scorer.config
    return ReportContent(
        as_of=training.prepared.as_of,
        config=config,
        decisions=decided.decisions,
        features=decided.features,
        ledger=training.prepared.ledger.to_frame(),
        profiles=segmentation.profiles,
        notices=training.notices,
        **_clusters(training.found),
        metrics=training.metrics,
        backtest=backtest.table if len(backtest.table) else None,
        reliability=backtest.reliability if len(backtest.table) else None,
        gains=backtest.gains if len(backtest.table) else None,
        slices=backtest.slices,
        signals=backtest.signals,
        importance=backtest.importance,
        lead_time=backtest.lead_time,
        revenue_by_month=segmentation.revenue_by_month,
        products=segmentation.products,
        cohorts=segmentation.cohorts,
        silent=segmentation.silent,
        scheme_titles={scheme.name: (scheme.title, scheme.question) for scheme in schemes(config.segments)},
        schemes_off=labels.off,
        cautions=messages_by_scheme(segmentation.cautions),
        customer_names=training.prepared.customer_names,
        versions=store.versions(config),
        data_digest=data_digest,
        run_id=run_id,
    )


def _write_found(found: FoundSegments, folder: Path) -> None:
    write_csv(found.table, folder / CLUSTERS)
    write_csv(found.portrait.table if found.portrait else pd.DataFrame(), folder / CLUSTER_SEGMENTS)
    write_csv(_migration(found), folder / MIGRATION)
    updates = found.lasting.updates if found.lasting else pd.DataFrame(columns=["before", "after", "customers"])
    write_csv(updates, folder / REFIT)


def _clusters(found: FoundSegments) -> dict[str, Any]:
    """Return what the report shows of found segments; nothing where there are none."""
    model, portrait = found.model, found.portrait
    if model is None or portrait is None:
        return {}
    return {
        "cluster_means": found.means,
        "cluster_candidates": found.table,
        "cluster_segments": portrait.table,
        "cluster_sheet": portrait.sheet,
        "cluster_migration": _migration(found),
        "cluster_remarks": found.remarks,
    }


def _migration(found: FoundSegments) -> pd.DataFrame:
    """Return the flows between segments of the model of one horizon ago, by name; no rows where there was none."""
    if found.lasting is None:
        return pd.DataFrame(columns=["from", "to", "customers"])
    return found.lasting.migration


def _as_text(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _EXCEL_FORMULA.match(value) else value
