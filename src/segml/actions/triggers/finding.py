"""Every trigger that is on, asked for its tasks."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from segml.actions.triggers.calendar import key_account_care, onboarding, renewal
from segml.actions.triggers.found import FOUND, Surroundings
from segml.actions.triggers.offers import cross_sell, custom
from segml.actions.triggers.rhythm import reorder_due, upgrade
from segml.actions.triggers.risk import at_risk, win_back
from segml.config import (
    AnyTrigger,
    AtRisk,
    CrossSell,
    CustomTrigger,
    KeyAccountCare,
    Onboarding,
    RenewalDue,
    ReorderDue,
    TasksConfig,
    Upgrade,
    WinBack,
)
from segml.language import N_, _
from segml.schema import check_columns
from segml.schemes.expression import Expression
from segml.windows import before, to_working_days

_ADDED = {
    "trigger": "str",
    "title": "str",
    "owner": "str",
    "wait_days": "int64",
    "cool_down_days": "int64",
    "due_on": "datetime64[us]",
    "place": "int64",
}
_NAMES = {
    "reorder_due": N_("reorder due"),
    "at_risk": N_("customer at risk"),
    "win_back": N_("win-back"),
    "upgrade": N_("upgrade"),
    "cross_sell": N_("cross-sell"),
    "onboarding": N_("onboarding"),
    "renewal": N_("renewal"),
    "key_account_care": N_("key account care"),
}


_OWNERS = (N_("sales"), N_("customer success"), N_("key account manager"))
"""Those that the configuration names by default; its own are shown as they are."""


def trigger_name(trigger: str) -> str:
    """Return what people call a trigger, in the language spoken."""
    return _(_NAMES.get(trigger, trigger.replace("_", " ")))


def owner_name(owner: str) -> str:
    """Return what people call an owner, in the language spoken."""
    return _(owner) if owner in _OWNERS else owner


def find(base: pd.DataFrame, config: TasksConfig, around: Surroundings) -> pd.DataFrame:
    """Return what all triggers find, in no order: ``FOUND``, and ``_ADDED``; ``place`` numbers the triggers."""
    found = [
        _of_trigger(name, trigger, rows, config, around).assign(place=place)
        for place, (name, trigger) in enumerate(config.rows())
        if len(rows := _whom(trigger, base))
    ]
    none = pd.DataFrame(columns=[*FOUND, *_ADDED])
    return (pd.concat(found, ignore_index=True) if found else none).astype({**FOUND, **_ADDED})


def _whom(trigger: AnyTrigger, base: pd.DataFrame) -> pd.DataFrame:
    """Return the customers of whom the condition is true."""
    if trigger.where is None:
        return base
    return base[Expression(trigger.where).evaluate(base).fillna(False).astype(bool)]


def _of_trigger(
    name: str, trigger: AnyTrigger, rows: pd.DataFrame, config: TasksConfig, around: Surroundings
) -> pd.DataFrame:
    earlier = around.history[around.history["trigger"] == name]
    found = _run(trigger, rows, replace(around, history=earlier))
    prepares = isinstance(trigger, ReorderDue | RenewalDue | KeyAccountCare)
    working = to_working_days(found["planned_on"], back=prepares)
    first = to_working_days(pd.Series([around.as_of.floor("D")])).iloc[0]
    return found.assign(
        trigger=name,
        title=[_title(name, trigger, subject) for subject in found["subject"]],
        owner=_owners(found, rows, trigger, config),
        wait_days=trigger.wait_days,
        cool_down_days=trigger.cool_down_days,
        due_on=working.where(~before(working, first), first),
    )


def _run(trigger: AnyTrigger, rows: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    match trigger:
        case ReorderDue():
            return reorder_due(trigger, rows, around)
        case AtRisk():
            return at_risk(trigger, rows, around)
        case WinBack():
            return win_back(trigger, rows, around)
        case Upgrade():
            return upgrade(trigger, rows, around)
        case CrossSell():
            return cross_sell(trigger, rows, around)
        case Onboarding():
            return onboarding(trigger, rows, around)
        case RenewalDue():
            return renewal(trigger, rows, around)
        case KeyAccountCare():
            return key_account_care(trigger, rows, around)
        case CustomTrigger():
            return custom(trigger, rows, around)


def _title(name: str, trigger: AnyTrigger, subject: str) -> str:
    match trigger:
        case ReorderDue():
            return _("remind of the reorder")
        case AtRisk():
            return _("keep a customer at risk")
        case WinBack():
            return _("win back: {step}").format(step=_(subject))
        case Upgrade():
            return _("offer better terms")
        case CrossSell():
            return _("cross-sell: {item}").format(item=subject)
        case Onboarding():
            return _("onboarding")
        case RenewalDue():
            return _("prepare the renewal")
        case KeyAccountCare():
            return _("key account meeting")
        case CustomTrigger():
            return name.replace("_", " ")


def _owners(found: pd.DataFrame, rows: pd.DataFrame, trigger: AnyTrigger, config: TasksConfig) -> pd.Series[str]:
    """Return the customer's own owner where a column tells one, else the trigger's."""
    if config.owner_column is None:
        return pd.Series(trigger.owner, index=found.index, dtype="str")
    check_columns(rows.columns, [config.owner_column], "tasks.owner_column names a column that customers lack:")
    own = rows.set_index("customer_id")[config.owner_column]
    return found["customer_id"].map(own).astype("str").fillna(trigger.owner)
