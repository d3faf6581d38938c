"""ABC: who makes the money."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import model_validator

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.ranking import share_above
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, Share


def abc_classes(money: ArrayLike, a_share: float = 0.80, b_share: float = 0.95) -> Labels:
    """Return A, B or C for customers, products or anything else that brings money.

    By falling money, A are those who together make the first ``a_share`` of it, B the next up to ``b_share``, C the
    rest. The one who crosses a line belongs to the better class, equals share a class, money of zero or less is C and
    takes nothing off the total. Where nobody brings any money, all are "not enough data".

    >>> abc_classes([70, 15, 11, 4, 0]).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    before = share_above(money)
    classes = {NOT_ENOUGH_DATA: np.isnan(before), "A": before < a_share, "B": before < b_share}
    return first_match(classes, otherwise="C")


class Abc(Scheme):
    """Customers by falling net revenue of the last ``window_days``, or by margin of the last 365 days."""

    column = "abc"
    title = N_("ABC")
    question = N_("Which customers make the bulk of the money?")
    labels = ("A", "B", "C")
    compares_customers = True

    by: Literal["revenue", "margin"] = "revenue"
    a_share: Share = 0.80
    b_share: Share = 0.95
    window_days: Positive = 365

    @model_validator(mode="after")
    def _ordered(self) -> Abc:
        if self.a_share >= self.b_share:
            raise ValueError(f"a_share ({self.a_share}) must lie below b_share ({self.b_share})")
        return self

    @model_validator(mode="after")
    def _margin_has_one_window(self) -> Abc:
        if self.by == "margin" and self.window_days != 365:
            raise ValueError(f"by margin, window_days must be 365; found {self.window_days}")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Money of the window."""
        return (f"{self.by}_{self.window_days}d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        return abc_classes(known[self.requires[0]], self.a_share, self.b_share)

    def rules(self) -> Rules:
        """Return the classes in words."""
        money = _("margin") if self.by == "margin" else _("revenue")
        told = {
            "A": _("largest customers, together {a:.0%} of the {money} of the last {days} days"),
            "B": _("the next, up to {b:.0%} of the {money}"),
            "C": _("the rest, and customers without {money} in the window"),
        }
        figures = {"a": self.a_share, "b": self.b_share, "days": self.window_days, "money": money}
        return {label: text.format(**figures) for label, text in told.items()}
