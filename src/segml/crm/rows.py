"""From decisions and tasks to the tables that a CRM imports."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pandas as pd

from segml.actions import CALLS, DECISIONS, INTERVAL, PROFIT
from segml.actions.triggers import ISSUED
from segml.crm.schema import CRM_SCHEMA, SHAPES, Export, shaped
from segml.windows import before

_TAGGED = ("lifecycle", "tier", "risk_band")
_BESIDE = (*DECISIONS, *INTERVAL, *CALLS, PROFIT)
_MONEY_DECIMALS, _CHANCE_DECIMALS = 2, 4


def rows(
    decisions: pd.DataFrame,
    features: pd.DataFrame,
    tasks: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    history: pd.DataFrame | None = None,
) -> Export:
    """Return the tables for a CRM.

    Parameters
    ----------
    decisions, features : one row a customer at one as-of date; labels beyond the core ones go to ``further_labels``
    tasks : tasks of this date, as ``find_tasks`` returns them; those issued leave
    names : of customers, where they are known
    history : tasks of earlier dates; those issued that are not due before the as-of date are still open
    """
    as_of = decisions["as_of"].iloc[0]
    known = dict(names or {})
    due = _open_tasks(tasks, history, as_of).assign(crm_schema=CRM_SCHEMA, is_active=True)
    due = due.assign(name=due["customer_id"].map(known), money=due["money"].round(_MONEY_DECIMALS))
    revenue = features.set_index("customer_id")["revenue_365d"]
    table = decisions.assign(
        crm_schema=CRM_SCHEMA,
        is_active=True,
        name=decisions["customer_id"].map(known),
        further_labels=_further_labels(decisions),
        revenue_365d=decisions["customer_id"].map(revenue),
    )
    table = _rounded(table).merge(_next_tasks(due), on="customer_id", how="left", validate="1:1")
    table = table.assign(open_tasks=table["open_tasks"].fillna(0), tags=_tags(table))
    customers, open_tasks = (shaped(found, shape) for found, shape in zip((table, due), SHAPES, strict=True))
    return Export(customers, open_tasks)


def _open_tasks(tasks: pd.DataFrame, history: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    issued = tasks[tasks["status"] == ISSUED]
    if history is None or history.empty:
        return issued
    is_past = before(history["due_on"], as_of) | ~before(history["issued_on"], as_of)
    is_open = (history["status"] == ISSUED) & ~is_past & ~history["task_id"].isin(issued["task_id"])
    earlier: pd.DataFrame = history.loc[is_open.to_numpy(dtype=bool)]
    return pd.concat([earlier, issued])


def _further_labels(decisions: pd.DataFrame) -> list[str]:
    """Return the labels of schemes that have no column of their own, as JSON."""
    further = [name for name in decisions.columns if name not in _BESIDE and _is_label(decisions[name])]
    records = decisions[further].astype("object").to_dict("records")
    return [
        json.dumps({str(key): str(value) for key, value in record.items() if pd.notna(value)}, ensure_ascii=False)
        for record in records
    ]


def _is_label(column: pd.Series[str]) -> bool:
    return isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(column.dtype)


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    money = dict.fromkeys(("run_rate", "revenue_365d", "revenue_at_risk"), _MONEY_DECIMALS)
    return table.round({**money, "p_churn": _CHANCE_DECIMALS, "p_stagnation": _CHANCE_DECIMALS})


def _next_tasks(due: pd.DataFrame) -> pd.DataFrame:
    """Return one row a customer with open tasks: how many, which triggers, and the one that is due first."""
    ordered = due.sort_values(["due_on", "priority", "task_id"])
    groups = ordered.groupby("customer_id")
    first = groups.first()[["task_id", "title", "due_on", "owner"]].set_axis(
        ["next_task_id", "next_task", "next_task_on", "next_task_owner"], axis=1
    )
    triggers = groups["trigger"].agg(lambda names: "; ".join(f"task: {name}" for name in sorted(set(names))))
    return first.assign(open_tasks=groups.size(), task_tags=triggers).reset_index()


def _tags(table: pd.DataFrame) -> list[str]:
    labels = table[list(_TAGGED)].itertuples(index=False)
    return [
        "; ".join(
            [*(f"{name}: {value}" for name, value in zip(_TAGGED, row, strict=True)), *([tasks] if tasks else [])]
        )
        for row, tasks in zip(labels, table["task_tags"].fillna(""), strict=True)
    ]
