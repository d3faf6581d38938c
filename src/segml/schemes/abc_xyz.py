"""ABC × XYZ: money against steadiness, nine cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segml.language import N_, _
from segml.schemes.abc import Abc
from segml.schemes.scheme import Labels, Rules, Scheme, check_columns
from segml.schemes.xyz import Xyz

_MONEY = {"A": N_("much money"), "B": N_("middling money"), "C": N_("little money")}
_STEADINESS = {"X": N_("steady"), "Y": N_("varying"), "Z": N_("erratic")}


class AbcXyz(Scheme):
    """The two classes side by side; a customer whom one of them cannot place is in no cell."""

    column = "abc_xyz"
    title = N_("ABC × XYZ")
    question = N_("Whose money is large and steady, and whose comes as it likes?")
    labels = tuple(money + steadiness for money in Abc.labels for steadiness in Xyz.labels)
    is_grid = True

    @property
    def requires(self) -> tuple[str, ...]:
        """The labels of ABC and of XYZ."""
        return (Abc.column, Xyz.column)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the cell of each customer."""
        return np.asarray(known["abc"].astype("str") + known["xyz"].astype("str"), dtype=object)

    def rules(self) -> Rules:
        """Return the cells in words."""
        text = _("{money} (ABC {abc}), {steadiness} (XYZ {xyz})")
        return {
            abc + xyz: text.format(abc=abc, xyz=xyz, money=_(_MONEY[abc]), steadiness=_(_STEADINESS[xyz]))
            for abc in Abc.labels
            for xyz in Xyz.labels
        }


def abc_xyz_matrix(labels: pd.DataFrame, revenue: ArrayLike) -> pd.DataFrame:
    """Return the nine cells: ``abc, xyz, customers, revenue``, one row a cell, A before C and X before Z.

    Customers about whom one of the schemes cannot tell follow in rows of their own, so that the sums are the base's.

    Parameters
    ----------
    labels : ``abc`` and ``xyz``, one row a customer
    revenue : money of the same customers, in the same order
    """
    check_columns(labels, ["abc", "xyz"], "abc_xyz_matrix")
    money = pd.DataFrame(
        {"abc": labels["abc"].to_numpy(dtype=object), "xyz": labels["xyz"].to_numpy(dtype=object), "revenue": revenue}
    )
    money = money.sort_values("revenue")  # one order of addition, whatever the order of rows
    cells = money.groupby(["abc", "xyz"])["revenue"]
    nine = pd.MultiIndex.from_product([Abc.labels, Xyz.labels], names=["abc", "xyz"])
    shown = nine.append(cells.size().index.difference(nine))
    counts, sums = cells.size().reindex(shown, fill_value=0), cells.sum().reindex(shown, fill_value=0.0)
    return pd.DataFrame({"customers": counts, "revenue": sums}).reset_index()
