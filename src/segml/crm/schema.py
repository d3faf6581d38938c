"""The columns that a CRM imports; a change of them is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

CRM_SCHEMA = 1
"""The version of the columns below: it grows when one is taken away, renamed, or changes its type or meaning."""

Type = Literal["text", "whole", "number", "day", "flag"]

DTYPES: Mapping[Type, str] = {
    "text": "str",
    "whole": "int64",
    "number": "float64",
    "day": "datetime64[us]",
    "flag": "bool",
}

CUSTOMERS: Mapping[str, Type] = {
    "crm_schema": "whole",
    "customer_id": "text",
    "name": "text",
    "as_of": "day",
    "is_active": "flag",
    "lifecycle": "text",
    "tier": "text",
    "abc": "text",
    "xyz": "text",
    "rfm_segment": "text",
    "cluster_name": "text",
    "further_labels": "text",
    "risk_band": "text",
    "p_churn": "number",
    "p_stagnation": "number",
    "run_rate": "number",
    "revenue_365d": "number",
    "revenue_at_risk": "number",
    "reasons": "text",
    "next_order_expected": "day",
    "action": "text",
    "tags": "text",
    "open_tasks": "whole",
    "next_task_id": "text",
    "next_task": "text",
    "next_task_on": "day",
    "next_task_owner": "text",
}
"""One row a customer: ``further_labels`` is a JSON object of the labels of all other schemes, ``tags`` words joined by
``; ``; ``next_task`` is the open task that is due first. Texts are never null, but may be empty; money has two
decimals, probabilities four; unknown numbers and days are null. ``is_active`` is false for who is gone from the data.
"""

TASKS: Mapping[str, Type] = {
    "crm_schema": "whole",
    "task_id": "text",
    "customer_id": "text",
    "name": "text",
    "is_active": "flag",
    "trigger": "text",
    "title": "text",
    "subject": "text",
    "owner": "text",
    "due_on": "day",
    "issued_on": "day",
    "priority": "whole",
    "money": "number",
    "reason": "text",
}
"""One row an open task: issued now, or earlier and not due yet. ``is_active`` is false once it is neither."""


@dataclass(frozen=True)
class Shape:
    """A table of the export: its name, what tells a row from all others, its columns."""

    name: str
    key: str
    columns: Mapping[str, Type]


SHAPES = (Shape("customers", "customer_id", CUSTOMERS), Shape("tasks", "task_id", TASKS))
UNCOMPARED = ("as_of",)
"""Columns that differ in every export, and so do not count as a change."""


@dataclass(frozen=True)
class Export:
    """The tables for a CRM: columns of ``CUSTOMERS`` and ``TASKS``, each sorted by its key."""

    customers: pd.DataFrame
    tasks: pd.DataFrame

    def __getitem__(self, name: str) -> pd.DataFrame:
        return {"customers": self.customers, "tasks": self.tasks}[name]


def shaped(table: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """Return the columns of a shape, with their types and in their order, sorted by key.

    A missing text is empty; zero characters, which data bases refuse, are left out.
    """
    types = {name: DTYPES[kind] for name, kind in shape.columns.items()}
    texts = [name for name, kind in shape.columns.items() if kind == "text"]
    chosen = table[list(types)].astype(types).fillna(dict.fromkeys(texts, ""))
    clean = chosen.assign(**{name: chosen[name].str.replace("\x00", "", regex=False) for name in texts})
    return clean.sort_values(shape.key, ignore_index=True)
