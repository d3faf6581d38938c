"""What to do about whom: decisions and the call list."""

from segml.actions.call_list import CALL_LIST_COLUMNS, call_list
from segml.actions.decisions import DECISIONS, NOT_SCORED, assemble
from segml.actions.rules import Rule, rules

__all__ = [
    "CALL_LIST_COLUMNS",
    "DECISIONS",
    "NOT_SCORED",
    "Rule",
    "assemble",
    "call_list",
    "rules",
]
