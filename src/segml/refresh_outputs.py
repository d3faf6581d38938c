"""What a refresh leaves: the same files in the output folder and in MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from segml import crm, serving
from segml.actions.triggers import ISSUED
from segml.monitor.migration import CHANGED_ON, PREVIOUS
from segml.outputs import BACKTEST, CONFIG, DECISIONS, FEATURES, IMPORTANCE, PROFILES, QUALITY, write_csv
from segml.pipeline import Past, Promise, Refresh, Scorer
from segml.pipeline.moves import Moves
from segml.report.refreshed import build_refresh

PAGE, VERDICT, TASKS, HELD_BACK, TRIGGERS = (
    "refresh.html",
    "verdict.json",
    "tasks.csv",
    "tasks_held_back.csv",
    "triggers.csv",
)
MIGRATION, MOVES, BASE = "migration.csv", "moves.csv", "base.csv"
DRIFT, PROVED, DELIVERY = "drift.csv", "matured.csv", "delivery.csv"
SEGMENTS, FIGURES = "effect_segments.csv", "effect_figures.csv"
ACCOUNTS, CLOSE = "key_accounts.csv", "close_to_key.csv"
RULES, OFFERS = "cross_sell_rules.csv", "cross_sell_offers.csv"
RECALIBRATED = "recalibrated"
"""Folder of the model at the level of what came, where the verdict advises it, with what its training measured."""
MODEL = f"{RECALIBRATED}/{serving.MODEL_FOLDER}"
FILES = (
    CONFIG,
    QUALITY,
    FEATURES,
    DECISIONS,
    PROFILES,
    PAGE,
    VERDICT,
    TASKS,
    HELD_BACK,
    TRIGGERS,
    MIGRATION,
    MOVES,
    BASE,
    DRIFT,
    PROVED,
    DELIVERY,
    SEGMENTS,
    FIGURES,
    ACCOUNTS,
    CLOSE,
    RULES,
    OFFERS,
)
"""Beside them stand the files for the CRM, see ``files``, and ``RECALIBRATED``."""


def files(refresh: Refresh) -> tuple[str, ...]:
    """Return the names of all files that a refresh leaves."""
    sent = [f"{crm.PREFIX}{shape.name}.{one}" for shape in crm.SHAPES for one in refresh.config.crm.formats]
    return (*FILES, *sent)


def export(refresh: Refresh) -> crm.Export:
    """Return what leaves for the CRM: customers, and open tasks, those of earlier refreshes among them."""
    return crm.rows(
        refresh.decided.decisions,
        refresh.decided.features,
        refresh.tasks.table,
        names=refresh.prepared.customer_names,
        history=refresh.past.tasks,
    )


def last_export(refresh: Refresh) -> crm.Export | None:
    """Return what the last refresh sent to the CRM; None where it is not known."""
    last = refresh.past.last
    if last is None or last.features is None or "task_id" not in last.tasks.columns:
        return None
    before = Past(refresh.past.memories[1:])
    names = last.names if last.names is not None else refresh.prepared.customer_names
    carried = [name for name in last.decisions.columns if name.endswith((PREVIOUS, CHANGED_ON))]
    decisions = last.decisions.drop(columns=carried)  # they did not leave for the CRM
    return crm.rows(decisions, last.features, last.tasks, names=names, history=before.tasks)


def write(refresh: Refresh, folder: Path, *, run_id: str) -> None:
    """Write every file of a refresh into a folder."""
    sent, config = export(refresh), refresh.config.crm
    changed = crm.changes(sent, last_export(refresh)) if config.changes_only else None
    crm.write_files(sent, folder, config.formats, changed=changed)
    (folder / CONFIG).write_text(refresh.config.to_yaml(), encoding="utf-8")
    _write_json(refresh.prepared.ledger.to_dict(), folder / QUALITY)
    _write_json(refresh.verdict.summary(), folder / VERDICT)
    refresh.decided.features.to_parquet(folder / FEATURES, index=False)
    refresh.decisions.to_parquet(folder / DECISIONS, index=False)
    for name, table in tables(refresh).items():
        write_csv(table, folder / name)
    if refresh.recalibrated is not None:
        _write_model(refresh.recalibrated, refresh.promise, folder / RECALIBRATED)
    (folder / PAGE).write_text(build_refresh(refresh, run_id=run_id), encoding="utf-8")


def tables(refresh: Refresh) -> dict[str, pd.DataFrame]:
    """Return the tables of a refresh that are written as CSV, by the names of their files."""
    tasks, watch = refresh.tasks, refresh.watch
    return {
        PROFILES: refresh.segmentation.profiles,
        TASKS: tasks.issued,
        HELD_BACK: tasks.table[tasks.table["status"] != ISSUED],
        TRIGGERS: tasks.counts,
        **_moved(refresh.moves),
        DRIFT: watch.drift,
        PROVED: watch.matured.figures if watch.matured is not None else pd.DataFrame(),
        DELIVERY: refresh.quality.rules if refresh.quality is not None else pd.DataFrame(),
        SEGMENTS: refresh.effect.segments,
        FIGURES: refresh.effect.figures,
        ACCOUNTS: refresh.accounts.sheet,
        CLOSE: refresh.accounts.close,
        RULES: refresh.selling.rules,
        OFFERS: refresh.selling.offers,
    }


def _moved(moves: Moves | None) -> dict[str, pd.DataFrame]:
    """Return the matrices of all schemes below each other, every move of a customer, and what became of the base."""
    if moves is None:
        return dict.fromkeys((MIGRATION, MOVES, BASE), pd.DataFrame())
    matrices = [found.matrix.assign(scheme=name) for name, found in moves.schemes.items()]
    moved = [
        found.customers.dropna(subset=["cause"]).assign(scheme=name)[
            ["scheme", "customer_id", "segment_then", "segment_now", "cause"]
        ]
        for name, found in moves.schemes.items()
    ]
    matrix = pd.concat(matrices, ignore_index=True)
    return {
        MIGRATION: matrix[["scheme", *(name for name in matrix.columns if name != "scheme")]],
        MOVES: pd.concat(moved, ignore_index=True),
        BASE: moves.base.statement(),
    }


def _write_model(scorer: Scorer, promise: Promise, folder: Path) -> None:
    """Write a model as a training leaves it: beside it lies what the training measured, by which it is judged."""
    folder.mkdir()
    serving.save(scorer, folder / serving.MODEL_FOLDER)
    if promise.backtest is not None:
        promise.backtest.to_parquet(folder / BACKTEST, index=False)
    if promise.importance is not None:
        write_csv(promise.importance, folder / IMPORTANCE)


def _write_json(values: object, path: Path) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
