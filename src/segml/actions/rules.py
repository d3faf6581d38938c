"""What to do about a customer: a declared, ordered list of rules; the first that applies is the action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from segml.config import ActionsConfig, LifecycleConfig

CALL = "call: revenue at risk"


@dataclass(frozen=True)
class Rule:
    """One action, when it is due in words, and the same as a test of the facts."""

    action: str
    when: str
    applies: Callable[[pd.DataFrame], pd.Series[bool]]


def rules(config: ActionsConfig, lifecycle: LifecycleConfig) -> tuple[Rule, ...]:
    """Return the rules in order of precedence; the last one applies to everybody.

    The triggers are those of everyday account management that transactions alone can serve. The facts
    they test hold one row a customer: ``lifecycle``, ``tier``, ``is_on_call_list``, ``p_stagnation`` (NaN = not
    scored), ``months_past_threshold`` (whole months since the customer became inactive),
    ``revenue_90d_to_run_rate`` and ``days_to_next_order`` (negative = overdue).
    """
    return (
        Rule("onboard", "the customer is new", lambda facts: facts["lifecycle"] == "new"),
        *_win_back(config, lifecycle),
        Rule(
            CALL,
            f"stagnation at least {config.min_p_stagnation:.0%} likely, and among the "
            f"{config.call_list_share:.0%} of scored customers with the most revenue at risk",
            lambda facts: facts["is_on_call_list"],
        ),
        Rule(
            "write: at risk",
            f"stagnation at least {config.write_min_p_stagnation:.0%} likely, but too little money for a call",
            lambda facts: facts["p_stagnation"] >= config.write_min_p_stagnation,
        ),
        Rule(
            "offer better terms",
            f"revenue of the last 90 days at least {config.upgrade_growth:.0%} above the run rate",
            lambda facts: facts["revenue_90d_to_run_rate"] >= 1 + config.upgrade_growth,
        ),
        Rule(
            "reorder reminder",
            f"the next order is due within {config.reorder_lead_days} days, or overdue",
            lambda facts: facts["days_to_next_order"] <= config.reorder_lead_days,
        ),
        Rule("key account meeting", "a key account with nothing more urgent", lambda facts: facts["tier"] == "key"),
        Rule("keep contact", "none of the above", lambda facts: pd.Series(True, index=facts.index)),
    )


def _win_back(config: ActionsConfig, lifecycle: LifecycleConfig) -> list[Rule]:
    steps = [_step(name, month, lifecycle) for month, name in enumerate(config.win_back_steps)]
    return [*steps, Rule("no action", "inactive, and every step to win the customer back is behind us", _is_inactive)]


def _step(name: str, month: int, lifecycle: LifecycleConfig) -> Rule:
    return Rule(
        f"win back: {name}",
        f"inactive: month {month + 1} after {lifecycle.inactive_months} months of silence",
        lambda facts: _is_inactive(facts) & (facts["months_past_threshold"] <= month),
    )


def _is_inactive(facts: pd.DataFrame) -> pd.Series[bool]:
    return facts["lifecycle"] == "inactive"


def choose(facts: pd.DataFrame, ordered: tuple[Rule, ...]) -> pd.Series[str]:
    """Return the action of the first rule that applies to each row of ``facts``, as text.

    Raises
    ------
    ValueError : where no rule applies; the last one must be a catch-all
    """
    chosen = pd.Series(pd.NA, index=facts.index, dtype="string")
    for rule in ordered:
        chosen = chosen.mask(chosen.isna() & rule.applies(facts), rule.action)
    if chosen.isna().any():
        raise ValueError(f"no action applies to {int(chosen.isna().sum())} customers; let the last rule apply to all")
    return chosen.astype("str")
