"""ABC: who makes the money. XYZ: how steadily it comes. And their matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segml.config import AbcConfig, XyzConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments.ranking import share_above
from segml.segments.scheme import Labels, Scheme, check_columns, check_snapshot, first_match


def abc_classes(money: ArrayLike, config: AbcConfig) -> Labels:
    """Return A, B or C for customers, products or anything else that brings money.

    By falling money, A are those who together make the first ``a_share`` of it, B the next up to ``b_share``, C the
    rest. The one who crosses a line belongs to the better class, equals share a class, money of zero or less is C and
    takes nothing off the total. Where nobody brings any money, all are "not enough data".

    >>> abc_classes([70, 15, 11, 4, 0], AbcConfig()).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    before = share_above(money)
    classes = {NOT_ENOUGH_DATA: np.isnan(before), "A": before < config.a_share, "B": before < config.b_share}
    return first_match(classes, otherwise="C")


class Abc(Scheme):
    """Customers by falling net revenue of the last ``window_days``."""

    name = "abc"
    labels = ("A", "B", "C")
    compares_customers = True

    def __init__(self, config: AbcConfig | None = None) -> None:
        self.config = config or AbcConfig()

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue of the window."""
        return (f"revenue_{self.config.window_days}d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        return abc_classes(known[self.requires[0]], self.config)

    def rules(self) -> dict[str, str]:
        """Return the classes in words."""
        a, b, days = self.config.a_share, self.config.b_share, self.config.window_days
        return {
            "A": f"largest customers, together {a:.0%} of the revenue of the last {days} days",
            "B": f"the next, up to {b:.0%} of the revenue",
            "C": "the rest, and customers without revenue in the window",
        }


class Xyz(Scheme):
    """Customers by the coefficient of variation of their revenue per month (see ``month_variation``).

    Nothing can be told about customers with fewer than ``min_months`` months or without revenue in all of them.
    """

    name = "xyz"
    labels = ("X", "Y", "Z")

    def __init__(self, config: XyzConfig | None = None) -> None:
        self.config = config or XyzConfig()

    @property
    def requires(self) -> tuple[str, ...]:
        """The column that ``month_variation`` adds."""
        return ("revenue_month_cv",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        cv = known["revenue_month_cv"]
        return first_match({"X": cv < self.config.x_below, "Y": cv < self.config.y_below}, otherwise="Z")

    def rules(self) -> dict[str, str]:
        """Return the classes in words."""
        x, y = self.config.x_below, self.config.y_below
        basis = f"revenue per month over the last {self.config.months} months"
        return {
            "X": f"steady: coefficient of variation of {basis} below {x:g}",
            "Y": f"varying: from {x:g} to below {y:g}",
            "Z": f"erratic: {y:g} and more",
        }


def month_variation(features: pd.DataFrame, revenue_by_month: pd.DataFrame, config: XyzConfig) -> pd.DataFrame:
    """Return the features with ``revenue_month_cv``, the variation of revenue from month to month.

    It is the standard deviation (population) over the mean of net revenue per month, over the last ``months``. Months
    without a purchase count as zero, months before that of the first purchase do not count. NaN where fewer than
    ``min_months`` count, or their sum is not positive.

    Parameters
    ----------
    features : one row a customer at one as-of date
    revenue_by_month : customers (index ``customer_id``) × months, oldest first, as ``segml.features.periods`` makes it:
        0 in empty months, NaN before the first purchase
    config : number of months

    Raises
    ------
    DataError : customers repeated or absent from ``revenue_by_month``, or more than one as-of date
    """
    check_snapshot(features, [], "month_variation")
    absent = sorted(set(features["customer_id"]) - set(revenue_by_month.index))
    if absent:
        raise DataError(f"revenue_by_month lacks {len(absent)} customers of the features, such as {absent[0]!r}")
    revenue = revenue_by_month.loc[features["customer_id"]].iloc[:, -config.months :].to_numpy(dtype=float)
    count, total = (~np.isnan(revenue)).sum(axis=1), np.nansum(revenue, axis=1)
    can_tell = (count >= config.min_months) & (total > 0)
    mean = np.where(can_tell, total, 1.0) / np.where(can_tell, count, 1)
    deviation = np.sqrt(np.nansum((revenue - mean[:, None]) ** 2, axis=1) / np.maximum(count, 1))
    return features.assign(revenue_month_cv=np.where(can_tell, deviation / mean, np.nan))


def abc_xyz_matrix(labels: pd.DataFrame, revenue: ArrayLike) -> pd.DataFrame:
    """Return the nine cells: ``abc, xyz, customers, revenue``, one row a cell, A before C and X before Z.

    Customers about whom one of the schemes cannot tell follow in rows of their own, so that the sums are the base's.

    Parameters
    ----------
    labels : ``abc`` and ``xyz``, one row a customer
    revenue : money of the same customers, in the same order
    """
    check_columns(labels, ["abc", "xyz"], "abc_xyz_matrix")
    money = pd.DataFrame({"abc": labels["abc"].to_numpy(), "xyz": labels["xyz"].to_numpy(), "revenue": revenue})
    money = money.sort_values("revenue")  # one order of addition, whatever the order of rows
    cells = money.groupby(["abc", "xyz"])["revenue"]
    nine = pd.MultiIndex.from_product([Abc.labels, Xyz.labels], names=["abc", "xyz"])
    shown = nine.append(cells.size().index.difference(nine))
    counts, sums = cells.size().reindex(shown, fill_value=0), cells.sum().reindex(shown, fill_value=0.0)
    return pd.DataFrame({"customers": counts, "revenue": sums}).reset_index()
