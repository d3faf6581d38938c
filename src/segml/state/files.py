"""What one refresh left, as files of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from segml.monitor.delivery import Delivery
from segml.pipeline import Memory, Scorer

DECISIONS, FEATURES, TASKS, FACTS = "decisions.parquet", "features.parquet", "tasks.parquet", "facts.json"


def write_memory(memory: Memory, folder: Path) -> None:
    """Write all but the model into an empty folder."""
    tables = {DECISIONS: memory.decisions, FEATURES: memory.features, TASKS: memory.tasks}
    for name, table in tables.items():
        if table is not None:
            table.to_parquet(folder / name, index=False)
    delivery = memory.delivery.to_dict() if memory.delivery is not None else None
    told = {"model": memory.model, "delivery": delivery, "facts": dict(memory.facts)}
    (folder / FACTS).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def read_memory(folder: Path, as_of: pd.Timestamp, scorer: Scorer | None) -> Memory:
    """Return what ``write_memory`` wrote; the files are known to be whole."""
    told: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    tasks = _table(folder / TASKS)
    return Memory(
        as_of=as_of,
        decisions=pd.read_parquet(folder / DECISIONS),
        features=_table(folder / FEATURES),
        tasks=tasks if tasks is not None else pd.DataFrame(),
        delivery=Delivery.from_dict(told["delivery"]) if told["delivery"] is not None else None,
        scorer=scorer,
        model=told["model"],
        facts=told["facts"],
    )


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_parquet(path) if path.exists() else None
