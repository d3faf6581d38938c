"""Triggers that others bring: recommendations to sell something more, and rules of one's own."""

from __future__ import annotations

import pandas as pd

from segml.actions.triggers.found import Surroundings, tabulated, told
from segml.config import CrossSell, CustomTrigger
from segml.language import _
from segml.schema import DataError, did_you_mean
from segml.windows import shift

OFFERS = ("customer_id", "item", "expected_money", "reason")


def cross_sell(trigger: CrossSell, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return an offer a recommendation that is worth it; money: what it is expected to bring."""
    offers = around.offers[around.offers["expected_money"] >= trigger.min_money]
    rows = base[["customer_id", "as_of"]].merge(offers, on="customer_id", validate="1:m")
    return tabulated(
        rows,
        planned_on=shift(around.as_of, days=trigger.due_in_days),
        money=rows["expected_money"],
        reason=told(_("offer {item}: {reason}"), rows[["item", "reason"]]),
        occasion=rows["as_of"],
        subject=rows["item"].astype("str"),
    )


def custom(trigger: CustomTrigger, base: pd.DataFrame, around: Surroundings) -> pd.DataFrame:
    """Return a task a customer; money: the column that the trigger names.

    Raises
    ------
    DataError : there is no such column of numbers
    """
    if trigger.amount not in base.columns or not pd.api.types.is_numeric_dtype(base[trigger.amount]):
        numbers = base.select_dtypes("number").columns
        hint = did_you_mean(trigger.amount, numbers) or "; name a feature or a score"
        raise DataError(f"tasks.own: amount {trigger.amount!r} is no column of numbers{hint}")
    return tabulated(
        base,
        planned_on=shift(around.as_of, days=trigger.due_in_days),
        money=base[trigger.amount],
        reason=trigger.text,
        occasion=base["as_of"],
    )
