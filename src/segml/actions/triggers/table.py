"""The table of tasks, what was held back, and how busy the owners are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml.config import TasksConfig

ISSUED, COOLING_DOWN, OVER_CAPACITY = "issued", "cooling down", "over capacity"

TASKS = {
    "task_id": "str",
    "customer_id": "str",
    "trigger": "str",
    "title": "str",
    "subject": "str",
    "owner": "str",
    "due_on": "datetime64[us]",
    "issued_on": "datetime64[us]",
    "priority": "int64",
    "money": "float64",
    "reason": "str",
    "status": "str",
    "held_back": "str",
}
"""Columns of the tasks in order, with their types; ``due_on`` of a task held back is the day on which it was due."""

HISTORY = ("task_id", "customer_id", "trigger", "subject", "owner", "due_on", "issued_on", "status")
"""Columns of earlier tasks that are read."""

COUNTS = {
    "trigger": "str",
    "found": "int64",
    "issued": "int64",
    "cooling_down": "int64",
    "over_capacity": "int64",
    "money_found": "float64",
    "money_issued": "float64",
}
LOAD = {"owner": "str", "week": "datetime64[us]", "contacts": "int64", "tasks": "int64", "capacity": "float64"}


@dataclass(frozen=True)
class Tasks:
    """Tasks of one as-of date.

    Attributes
    ----------
    table : ``TASKS``, one row a task that was found, those held back included; by ``priority``, 1 is the most money
    counts : ``COUNTS``, one row a trigger that is on: found = issued + cooling_down + over_capacity
    load : ``LOAD``, one row an owner and week (its Monday) with tasks issued now: their contacts; capacity may be
        infinite
    """

    table: pd.DataFrame
    counts: pd.DataFrame
    load: pd.DataFrame

    @property
    def issued(self) -> pd.DataFrame:
        """The tasks to be done."""
        return self.table[self.table["status"] == ISSUED].reset_index(drop=True)


def counts(table: pd.DataFrame, config: TasksConfig) -> pd.DataFrame:
    """Return how many tasks each trigger that is on found, and what became of them."""
    names = [name for name, _trigger in config.rows()]
    by_status = pd.crosstab(table["trigger"], table["status"])
    told = by_status.reindex(index=names, columns=[ISSUED, COOLING_DOWN, OVER_CAPACITY], fill_value=0)
    told.columns = ["issued", "cooling_down", "over_capacity"]
    money = table["money"].groupby(table["trigger"]).sum().reindex(names, fill_value=0.0)
    issued = table["money"].where(table["status"] == ISSUED, 0.0).groupby(table["trigger"]).sum()
    told = told.assign(
        found=told.sum(axis=1), money_found=money, money_issued=issued.reindex(names, fill_value=0.0), trigger=names
    )
    return told.reset_index(drop=True)[list(COUNTS)].astype(COUNTS)


def load(table: pd.DataFrame, config: TasksConfig) -> pd.DataFrame:
    """Return the contacts that each owner has with tasks of this table, by week."""
    issued = table[table["status"] == ISSUED]
    week = issued["due_on"] - pd.to_timedelta(issued["due_on"].dt.day_of_week, unit="D")
    groups = issued.assign(week=week).groupby(["owner", "week"])
    told = groups.agg(contacts=("customer_id", "nunique"), tasks=("task_id", "count")).reset_index()
    return told.assign(capacity=[config.capacity_of(owner) for owner in told["owner"]])[list(LOAD)].astype(LOAD)
