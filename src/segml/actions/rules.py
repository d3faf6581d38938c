"""What to do about a customer: a declared, ordered list of rules; the first that applies is the action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from segml.config import ActionsConfig
from segml.language import _, ngettext
from segml.schemes import Lifecycle

CALL = "call: revenue at risk"


@dataclass(frozen=True)
class Rule:
    """One action: its identifier, what people call it, when it is due in words, and the same as a test of the facts."""

    action: str
    name: str
    when: str
    applies: Callable[[pd.DataFrame], pd.Series[bool]]


def rules(config: ActionsConfig, lifecycle: Lifecycle) -> tuple[Rule, ...]:
    """Return the rules in order of precedence; the last one applies to everybody.

    The triggers are those of everyday account management that transactions alone can serve. The facts
    they test hold one row a customer: ``lifecycle``, ``tier``, ``is_on_call_list``, ``p_stagnation`` (NaN = not
    scored), ``months_past_threshold`` (whole months since the customer became inactive),
    ``revenue_90d_to_run_rate`` and ``days_to_next_order`` (negative = overdue).
    """
    return (
        Rule("onboard", _("onboard"), _("the customer is new"), lambda facts: facts["lifecycle"] == "new"),
        *_win_back(config, lifecycle),
        *_at_risk(config),
        *_everyday(config),
    )


def _win_back(config: ActionsConfig, lifecycle: Lifecycle) -> list[Rule]:
    steps = [_step(name, month, lifecycle) for month, name in enumerate(config.win_back_steps)]
    behind = _("inactive, and every step to win the customer back is behind us")
    return [*steps, Rule("no action", _("no action"), behind, _is_inactive)]


def _step(step: str, month: int, lifecycle: Lifecycle) -> Rule:
    silence = ngettext(
        "inactive: month {month} after {n} month of silence",
        "inactive: month {month} after {n} months of silence",
        lifecycle.inactive_months,
    )
    return Rule(
        f"win back: {step}",
        _("win back: {step}").format(step=_(step)),
        silence.format(month=month + 1, n=lifecycle.inactive_months),
        lambda facts: _is_inactive(facts) & (facts["months_past_threshold"] <= month),
    )


def _at_risk(config: ActionsConfig) -> tuple[Rule, ...]:
    worth_a_call = _(
        "stagnation at least {p:.0%} likely, and among the {share:.0%} of scored customers with the most revenue at "
        "risk"
    ).format(p=config.min_p_stagnation, share=config.call_list_share)
    if config.contact_cost is not None:
        earns = _("a contact is expected to earn more than it costs")
        worth_a_call = f"{worth_a_call}; {earns}"
    worth_a_letter = _("stagnation at least {p:.0%} likely, but too little money for a call")
    return (
        Rule(
            CALL,
            _("call: revenue at risk"),
            worth_a_call,
            lambda facts: facts["is_on_call_list"],
        ),
        Rule(
            "write: at risk",
            _("write: at risk"),
            worth_a_letter.format(p=config.write_min_p_stagnation),
            lambda facts: facts["p_stagnation"] >= config.write_min_p_stagnation,
        ),
    )


def _everyday(config: ActionsConfig) -> tuple[Rule, ...]:
    grown = _("revenue of the last 90 days at least {growth:.0%} above the run rate")
    due = ngettext(
        "the next order is due within {n} day, or overdue",
        "the next order is due within {n} days, or overdue",
        config.reorder_lead_days,
    )
    return (
        Rule(
            "offer better terms",
            _("offer better terms"),
            grown.format(growth=config.upgrade_growth),
            lambda facts: facts["revenue_90d_to_run_rate"] >= 1 + config.upgrade_growth,
        ),
        Rule(
            "reorder reminder",
            _("reorder reminder"),
            due.format(n=config.reorder_lead_days),
            lambda facts: facts["days_to_next_order"] <= config.reorder_lead_days,
        ),
        Rule(
            "key account meeting",
            _("key account meeting"),
            _("a key account with nothing more urgent"),
            lambda facts: facts["tier"] == "key",
        ),
        Rule(
            "keep contact",
            _("keep contact"),
            _("none of the above"),
            lambda facts: pd.Series(True, index=facts.index),
        ),
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
