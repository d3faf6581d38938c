"""A small export for a CRM, made from hand-made customers."""

from functools import cache
from typing import Any

from segml import config, crm
from segml.actions.triggers import find_tasks
from task_customers import customers

LABELS: dict[str, Any] = {
    "abc": "A",
    "xyz": "X",
    "rfm_segment": "champions",
    "rfm_cell": "555",
    "cluster_name": "large",
}
MORE: dict[str, Any] = {"cluster": 1, "risk_band": "medium", "action": "keep contact"}


def export(*, history: Any = None, names: Any = None, further: Any = None, **given: Any) -> crm.Export:
    """Return the tables of these customers and their tasks."""
    features, decisions = customers(**given)
    features["revenue_365d"] = 3650.125
    decisions = decisions.assign(**LABELS, **MORE, **(further or {}))
    tasks = find_tasks(features, decisions, config.Config(), history=history)
    return crm.rows(decisions, features, tasks.table, names=names, history=history)


@cache
def two(*risk: float) -> crm.Export:
    """Return the export of customers with so much revenue at risk; those above zero have a task."""
    return export(p_stagnation=[0.5] * len(risk), revenue_at_risk=list(risk))
