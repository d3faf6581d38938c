"""What to do about whom: decisions and the call list."""

from segml.actions.call_list import CALL_LIST_COLUMNS, call_list
from segml.actions.decisions import CALLS, DECISIONS, INTERVAL, NOT_SCORED, PROFIT, assemble
from segml.actions.money import (
    MARGINS,
    at_risk,
    base_margin,
    check_margin,
    margin_notices,
    margin_over,
    margin_rates,
    own_margins,
)
from segml.actions.rules import Rule, rules

__all__ = [
    "CALLS",
    "CALL_LIST_COLUMNS",
    "DECISIONS",
    "INTERVAL",
    "MARGINS",
    "NOT_SCORED",
    "PROFIT",
    "Rule",
    "assemble",
    "at_risk",
    "base_margin",
    "call_list",
    "check_margin",
    "margin_notices",
    "margin_over",
    "margin_rates",
    "own_margins",
    "rules",
]
