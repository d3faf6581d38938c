"""Tasks: what the triggers find, less what was asked for lately and what nobody has time for."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pandas as pd

from segml.actions.triggers import placing
from segml.actions.triggers.cooldown import cooled
from segml.actions.triggers.finding import find
from segml.actions.triggers.found import Surroundings
from segml.actions.triggers.offers import OFFERS
from segml.actions.triggers.table import (
    COOLING_DOWN,
    HISTORY,
    ISSUED,
    OVER_CAPACITY,
    TASKS,
    Tasks,
    counts,
    load,
)
from segml.config import Config, CrossSell, TasksConfig
from segml.language import _, speaking
from segml.schema import DataError, check_columns
from segml.windows import before, shift

_NEEDED = (
    "customer_id",
    "as_of",
    "recency_days",
    "tenure_days",
    "gap_mean_days",
    "gap_shrunk_days",
    "order_value_mean",
    "run_rate_daily",
    "revenue_90d_to_run_rate",
    "days_to_renewal",
    "p_churn",
    "p_stagnation",
    "run_rate",
    "revenue_at_risk",
    "reasons",
    "next_order_expected",
)


def find_tasks(
    features: pd.DataFrame,
    decisions: pd.DataFrame,
    config: Config,
    *,
    history: pd.DataFrame | None = None,
    cross_sell: pd.DataFrame | None = None,
) -> Tasks:
    """Return the tasks that the triggers of ``config.tasks`` call for at the as-of date of the decisions.

    Only days from Monday to Friday get tasks; public holidays are not known. A day within a weekend becomes the Friday
    before where something is to be prepared (reorder, renewal, meeting), else the Monday after. Run again for the same
    date, the tasks are the same: of the history only what was issued before that date counts.

    Parameters
    ----------
    features, decisions : of the same customers at one as-of date, described columns included, as ``decide`` gives them
    history : tasks of earlier dates (``HISTORY``), in any order; those not issued hold nothing back
    cross_sell : recommendations: ``customer_id``, ``item``, ``expected_money``, ``reason`` in words

    Raises
    ------
    DataError : columns missing, customers or recommendations repeated, or a condition on columns that there are not
    """
    with speaking(config.report.language):
        base = _joined(features, decisions)
        around = _surroundings(base, config, history, cross_sell)
        found = find(base, config.tasks, around)
        ranked = _ranked(found, around)
        kept = _best_offers(cooled(ranked, around.history), config.tasks)
        placed = _placed(kept, config.tasks, around)
        table = placed.assign(priority=range(1, len(placed) + 1))[list(TASKS)].astype(TASKS)
        return Tasks(table, counts(table, config.tasks), load(table, config.tasks))


def _joined(features: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    beside = [name for name in features.columns if name == "customer_id" or name not in decisions.columns]
    for name, table in (("features", features), ("decisions", decisions)):
        if table["customer_id"].duplicated().any():
            twice = table.loc[table["customer_id"].duplicated(), "customer_id"].min()
            raise DataError(f"{name} must hold one row a customer; {twice!r} comes more than once")
    base = decisions.merge(features[beside], on="customer_id", how="inner", validate="1:1")
    if not len(base) == len(decisions) == len(features):
        raise DataError(f"features tell of {len(features)} customers, decisions of {len(decisions)}; {len(base)} agree")
    check_columns(base.columns, _NEEDED, "tasks need features and decisions; they lack")
    if base["as_of"].nunique() != 1:
        raise DataError(f"tasks are found at one as-of date; found {base['as_of'].nunique()} in decisions")
    return base.sort_values("customer_id", ignore_index=True)


def _surroundings(
    base: pd.DataFrame, config: Config, history: pd.DataFrame | None, offers: pd.DataFrame | None
) -> Surroundings:
    as_of = base["as_of"].iloc[0]
    given = pd.DataFrame(columns=list(OFFERS)) if offers is None else offers
    check_columns(given.columns, OFFERS, "recommendations lack")
    if given.duplicated(["customer_id", "item"]).any():
        twice = given[given.duplicated(["customer_id", "item"])].iloc[0]
        raise DataError(f"recommendations name {twice['item']!r} twice for customer {twice['customer_id']!r}; keep one")
    return Surroundings(
        as_of=as_of,
        until=shift(as_of, days=config.tasks.ahead_days),
        actions=config.actions,
        lifecycle=config.segments.lifecycle,
        history=_earlier(history, as_of),
        offers=given.astype({"customer_id": "str", "expected_money": "float64"}),
    )


def _earlier(history: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the tasks that were issued before the as-of date."""
    if history is None or history.empty:
        return pd.DataFrame({name: pd.Series(dtype=TASKS[name]) for name in HISTORY})
    check_columns(history.columns, HISTORY, "earlier tasks lack")
    was_issued: pd.Series[bool] = (history["status"] == ISSUED) & before(history["issued_on"], as_of)
    return history.loc[was_issued, list(HISTORY)]


