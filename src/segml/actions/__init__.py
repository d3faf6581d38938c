"""What to do about whom: decisions and the call list."""

from segml.actions.call_list import CALL_LIST_COLUMNS, call_list
from segml.actions.cross_sell import CrossSelling, cross_sell
from segml.actions.decisions import CALLS, DECISIONS, INTERVAL, NOT_SCORED, PROFIT, assemble
from segml.actions.key_accounts import KeyAccounts, key_accounts
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
from segml.actions.plans import against_plan
from segml.actions.rules import Rule, rules
from segml.actions.triggers import Tasks, find_tasks

__all__ = [
    "CALLS",
    "CALL_LIST_COLUMNS",
    "DECISIONS",
    "INTERVAL",
    "MARGINS",
    "NOT_SCORED",
    "PROFIT",
    "CrossSelling",
    "KeyAccounts",
    "Rule",
    "Tasks",
    "against_plan",
    "assemble",
    "at_risk",
    "base_margin",
    "call_list",
    "check_margin",
    "cross_sell",
    "find_tasks",
    "key_accounts",
    "margin_notices",
    "margin_over",
    "margin_rates",
    "own_margins",
    "rules",
]
