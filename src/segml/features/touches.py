"""Touches: how often a customer was contacted, and answered."""

from __future__ import annotations

from typing import Any

import ibis
import pandas as pd

from segml import windows
from segml.features import events
from segml.features.arithmetic import number
from segml.features.spec import Described
from segml.schema import TOUCHES

FAMILY = "touches"
WINDOW_DAYS = 365
CONTROL = "control"

DESCRIBED = (
    Described(
        "touch_count_365d",
        FAMILY,
        "touches",
        "contacts of the last 365 days; who was held back in a control arm was not contacted; 0 for customers that the "
        "table does not name",
        "data.touches",
    ),
    Described(
        "response_count_365d",
        FAMILY,
        "touches",
        "those of them that the customer answered; an answer that is not told is none",
        "data.touches with a column responded",
    ),
)


def touches(data: Any, as_of: pd.Timestamp, customer_id: pd.Series[Any]) -> pd.DataFrame:
    """Return the described columns of all these customers, indexed by ``customer_id``.

    The table is a list of what was sent: a customer that it does not name was never contacted.

    Parameters
    ----------
    data : touches table (``schema.TOUCHES``)

    Raises
    ------
    DataError : columns missing
    """
    rows = events.typed(data, TOUCHES)
    has_answers = "responded" in rows.columns
    known = events.before(rows, "touched_at", as_of)
    sent = known.filter(windows.in_last(known.age, WINDOW_DAYS))
    if "arm" in sent.columns:
        sent = sent.filter(sent.arm.strip().lower().fill_null("") != CONTROL)
    answers = sent.responded.sum() if has_answers else ibis.literal(0)
    counts = events.by_customer(
        sent, {"touch_count_365d": number(sent.count()), "response_count_365d": number(answers)}
    )
    everybody = counts.reindex(pd.Index(customer_id.astype("str"), name="customer_id")).fillna(0.0)
    return everybody if has_answers else everybody.assign(response_count_365d=float("nan"))
