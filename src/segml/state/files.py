"""What one refresh left, as files of a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from segml.monitor.delivery import Delivery
from segml.pipeline import Memory, Scorer

DECISIONS, FEATURES, TASKS, NAMES, FACTS = (
    "decisions.parquet",
    "features.parquet",
    "tasks.parquet",
    "names.parquet",  # not there in states of earlier versions
    "facts.json",
)


def write_memory(memory: Memory, folder: Path) -> None:
    """Write all but the model into an empty folder."""
    tables = {
        DECISIONS: memory.decisions,
        FEATURES: memory.features,
        TASKS: memory.tasks,
        NAMES: _names_table(memory.names),
    }
    for name, table in tables.items():
        if table is not None:
            table.to_parquet(folder / name, index=False)
    delivery = memory.delivery.to_dict() if memory.delivery is not None else None
    told = {"model": memory.model, "delivery": delivery, "facts": dict(memory.facts)}
    (folder / FACTS).write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")


def read_memory(folder: Path, as_of: pd.Timestamp, scorer: Scorer | None) -> Memory:
    """Return what ``write_memory`` wrote; the files are known to be whole."""
    told: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    tasks, names = _table(folder / TASKS), _table(folder / NAMES)
    return Memory(
        as_of=as_of,
        decisions=pd.read_parquet(folder / DECISIONS),
        features=_table(folder / FEATURES),
        tasks=tasks if tasks is not None else pd.DataFrame(),
        delivery=Delivery.from_dict(told["delivery"]) if told["delivery"] is not None else None,
        scorer=scorer,
        model=told["model"],
        names=dict(zip(names["customer_id"], names["name"], strict=True)) if names is not None else None,
        facts=told["facts"],
    )


def _names_table(names: Mapping[str, str] | None) -> pd.DataFrame | None:
    if names is None:
        return None
    return pd.DataFrame({"customer_id": list(names), "name": list(names.values())}, dtype="str")


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_parquet(path) if path.exists() else None
