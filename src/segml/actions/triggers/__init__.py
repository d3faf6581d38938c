"""Triggers and tasks: who is to be contacted, why, by whom and until when."""

from segml.actions.triggers.finding import owner_name, trigger_name
from segml.actions.triggers.offers import OFFERS
from segml.actions.triggers.table import (
    COOLING_DOWN,
    COUNTS,
    HISTORY,
    ISSUED,
    LOAD,
    OVER_CAPACITY,
    TASKS,
    Tasks,
)
from segml.actions.triggers.tasks import find_tasks

__all__ = [
    "COOLING_DOWN",
    "COUNTS",
    "HISTORY",
    "ISSUED",
    "LOAD",
    "OFFERS",
    "OVER_CAPACITY",
    "TASKS",
    "Tasks",
    "find_tasks",
    "owner_name",
    "trigger_name",
]
