"""What a trigger finds: one row a task, before anybody asks who has time for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml.config import ActionsConfig
from segml.schemes import Lifecycle

FOUND = {
    "customer_id": "str",
    "subject": "str",
    "occasion": "str",
    "planned_on": "datetime64[us]",
    "money": "float64",
    "reason": "str",
}
"""``subject``: what of, such as a step or an article; ``occasion``: why now, the same in a later run; both as text."""


@dataclass(frozen=True)
class Surroundings:
    """What triggers know beside the customers.

    Attributes
    ----------
    as_of, until : tasks are planned for days in ``[as_of, until)``; what was due earlier is due at once
    history : earlier tasks that were issued, with their ``trigger``, ``customer_id`` and ``due_on``
    offers : ``customer_id``, ``item``, ``expected_money`` and ``reason``
    """

    as_of: pd.Timestamp
    until: pd.Timestamp
    actions: ActionsConfig
    lifecycle: Lifecycle
    history: pd.DataFrame
    offers: pd.DataFrame


def tabulated(
    rows: pd.DataFrame, *, planned_on: Any, money: Any, reason: Any, occasion: Any, subject: Any = ""
) -> pd.DataFrame:
    """Return the columns ``FOUND`` for these customers; a day as occasion becomes text."""
    days = pd.Series(occasion, index=rows.index)
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"].astype("str"),
            "subject": pd.Series(subject, index=rows.index, dtype="str"),
            "occasion": days.dt.strftime("%Y-%m-%d").astype("str"),
            "planned_on": pd.Series(planned_on, index=rows.index).astype("datetime64[us]"),
            "money": pd.Series(money, index=rows.index).astype("float64").fillna(0.0).clip(lower=0.0),
            "reason": pd.Series(reason, index=rows.index, dtype="str"),
        }
    )


def told(template: str, rows: pd.DataFrame) -> list[str]:
    """Return a sentence a row: the template with the row's columns in it."""
    return [template.format(**dict(zip(rows.columns, row, strict=True))) for row in rows.itertuples(index=False)]
