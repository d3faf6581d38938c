"""What became of the base since the last refresh: who is new, who returned, who is lost, who has left the data.

A customer buys, or is inactive, or is not in the data at all; what it was then and is now makes its group. Every
customer of either date is in exactly one, so that customers and money of the groups add up to the totals of both dates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.clusters.crossing import exact_sum
from segml.language import N_
from segml.monitor.alignment import Flags, align
from segml.monitor.migration import MONEY

STAYED, DORMANT = N_("buying on"), N_("inactive still")
NEW, NEW_INACTIVE = N_("new"), N_("new, inactive at once")
RETURNED, LOST = N_("returned"), N_("lost")
GONE, GONE_INACTIVE = N_("gone from the data"), N_("gone from the data, inactive before")

GROUPS = {
    ("buys", "buys"): STAYED,
    ("absent", "buys"): NEW,
    ("inactive", "buys"): RETURNED,
    ("buys", "inactive"): LOST,
    ("buys", "absent"): GONE,
    ("inactive", "inactive"): DORMANT,
    ("absent", "inactive"): NEW_INACTIVE,
    ("inactive", "absent"): GONE_INACTIVE,
}
"""What a customer was and is -> its group; an id vanishes from the data where, say, two cards became one."""

_STATES = ("buys", "inactive", "absent")
_GROUP_OF = np.array([[GROUPS.get((was, is_now), "") for is_now in _STATES] for was in _STATES], dtype="object")

THEN, CHANGE, NOW = N_("then"), N_("change of those who buy on"), N_("now")


@dataclass(frozen=True)
class BaseChanges:
    """The base then and now.

    Attributes
    ----------
    customers : one row a customer of either date, sorted by ``customer_id``: ``group``, and money ``NAME_then``,
        ``NAME_now``, null where it was not there
    groups : ``group, customers`` and money then and now (exact sums), one row a group of ``GROUPS``, in order
    """

    customers: pd.DataFrame
    groups: pd.DataFrame

    def count(self, group: str) -> int:
        """Return the customers of a group."""
        return int(self.groups.set_index("group")["customers"][group])

    def statement(self, money: str = MONEY[0]) -> pd.DataFrame:
        """Return how the buying customers of then became those of now: ``step, customers, money``, signed.

        The first row holds those who bought then, the last those who buy now, which is the sum of all rows before it.
        """
        by_group = self.groups.set_index("group")
        then, now = by_group[f"{money}_then"], by_group[f"{money}_now"]
        size = by_group["customers"]
        bought, buy = [STAYED, LOST, GONE], [STAYED, NEW, RETURNED]
        rows = [
            (THEN, int(size[bought].sum()), math.fsum(then[bought])),
            *((group, int(size[group]), float(now[group])) for group in (NEW, RETURNED)),
            *((group, -int(size[group]), -float(then[group])) for group in (LOST, GONE)),
            (CHANGE, 0, float(now[STAYED] - then[STAYED])),
            (NOW, int(size[buy].sum()), math.fsum(now[buy])),
        ]
        return pd.DataFrame(rows, columns=["step", "customers", "money"])


def base_changes(
    then: pd.DataFrame,
    now: pd.DataFrame,
    *,
    money: Sequence[str] = MONEY,
    stage: str = "lifecycle",
    inactive: str = "inactive",
) -> BaseChanges:
    """Return who is new, who returned, who is lost and who has left the data since the last refresh.

    Parameters
    ----------
    then, now : ``customer_id`` (once each), the stage, and money
    money : columns of both tables
    stage, inactive : column, and the label in it that says that a customer does not buy; any other one buys

    Raises
    ------
    DataError : columns missing, or customers repeated
    """
    aligned = align(then, now, [stage, *money])
    was = _state(aligned.then[stage], inactive, aligned.is_then)
    is_now = _state(aligned.now[stage], inactive, aligned.is_now)
    group = pd.Series(_GROUP_OF[was, is_now], dtype="object")
    sums = aligned.money(money)
    customers = pd.DataFrame({"customer_id": aligned.customers.astype("str"), "group": group}).join(sums)
    return BaseChanges(customers, _summed(sums, group))


def _state(stage: pd.Series[str], inactive: str, is_there: Flags) -> NDArray[np.int64]:
    """Return the place of each customer's state in ``_STATES``."""
    return np.where(is_there, np.where(stage.astype("object") == inactive, 1, 0), 2)


def _summed(money: pd.DataFrame, group: pd.Series[str]) -> pd.DataFrame:
    rows = []
    for name in GROUPS.values():
        members = money[(group == name).to_numpy()]
        rows.append({"group": name, "customers": len(members), **{key: exact_sum(members[key]) for key in money}})
    return pd.DataFrame(rows)
