"""What to do about whom: decisions and the call list."""

from segml.actions.call_list import CALL_LIST_COLUMNS, call_list
from segml.actions.decisions import CALLS, DECISIONS, INTERVAL, NOT_SCORED, PROFIT, assemble
from segml.actions.money import base_margin, margin_notices, margin_rates
from segml.actions.rules import Rule, rules

__all__ = [
    "CALLS",
    "CALL_LIST_COLUMNS",
    "DECISIONS",
    "INTERVAL",
    "NOT_SCORED",
    "PROFIT",
    "Rule",
    "assemble",
    "base_margin",
    "call_list",
    "margin_notices",
    "margin_rates",
    "rules",
]