def _ranked(found: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return the tasks by falling money, with their identifiers; ties by day, trigger, customer and subject."""
    order = ["money", "due_on", "place", "customer_id", "subject"]
    ranked = found.sort_values(order, ascending=[False, True, True, True, True], ignore_index=True)
    names = zip(*(ranked[name] for name in ("trigger", "customer_id", "subject", "occasion")), strict=True)
    return ranked.assign(task_id=[task_id(*parts) for parts in names], issued_on=around.as_of)


def task_id(trigger: str, customer_id: str, subject: str, occasion: str) -> str:
    """Return 16 hexadecimal digits that name a task: the same in every run.

    >>> task_id("win_back", "C7", "letter", "2026-01-05")
    '4e427a799ec4db51'
    """
    return hashlib.sha256(json.dumps([trigger, customer_id, subject, occasion]).encode()).hexdigest()[:16]


def _best_offers(tasks: pd.DataFrame, config: TasksConfig) -> pd.DataFrame:
    """Return the tasks without the lesser offers to a customer; those cooling down do not count among them."""
    limits = {name: trigger.per_customer for name, trigger in config.rows() if isinstance(trigger, CrossSell)}
    turn = tasks.groupby(["trigger", "customer_id", "is_cooling"]).cumcount()
    is_lesser = (turn >= tasks["trigger"].map(limits).astype("float64").fillna(np.inf)) & ~tasks["is_cooling"]
    return tasks[~is_lesser].reset_index(drop=True)


def _placed(tasks: pd.DataFrame, config: TasksConfig, around: Surroundings) -> pd.DataFrame:
    """Return the tasks with their days and status."""
    calendar = placing.Calendar(config.capacity_of, config.per_contact)
    earlier = around.history
    days = placing.days_since_1970(earlier["due_on"])
    for owner, customer, day in zip(earlier["owner"], earlier["customer_id"], days.tolist(), strict=True):
        calendar.enter(owner, customer, day)
    asked = tasks.loc[~tasks["is_cooling"]]
    asked = asked.assign(day=placing.days_since_1970(asked["due_on"]))
    (until,) = placing.days_since_1970(pd.Series([around.until]))
    found = placing.from_days(placing.place(asked, calendar, int(until)), asked.index)
    day = found.reindex(tasks.index)
    status = pd.Series(ISSUED, index=tasks.index, dtype="str").mask(day.isna(), OVER_CAPACITY)
    status = status.mask(tasks["is_cooling"], COOLING_DOWN)
    crowded = [
        _("no time left with {owner}, or tasks enough with the customer").format(owner=owner)
        for owner in tasks["owner"]
    ]
    return tasks.assign(
        due_on=day.fillna(tasks["due_on"]),
        status=status,
        held_back=tasks["held_back"].mask(status == OVER_CAPACITY, pd.Series(crowded, index=tasks.index, dtype="str")),
    )
